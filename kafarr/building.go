package kafarr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// building is a batch that is being filled.
type building struct {
	id       batch.ID
	set      *columnSet // nil until the first good row
	segments []batch.Segment
	rejected *batch.Rejected
}

func (b *building) rows() int {
	if b.set == nil {
		return 0
	}
	return b.set.values.Rows()
}

// took notes that [first, next) of a partition was read and gave n rows.
func (b *building) took(k source.TopicPartition, first, next int64, n int) {
	if last := len(b.segments) - 1; last >= 0 && b.segments[last].TopicPartition == k && b.segments[last].Next <= first {
		b.segments[last].Next = next
		b.segments[last].Rows += n
		return
	}
	b.segments = append(b.segments, batch.Segment{TopicPartition: k, Row: b.rows() - n, Rows: n, First: first, Next: next})
}

func (b *building) release() {
	if b.set != nil {
		b.set.release()
	}
	if b.rejected != nil {
		b.rejected.Release()
	}
}

// finish turns the columns into a batch. cuttable: keep the rows' offsets, for it may have to be cut.
func (b *building) finish(cuttable bool) *batch.Sealed {
	out := &batch.Sealed{ID: b.id, Segments: b.segments}
	n := b.rows()
	if cuttable {
		out.Offsets = make([]int64, n)
		for i := range out.Offsets {
			out.Offsets[i] = int64(b.set.offsets.At64(i)) //nolint:gosec // bit pattern
		}
	}
	if n > 0 {
		out.MessageType = b.set.messageType
		out.Record = batch.NewRecord(b.set.schema, b.set.finish(), n)
	}
	if b.rejected != nil {
		out.Rejected = b.rejected.Finish()
		b.rejected = nil
	}
	b.release()
	return out
}

// buildingFor returns the batch that rows of these columns go to; nil where the one there is must be handed over first.
func (l *Listener) buildingFor(set *columnSet) *building {
	if set.building != nil {
		return set.building
	}
	if l.cfg.Mixed == SplitMixed && !l.beside(set) {
		return nil
	}
	b := l.withoutRows()
	if b == nil {
		b = l.newBuilding()
	}
	if l.cfg.Mixed == SplitMixed && !set.tombstones { // before the tombstones
		l.batches = append([]*building{b}, slices.DeleteFunc(l.batches, func(other *building) bool { return other == b })...)
	}
	if b.set != nil { // none of its rows was good: what they had reserved goes back
		b.set.release()
	}
	b.set, set.building = set, b
	return b
}

// anyBuilding returns a batch for what has no type.
func (l *Listener) anyBuilding() *building {
	if len(l.batches) > 0 {
		return l.batches[0]
	}
	return l.newBuilding()
}

func (l *Listener) newBuilding() *building {
	b := &building{id: batch.NewID()}
	l.batches = append(l.batches, b)
	return b
}

func (l *Listener) withoutRows() *building {
	for _, b := range l.batches {
		if b.rows() == 0 {
			return b
		}
	}
	return nil
}

// pending tells that there is something to hand over before an error is told.
func (l *Listener) pending() bool {
	return len(l.queue) > 0 || slices.ContainsFunc(l.batches, func(b *building) bool { return b.rows() > 0 || b.rejected != nil })
}

// columnSet is the columns of one shape: those of the values, of the keys, and the metadata. They are used again by the next batch of that shape, which so begins with the
// capacity that the last one came to.
type columnSet struct {
	messageType string
	schema      *arrow.Schema
	values      *avro.Columns
	keys        *avro.Columns // nil: keys are not asked for
	appenders   map[*schema.Compiled]*avro.Appender
	metadata    []column.Column // nil in the place of the key
	offsets     *column.Fixed   // of every row: a batch may have to be cut
	hidden      bool            // offsets is none of metadata
	tombstones  bool            // its rows are gathered beside those of a type
	building    *building       // that is being filled; nil: none
	size        int             // bytes that the listener keeps of it, estimated, without what its rows take
	used        int             // the run of its last use
	dropped     bool            // from the listener's shapes
}

