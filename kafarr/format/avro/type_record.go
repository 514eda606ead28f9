package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// record, below the top level, is a struct. It has no bytes of its own: its fields follow one another, and the struct is counted after the last.
func (l *layouter) record(s *Schema, path string, selection *format.Selection) (*layout, error) {
	kids, err := l.fields(s, path, selection)
	if err != nil {
		return nil, err
	}
	t := arrow.StructOf(arrowFields(kids)...)
	return &layout{
		field: arrow.Field{Type: t}, kids: kids,
		build: func(kids []column.Column) column.Column { return column.NewStruct(t, kids...) },
	}, nil
}

func (c *compiler) record(w *Schema, l *layout, path string, null int8) error {
	i := c.add(step{code: opRecord, null: null, column: l.id, path: path})
	if err := c.fields(w, l.schema, l.kids, path); err != nil {
		return err
	}
	c.close(c.add(step{code: opRecordEnd, null: notNullable, column: l.id, path: path}))
	c.close(i)
	return nil
}
