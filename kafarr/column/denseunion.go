package column

import (
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// DenseUnion is a column of values of several types. A value is appended to one of Members and then counted by Took.
type DenseUnion struct {
	dtype   *arrow.DenseUnionType
	Members []Column
	ids     *Fixed // one byte wide
	offsets *Fixed
	counts  []int // of the values of each member
}

// NewDenseUnion returns an empty column. In a type with nulls the last member takes them.
func NewDenseUnion(dtype *arrow.DenseUnionType, members ...Column) *DenseUnion {
	return &DenseUnion{
		dtype: dtype, Members: members, counts: make([]int, len(members)),
		ids: NewFixed(arrow.PrimitiveTypes.Int8, 1), offsets: NewFixed(arrow.PrimitiveTypes.Int32, 4),
	}
}

// Len implements Column.
func (c *DenseUnion) Len() int { return c.offsets.Len() }

// Took appends the value that was appended to member k.
func (c *DenseUnion) Took(k int) {
	id := byte(k) //nolint:gosec // a dense union has at most 128 members
	c.ids.AppendBytes(unsafe.Pointer(&id))
	c.offsets.Append32(uint32(c.Members[k].Len() - 1)) //nolint:gosec // no longer than this column
	c.counts[k]++
}

// AppendNull implements Column.
func (c *DenseUnion) AppendNull() {
	last := len(c.Members) - 1
	c.Members[last].AppendNull()
	c.Took(last)
}

// AppendZero implements Column.
func (c *DenseUnion) AppendZero() {
	c.Members[0].AppendZero()
	c.Took(0)
}

// Truncate implements Column.
func (c *DenseUnion) Truncate(n int) {
	// A value may have been appended to a member without having been counted, so the members' own lengths do not tell.
	c.counts = c.lengths(n)
	for k, m := range c.Members {
		m.Truncate(c.counts[k])
	}
	c.ids.Truncate(n)
	c.offsets.Truncate(n)
}

// lengths returns how many of the first n values each member has. It takes as long as there are values after them, as bad messages must not cost more with every
// good one before them.
func (c *DenseUnion) lengths(n int) []int {
	lengths := slices.Clone(c.counts)
	for i := n; i < c.Len(); i++ {
		lengths[c.ids.at8(i)]--
	}
	return lengths
}

// Finish implements Column.
func (c *DenseUnion) Finish() arrow.ArrayData {
	n := c.Len()
	members := make([]arrow.ArrayData, len(c.Members))
	for i, m := range c.Members {
		members[i] = m.Finish()
	}
	ids, offsets := c.ids.Finish(), c.offsets.Finish()
	data := array.NewData(c.dtype, n, []*memory.Buffer{nil, ids.Buffers()[1], offsets.Buffers()[1]}, members, 0, 0)
	for _, m := range members {
		m.Release()
	}
	ids.Release()
	offsets.Release()
	clear(c.counts)
	return data
}

// Release implements Column.
func (c *DenseUnion) Release() {
	for _, m := range c.Members {
		m.Release()
	}
	c.ids.Release()
	c.offsets.Release()
	clear(c.counts)
}