// setOf returns the columns of a pair: the same for all pairs of a shape.
func (l *Listener) setOf(p schema.Pair) *columnSet {
	if s := l.sets[p]; s != nil {
		s.used = l.schemas.Cache.Run()
		return s
	}
	shape := p.Shape()
	s := l.shapes[shape]
	if s == nil {
		s = newColumnSet(p, &l.cfg)
		s.tombstones = l.cfg.Tombstones == SplitTombstones && l.cfg.Mixed == SplitMixed && p.Value == l.schemas.Values.NullPlan()
		s.expect(min(l.poll.limit, mostExpected))
		s.size = p.Value.Plan.ColumnBytes()
		if p.Key != nil {
			s.size += p.Key.Plan.ColumnBytes()
		}
		l.schemas.Cache.Add(s.size)
		l.shapes[shape] = s
	}
	s.used = l.schemas.Cache.Run()
	l.sets[p] = s
	return s
}

// mostExpected bounds the room that a first batch gets for the rows that its poll may return: few polls with a huge limit find so many.
const mostExpected = 1 << 17

// expect tells the columns how many rows to make room for at once. The first batch of 100,000 wide rows would else grow by doubling, and touch twice the memory.
func (s *columnSet) expect(rows int) {
	s.values.Expect(rows)
	if s.keys != nil {
		s.keys.Expect(rows)
	}
	for _, m := range s.metadata {
		if m != nil {
			column.Expect(m, rows)
		}
	}
	column.Expect(s.offsets, rows)
}

func newColumnSet(p schema.Pair, cfg *Config) *columnSet {
	s := &columnSet{messageType: p.Value.Plan.MessageType, values: p.Value.Plan.NewColumns(), appenders: map[*schema.Compiled]*avro.Appender{}}
	fields := append([]arrow.Field(nil), p.Value.Plan.Fields...)
	if p.Key != nil {
		s.keys = p.Key.Plan.NewColumns()
	}
	for _, m := range cfg.Metadata {
		if m.Column == Key {
			f := p.Key.Plan.Fields[0]
			f.Name = m.name()
			fields = append(fields, f)
			s.metadata = append(s.metadata, nil)
			continue
		}
		t := metadataColumns[m.Column]
		c := t.make()
		s.metadata = append(s.metadata, c)
		if m.Column == Offset {
			s.offsets = c.(*column.Fixed)
		}
		nullable := t.nullable || m.Column == SchemaID && (!p.Value.IsRegistered || cfg.Tombstones == KeepTombstones || cfg.Framing == SchemaHeader)
		fields = append(fields, arrow.Field{Name: m.name(), Type: t.dtype, Nullable: nullable})
	}
	if s.hidden = s.offsets == nil; s.hidden {
		s.offsets = column.NewFixed(arrow.PrimitiveTypes.Int64, 8)
	}
	s.values.SetMost(cfg.columnBytes())
	if s.keys != nil {
		s.keys.SetMost(cfg.columnBytes())
	}
	s.schema = arrow.NewSchema(fields, nil)
	return s
}

// appender returns the appender of a plan, which has the shape of the set's values or keys.
func (l *Listener) appender(s *columnSet, p *schema.Compiled, to *avro.Columns) *avro.Appender {
	a := s.appenders[p]
	if a == nil {
		a = p.Plan.Bind(to)
		a.Patience = longRow
		s.appenders[p] = a
		s.size += p.Plan.BoundBytes()
		l.schemas.Cache.Add(p.Plan.BoundBytes())
	}
	return a
}

// truncate takes back the last n rows, which have no metadata yet.
func (s *columnSet) truncate(n int) {
	s.values.Truncate(s.values.Rows() - n)
	if s.keys != nil {
		s.keys.Truncate(s.keys.Rows() - n)
	}
}

// finish hands the columns over and leaves the set empty.
func (s *columnSet) finish() []arrow.ArrayData {
	out := s.values.Finish()
	for _, m := range s.metadata {
		if m == nil {
			out = append(out, s.keys.Finish()...)
		} else {
			out = append(out, m.Finish())
		}
	}
	s.release()
	return out
}

func (s *columnSet) release() {
	s.building = nil
	s.values.Release()
	if s.keys != nil {
		s.keys.Release()
	}
	for _, m := range s.metadata {
		if m != nil {
			m.Release()
		}
	}
	s.offsets.Release()
}
