package registry

import "strings"

// unknownProperty names the property that was probably meant.
func unknownProperty(name string) *ConfigError {
	switch name {
	case "url", "schema.registry.url":
		return configErrorf(name, "the registry's URL is an argument of its own, not a property")
	case "bearer.auth.custom.provider.function", "bearer.auth.custom.provider.config":
		return configErrorf(name, "not supported: a property is text and cannot hold a function")
	}
	// Java clients write schema.registry.basic.auth.user.info and the like.
	if bare, ok := strings.CutPrefix(name, "schema.registry."); ok {
		if _, known := findProperty(bare); known {
			return configErrorf(name, "unknown property; it is called %s here", bare)
		}
	}
	nearest, distance := "", len(name)
	for _, p := range properties {
		if d := editDistance(name, p.name); d < distance {
			nearest, distance = p.name, d
		}
	}
	// A third of the letters wrong is a guess no longer.
	if distance*3 <= len(nearest) {
		return configErrorf(name, "unknown property; did you mean %s?", nearest)
	}
	return configErrorf(name, "unknown property")
}

// editDistance counts the letters to insert, delete or replace to make b of a (Levenshtein).
func editDistance(a, b string) int {
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
