package avro

import (
	"maps"
	"slices"
	"strings"
)

// selection is a tree of wanted fields; nil: everything.
type selection struct {
	fields map[string]*selection // nil value: the whole field
}

// selectionOf makes the tree of paths; nil when there are none.
func selectionOf(paths []string) *selection {
	if len(paths) == 0 {
		return nil
	}
	root := &selection{fields: map[string]*selection{}}
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
				below = &selection{fields: map[string]*selection{}}
				at.fields[part] = below
			}
			at = below
		}
	}
	return root
}

// field reports whether a field is wanted, and what of it.
func (s *selection) field(name string) (below *selection, wanted bool) {
	if s == nil {
		return nil, true
	}
	below, wanted = s.fields[name]
	return below, wanted
}

// unknown returns a wanted field that the record does not have, if there is one.
func (s *selection) unknown(record *Schema) (name string, found bool) {
	if s == nil {
		return "", false
	}
next:
	for _, name := range slices.Sorted(maps.Keys(s.fields)) { // so that the same mistakes give the same error
		for _, f := range record.Fields {
			if f.Name == name {
				continue next
			}
		}
		return name, true
	}
	return "", false
}
