package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// null takes no bytes and becomes Arrow's null type, which takes no memory.
func compileNull(*Schema) (output, step, error) {
	return output{
		field: arrow.Field{Type: arrow.Null},
		make:  func() column.Column { return column.NewNull() },
	}, step{code: opNull}, nil
}
