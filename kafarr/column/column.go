// Package column holds growable Arrow columns in C memory: values are appended a row at a time, Truncate removes a row
// that turns out to be bad, and Finish hands the memory over as Arrow data without a copy.
//
// A column knows Arrow's layout and nothing of Avro or Kafka. The append methods are small enough to be inlined
// into the decoder's loop; they check the capacity themselves, so a caller may reserve or not.
package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Column is one growable Arrow array.
type Column interface {
	// Len returns the number of values appended.
	Len() int
	// AppendNull appends a null.
	AppendNull()
	// AppendZero appends a value that is zero, empty, or the first of its kind: what stands in a column without nulls where the
	// parent is null.
	AppendZero()
	// Truncate takes back what was appended after the first n values.
	Truncate(n int)
	// Finish hands the values over and leaves the column empty. The caller owns the data.
	Finish() arrow.ArrayData
	// Release frees what was not handed over.
	Release()
}

// minCapacity is the number of values a column first makes room for. Doubling from there costs each value at
// most one more copy.
const minCapacity = 256

// grownOffsets makes room for the offset after value n, and for the zero before the first one.
func grownOffsets(b *Budget, offsets unsafe.Pointer, n, capacity, hint int) (grown unsafe.Pointer, newCapacity int) {
	used := 0
	if offsets != nil {
		used = (n + 1) * 4
	}
	newCapacity = b.capacity(capacity, n+1, hint)
	b.grows((newCapacity-capacity)*offsetBytes, offsetBytes)
	grown = cmem.Resize(offsets, used, (newCapacity+1)*4)
	if used == 0 {
		*(*int32)(grown) = 0
	}
	return grown, newCapacity
}

// buffer wraps a block as an Arrow buffer of n bytes; nil stays nil, which Arrow reads as "absent".
func buffer(p unsafe.Pointer, n int) *memory.Buffer {
	if p == nil {
		return nil
	}
	return cmem.Buffer(p, n)
}

// Expect says for how many values a column makes room at once, and the columns below it that have a value for each of its own. Room that is not written to costs
// nothing: the system hands out its pages when they are first touched.
func Expect(c Column, n int) {
	switch c := c.(type) {
	case *Fixed:
		c.hint = max(c.hint, n)
	case *Dictionary:
		c.hint = max(c.hint, n)
	case *Bits:
		c.hint = max(c.hint, n)
	case *Varlen:
		c.hint = max(c.hint, n)
	case *List:
		c.hint = max(c.hint, n)
	case *Struct:
		for _, m := range c.Members {
			Expect(m, n)
		}
	case placed:
		rows := c.common().rows
		rows.hint = max(rows.hint, n)
	}
}
