package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// PlacedNull is a placed column that holds nothing but nulls, and no memory.
type PlacedNull struct{ placedCommon }

// NewPlacedNull returns a column of nulls.
func NewPlacedNull(rows *Rows) *PlacedNull {
	c := &PlacedNull{}
	rows.join(c, NotNull, 0)
	return c
}

func (c *PlacedNull) grow(int, int) {}

func (c *PlacedNull) zero(int, int) {}

// Clear implements Placed.
func (c *PlacedNull) Clear() {}

// SetNull implements Placed.
func (c *PlacedNull) SetNull() {}

// AppendNull implements Column.
func (c *PlacedNull) AppendNull() {}

// AppendZero implements Column.
func (c *PlacedNull) AppendZero() {}

// Finish implements Column.
func (c *PlacedNull) Finish() arrow.ArrayData {
	n := c.rows.n
	data := array.NewData(arrow.Null, n, []*memory.Buffer{nil}, nil, n, 0)
	c.rows.closed(&c.placedCommon)
	return data
}

// Release implements Column.
func (c *PlacedNull) Release() { c.rows.closed(&c.placedCommon) }
