package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Null is a column that holds nothing but nulls, and no memory.
type Null struct{ n int }

// NewNull returns an empty column of nulls.
func NewNull() *Null { return &Null{} }

// Len implements Column.
func (c *Null) Len() int { return c.n }

// AppendNull implements Column.
func (c *Null) AppendNull() { c.n++ }

// AppendZero implements Column.
func (c *Null) AppendZero() { c.n++ }

// Truncate implements Column.
func (c *Null) Truncate(n int) { c.n = n }

// Finish implements Column.
func (c *Null) Finish() arrow.ArrayData {
	data := array.NewData(arrow.Null, c.n, []*memory.Buffer{nil}, nil, c.n, 0)
	c.n = 0
	return data
}

// Release implements Column.
func (c *Null) Release() { c.n = 0 }
