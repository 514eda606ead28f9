package avro

import "github.com/pykafarr/pykafarr/kafarr/format"

// outside counts the values of a row that are out of range.
type outside struct{ row, values int }

// outOfRange deals with a value that its Arrow type cannot hold, and of which next is the end: the row fails, or the value is a null.
func (a *Appender) outOfRange(s *boundStep, i, next int, f fault, value int64) int {
	if !a.nulls {
		return a.fail(f, i, value)
	}
	s.any.AppendNull()
	if last := len(a.outside) - 1; last < 0 || a.outside[last].row != a.columns.Rows() {
		a.outside = append(a.outside, outside{row: a.columns.Rows()})
	}
	a.outside[len(a.outside)-1].values++
	return next
}

// Counts implements format.Appender. Of the bodies after the first n nothing counts: they are appended again.
func (a *Appender) Counts(n int) (c format.Counts) {
	for _, o := range a.outside {
		if o.row < a.first+n {
			c.OutOfRange += o.values
		}
	}
	return c
}

// mayBeOutside reports whether a value so read may be out of its Arrow type's range.
func (c opcode) mayBeOutside() bool {
	switch c {
	case opTimeMillis, opTimeMicros, opDuration, opDecimalBytes, opDecimalFixed, opDecimalText, opDecimalFixedText, opBigDecimal:
		return true
	}
	return false
}
