package avro

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// Plan is a schema compiled: what to do with the bytes of a body, in order, and the columns that come of it.
type Plan struct {
	// MessageType is the full name of the schema's top-level type.
	MessageType string
	// Fields are the Arrow fields of the columns.
	Fields []arrow.Field
	// Shape is equal for plans whose columns are the same in every respect, so that rows of both may share a batch.
	Shape string

	outputs []output
	steps   []step
}

// output is one column to be made.
type output struct {
	field arrow.Field
	make  func() column.Column
	shape string // what distinguishes columns of the same Arrow type, such as an enum's symbols
}

// opcode says how a step's value is read and appended.
type opcode uint8

const (
	opNull opcode = iota
	opBoolean
	opInt
	opLong
	opFloat
	opDouble
	opString
	opBytes
	opEnum
	opFixed
)

// notNullable is a step's null branch when its value is no union with null.
const notNullable = -1

// step is one value of a body. A body is read by the steps in order.
type step struct {
	code   opcode
	null   int8 // the union branch that is null: 0, 1 or notNullable
	column int  // index of the output
	size   int  // of a fixed in bytes; of an enum, the number of symbols
	path   string
}

// Compile makes the plan of a schema.
func Compile(s *Schema) (*Plan, error) {
	c := &compiler{}
	if s.Type == Record {
		for _, f := range s.Fields {
			if err := c.value(f.Type, f.Name, f.Name); err != nil {
				return nil, err
			}
		}
	} else if err := c.value(s, "value", ""); err != nil {
		return nil, err
	}
	p := &Plan{MessageType: s.TypeName(), outputs: c.outputs, steps: c.steps}
	var shape strings.Builder
	shape.WriteString(p.MessageType)
	for _, o := range c.outputs {
		p.Fields = append(p.Fields, o.field)
		fmt.Fprintf(&shape, "\x00%s\x00%s\x00%t\x00%s", o.field.Name, o.field.Type, o.field.Nullable, o.shape)
	}
	p.Shape = shape.String()
	return p, nil
}

type compiler struct {
	outputs []output
	steps   []step
}

// types is the table of Avro types: the one place that joins a type to its file.
var types = map[Type]func(*Schema) (output, step, error){
	Null:    compileNull,
	Boolean: compileBoolean,
	Int:     compileInt,
	Long:    compileLong,
	Float:   compileFloat,
	Double:  compileDouble,
	String:  compileString,
	Bytes:   compileBytes,
	Enum:    compileEnum,
	Fixed:   compileFixed,
}

// value adds the column and the step of one value.
func (c *compiler) value(s *Schema, name, path string) error {
	null := int8(notNullable)
	if other, branch := s.optional(); other != nil {
		s, null = other, int8(branch) //nolint:gosec // 0 or 1
	}
	compile, ok := types[s.Type]
	if !ok {
		return schemaErrorf(path, "%s is not supported yet", s.describe())
	}
	out, st, err := compile(s)
	if err != nil {
		return &SchemaError{Path: path, Msg: err.Error()}
	}
	out.field.Name = name
	out.field.Nullable = null != notNullable || s.Type == Null
	st.null, st.column, st.path = null, len(c.outputs), path
	c.outputs = append(c.outputs, out)
	c.steps = append(c.steps, st)
	return nil
}
