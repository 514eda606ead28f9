package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// fixed is as many bytes as the schema says.
func compileFixed(s *Schema) (output, step, error) {
	t := &arrow.FixedSizeBinaryType{ByteWidth: s.Size}
	return output{
		field: arrow.Field{Type: t},
		make:  func() column.Column { return column.NewFixed(t, s.Size) },
	}, step{code: opFixed, size: s.Size}, nil
}
