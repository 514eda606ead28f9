package format

import (
	"maps"
	"slices"
	"strings"
)

// Selection is a tree of wanted fields, as Options.Columns names them; nil: everything.
type Selection struct {
	fields map[string]*Selection // nil value: the whole field
}

// SelectionOf makes the tree of paths; nil when there are none.
func SelectionOf(paths []string) *Selection {
	if len(paths) == 0 {
		return nil
	}
	root := &Selection{fields: map[string]*Selection{}}
	for _, p := range paths {
		at := root
		parts := strings.Split(p, ".")
		for i, part := range parts {
			below, known := at.fields[part]
			if known && below == nil { // the whole field is wanted already
				break
			}
			if i == len(parts)-1 {
				at.fields[part] = nil
				break
			}
			if !known {
				below = &Selection{fields: map[string]*Selection{}}
				at.fields[part] = below
			}
			at = below
		}
	}
	return root
}

// Field reports whether a field is wanted, and what of it.
func (s *Selection) Field(name string) (below *Selection, wanted bool) {
	if s == nil {
		return nil, true
	}
	below, wanted = s.fields[name]
	return below, wanted
}

// Unknown returns a wanted field that is none of these, if there is one.
func (s *Selection) Unknown(names []string) (name string, found bool) {
	if s == nil {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) { // so that the same mistakes give the same error
		if !slices.Contains(names, name) {
			return name, true
		}
	}
	return "", false
}
