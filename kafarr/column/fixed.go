package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Fixed is a column whose values all have the same width in bytes: numbers, times, fixed-size binary.
type Fixed struct {
	dtype    arrow.DataType
	width    int
	data     unsafe.Pointer
	n        int
	fast     int // appending value n takes no thought while n < fast: there is room, and no null bitmap
	capacity int
	hint     int // values that it held the last time
	validity validity
	budget   *Budget
}

// NewFixed returns an empty column of a type that is width bytes wide.
func NewFixed(dtype arrow.DataType, width int) *Fixed {
	return &Fixed{dtype: dtype, width: width}
}

// Len implements Column.
func (c *Fixed) Len() int { return c.n }

// Reserve makes room for n more values.
func (c *Fixed) Reserve(n int) {
	if c.n+n > c.capacity {
		c.grow(c.n + n)
	}
}

func (c *Fixed) grow(need int) {
	capacity := c.budget.capacity(c.capacity, need, c.hint)
	if c.capacity == 0 && c.width > wideBytes { // room for few: of a fixed of a gigabyte, 256 would be more than there is
		capacity = max(need, min(capacity, wideRoom/c.width))
	}
	c.budget.grows((capacity-c.capacity)*c.width, (need-c.n)*c.width)
	c.data = cmem.Resize(c.data, c.n*c.width, capacity*c.width)
	c.capacity = capacity
	c.advance()
}

// Values of more than wideBytes get room for wideRoom bytes at first.
const (
	wideBytes = 64
	wideRoom  = 1 << 20
)

// advance sets the point up to which appending is fast.
func (c *Fixed) advance() {
	c.fast = c.capacity
	if c.validity.bits != nil {
		c.fast = c.n
	}
}

// admit makes room for value n and notes it as valid: what the append methods leave out, so that they can be inlined. Room and bitmap
// are one comparison there: 12 of 80 ns a message on the flat record.
func (c *Fixed) admit() {
	if c.n == c.capacity {
		c.grow(c.n + 1)
	}
	if c.validity.bits != nil {
		c.validity.set(c.n)
		c.fast = c.n + 1
	}
}

// Append32 appends a value of a column that is 4 bytes wide.
func (c *Fixed) Append32(v uint32) {
	if c.n >= c.fast {
		c.admit()
	}
	*(*uint32)(unsafe.Add(c.data, c.n*4)) = v
	c.n++
}

// Append64 appends a value of a column that is 8 bytes wide.
func (c *Fixed) Append64(v uint64) {
	if c.n >= c.fast {
		c.admit()
	}
	*(*uint64)(unsafe.Add(c.data, c.n*8)) = v
	c.n++
}

// AppendBytes appends the width bytes at p.
func (c *Fixed) AppendBytes(p unsafe.Pointer) {
	copy(c.next(), unsafe.Slice((*byte)(p), c.width))
}

// next returns the room of one more, valid, value.
func (c *Fixed) next() []byte {
	if c.n >= c.fast {
		c.admit()
	}
	room := unsafe.Slice((*byte)(unsafe.Add(c.data, c.n*c.width)), c.width)
	c.n++
	return room
}

// Extend64 appends n values of a column that is 8 bytes wide, which the caller writes into the room that it gets.
func (c *Fixed) Extend64(n int) []uint64 {
	c.Reserve(n)
	room := unsafe.Slice((*uint64)(unsafe.Add(c.data, c.n<<3)), n)
	if c.validity.bits != nil {
		for i := range n {
			c.validity.set(c.n + i)
		}
	}
	c.n += n
	c.advance()
	return room
}

// Repeat32 appends one 4-byte value n times.
func (c *Fixed) Repeat32(v uint32, n int) {
	c.Reserve(n)
	values := unsafe.Slice((*uint32)(unsafe.Add(c.data, c.n<<2)), n)
	for i := range values {
		values[i] = v
	}
	if c.validity.bits != nil {
		for i := range n {
			c.validity.set(c.n + i)
		}
	}
	c.n += n
	c.advance()
}

// AppendValues appends n values that lie one after the other at p.
func (c *Fixed) AppendValues(p unsafe.Pointer, n int) {
	c.Reserve(n)
	copy(unsafe.Slice((*byte)(unsafe.Add(c.data, c.n*c.width)), n*c.width), unsafe.Slice((*byte)(p), n*c.width))
	if c.validity.bits != nil {
		for i := range n {
			c.validity.set(c.n + i)
		}
	}
	c.n += n
	c.advance()
}

func (c *Fixed) at8(i int) uint8 { return *(*uint8)(unsafe.Add(c.data, i)) }

// At64 returns value i of a column that is 8 bytes wide.
func (c *Fixed) At64(i int) uint64 { return *(*uint64)(unsafe.Add(c.data, i<<3)) }

// AppendNull implements Column. The bytes below a null are zero, so that no old memory leaves with it.
func (c *Fixed) AppendNull() {
	if c.n == c.capacity {
		c.grow(c.n + 1)
	}
	clear(unsafe.Slice((*byte)(unsafe.Add(c.data, c.n*c.width)), c.width))
	c.validity.null(c.n)
	c.n++
	c.fast = 0
}

// AppendZero implements Column.
func (c *Fixed) AppendZero() { clear(c.next()) }

// Truncate implements Column.
func (c *Fixed) Truncate(n int) {
	c.validity.truncate(n, c.n)
	c.n = n
	c.advance()
}

// Finish implements Column.
func (c *Fixed) Finish() arrow.ArrayData {
	if c.data == nil {
		c.data = cmem.Resize(nil, 0, 1) // Arrow wants a data buffer even where there is no value, which may be wide
	}
	valid, nulls := c.validity.finish(c.n)
	values := buffer(c.data, c.n*c.width)
	data := array.NewData(c.dtype, c.n, []*memory.Buffer{valid, values}, nil, nulls, 0)
	releaseAll(valid, values)
	c.hint = c.n
	c.data, c.n, c.fast, c.capacity = nil, 0, 0, 0
	return data
}

// Release implements Column.
func (c *Fixed) Release() {
	cmem.Release(c.data)
	c.validity.release()
	if c.n > 0 {
		c.hint = c.n
	}
	c.data, c.n, c.fast, c.capacity = nil, 0, 0, 0
}

// releaseAll gives up the references that array.NewData has taken its own of.
func releaseAll(buffers ...*memory.Buffer) {
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
}
