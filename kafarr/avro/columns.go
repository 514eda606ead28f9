package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// Columns are the growing columns of one batch. Plans of the same Shape may append to them in turn.
type Columns struct {
	list []column.Column
	rows int
}

// NewColumns makes the columns that this plan, and every plan of its Shape, appends to.
func (p *Plan) NewColumns() *Columns {
	c := &Columns{list: make([]column.Column, len(p.outputs))}
	for i, o := range p.outputs {
		c.list[i] = o.make()
	}
	return c
}

// Rows returns the number of rows appended.
func (c *Columns) Rows() int { return c.rows }

// Truncate takes back the rows behind the first n.
func (c *Columns) Truncate(n int) {
	for _, col := range c.list {
		col.Truncate(n)
	}
	c.rows = n
}

// Finish hands over one array a column, and leaves the columns empty. The caller releases the data.
func (c *Columns) Finish() []arrow.ArrayData {
	out := make([]arrow.ArrayData, len(c.list))
	for i, col := range c.list {
		out[i] = col.Finish()
	}
	c.rows = 0
	return out
}

// Release frees what was not handed over.
func (c *Columns) Release() {
	for _, col := range c.list {
		col.Release()
	}
	c.rows = 0
}
