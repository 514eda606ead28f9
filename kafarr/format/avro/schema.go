package avro

import (
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Type is an Avro type.
type Type uint8

// The Avro types.
const (
	Null Type = iota
	Boolean
	Int
	Long
	Float
	Double
	Bytes
	String
	Record
	Enum
	Array
	Map
	Union
	Fixed
)

var typeNames = [...]string{
	Null: "null", Boolean: "boolean", Int: "int", Long: "long", Float: "float", Double: "double", Bytes: "bytes",
	String: "string", Record: "record", Enum: "enum", Array: "array", Map: "map", Union: "union", Fixed: "fixed",
}

func (t Type) String() string { return typeNames[t] }

// Schema is a parsed Avro schema. A named type that refers to itself is a circle of pointers.
type Schema struct {
	Type     Type
	Name     string   // full name of a record, enum or fixed
	Aliases  []string // full names
	Fields   []Field  // of a record
	Symbols  []string // of an enum
	Default  string   // of an enum; empty: none
	Items    *Schema  // of an array, and the values of a map
	Branches []*Schema
	Size     int // of a fixed, in bytes
	Logical  Logical

	badDefault string // of an enum: a default that is none of its symbols, as it stands

	types []*Schema // of the fields that take bytes
	text  int       // the length of the text that it was parsed from, references included; 0 within another schema

	encryptedBy []int // of a string or bytes, see MarkEncrypted
	empty       bool  // a record none of whose fields takes a byte: records that hold two of the next one are 2^n of nothing
}

// Logical is a logical type as it stands in the schema, valid or not.
type Logical struct {
	Name      string // empty: none
	Precision int    // of a decimal; -1 where it is missing or no whole number
	Scale     int    // of a decimal, 0 by default; -1 where it is no whole number
}

// Field is a field of a record.
type Field struct {
	Name       string
	Aliases    []string
	Type       *Schema
	HasDefault bool
	Default    any      // as encoding/json reads it, numbers as json.Number
	Tags       []string // of "confluent:tags", by which rules of a data contract find their fields
}

// MayBeText implements format.Textlike. A fixed may hold any bytes; all other types begin with a number, of which { and [ are the negative ones -62 and -46.
func (s *Schema) MayBeText() bool {
	for range format.DefaultLimits.SchemaDepth { // a record may begin with itself
		if s.Type != Record || len(s.types) == 0 {
			break
		}
		s = s.types[0]
	}
	return s.Type == Fixed
}

// takesNothing reports whether no value of the type takes a byte.
func (s *Schema) takesNothing() bool {
	return s.Type == Null || s.empty || s.Type == Fixed && s.Size == 0
}

// TypeName is the full name of a named type and the Avro name of any other; that of a union of one type is that type's.
func (s *Schema) TypeName() string {
	s = s.only()
	if s.Name != "" {
		return s.Name
	}
	return s.Type.String()
}

// describe names a schema within an error message.
func (s *Schema) describe() string {
	var b strings.Builder
	b.WriteString(s.Type.String())
	if s.Name != "" {
		b.WriteString(" " + format.ShortName(s.Name))
	}
	if s.Logical.Name != "" {
		b.WriteString(" (" + format.ShortName(s.Logical.Name) + ")")
	}
	return b.String()
}

// only returns the one branch of a union of one type, which stands for that type; any other schema is itself. In a body, the union's index comes first all the same.
func (s *Schema) only() *Schema {
	if s.Type == Union && len(s.Branches) == 1 {
		return s.Branches[0]
	}
	return s
}

// optional returns the other branch of a union of null and one type, and the index of null; nil for anything else.
func (s *Schema) optional() (other *Schema, null int) {
	if s.Type != Union || len(s.Branches) != 2 {
		return nil, 0
	}
	switch {
	case s.Branches[0].Type == Null:
		return s.Branches[1], 0
	case s.Branches[1].Type == Null:
		return s.Branches[0], 1
	}
	return nil, 0
}
