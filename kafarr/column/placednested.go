package column

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// PlacedStruct is a placed column of structs, whose members lie in the same rows. A value needs no more than its members, and a mark where it is nullable.
type PlacedStruct struct {
	placedCommon
	dtype   *arrow.StructType
	Members []Placed
}

// NewPlacedStruct returns a column of structs with these members, which are columns of the same rows.
func NewPlacedStruct(rows *Rows, dtype *arrow.StructType, nulls Nulls, members ...Placed) *PlacedStruct {
	c := &PlacedStruct{dtype: dtype, Members: members}
	rows.join(c, nulls, 0)
	return c
}

func (c *PlacedStruct) grow(used, capacity int) { c.growValid(used, capacity) }

func (c *PlacedStruct) zero(from, to int) { c.zeroValid(from, to) }

// Clear implements Placed.
func (c *PlacedStruct) Clear() {
	for _, m := range c.Members {
		m.Clear()
	}
	c.unmark()
}

// SetNull implements Placed.
func (c *PlacedStruct) SetNull() {
	c.Clear()
	c.setNull()
}

// AppendNull implements Column, as that of PlacedFixed.
func (c *PlacedStruct) AppendNull() { c.SetNull() }

// AppendZero implements Column, as AppendNull does for null.
func (c *PlacedStruct) AppendZero() { c.Clear() }

// Finish implements Column.
func (c *PlacedStruct) Finish() arrow.ArrayData {
	n := c.rows.n
	members := make([]arrow.ArrayData, len(c.Members))
	for i, m := range c.Members {
		members[i] = m.Finish()
	}
	valid, nulls := c.finishValid(n)
	data := array.NewData(c.dtype, n, []*memory.Buffer{valid}, members, nulls, 0)
	for _, m := range members {
		m.Release()
	}
	releaseAll(valid)
	c.rows.closed(&c.placedCommon)
	return data
}

// Release implements Column.
func (c *PlacedStruct) Release() {
	for _, m := range c.Members {
		m.Release()
	}
	c.releaseValid()
	c.rows.closed(&c.placedCommon)
}

// PlacedList is a placed column of lists, or of maps, whose items are key-value structs. The value at the row that is being written are the rows that were sealed in Items since the last
// row, and a mark where it is nullable.
type PlacedList struct {
	placedCommon
	dtype   arrow.DataType
	Items   *Rows
	item    Placed
	offsets unsafe.Pointer // of one row more
}

// NewPlacedList returns a column of lists; dtype is an arrow list or map type, and item the column of the items, with rows of its own.
func NewPlacedList(rows *Rows, dtype arrow.DataType, nulls Nulls, item Placed) *PlacedList {
	c := &PlacedList{dtype: dtype, Items: item.(placed).common().rows, item: item}
	rows.join(c, nulls, offsetBytes)
	rows.lists = append(rows.lists, c)
	return c
}

// Fits reports whether n more items keep the offsets within 32 bits. They must not be appended otherwise.
func (c *PlacedList) Fits(n int) bool { return n <= math.MaxInt32-c.Items.n }

// First is the first item of the row that is being written.
func (c *PlacedList) First() int { return offset(c.offsets, c.rows.n) }

func (c *PlacedList) grow(used, capacity int) {
	c.offsets = growOffsets(c.offsets, used, capacity)
	c.growValid(used, capacity)
}

// zero leaves the offsets: Rows.Seal writes each of them.
func (c *PlacedList) zero(from, to int) { c.zeroValid(from, to) }

// Clear implements Placed.
func (c *PlacedList) Clear() {
	c.Items.Truncate(c.First())
	c.unmark()
}

// SetNull implements Placed.
func (c *PlacedList) SetNull() {
	c.Clear()
	c.setNull()
}

// AppendNull implements Column, as that of PlacedFixed.
func (c *PlacedList) AppendNull() { c.SetNull() }

// AppendZero implements Column, as AppendNull does for null.
func (c *PlacedList) AppendZero() { c.Clear() }

// Finish implements Column.
func (c *PlacedList) Finish() arrow.ArrayData {
	n := c.rows.n
	if c.offsets == nil {
		c.offsets = growOffsets(nil, 0, 0)
	}
	items := c.item.Finish()
	valid, nulls := c.finishValid(n)
	offsets := buffer(c.offsets, (n+1)*offsetBytes)
	data := array.NewData(c.dtype, n, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{items}, nulls, 0)
	items.Release()
	releaseAll(valid, offsets)
	c.offsets = nil
	c.rows.closed(&c.placedCommon)
	return data
}

// Release implements Column.
func (c *PlacedList) Release() {
	c.item.Release()
	cmem.Release(c.offsets)
	c.releaseValid()
	c.offsets = nil
	c.rows.closed(&c.placedCommon)
}
