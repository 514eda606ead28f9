package avro

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// Columns are the growing columns of one batch. Plans of the same Shape may append to them in turn.
type Columns struct {
	top    []column.Column
	all    []column.Column // of all levels, by the layouts' ids
	rows   int
	budget column.Budget
	most   int // bytes that all of them may hold
}

// SetMost bounds the bytes that the columns hold: what would be more goes into the next ones, as ErrFull says. A single row may have what its message may.
// 0 is the default, 4 GiB.
func (c *Columns) SetMost(bytes int) { c.most = cmp.Or(bytes, maxFixedBytes) }

// size is how many bytes the rows from the first-th on take.
func (c *Columns) size(first int) int {
	n := 0
	for _, col := range c.top {
		n += column.Size(col, first)
	}
	return n
}

// NewColumns makes the columns that this plan, and every plan of its Shape, appends to.
func (p *Plan) NewColumns() *Columns {
	c := &Columns{all: make([]column.Column, p.columns), most: maxFixedBytes}
	for _, l := range p.top {
		c.top = append(c.top, l.column(c.all))
	}
	column.Share(c.all, &c.budget)
	return c
}

// Expect tells how many rows to make room for at once.
func (c *Columns) Expect(rows int) {
	for _, col := range c.top {
		column.Expect(col, rows)
	}
}

// Rows returns the number of rows appended.
func (c *Columns) Rows() int { return c.rows }

// appendNull appends a row of nulls.
func (c *Columns) appendNull() {
	for _, col := range c.top {
		col.AppendNull()
	}
	c.rows++
}

// Truncate takes back the rows behind the first n.
func (c *Columns) Truncate(n int) {
	for _, col := range c.top {
		col.Truncate(n)
	}
	c.rows = n
}

// Finish hands over one array a column, and leaves the columns empty. The caller releases the data.
func (c *Columns) Finish() []arrow.ArrayData {
	out := make([]arrow.ArrayData, len(c.top))
	for i, col := range c.top {
		out[i] = col.Finish()
	}
	c.budget.Finished()
	c.rows = 0
	return out
}

// Release frees what was not handed over.
func (c *Columns) Release() {
	for _, col := range c.top {
		col.Release()
	}
	c.rows = 0
}

// boundStep is a step joined to its column.
type boundStep struct {
	code   opcode
	null   int8
	size   int32
	end    int32
	most   int32
	fixed  *column.Fixed
	varlen *column.Varlen
	any    column.Column
	bits   *column.Bits
	list   *column.List
	record *column.Struct
	dense  *column.DenseUnion
	more   *step // what is rarely needed
}

// Bind joins the plan to columns made by a plan of the same Shape.
func (p *Plan) Bind(c *Columns) *Appender {
	a := &Appender{columns: c, limits: p.limits, maxRows: p.maxRows, nulls: p.nulls, steps: make([]boundStep, len(p.steps))}
	a.look, a.firstWork = a.settle, min(stepsPerLook, int64(p.limits.MessageSteps))
	for i := range p.steps {
		s := &p.steps[i]
		b := boundStep{code: s.code, null: s.null, size: int32(s.size), end: int32(s.end), most: int32(s.most), more: s} //nolint:gosec // sizes are bounded by the parser
		if s.column != noColumn {
			b.any = c.all[s.column]
		}
		switch col := b.any.(type) {
		case *column.Fixed:
			b.fixed = col
		case *column.Dictionary:
			b.fixed = &col.Fixed
		case *column.Varlen:
			b.varlen = col
		case *column.Bits:
			b.bits = col
		case *column.List:
			b.list = col
		case *column.Struct:
			b.record = col
		case *column.DenseUnion:
			b.dense = col
		}
		a.steps[i] = b
	}
	return a
}
