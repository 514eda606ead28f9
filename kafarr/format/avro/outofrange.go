package avro

import "github.com/pykafarr/pykafarr/kafarr/format"

// outOfRange deals with a value that its Arrow type cannot hold, and of which next is the end: the row fails, or the value is a null.
func (a *Appender) outOfRange(s *boundStep, i, next int, f fault, value int64) int {
	if !a.nulls {
		return a.fail(f, i, value)
	}
	s.any.AppendNull()
	a.tally.Row(a.columns.Rows()).OutOfRange++
	return next
}

// Counts implements format.Appender.
func (a *Appender) Counts(n int) format.Counts { return a.tally.Before(a.effort.First() + n) }

// mayBeOutside reports whether a value so read may be out of its Arrow type's range.
func (c opcode) mayBeOutside() bool {
	switch c {
	case opTimeMillis, opTimeMicros, opDuration, opDecimalBytes, opDecimalFixed, opDecimalText, opDecimalFixedText, opBigDecimal:
		return true
	}
	return false
}
