package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// PlacedFixed is a placed column whose values all have the same width in bytes.
type PlacedFixed struct {
	placedCommon
	dtype arrow.DataType
	width int
	data  unsafe.Pointer
}

// NewPlacedFixed returns a column of a type that is width bytes wide.
func NewPlacedFixed(rows *Rows, dtype arrow.DataType, width int, nulls Nulls) *PlacedFixed {
	c := &PlacedFixed{dtype: dtype, width: width}
	rows.join(c, nulls, width)
	return c
}

// Put32 stores a value of a column that is 4 bytes wide.
func (c *PlacedFixed) Put32(row int, v uint32) {
	*(*uint32)(unsafe.Add(c.data, row<<2)) = v
	c.Mark(row)
}

// Put64 stores a value of a column that is 8 bytes wide.
func (c *PlacedFixed) Put64(row int, v uint64) {
	*(*uint64)(unsafe.Add(c.data, row<<3)) = v
	c.Mark(row)
}

// PutBytes stores the width bytes at p.
func (c *PlacedFixed) PutBytes(row int, p unsafe.Pointer) {
	copy(c.at(row), unsafe.Slice((*byte)(p), c.width))
	c.Mark(row)
}

// PutValues stores n values that lie one after the other at p, from a row on. The column is not nullable.
func (c *PlacedFixed) PutValues(row int, p unsafe.Pointer, n int) {
	copy(unsafe.Slice((*byte)(unsafe.Add(c.data, row*c.width)), n*c.width), unsafe.Slice((*byte)(p), n*c.width))
}

// Value returns the bytes at a row, which are valid until the column grows.
func (c *PlacedFixed) Value(row int) []byte { return c.at(row) }

func (c *PlacedFixed) at(row int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(c.data, row*c.width)), c.width)
}

func (c *PlacedFixed) grow(used, capacity int) {
	c.data = cmem.Resize(c.data, used*c.width, capacity*c.width)
	c.growValid(used, capacity)
}

func (c *PlacedFixed) zero(from, to int) {
	clear(unsafe.Slice((*byte)(unsafe.Add(c.data, from*c.width)), (to-from)*c.width))
	c.zeroValid(from, to)
}

// Clear implements Placed.
func (c *PlacedFixed) Clear() {
	clear(c.at(c.rows.n))
	c.unmark()
}

// SetNull implements Placed.
func (c *PlacedFixed) SetNull() {
	c.Clear()
	c.setNull()
}

// AppendNull implements Column: the row that is being written is null, and Rows.Seal ends it.
func (c *PlacedFixed) AppendNull() { c.SetNull() }

// AppendZero implements Column, as AppendNull does for null.
func (c *PlacedFixed) AppendZero() { c.Clear() }

// Finish implements Column.
func (c *PlacedFixed) Finish() arrow.ArrayData {
	n := c.rows.n
	if c.data == nil {
		c.data = cmem.Resize(nil, 0, 1) // Arrow wants a data buffer
	}
	valid, nulls := c.finishValid(n)
	values := buffer(c.data, n*c.width)
	data := array.NewData(c.dtype, n, []*memory.Buffer{valid, values}, nil, nulls, 0)
	releaseAll(valid, values)
	c.data = nil
	c.rows.closed(&c.placedCommon)
	return data
}

// Release implements Column.
func (c *PlacedFixed) Release() {
	cmem.Release(c.data)
	c.releaseValid()
	c.data = nil
	c.rows.closed(&c.placedCommon)
}

// PlacedDictionary is a placed column of codes into a list of texts that is known beforehand, which are stored by Put32.
type PlacedDictionary struct {
	PlacedFixed
	texts  []string
	shared *dictionary // nil: its own, for each array
}

// NewPlacedDictionary returns a column whose codes 0, 1, … stand for texts.
func NewPlacedDictionary(rows *Rows, texts []string, nulls Nulls) *PlacedDictionary {
	c := &PlacedDictionary{texts: texts}
	c.dtype, c.width = arrow.PrimitiveTypes.Int32, 4
	rows.join(c, nulls, c.width)
	return c
}

// Finish implements Column.
func (c *PlacedDictionary) Finish() arrow.ArrayData {
	return coded(c.PlacedFixed.Finish(), c.texts, c.shared)
}

// PlacedBits is a placed column of booleans.
type PlacedBits struct {
	placedCommon
	data unsafe.Pointer
}

// NewPlacedBits returns a column of booleans.
func NewPlacedBits(rows *Rows, nulls Nulls) *PlacedBits {
	c := &PlacedBits{}
	rows.join(c, nulls, 1)
	return c
}

// Put stores a boolean, without a branch: half of the guesses about booleans are wrong.
func (c *PlacedBits) Put(row int, v bool) {
	var b byte
	if v {
		b = 1
	}
	p, at := (*byte)(unsafe.Add(c.data, row>>3)), row&7
	*p = *p&^(1<<at) | b<<at
	c.Mark(row)
}

// At returns the boolean at a row.
func (c *PlacedBits) At(row int) bool { return bit(c.data, row) }

func (c *PlacedBits) grow(used, capacity int) {
	c.data = cmem.Resize(c.data, bitBytes(used), bitBytes(capacity))
	c.growValid(used, capacity)
}

func (c *PlacedBits) zero(from, to int) {
	fillBits(c.data, from, to, 0)
	c.zeroValid(from, to)
}

// Clear implements Placed.
func (c *PlacedBits) Clear() {
	clearBit(c.data, c.rows.n)
	c.unmark()
}

// SetNull implements Placed.
func (c *PlacedBits) SetNull() {
	c.Clear()
	c.setNull()
}

// AppendNull implements Column, as that of PlacedFixed.
func (c *PlacedBits) AppendNull() { c.SetNull() }

// AppendZero implements Column, as AppendNull does for null.
func (c *PlacedBits) AppendZero() { c.Clear() }

// Finish implements Column.
func (c *PlacedBits) Finish() arrow.ArrayData {
	n := c.rows.n
	if c.data == nil {
		c.data = cmem.Resize(nil, 0, 1)
	}
	valid, nulls := c.finishValid(n)
	values := buffer(c.data, bitBytes(n))
	data := array.NewData(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{valid, values}, nil, nulls, 0)
	releaseAll(valid, values)
	c.data = nil
	c.rows.closed(&c.placedCommon)
	return data
}

// Release implements Column.
func (c *PlacedBits) Release() {
	cmem.Release(c.data)
	c.releaseValid()
	c.data = nil
	c.rows.closed(&c.placedCommon)
}
