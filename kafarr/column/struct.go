package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Struct is a column of structs. A struct is appended by appending to each of Members and then calling Took.
type Struct struct {
	dtype    *arrow.StructType
	Members  []Column
	n        int
	validity validity
}

// NewStruct returns an empty column of structs with these members.
func NewStruct(dtype *arrow.StructType, members ...Column) *Struct {
	return &Struct{dtype: dtype, Members: members}
}

// Len implements Column.
func (c *Struct) Len() int { return c.n }

// Took appends a struct of the values that were appended to the members.
func (c *Struct) Took() {
	c.validity.valid(c.n)
	c.n++
}

// AppendNull implements Column. The members below a null struct are null, or zero where they have no nulls.
func (c *Struct) AppendNull() {
	for i, m := range c.Members {
		if c.dtype.Field(i).Nullable {
			m.AppendNull()
		} else {
			m.AppendZero()
		}
	}
	c.validity.null(c.n)
	c.n++
}

// AppendZero implements Column.
func (c *Struct) AppendZero() {
	for _, m := range c.Members {
		m.AppendZero()
	}
	c.Took()
}

// Truncate implements Column.
func (c *Struct) Truncate(n int) {
	for _, m := range c.Members {
		m.Truncate(n)
	}
	c.validity.truncate(n, c.n)
	c.n = n
}

// Finish implements Column.
func (c *Struct) Finish() arrow.ArrayData {
	members := make([]arrow.ArrayData, len(c.Members))
	for i, m := range c.Members {
		members[i] = m.Finish()
	}
	valid, nulls := c.validity.finish(c.n)
	data := array.NewData(c.dtype, c.n, []*memory.Buffer{valid}, members, nulls, 0)
	for _, m := range members {
		m.Release()
	}
	releaseAll(valid)
	c.n = 0
	return data
}

// Release implements Column.
func (c *Struct) Release() {
	for _, m := range c.Members {
		m.Release()
	}
	c.validity.release()
	c.n = 0
}
