package frame

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Batch is a record batch that has the columns an encoding was compiled for.
type Batch struct {
	Rows    int
	live    []bool
	columns []arrow.Field
	batch   arrow.RecordBatch
}

// Open compares a batch with the columns that an encoding was compiled for. skip is that of format.Encoding.Bind.
func Open(batch arrow.RecordBatch, columns []arrow.Field, skip []bool) (*Batch, error) {
	if batch.NumRows() > math.MaxInt32 {
		return nil, Broken("", "the batch has %d rows, and at most %d are taken: send it in parts", batch.NumRows(), math.MaxInt32)
	}
	if int(batch.NumCols()) != len(columns) {
		return nil, Broken("", "the batch has %d columns, and the encoding was compiled for %d", batch.NumCols(), len(columns))
	}
	b := &Batch{Rows: int(batch.NumRows()), columns: columns, batch: batch}
	if skip == nil {
		return b, nil
	}
	if len(skip) != b.Rows {
		return nil, Broken("", "skip is of %d rows, and the batch of %d", len(skip), b.Rows)
	}
	if slices.Contains(skip, true) {
		b.live = make([]bool, b.Rows)
		for i, without := range skip {
			b.live[i] = !without
		}
	}
	return b, nil
}

// Segment is the values of a column.
func (b *Batch) Segment(k int) (Segment, error) {
	field, column := b.columns[k], b.batch.Column(k)
	if got := b.batch.Schema().Field(k); got.Name != field.Name || !SameLayout(column.DataType(), field.Type) {
		return Segment{}, Broken(format.ShortName(field.Name), "the encoding was compiled for this column of the type %s, and column %d of the batch is %q of the type %s", field.Type, k, format.ShortName(got.Name), column.DataType())
	}
	data := column.Data()
	if data.Len() < b.Rows {
		return Segment{}, Broken(format.ShortName(field.Name), "the column has %d values, and the batch %d rows", data.Len(), b.Rows)
	}
	s := b.NoSegment()
	s.Data, s.Off = data, data.Offset()
	return s, nil
}

// NoSegment is the rows, for what has no column.
func (b *Batch) NoSegment() Segment {
	return Segment{N: b.Rows, Live: b.live, Row: func(i int) int { return i }}
}

// Column reads a column.
func (b *Batch) Column(k int) (*Column, error) {
	s, err := b.Segment(k)
	if err != nil {
		return nil, err
	}
	return Read(format.ShortName(b.columns[k].Name), s)
}
