package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// The four number types: int and long are zigzag varints, float and double are IEEE 754, little-endian, so that a NaN's
// bits arrive as they were sent.

func compileInt(*Schema) (output, step, error) {
	return numberOutput(arrow.PrimitiveTypes.Int32, 4), step{code: opInt}, nil
}

func compileLong(*Schema) (output, step, error) {
	return numberOutput(arrow.PrimitiveTypes.Int64, 8), step{code: opLong}, nil
}

func compileFloat(*Schema) (output, step, error) {
	return numberOutput(arrow.PrimitiveTypes.Float32, 4), step{code: opFloat}, nil
}

func compileDouble(*Schema) (output, step, error) {
	return numberOutput(arrow.PrimitiveTypes.Float64, 8), step{code: opDouble}, nil
}

func numberOutput(t arrow.DataType, width int) output {
	return output{
		field: arrow.Field{Type: t},
		make:  func() column.Column { return column.NewFixed(t, width) },
	}
}
