package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// PlacedVarlen is a placed column of values of any length: utf8 and binary, with 32-bit offsets. A second value of a row takes the place of the first.
type PlacedVarlen struct {
	placedCommon
	dtype         arrow.DataType
	offsets       unsafe.Pointer // of one row more
	data          unsafe.Pointer
	start         int // where the value of the row that is being written begins
	bytes         int // where it ends
	bytesCapacity int
	bytesHint     int
	budget        *Budget
}

// NewPlacedVarlen returns a column of utf8 or binary.
func NewPlacedVarlen(rows *Rows, dtype arrow.DataType, nulls Nulls) *PlacedVarlen {
	c := &PlacedVarlen{dtype: dtype}
	rows.join(c, nulls, offsetBytes)
	rows.texts = append(rows.texts, c)
	return c
}

// Fits reports whether a value of n bytes keeps the offsets within 32 bits. It must not be stored otherwise.
func (c *PlacedVarlen) Fits(n int) bool { return n <= MaxVarlenBytes-c.start }

// Room returns where the value of the row that is being written goes: at least n bytes, and 16 more that may be overwritten.
func (c *PlacedVarlen) Room(n int) unsafe.Pointer {
	if c.start+n+wordSlack > c.bytesCapacity {
		c.growBytes(n)
	}
	return unsafe.Add(c.data, c.start)
}

// Took stores the value of n bytes that was written to Room, at the row that is being written.
func (c *PlacedVarlen) Took(n int) {
	c.bytes = c.start + n
	c.Mark(c.rows.n)
}

// Put stores the n bytes at p at the row that is being written.
func (c *PlacedVarlen) Put(p unsafe.Pointer, n int) {
	copy(unsafe.Slice((*byte)(c.Room(n)), n), unsafe.Slice((*byte)(p), n))
	c.Took(n)
}

// Value returns the bytes at a sealed row, which are valid until the next value is stored.
func (c *PlacedVarlen) Value(row int) []byte {
	from := offset(c.offsets, row)
	return unsafe.Slice((*byte)(unsafe.Add(c.data, from)), offset(c.offsets, row+1)-from)
}

// growBytes keeps the values of sealed rows only: another value takes the place of that of the row that is being written.
func (c *PlacedVarlen) growBytes(n int) {
	capacity := max(c.budget.capacity(c.bytesCapacity, c.start+n, c.bytesHint)+wordSlack, bytesPerText*c.budget.capacity(0, 0, 0))
	c.budget.grows(capacity-c.bytesCapacity, n)
	c.data = cmem.Resize(c.data, c.start, capacity)
	c.bytesCapacity = capacity
}

func (c *PlacedVarlen) grow(used, capacity int) {
	c.offsets = growOffsets(c.offsets, used, capacity)
	c.growValid(used, capacity)
}

// growOffsets makes room for the offsets of so many rows, of which the first used are kept.
func growOffsets(offsets unsafe.Pointer, used, capacity int) unsafe.Pointer {
	first := offsets == nil
	kept := (used + 1) * offsetBytes
	if first {
		kept = 0
	}
	offsets = cmem.Resize(offsets, kept, (capacity+1)*offsetBytes)
	if first {
		*(*int32)(offsets) = 0
	}
	return offsets
}

// zero leaves the offsets: Rows.Seal writes each of them.
func (c *PlacedVarlen) zero(from, to int) { c.zeroValid(from, to) }

// Clear implements Placed.
func (c *PlacedVarlen) Clear() {
	c.bytes = c.start
	c.unmark()
}

// SetNull implements Placed.
func (c *PlacedVarlen) SetNull() {
	c.Clear()
	c.setNull()
}

// AppendNull implements Column, as that of PlacedFixed.
func (c *PlacedVarlen) AppendNull() { c.SetNull() }

// AppendZero implements Column, as AppendNull does for null.
func (c *PlacedVarlen) AppendZero() { c.Clear() }

// Finish implements Column.
func (c *PlacedVarlen) Finish() arrow.ArrayData {
	n := c.rows.n
	if c.offsets == nil {
		c.offsets = growOffsets(nil, 0, 0)
	}
	if c.data == nil {
		c.data = cmem.Resize(nil, 0, 1)
	}
	valid, nulls := c.finishValid(n)
	offsets := buffer(c.offsets, (n+1)*offsetBytes)
	values := buffer(c.data, c.start)
	data := array.NewData(c.dtype, n, []*memory.Buffer{valid, offsets, values}, nil, nulls, 0)
	releaseAll(valid, offsets, values)
	c.bytesHint = c.start + c.start/16 // lengths vary a little
	c.forget()
	return data
}

// Release implements Column.
func (c *PlacedVarlen) Release() {
	cmem.Release(c.offsets)
	cmem.Release(c.data)
	c.releaseValid()
	c.forget()
}

func (c *PlacedVarlen) forget() {
	c.offsets, c.data, c.start, c.bytes, c.bytesCapacity = nil, nil, 0, 0, 0
	c.rows.closed(&c.placedCommon)
}
