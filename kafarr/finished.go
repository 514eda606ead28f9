package kafarr

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// finished is a batch that waits to be handed over, with what is needed to cut it.
type finished struct {
	batch    *Batch
	segments []segment
	offsets  []int64 // of the rows, in [segments]' numbering of rows; nil where it will not be cut
	err      *Error  // instead of a batch: a bad row's, told when those before it are handed over
}

// ranges joins segments to one range a partition, in the order of their first rows.
func ranges(segments []segment) []Range {
	var out []Range
	index := map[source.TopicPartition]int{}
	for _, s := range segments {
		i, ok := index[s.TopicPartition]
		if !ok {
			index[s.TopicPartition] = len(out)
			out = append(out, Range{Topic: s.Topic, Partition: s.Partition, First: s.first, Next: s.next, Rows: int64(s.rows)})
			continue
		}
		out[i].Next = s.next
		out[i].Rows += int64(s.rows)
	}
	return out
}

// split cuts the segments at row n, which begins the second half.
func (f *finished) split(n int) (left, right []segment) {
	for _, s := range f.segments {
		switch {
		case s.row+s.rows <= n:
			left = append(left, s)
		case s.row >= n:
			s.row -= n
			right = append(right, s)
		default:
			l, r := s, s
			l.rows, l.next = n-s.row, f.offsets[n]
			r.row, r.rows, r.first = 0, s.rows-l.rows, f.offsets[n]
			left, right = append(left, l), append(right, r)
		}
	}
	return left, right
}

// cut takes the first n rows off a batch that has more, as a poll may return fewer than an earlier, interrupted one had gathered. What was rejected goes with
// them: their ranges may cover it, and nothing is acknowledged that was not handed over.
func (f *finished) cut(n int) *finished {
	left, right := f.split(n)
	whole := f.batch.Record
	head := &Batch{Record: whole.NewSlice(0, int64(n)), Rejected: f.batch.Rejected, MessageType: f.batch.MessageType, Ranges: ranges(left), id: batch.NewID()}
	offsets := f.offsets[:n]
	f.batch.Rejected = nil
	f.batch.Record = whole.NewSlice(int64(n), whole.NumRows())
	f.batch.Ranges = ranges(right)
	f.segments, f.offsets = right, f.offsets[n:]
	whole.Release()
	return &finished{batch: head, segments: left, offsets: offsets}
}

// without returns the batch's parts that hold no rows of a partition, in their order, and gives up the batch. They are slices: joining them again would copy, and
// arrow-go joins neither unions nor extension types.
func (f *finished) without(k source.TopicPartition) []*finished {
	var parts []*finished
	var starts []int // the first row of each part
	var part *finished
	for _, s := range f.segments {
		if s.TopicPartition == k {
			part = nil
			continue
		}
		if part == nil && s.rows == 0 && len(parts) > 0 { // rejected rows alone, which the first part brings
			last := parts[len(parts)-1]
			end := last.segments[len(last.segments)-1]
			s.row = end.row + end.rows
			last.segments = append(last.segments, s)
			continue
		}
		if part == nil {
			part = &finished{batch: &Batch{id: batch.NewID()}}
			parts, starts = append(parts, part), append(starts, s.row)
		}
		s.row -= starts[len(starts)-1]
		part.segments = append(part.segments, s)
	}
	for i, p := range parts {
		p.batch.Ranges = ranges(p.segments)
		last := p.segments[len(p.segments)-1]
		if rows := last.row + last.rows; rows > 0 {
			p.batch.MessageType = f.batch.MessageType
			p.batch.Record = f.batch.Record.NewSlice(int64(starts[i]), int64(starts[i]+rows))
			p.offsets = f.offsets[starts[i] : starts[i]+rows]
		}
	}
	if f.batch.Rejected != nil && len(parts) > 0 {
		parts[0].batch.Rejected = rejectedWithout(f.batch.Rejected, k)
	}
	f.batch.Release()
	return parts
}
