// Package nearest finds the name that was probably meant by one that is not known. Python has the same for its own names (pykafarr/_options/nearest.py).
package nearest

import (
	"slices"
	"strings"
)

// Name is the known name that is most alike, whatever its case; "" where none is.
func Name(name string, known []string) string {
	best, _ := closest(name, known, func(known string) string { return known })
	return best
}

// Hint is ". Did you mean a?" of the name that is most alike, or nothing.
func Hint(name string, known []string) string { return hint(Name(name, known)) }

// Qualified is Hint for names such as com.example.Order, which are also alike where what is after their last dots is.
func Qualified(name string, known []string) string {
	best, least := closest(name, known, func(known string) string { return known })
	for _, meant := range []string{name, last(name)} {
		if k, d := closest(meant, known, last); k != "" && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return hint(best)
}

// closest is the known name whose form is most alike, and in how many letters it differs.
func closest(name string, known []string, form func(string) string) (best string, least int) {
	least = len(name) + 1
	for _, k := range slices.Sorted(slices.Values(known)) {
		f := form(k)
		// A third of the letters wrong is a guess no longer.
		if d := distance(strings.ToLower(name), strings.ToLower(f)); d < least && d*3 <= len(f) {
			best, least = k, d
		}
	}
	return best, least
}

func hint(likely string) string {
	if likely == "" {
		return ""
	}
	return ". Did you mean " + likely + "?"
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
