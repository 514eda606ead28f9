package kafarr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/column"
)

// building is the batch that is being filled.
type building struct {
	plan     *plan      // nil until the first good row
	set      *columnSet // of plan
	segments []segment
	bytes    int
	rejected *rejected
}

// columnSet is the columns of one shape. They are used again by the next batch of that shape, which so begins with the capacity that the
// last one came to.
type columnSet struct {
	columns   *avro.Columns
	appenders map[*avro.Plan]*avro.Appender
	metadata  []column.Column
	offsets   *column.Fixed // of every row: a batch may have to be cut
	hidden    bool          // offsets is none of metadata
}

// segment is a stretch of rows of one partition: rows [row, row+rows) come from [first, next).
type segment struct {
	partitionKey
	row, rows   int
	first, next int64
}

func (b *building) rows() int {
	if b.set == nil {
		return 0
	}
	return b.set.columns.Rows()
}

// pending tells that there is something to hand over before an error is told.
func (b *building) pending() bool { return b.rows() > 0 || b.rejected != nil }

// start gives the batch its type.
func (l *Listener) start(p *plan) {
	set := l.sets[p.avro.Shape]
	if set == nil {
		set = newColumnSet(p.avro, l.cfg.Metadata)
		l.sets[p.avro.Shape] = set
	}
	if old := l.batch.set; old != nil && old != set { // none of its rows was good: what they had reserved goes back
		old.release()
	}
	l.batch.plan, l.batch.set = p, set
}

func newColumnSet(p *avro.Plan, metadata []Metadata) *columnSet {
	s := &columnSet{columns: p.NewColumns(), appenders: map[*avro.Plan]*avro.Appender{}}
	for _, m := range metadata {
		c := metadataColumns[m.Column].make()
		s.metadata = append(s.metadata, c)
		if m.Column == Offset {
			s.offsets = c.(*column.Fixed)
		}
	}
	if s.hidden = s.offsets == nil; s.hidden {
		s.offsets = column.NewFixed(arrow.PrimitiveTypes.Int64, 8)
	}
	return s
}

// appender returns the appender of a plan, which has the shape of the set.
func (s *columnSet) appender(p *avro.Plan) *avro.Appender {
	a := s.appenders[p]
	if a == nil {
		a = p.Bind(s.columns)
		s.appenders[p] = a
	}
	return a
}

// finish hands the columns over and leaves the set empty.
func (s *columnSet) finish() []arrow.ArrayData {
	out := s.columns.Finish()
	for _, m := range s.metadata {
		out = append(out, m.Finish())
	}
	s.release()
	return out
}

func (s *columnSet) release() {
	s.columns.Release()
	for _, m := range s.metadata {
		m.Release()
	}
	s.offsets.Release()
}

// took notes that [first, next) of a partition was read and gave n rows.
func (b *building) took(k partitionKey, first, next int64, n int) {
	if last := len(b.segments) - 1; last >= 0 && b.segments[last].partitionKey == k && b.segments[last].next <= first {
		b.segments[last].next = next
		b.segments[last].rows += n
		return
	}
	b.segments = append(b.segments, segment{partitionKey: k, row: b.rows() - n, rows: n, first: first, next: next})
}

func (b *building) release() {
	if b.set != nil {
		b.set.release()
	}
	if b.rejected != nil {
		b.rejected.release()
	}
	*b = building{}
}

// finished is a batch with what is needed to cut it.
type finished struct {
	batch    *Batch
	segments []segment
	offsets  []int64 // of the rows, in [segments]' numbering of rows
}

// finish turns the columns into a batch and starts anew. The rows' offsets are kept where the batch has to be cut at limit.
func (b *building) finish(limit int) finished {
	out := finished{batch: &Batch{}, segments: b.segments}
	if n := b.rows(); n > 0 {
		if n > limit {
			out.offsets = make([]int64, n)
			for i := range out.offsets {
				out.offsets[i] = int64(b.set.offsets.At64(i)) //nolint:gosec // bit pattern
			}
		}
		out.batch.Record = newRecord(b.plan.schema, b.set.finish(), n)
		out.batch.MessageType = b.plan.avro.MessageType
	}
	if b.rejected != nil {
		out.batch.Rejected = b.rejected.finish()
		b.rejected = nil
	}
	out.batch.Ranges = ranges(b.segments)
	b.release()
	return out
}

// newRecord makes a record batch of columns and gives up the caller's references to them.
func newRecord(schema *arrow.Schema, columns []arrow.ArrayData, rows int) arrow.RecordBatch {
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		arrays[i] = array.MakeFromData(c)
		c.Release()
	}
	record := array.NewRecordBatch(schema, arrays, int64(rows))
	for _, a := range arrays {
		a.Release()
	}
	return record
}

// ranges joins segments to one range a partition, in the order of their first rows.
func ranges(segments []segment) []Range {
	var out []Range
	index := map[partitionKey]int{}
	for _, s := range segments {
		i, ok := index[s.partitionKey]
		if !ok {
			index[s.partitionKey] = len(out)
			out = append(out, Range{Topic: s.topic, Partition: s.partition, First: s.first, Next: s.next, Rows: int64(s.rows)})
			continue
		}
		out[i].Next = s.next
		out[i].Rows += int64(s.rows)
	}
	return out
}

// cut takes the first n rows off a batch that has more, as a poll may return fewer than an earlier, interrupted one had gathered.
func (f *finished) cut(n int) *Batch {
	var left, right []segment
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
	whole := f.batch.Record
	head := &Batch{Record: whole.NewSlice(0, int64(n)), MessageType: f.batch.MessageType, Ranges: ranges(left)}
	f.batch.Record = whole.NewSlice(int64(n), whole.NumRows())
	f.batch.Ranges = ranges(right)
	f.segments, f.offsets = right, f.offsets[n:]
	whole.Release()
	return head
}
