package batch

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Segment is a stretch of a batch's rows that come from one partition: the rows [Row, Row+Rows) of the batch come from the offsets [First, Next).
type Segment struct {
	source.TopicPartition
	Row, Rows   int
	First, Next int64
}

// Sealed is a batch that takes no more rows and was not delivered yet, with what is needed to cut it. It may stand for an error instead, which is delivered after the batches before
// it: then it has a segment of the one offset, and no rows.
type Sealed struct {
	ID          ID
	MessageType string
	Record      arrow.RecordBatch // nil: there are no rows
	Rejected    arrow.RecordBatch // nil: nothing was rejected
	Segments    []Segment
	Offsets     []int64 // of the rows of Record; nil where the batch will not be cut
	Err         error   // instead of rows
}

// Ranges joins the segments to one range a partition, in the order of their first rows.
func (s *Sealed) Ranges() []Range {
	var out []Range
	index := map[source.TopicPartition]int{}
	for _, part := range s.Segments {
		i, ok := index[part.TopicPartition]
		if !ok {
			index[part.TopicPartition] = len(out)
			out = append(out, Range{Topic: part.Topic, Partition: part.Partition, First: part.First, Next: part.Next, Rows: int64(part.Rows)})
			continue
		}
		out[i].Next = part.Next
		out[i].Rows += int64(part.Rows)
	}
	return out
}

// NumRows returns the number of rows that were decoded.
func (s *Sealed) NumRows() int {
	if s.Record == nil {
		return 0
	}
	return int(s.Record.NumRows())
}

// Holds reports whether some of the batch comes from a partition.
func (s *Sealed) Holds(k source.TopicPartition) bool { return Holds(s.Segments, k) }

// Holds reports whether one of the segments comes from a partition.
func Holds(segments []Segment, k source.TopicPartition) bool {
	return slices.ContainsFunc(segments, func(s Segment) bool { return s.TopicPartition == k })
}

// OffsetsOf returns the offsets of a partition's rows, those that were rejected and that of an error included. The batch has its Offsets, or no rows.
func (s *Sealed) OffsetsOf(k source.TopicPartition) []int64 {
	var out []int64
	for _, part := range s.Segments {
		switch {
		case part.TopicPartition != k:
		case s.Err != nil:
			out = append(out, part.First)
		default:
			out = append(out, s.Offsets[part.Row:part.Row+part.Rows]...)
		}
	}
	if s.Rejected == nil {
		return out
	}
	offsets := s.Rejected.Column(2).(*array.Int64)
	for i := range int(s.Rejected.NumRows()) {
		if rejectedFrom(s.Rejected, i) == k {
			out = append(out, offsets.Value(i))
		}
	}
	return out
}

// Release gives up the batch's memory.
func (s *Sealed) Release() {
	if s.Record != nil {
		s.Record.Release()
	}
	if s.Rejected != nil {
		s.Rejected.Release()
	}
	s.Record, s.Rejected = nil, nil
}

// Cut takes the first n rows off a batch that has more, as a poll may return fewer than an earlier, interrupted one had gathered. What was rejected goes with
// them: their ranges may cover it, and nothing is acknowledged that was not delivered.
func (s *Sealed) Cut(n int) *Sealed {
	left, right := s.split(n)
	whole := s.Record
	head := &Sealed{
		ID: NewID(), MessageType: s.MessageType, Record: whole.NewSlice(0, int64(n)), Rejected: s.Rejected, Segments: left, Offsets: s.Offsets[:n],
	}
	s.Record, s.Rejected, s.Segments, s.Offsets = whole.NewSlice(int64(n), whole.NumRows()), nil, right, s.Offsets[n:]
	whole.Release()
	return head
}

// split cuts the segments at row n, which begins the second half.
func (s *Sealed) split(n int) (left, right []Segment) {
	for _, part := range s.Segments {
		switch {
		case part.Row+part.Rows <= n:
			left = append(left, part)
		case part.Row >= n:
			part.Row -= n
			right = append(right, part)
		default:
			l, r := part, part
			l.Rows, l.Next = n-part.Row, s.Offsets[n]
			r.Row, r.Rows, r.First = 0, part.Rows-l.Rows, s.Offsets[n]
			left, right = append(left, l), append(right, r)
		}
	}
	return left, right
}

// Without returns the batch's parts that hold no rows of a partition, in their order, and gives up the batch. They are slices: joining them again would copy, and
// arrow-go joins neither unions nor extension types.
func (s *Sealed) Without(k source.TopicPartition) []*Sealed {
	var parts []*Sealed
	var starts []int // the first row of each part
	var part *Sealed
	for _, segment := range s.Segments {
		if segment.TopicPartition == k {
			part = nil
			continue
		}
		if part == nil && segment.Rows == 0 && len(parts) > 0 { // rejected rows alone, which the first part brings
			last := parts[len(parts)-1]
			end := last.Segments[len(last.Segments)-1]
			segment.Row = end.Row + end.Rows
			last.Segments = append(last.Segments, segment)
			continue
		}
		if part == nil {
			part = &Sealed{ID: NewID()}
			parts, starts = append(parts, part), append(starts, segment.Row)
		}
		segment.Row -= starts[len(starts)-1]
		part.Segments = append(part.Segments, segment)
	}
	for i, p := range parts {
		last := p.Segments[len(p.Segments)-1]
		if rows := last.Row + last.Rows; rows > 0 {
			p.MessageType = s.MessageType
			p.Record = s.Record.NewSlice(int64(starts[i]), int64(starts[i]+rows))
			p.Offsets = s.Offsets[starts[i] : starts[i]+rows]
		}
	}
	if s.Rejected != nil && len(parts) > 0 {
		parts[0].Rejected = rejectedWithout(s.Rejected, k)
	}
	s.Release()
	return parts
}
