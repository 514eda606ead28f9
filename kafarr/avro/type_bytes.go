package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// bytes is a length and as many bytes.
func compileBytes(*Schema) (output, step, error) {
	return output{
		field: arrow.Field{Type: arrow.BinaryTypes.Binary},
		make:  func() column.Column { return column.NewVarlen(arrow.BinaryTypes.Binary) },
	}, step{code: opBytes}, nil
}
