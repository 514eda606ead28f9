package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// boolean is a byte, 0 or 1, and becomes a bit. Any other byte is an error: it would be read differently elsewhere.
func compileBoolean(*Schema) (output, step, error) {
	return output{
		field: arrow.Field{Type: arrow.FixedWidthTypes.Boolean},
		make:  func() column.Column { return column.NewBits() },
	}, step{code: opBoolean}, nil
}
