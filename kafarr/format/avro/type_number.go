package avro

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// The four number types: int and long are zigzag varints, float and double are IEEE 754, little-endian, so that a NaN's bits arrive as they were sent.

func intLeaf(*Schema) leaf    { return fixedWidth(arrow.PrimitiveTypes.Int32, 4, opInt) }
func longLeaf(*Schema) leaf   { return fixedWidth(arrow.PrimitiveTypes.Int64, 8, opLong) }
func floatLeaf(*Schema) leaf  { return fixedWidth(arrow.PrimitiveTypes.Float32, 4, opFloat) }
func doubleLeaf(*Schema) leaf { return fixedWidth(arrow.PrimitiveTypes.Float64, 8, opDouble) }

// fixedWidth is a leaf whose values are width bytes wide.
func fixedWidth(t arrow.DataType, width int, code opcode) leaf {
	return leaf{dtype: t, code: code, make: func() column.Column { return column.NewFixed(t, width) }}
}

// promoted reads a number written as a narrower type than it is read as.
func (a *Appender) promoted(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	if s.code == opFloatToDouble {
		if end-pos < 4 {
			return a.fail(faultShort, i, 0)
		}
		s.fixed.Append64(math.Float64bits(float64(math.Float32frombits(format.Load32(base, pos)))))
		return pos + 4
	}
	bits := 64
	if s.code == opIntToLong || s.code == opIntToFloat || s.code == opIntToDouble {
		bits = 32
	}
	n, next := a.integer(bits, i, base, pos, end)
	if next < 0 {
		return failed
	}
	switch s.code {
	case opIntToLong:
		s.fixed.Append64(uint64(n)) //nolint:gosec // bit pattern
	case opIntToFloat, opLongToFloat:
		s.fixed.Append32(math.Float32bits(float32(n)))
	default:
		s.fixed.Append64(math.Float64bits(float64(n)))
	}
	return next
}
