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
		if part.value == nil || part.most+overhead <= bounds.Message {
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

// mostBytes is more than any row of a batch takes, as the sum of the longest value of each column.
func mostBytes(batch arrow.RecordBatch) int {
	most := 0
	for _, column := range batch.Columns() {
		most = added(most, longest(column))
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

// longest is more than any value of an array takes when it is written.
func longest(values arrow.Array) int {
	if values.Len() == 0 {
		return perValue
	}
	most := 0
	longer := func(length int) { most = max(most, length) }
	switch a := values.(type) {
	case *array.String:
		for i := range a.Len() {
			longer(a.ValueLen(i))
		}
	case *array.Binary:
		for i := range a.Len() {
			longer(a.ValueLen(i))
		}
	case *array.LargeString:
		offsets := a.ValueOffsets()
		for i := range a.Len() {
			longer(int(offsets[i+1] - offsets[i]))
		}
	case *array.LargeBinary:
		offsets := a.ValueOffsets()
		for i := range a.Len() {
			longer(int(offsets[i+1] - offsets[i]))
		}
	case *array.StringView:
		for i := range a.Len() {
			longer(a.ValueHeader(i).Len())
		}
	case *array.BinaryView:
		for i := range a.Len() {
			longer(a.ValueHeader(i).Len())
		}
	case *array.Dictionary:
		return longest(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			most = added(most, longest(a.Field(i)))
		}
	case *array.SparseUnion:
		for i := range a.NumFields() {
			longer(longest(a.Field(i)))
		}
	case *array.DenseUnion:
		for i := range a.NumFields() {
			longer(longest(a.Field(i)))
		}
	case array.ListLike:
		for i := range a.Len() {
			from, to := a.ValueOffsets(i)
			longer(int(to - from))
		}
		if most > 0 {
			most = min(most, endless/(perValue+1)) * min(longest(a.ListValues()), endless)
			most = min(max(most, 0), endless)
		}
	case *array.RunEndEncoded:
		return longest(a.Values())
	default:
		if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
			most = 4 * t.Bytes() // texts of numbers, too
		}
	}
	return added(most, perValue)
}
