package format

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// MaxBytes is the most memory that the columns of one batch may hold.
const MaxBytes = 4 << 30

// Columns are the growing columns of one batch. What they are does not depend on the format, so that all formats fill the same ones. Plans of one Shape may append to them in
// turn. They belong to one goroutine at a time.
type Columns struct {
	top    []column.Column // one for each field
	all    []column.Column // of all levels, as the plans of the shape number them
	rows   int
	budget column.Budget
	most   int // bytes that all of them may hold
}

// NewColumns makes Columns of one column for each field; all are those of all levels, as the plan numbers them.
func NewColumns(top, all []column.Column) *Columns {
	c := &Columns{top: top, all: all, most: MaxBytes}
	column.Share(all, &c.budget)
	return c
}

// Column returns one of the columns of all levels.
func (c *Columns) Column(number int) column.Column { return c.all[number] }

// SetMost bounds the bytes that the columns hold: rows beyond them fail with ErrFull. A single row may take what its message may. 0 is the default, MaxBytes.
func (c *Columns) SetMost(bytes int) { c.most = cmp.Or(bytes, MaxBytes) }

// Expect says how many rows to make room for at once.
func (c *Columns) Expect(rows int) {
	for _, col := range c.top {
		column.Expect(col, rows)
	}
}

// Rows returns the number of complete rows.
func (c *Columns) Rows() int { return c.rows }

// Appended says that each column has been given the next row's value.
func (c *Columns) Appended() { c.rows++ }

// AppendNull appends a row of nulls.
func (c *Columns) AppendNull() {
	for _, col := range c.top {
		col.AppendNull()
	}
	c.rows++
}

// Observe has a function called now and then while the columns grow, see column.Budget; nil: none.
func (c *Columns) Observe(settle func(pending int) int) { c.budget.Settle = settle }

// RowSize is how many bytes the unfinished row takes so far.
func (c *Columns) RowSize() int { return c.size(c.rows) }

// TooLarge reports whether the columns hold more than they may, with so many pending bytes added. A row that stands alone never does.
func (c *Columns) TooLarge(pending int) bool { return c.rows > 0 && pending+c.size(0) > c.most }

// size is how many bytes the rows from the first-th on take.
func (c *Columns) size(first int) int {
	n := 0
	for _, col := range c.top {
		n += column.Size(col, first)
	}
	return n
}

// Truncate drops the rows after the first n, and what there is of an unfinished row.
func (c *Columns) Truncate(n int) {
	for _, col := range c.top {
		col.Truncate(n)
	}
	c.rows = n
}

// Finish hands over one array for each field, and leaves the columns empty. The caller releases the data.
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
