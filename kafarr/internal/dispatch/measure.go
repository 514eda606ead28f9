package dispatch

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

// measure looks for a row that no batch may hold, before anything is sent. Rows are written to be measured only where the longest values of all columns together could be too much.
func (c *Checked) measure(bounds produce.Bounds) error {
	w := newWorker(c.plan, bounds)
	defer w.builder.Discard()
	for i, part := range c.parts {
		if part.most(stretch)+overhead <= bounds.Message || part.most(1)+overhead <= bounds.Message {
			continue
		}
		s := sending{Checked: c, fixed: c.plan.fixedHeaders()}
		for row := range c.parts[i].rows {
			s.prepare(w, part, row)
			if w.builder.Measure(&w.record) > bounds.Message {
				return c.plan.tooLarge(part.first+row, bounds.Message)
			}
		}
	}
	return nil
}

// overhead is more than a message has besides its columns: the framing, the header of the batch, the names of schemas.
const overhead = 4096

// stretch is how many values are looked at together at first: all of them are mostly shorter than what one value may have.
const stretch = 64

// most is more than any row takes, as the sum of the longest value of each column: see longest.
func (p *part) most(together int) int {
	most := 0
	for _, column := range p.columns {
		most = added(most, longest(column, together))
	}
	return most
}

const (
	// perValue is more than a value takes besides its bytes: its branch, its length, a number.
	perValue = 24
	// endless stands for sums that are too large for any message.
	endless = 1 << 40
)

func added(a, b int) int { return min(a+b, endless) }

// longest is more than any value of an array takes when it is written: what the values of any stretch of so many take together, which is found sooner than the longest of them.
func longest(values arrow.Array, together int) int {
	if values.Len() == 0 {
		return perValue
	}
	most := 0
	switch a := values.(type) {
	case *array.String:
		most = widest(a.ValueOffsets(), together)
	case *array.Binary:
		most = widest(a.ValueOffsets(), together)
	case *array.LargeString:
		most = widest(a.ValueOffsets(), together)
	case *array.LargeBinary:
		most = widest(a.ValueOffsets(), together)
	case array.ViewLike:
		for i := range a.Len() {
			most = max(most, a.ValueHeader(i).Len())
		}
	case *array.Dictionary:
		return longest(a.Dictionary(), together)
	case *array.Struct:
		for i := range a.NumField() {
			most = added(most, longest(a.Field(i), together))
		}
	case *array.SparseUnion:
		for i := range a.NumFields() {
			most = max(most, longest(a.Field(i), together))
		}
	case *array.DenseUnion:
		for i := range a.NumFields() {
			most = max(most, longest(a.Field(i), together))
		}
	case array.ListLike:
		for i := range a.Len() {
			from, to := a.ValueOffsets(i)
			most = max(most, int(to-from))
		}
		if most > 0 {
			most = min(most, endless/(perValue+1)) * min(longest(a.ListValues(), together), endless)
			most = min(max(most, 0), endless)
		}
	case *array.RunEndEncoded:
		return longest(a.Values(), together)
	default:
		if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
			most = 4 * t.Bytes() // texts of numbers, too
		}
	}
	return added(most, perValue)
}

// widest is the greatest distance between offsets that are so far apart.
func widest[T int32 | int64](offsets []T, together int) int {
	most, last := T(0), len(offsets)-1
	for i := 0; i < last; i += together {
		most = max(most, offsets[min(i+together, last)]-offsets[i])
	}
	return int(most)
}
