package json

import "github.com/pykafarr/pykafarr/kafarr/format"

// count returns the counts of the row that is being read.
func (a *Appender) count() *format.Counts { return a.tally.Row(a.columns.Rows()) }

// Counts implements format.Appender.
func (a *Appender) Counts(n int) format.Counts { return a.tally.Before(a.effort.First() + n) }

// outOfRange deals with a value that its Arrow type cannot hold, and of which next is the end: the row fails, or the value is a null.
func (a *Appender) outOfRange(f *field, next int, bad fault, pos int) int {
	if !a.nulls {
		return a.fail(f, bad.position(), pos)
	}
	a.count().OutOfRange++
	return next
}
