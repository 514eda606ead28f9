package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Bits is a column of booleans, eight to the byte.
type Bits struct {
	data     unsafe.Pointer
	n        int
	fast     int // as in Fixed
	capacity int // in bits, a multiple of 512
	hint     int
	validity validity
	budget   *Budget
}

// NewBits returns an empty column of booleans.
func NewBits() *Bits { return &Bits{} }

// Len implements Column.
func (c *Bits) Len() int { return c.n }

func (c *Bits) grow(need int) {
	capacity := (c.budget.capacity(c.capacity, need, c.hint) + 511) &^ 511
	c.budget.grows((capacity-c.capacity)/8, (need-c.n)/8)
	c.data = cmem.Resize(c.data, c.capacity/8, capacity/8)
	clear(unsafe.Slice((*byte)(unsafe.Add(c.data, c.capacity/8)), (capacity-c.capacity)/8))
	c.capacity = capacity
}

// admit is as in Fixed.
func (c *Bits) admit() {
	if c.n == c.capacity {
		c.grow(c.n + 1)
	}
	c.fast = c.capacity
	if c.validity.bits != nil {
		c.validity.set(c.n)
		c.fast = 0
	}
}

// Append appends the lowest bit of v, which must be 0 or 1. Bits after the last value are zero.
func (c *Bits) Append(v byte) {
	if c.n >= c.fast {
		c.admit()
	}
	*(*byte)(unsafe.Add(c.data, c.n>>3)) |= v << (c.n & 7)
	c.n++
}

// AppendZeros appends n zeros: what room holds anyway.
func (c *Bits) AppendZeros(n int) {
	if c.n+n > c.capacity {
		c.grow(c.n + n)
	}
	if c.validity.bits != nil {
		for i := range n {
			c.validity.set(c.n + i)
		}
	}
	c.n += n
	c.fast = 0
}

// AppendNull implements Column.
func (c *Bits) AppendNull() {
	if c.n == c.capacity {
		c.grow(c.n + 1)
	}
	c.validity.null(c.n)
	c.n++
	c.fast = 0
}

// AppendZero implements Column.
func (c *Bits) AppendZero() { c.Append(0) }

// Truncate implements Column.
func (c *Bits) Truncate(n int) {
	c.validity.truncate(n, c.n)
	for i := n; i < c.n; i++ {
		clearBit(c.data, i)
	}
	c.n, c.fast = n, 0
}

// Finish implements Column.
func (c *Bits) Finish() arrow.ArrayData {
	if c.data == nil {
		c.grow(1)
	}
	valid, nulls := c.validity.finish(c.n)
	values := buffer(c.data, (c.n+7)/8)
	data := array.NewData(arrow.FixedWidthTypes.Boolean, c.n, []*memory.Buffer{valid, values}, nil, nulls, 0)
	releaseAll(valid, values)
	c.hint = c.n
	c.data, c.n, c.fast, c.capacity = nil, 0, 0, 0
	return data
}

// Release implements Column.
func (c *Bits) Release() {
	cmem.Release(c.data)
	c.validity.release()
	c.data, c.n, c.fast, c.capacity = nil, 0, 0, 0
}
