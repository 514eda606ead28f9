package column

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Varlen is a column of values of any length: utf8 and binary, with 32-bit offsets.
type Varlen struct {
	dtype         arrow.DataType
	offsets       unsafe.Pointer // n+1 int32; absent until the first value
	n             int
	fast          int // as in Fixed
	capacity      int // values
	hint          int
	data          unsafe.Pointer
	bytes         int
	bytesCapacity int
	bytesHint     int
	validity      validity
	budget        *Budget
}

// MaxVarlenBytes is how many bytes a Varlen can hold: its offsets are 32-bit.
const MaxVarlenBytes = math.MaxInt32

// bytesPerText is how many bytes there is room for at first, for each value that there is room for.
const bytesPerText = 16

// wordSlack is the room kept after the data so that a short value may be written in whole words.
const wordSlack = 16

// NewVarlen returns an empty column of utf8 or binary.
func NewVarlen(dtype arrow.DataType) *Varlen { return &Varlen{dtype: dtype} }

// Len implements Column.
func (c *Varlen) Len() int { return c.n }

// Fits reports whether n more bytes keep the offsets within 32 bits. Append must not be called otherwise.
func (c *Varlen) Fits(n int) bool { return n <= MaxVarlenBytes-c.bytes }

// Append appends the n bytes at p.
func (c *Varlen) Append(p unsafe.Pointer, n int) {
	copy(unsafe.Slice((*byte)(c.Room(n)), n), unsafe.Slice((*byte)(p), n))
	c.Took(n)
}

// AppendNullable appends the n bytes at p, or null where n is below 0.
func (c *Varlen) AppendNullable(p unsafe.Pointer, n int32) {
	if n < 0 {
		c.AppendNull()
		return
	}
	c.Append(p, int(n))
}

// Room returns where the next value goes: at least n bytes, and 16 more that may be overwritten.
func (c *Varlen) Room(n int) unsafe.Pointer {
	if c.bytes+n+wordSlack > c.bytesCapacity {
		c.growBytes(n)
	}
	return unsafe.Add(c.data, c.bytes)
}

// Took appends the value of n bytes that was written to Room.
func (c *Varlen) Took(n int) {
	if c.n >= c.fast {
		c.admit()
	}
	c.bytes += n
	c.n++
	*(*int32)(unsafe.Add(c.offsets, c.n*4)) = int32(c.bytes) //nolint:gosec // Fits keeps bytes within 32 bits
}

// admit is as in Fixed.
func (c *Varlen) admit() {
	if c.n == c.capacity {
		c.growOffsets()
	}
	c.fast = c.capacity
	if c.validity.bits != nil {
		c.validity.set(c.n)
		c.fast = 0
	}
}

func (c *Varlen) growOffsets() {
	c.offsets, c.capacity = grownOffsets(c.budget, c.offsets, c.n, c.capacity, c.hint)
}

func (c *Varlen) growBytes(n int) {
	capacity := max(c.budget.capacity(c.bytesCapacity, c.bytes+n, c.bytesHint)+wordSlack, bytesPerText*c.budget.capacity(0, 0, 0))
	c.budget.grows(capacity-c.bytesCapacity, n)
	c.data = cmem.Resize(c.data, c.bytes, capacity)
	c.bytesCapacity = capacity
}

// AppendNull implements Column.
func (c *Varlen) AppendNull() {
	if c.n == c.capacity {
		c.growOffsets()
	}
	*(*int32)(unsafe.Add(c.offsets, c.n<<2+4)) = int32(c.bytes) //nolint:gosec // Fits keeps bytes within 32 bits
	c.validity.null(c.n)
	c.n++
	c.fast = 0
}

// AppendZero implements Column.
func (c *Varlen) AppendZero() { c.Took(0) }

// Truncate implements Column.
func (c *Varlen) Truncate(n int) {
	if n == c.n {
		return
	}
	c.validity.truncate(n, c.n)
	c.bytes = int(*(*int32)(unsafe.Add(c.offsets, n<<2)))
	c.n, c.fast = n, 0
}

// Finish implements Column.
func (c *Varlen) Finish() arrow.ArrayData {
	if c.offsets == nil {
		c.growOffsets()
	}
	if c.data == nil {
		c.growBytes(0)
	}
	valid, nulls := c.validity.finish(c.n)
	offsets := buffer(c.offsets, (c.n+1)*4)
	values := buffer(c.data, c.bytes)
	data := array.NewData(c.dtype, c.n, []*memory.Buffer{valid, offsets, values}, nil, nulls, 0)
	releaseAll(valid, offsets, values)
	c.hint, c.bytesHint = c.n, c.bytes+c.bytes/16 // lengths vary a little
	c.forget()
	return data
}

// Release implements Column.
func (c *Varlen) Release() {
	cmem.Release(c.offsets)
	cmem.Release(c.data)
	c.validity.release()
	c.forget()
}

func (c *Varlen) forget() {
	c.offsets, c.n, c.fast, c.capacity = nil, 0, 0, 0
	c.data, c.bytes, c.bytesCapacity = nil, 0, 0
}
