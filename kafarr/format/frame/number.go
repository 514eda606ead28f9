package frame

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Load is how a number lies in Arrow memory.
type Load uint8

// The ways.
const (
	Int8 Load = iota
	Uint8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Uint64
	Float16
	Float32
	Float64
)

// Loads are those of Arrow's types of numbers.
var Loads = map[arrow.Type]Load{
	arrow.INT8: Int8, arrow.UINT8: Uint8, arrow.INT16: Int16, arrow.UINT16: Uint16, arrow.INT32: Int32, arrow.UINT32: Uint32,
	arrow.INT64: Int64, arrow.UINT64: Uint64, arrow.FLOAT16: Float16, arrow.FLOAT32: Float32, arrow.FLOAT64: Float64,
}

var loadBytes = [...]int{1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8}

// Bytes is how many a number takes.
func (l Load) Bytes() int { return loadBytes[l] }

// Whole reads an integer; false: it is greater than 2^63 - 1.
func (l Load) Whole(data unsafe.Pointer, i int) (int64, bool) {
	switch l {
	case Int8:
		return int64(*(*int8)(unsafe.Add(data, i))), true
	case Uint8:
		return int64(*(*uint8)(unsafe.Add(data, i))), true
	case Int16:
		return int64(*(*int16)(unsafe.Add(data, i*2))), true
	case Uint16:
		return int64(*(*uint16)(unsafe.Add(data, i*2))), true
	case Int32:
		return int64(*(*int32)(unsafe.Add(data, i*4))), true
	case Uint32:
		return int64(*(*uint32)(unsafe.Add(data, i*4))), true
	}
	v := *(*int64)(unsafe.Add(data, i*8))
	return v, l == Int64 || v >= 0
}

// Real reads a float.
func (l Load) Real(data unsafe.Pointer, i int) float64 {
	switch l {
	case Float16:
		return float64(float16.FromBits(*(*uint16)(unsafe.Add(data, i*2))).Float32())
	case Float32:
		return float64(math.Float32frombits(format.Load32(data, i*4)))
	}
	return math.Float64frombits(format.Load64(data, i*8))
}

// Text is the number as it stands, for an error.
func (l Load) Text(data unsafe.Pointer, i int) string {
	if l >= Float16 {
		return strconv.FormatFloat(l.Real(data, i), 'g', -1, 64)
	}
	v, ok := l.Whole(data, i)
	if !ok {
		return strconv.FormatUint(uint64(v), 10) //nolint:gosec // it has none of the sign
	}
	return strconv.FormatInt(v, 10)
}

// DecimalWords reads a decimal of Arrow, of 4 to 32 bytes, as words from the lowest.
func DecimalWords(data unsafe.Pointer, row, width int) (words [4]uint64) {
	switch width {
	case 4:
		v := int64(*(*int32)(unsafe.Add(data, row*4)))
		sign := uint64(v >> 63)                       //nolint:gosec // the sign, in all bits
		return [4]uint64{uint64(v), sign, sign, sign} //nolint:gosec // two's complement
	case 8:
		v := format.Load64(data, row*8)
		sign := uint64(int64(v) >> 63) //nolint:gosec // the sign, in all bits
		return [4]uint64{v, sign, sign, sign}
	case 16:
		high := format.Load64(data, row*16+8)
		sign := uint64(int64(high) >> 63) //nolint:gosec // the sign, in all bits
		return [4]uint64{format.Load64(data, row*16), high, sign, sign}
	}
	return [4]uint64{format.Load64(data, row*32), format.Load64(data, row*32+8), format.Load64(data, row*32+16), format.Load64(data, row*32+24)}
}
