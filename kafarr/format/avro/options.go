package avro

import "strings"

// Options say how a schema becomes columns.
type Options struct {
	// Reader is the schema to read as; nil: the writer's own.
	Reader *Schema
	// Columns are the fields to read, as paths such as "customer.address.zip"; empty: all. A path goes through arrays, maps and unions to the records
	// within.
	Columns []string
	// Unions says what becomes of unions of more than null and one type.
	Unions Unions
	// Recursion says what becomes of a field that leads back to the record it is in.
	Recursion Recursion
	// OutOfRange says what becomes of a value that its Arrow type cannot hold.
	OutOfRange OutOfRange
	// Whole makes a record one column, a struct, as every other type is one.
	Whole bool
	// Nullable makes every column nullable, so that a body may be null.
	Nullable bool
	// Unseal decrypts the values that one rule has encrypted, as serializers do it: see Schema.MarkEncrypted, and Appender.Keys.
	Unseal bool
	// Limits bound what the schemas and the bodies may ask for.
	Limits Limits
}

// Unions says what becomes of unions of more than null and one type.
type Unions int

const (
	// StructUnions are structs with a nullable member per branch, which pandas and polars can take.
	StructUnions Unions = iota
	// DenseUnions are Arrow's dense unions.
	DenseUnions
)

// Recursion says what becomes of a field that leads back to the record it is in.
type Recursion int

const (
	// Refuse makes it a SchemaError.
	Refuse Recursion = iota
	// JSON makes it a text column of the value's Avro JSON encoding.
	JSON
)

// OutOfRange says what becomes of a value that its Arrow type cannot hold: a time of day of 24 hours or more, a decimal of more digits than its precision, a duration of more
// months or days than 32 bits with a sign hold, a big-decimal of a huge scale.
type OutOfRange int

const (
	// RaiseOutOfRange makes it the row's error.
	RaiseOutOfRange OutOfRange = iota
	// NullOutOfRange makes it a null that Appender.OutOfRange counts. The columns of such types are nullable then, on every level.
	NullOutOfRange
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

// field tells whether a field is wanted, and what of it.
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
	for name := range s.fields {
		for _, f := range record.Fields {
			if f.Name == name {
				continue next
			}
		}
		return name, true
	}
	return "", false
}
