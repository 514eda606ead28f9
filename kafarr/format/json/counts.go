package json

import "github.com/pykafarr/pykafarr/kafarr/format"

// counted is what of a row is not in the columns as it stood there.
type counted struct {
	row    int
	counts format.Counts
}

// count returns the counts of the row that is being read.
func (a *Appender) count() *format.Counts {
	if last := len(a.counted) - 1; last < 0 || a.counted[last].row != a.columns.Rows() {
		a.counted = append(a.counted, counted{row: a.columns.Rows()})
	}
	return &a.counted[len(a.counted)-1].counts
}

// Counts implements format.Appender. Of the bodies after the first n nothing counts: they are appended again.
func (a *Appender) Counts(n int) (c format.Counts) {
	for i := range a.counted {
		if a.counted[i].row < a.first+n {
			c = c.Plus(a.counted[i].counts)
		}
	}
	return c
}

// outOfRange deals with a value that its Arrow type cannot hold, and of which next is the end: the row fails, or the value is a null.
func (a *Appender) outOfRange(f *field, next int, bad fault, pos int) int {
	if !a.nulls {
		return a.fail(f, bad.position(), pos)
	}
	a.count().OutOfRange++
	return next
}
