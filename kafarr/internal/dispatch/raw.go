package dispatch

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// RawColumn is the column whose texts or bytes are values as they are, with Plan.Raw: a listener gives values without a schema so.
const RawColumn = "value"

// rawValues writes the texts or bytes of a column as they are.
type rawValues struct{ read bytesOf }

// Encode implements format.Encoder.
func (v rawValues) Encode(dst []byte, row int) (int, bool) {
	value, _ := v.read(row)
	if len(value) > len(dst) {
		return 0, false
	}
	return copy(dst, value), true
}

// bindRaw reads the values of a batch. A null is a tombstone.
func bindRaw(to *part, column arrow.Array) error {
	read := readBytes(column)
	if read == nil {
		return columnError("frame", RawColumn, column.DataType(), "texts or bytes")
	}
	to.value = rawValues{read}
	absent := nulls(column)
	for row := range absent {
		if to.deleted != nil {
			absent[row] = absent[row] || to.deleted[row]
		}
	}
	if absent != nil {
		to.deleted = absent
	}
	return nil
}
