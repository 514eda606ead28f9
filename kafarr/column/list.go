package column

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// List is a column of lists (or maps, whose items are key-value structs). A list is appended by appending its items to Items and
// then calling Took.
type List struct {
	dtype    arrow.DataType
	Items    Column
	offsets  unsafe.Pointer // n+1 int32; absent until the first value
	n        int
	capacity int
	hint     int
	validity validity
	budget   *Budget
}

// NewList returns an empty column of lists of items; dtype is an arrow list or map type.
func NewList(dtype arrow.DataType, items Column) *List { return &List{dtype: dtype, Items: items} }

// Len implements Column.
func (c *List) Len() int { return c.n }

// Fits reports whether the items stay within 32-bit offsets. Took must not be called otherwise.
func (c *List) Fits() bool { return c.Items.Len() <= math.MaxInt32 }

// Took appends a list of the items that were appended since the last one.
func (c *List) Took() {
	c.end()
	c.validity.valid(c.n)
	c.n++
}

// AppendNull implements Column.
func (c *List) AppendNull() {
	c.end()
	c.validity.null(c.n)
	c.n++
}

// end writes the offset after the value that is being appended.
func (c *List) end() {
	if c.n == c.capacity {
		c.grow()
	}
	*(*int32)(unsafe.Add(c.offsets, c.n<<2+4)) = int32(c.Items.Len()) //nolint:gosec // Fits keeps it within 32 bits
}

func (c *List) grow() {
	c.offsets, c.capacity = grownOffsets(c.budget, c.offsets, c.n, c.capacity, c.hint)
}

// AppendZero implements Column.
func (c *List) AppendZero() { c.Took() }

// Truncate implements Column. Items appended since the last Took go too.
func (c *List) Truncate(n int) {
	c.validity.truncate(n, c.n)
	items := 0
	if c.offsets != nil {
		items = int(*(*int32)(unsafe.Add(c.offsets, n<<2)))
	}
	c.Items.Truncate(items)
	c.n = n
}

// Finish implements Column.
func (c *List) Finish() arrow.ArrayData {
	if c.offsets == nil {
		c.grow()
	}
	items := c.Items.Finish()
	valid, nulls := c.validity.finish(c.n)
	offsets := buffer(c.offsets, (c.n+1)*4)
	data := array.NewData(c.dtype, c.n, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{items}, nulls, 0)
	items.Release()
	releaseAll(valid, offsets)
	c.hint = c.n
	c.offsets, c.n, c.capacity = nil, 0, 0
	return data
}

// Release implements Column.
func (c *List) Release() {
	c.Items.Release()
	cmem.Release(c.offsets)
	c.validity.release()
	c.offsets, c.n, c.capacity = nil, 0, 0
}
