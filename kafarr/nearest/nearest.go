// Package nearest finds the name that was probably meant by one that is not known. Python has the same of its own names (_nearest.py).
package nearest

import (
	"slices"
	"strings"
)

// Name is the known name that is most alike, whatever its case, as a whole or but for what is before the last dot; "" where none is.
func Name(name string, known []string) string {
	best, least := "", len(name)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		for _, form := range []string{k, last(k)} {
			for _, meant := range []string{name, last(name)} {
				// A third of the letters wrong is a guess no longer.
				if d := distance(strings.ToLower(meant), strings.ToLower(form)); d < least && d*3 <= len(form) {
					best, least = k, d
				}
			}
		}
	}
	return best
}

// Hint is ". Did you mean a?" of the name that is most alike, or nothing.
func Hint(name string, known []string) string {
	if likely := Name(name, known); likely != "" {
		return ". Did you mean " + likely + "?"
	}
	return ""
}

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// distance counts the letters to insert, delete or replace to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
