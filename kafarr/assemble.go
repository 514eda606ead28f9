package kafarr

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// runMax is the number of records that are framed, decoded and given their metadata in one go, so that they are still in the
// cache when the next of these three steps comes to them.
const runMax = 1024

// maxBatchBytes ends a batch before a column's 32-bit offsets could overflow: no column holds more bytes than came in.
const maxBatchBytes = 1 << 30

// held are fetched records that no batch has taken yet, with a cursor. What lies behind a schema change stays here, as messages in
// the client's memory, and opens the next batch.
type held struct {
	chunks []source.Chunk
	chunk  int
	record int
}

// rest returns the chunk under the cursor and its records from the cursor on; nil when there are none left.
func (h *held) rest() (*source.Chunk, []source.Record) {
	for h.chunk < len(h.chunks) {
		c := &h.chunks[h.chunk]
		if h.record < len(c.Records) {
			return c, c.Records[h.record:]
		}
		h.chunk++
		h.record = 0
	}
	return nil, nil
}

// drop takes a partition's records out.
func (h *held) drop(k partitionKey) {
	for i := h.chunk; i < len(h.chunks); i++ {
		if c := &h.chunks[i]; c.Topic == k.topic && c.Partition == k.partition {
			c.Records = nil
			if i == h.chunk {
				h.record = 0
			}
		}
	}
}

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
	offsets   *column.Fixed // of every row, one of metadata or not: a batch may have to be cut
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
	if s.offsets == nil {
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

// hidden tells that the offsets are kept for cutting only and are no column of the batch.
func (s *columnSet) hidden() bool {
	return !slices.ContainsFunc(s.metadata, func(c column.Column) bool { return c == column.Column(s.offsets) })
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

// outcome is why assemble stopped.
type outcome int

const (
	drained outcome = iota // all held records are taken: fetch more
	full                   // the batch has its rows
	changed                // the next record belongs to another batch
	waiting                // the next record's schema is being looked up
	failed                 // the next record is bad and is told as an error
)

// assemble appends held records to the batch until something stops it.
func (l *Listener) assemble(limit int) (outcome, *Error) {
	for {
		if l.batch.rows() >= limit || l.batch.bytes >= maxBatchBytes {
			return full, nil
		}
		chunk, records := l.held.rest()
		if chunk == nil {
			return drained, nil
		}
		records = records[:min(len(records), limit-l.batch.rows(), runMax)]
		run, framing := l.frame(records)
		if run == 0 {
			if out, err := l.bad(chunk, &records[0], -1, framing); out != drained {
				return out, err
			}
			continue
		}
		if out, err := l.appendRun(chunk, records[:run]); out != drained {
			return out, err
		}
	}
}

// frame reads the framing of the records up to the first that is bad or of another schema, leaves their bodies in l.bodies and the
// schema's id in l.schemaID, and returns how many there are. The error is that of the first record.
func (l *Listener) frame(records []source.Record) (int, *Error) {
	l.bodies = l.bodies[:0]
	for i := range records {
		r := &records[i]
		id, body, length, err := wire.Confluent(r.Value, r.ValueLen)
		var fault *Error
		if err != nil {
			fault = errorf(FramingError, "%w", err)
		} else if r.HeaderCount > 0 {
			if text := headerFault(r); text != "" {
				fault = errorf(DecodeError, "%s", text)
				fault.Path = string(Headers)
			}
		}
		if fault != nil {
			return i, fault
		}
		if i == 0 {
			l.schemaID = id
		} else if id != l.schemaID {
			break
		}
		l.bodies = append(l.bodies, avro.Body{Data: body, Len: length})
	}
	return len(l.bodies), nil
}

// appendRun appends records of one schema, whose bodies frame has left in l.bodies.
func (l *Listener) appendRun(chunk *source.Chunk, records []source.Record) (outcome, *Error) {
	first := &records[0]
	p, pending, err := l.planOf(l.schemaID)
	switch {
	case pending:
		return waiting, nil
	case err != nil && (err.Code == SchemaError || err.Code == IncompatibleSchemaError), err != nil && err.Code == SchemaNotFoundError && l.cfg.Errors != Raise:
		return l.bad(chunk, first, int64(l.schemaID), err)
	case err != nil: // says nothing about the record, which is tried again by the next poll
		if l.batch.pending() {
			return changed, nil
		}
		return failed, err.at(chunk.Topic, chunk.Partition, first.Offset)
	}
	b := &l.batch
	if b.plan != nil && b.plan.avro.Shape != p.avro.Shape && b.rows() > 0 {
		return changed, nil
	}
	if b.rows() == 0 {
		l.start(p)
	}
	n, appendErr := b.set.appender(p.avro).Append(l.bodies)
	if n > 0 {
		l.appended(chunk, records[:n])
	}
	switch {
	case appendErr == nil:
		return drained, nil
	case errors.Is(appendErr, avro.ErrFull) && b.rows() > 0:
		return changed, nil
	case errors.Is(appendErr, avro.ErrFull):
		return l.bad(chunk, &records[n], int64(l.schemaID), errorf(DecodeError, "the row does not fit into one batch"))
	}
	return l.bad(chunk, &records[n], int64(l.schemaID), wrap(appendErr))
}

// appended completes rows whose values were just appended: metadata, ranges, cursor.
func (l *Listener) appended(chunk *source.Chunk, records []source.Record) {
	b := &l.batch
	r := rows{topic: chunk.Topic, partition: chunk.Partition, schemaID: l.schemaID, records: records}
	for i, m := range l.cfg.Metadata {
		metadataColumns[m.Column].append(b.set.metadata[i], &r)
	}
	if b.set.hidden() {
		metadataColumns[Offset].append(b.set.offsets, &r)
	}
	bytes := 0
	for i := range records {
		bytes += int(records[i].ValueLen) + int(max(records[i].KeyLen, 0))
		for _, h := range headersOf(&records[i]) {
			bytes += int(h.NameLen) + int(max(h.ValueLen, 0))
		}
	}
	b.bytes += bytes
	l.counters.rows.Add(int64(len(records)))
	l.counters.bytes.Add(int64(bytes))
	l.passed(chunk, records[0].Offset, records[len(records)-1].Offset+1, len(records), len(records))
}

// passed moves the cursor over n records that lie in [first, next) and gave that many rows.
func (l *Listener) passed(chunk *source.Chunk, first, next int64, n, rows int) {
	k := partitionKey{chunk.Topic, chunk.Partition}
	l.batch.took(k, first, next, rows)
	l.positions[k] = next
	l.held.record += n
}

// bad deals with the record under the cursor, which cannot be decoded. drained means: go on behind it.
func (l *Listener) bad(chunk *source.Chunk, r *source.Record, schemaID int64, err *Error) (outcome, *Error) {
	placed := err.at(chunk.Topic, chunk.Partition, r.Offset)
	placed.SchemaID = max(placed.SchemaID, schemaID)
	switch l.cfg.Errors {
	case Skip:
		l.counters.skipped.Add(1)
	case Collect:
		if l.batch.rejected == nil {
			l.batch.rejected = newRejected()
		}
		l.batch.rejected.append(chunk, r, placed)
		l.batch.bytes += int(max(r.ValueLen, 0)) + int(max(r.KeyLen, 0))
		l.counters.rejected.Add(1)
	case Raise:
		if l.batch.rows() > 0 { // they come first; the record is met again by the next poll
			return changed, nil
		}
		// The error has passed its row once it is returned: the next poll acknowledges it and goes on behind it.
		l.passed(chunk, r.Offset, r.Offset+1, 1, 0)
		return failed, placed
	}
	l.passed(chunk, r.Offset, r.Offset+1, 1, 0)
	return drained, nil
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
