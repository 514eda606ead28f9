package assemble

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Config says how batches are assembled.
type Config struct {
	Mixed      Mixed
	Tombstones Tombstones
	Errors     ErrorMode
	BatchBytes int // of messages, which end a batch
	Columns    Options
	Schemas    *schema.Resolvers
	Ledger     Ledger
	// Rejected gets each record that cannot become a row, whatever Errors says; nil: nobody does.
	Rejected func(chunk *source.Chunk, r *source.Record, why *status.Error)
}

// Assembler makes batches of records: it has them routed into runs, decodes these, and settles what became of them in the order of their offsets. Its batches wait until they are
// delivered. It belongs to the goroutine that uses it; Counters may be read by any.
type Assembler struct {
	cfg      Config
	router   *Router
	shapes   *Shapes
	counters Counters

	limit    int        // rows of the poll
	builders []*Builder // in the order of their first rows: one at most, and one of tombstones after it, unless GroupMixed
	rows     int        // of builders
	bytes    int        // that they came in
	deleted  Deletions
	between  bool  // a row of theirs lies between others that were delivered
	long     *Long // nil: the record under the cursor does not take long
	sealed   []*batch.Sealed
	last     batch.Delivered // the batch that Next gave last, if another may lie between its rows
	failed   []*batch.Sealed // errors that come after what is being filled
}

// New makes an Assembler.
func New(cfg Config) *Assembler {
	a := &Assembler{
		cfg: cfg, deleted: NewDeletions(), shapes: NewShapes(&cfg.Columns, cfg.Schemas.Cache),
		router: NewRouter(cfg.Schemas, cfg.Mixed, cfg.Tombstones, slices.ContainsFunc(cfg.Columns.Metadata, func(m Metadata) bool { return m.Column == Headers })),
	}
	if cfg.Tombstones == SplitTombstones && cfg.Mixed == SplitMixed {
		a.shapes.beside = cfg.Schemas.Values.NullPlan()
	}
	return a
}

// Ledger notes which records were taken, and how batches are divided.
type Ledger interface {
	// Take notes that a batch has taken the records of [first, next).
	Take(k source.TopicPartition, id batch.ID, first, next int64)
	// Skip notes that none of the records before next will be delivered.
	Skip(k source.TopicPartition, next int64)
	// Split gives the rows before the end of each of the ranges to a batch of their own.
	Split(whole, head batch.ID, ranges []batch.Range)
	// Replace gives the rows of a batch to its parts.
	Replace(whole batch.ID, parts []delivery.Part)
}

// Counters count what became of records. Any goroutine may read them.
type Counters struct {
	Rows, Bytes, Rejected, Skipped, Tombstones, OutOfRange, UnknownEnums, UnknownMembers, RulesNotRun atomic.Int64
}

// Counters returns the counters, which continue to count.
func (a *Assembler) Counters() *Counters { return &a.counters }

// Begin notes how many rows the poll wants.
func (a *Assembler) Begin(limit int) { a.limit = limit }

// LieBetween notes that a row of the batches lies between others that were delivered: their offsets are kept, for the batches may be given back.
func (a *Assembler) LieBetween() { a.between = true }

// Room is how many records may still be taken; 0: the batches are to be sealed.
func (a *Assembler) Room() int {
	if a.bytes >= a.cfg.BatchBytes {
		return 0
	}
	return max(a.limit-a.rows, 0)
}

// Within returns those of the first records that may be taken in one go: one at least, or it would never be read.
func (a *Assembler) Within(records []source.Record) []source.Record {
	records = records[:min(len(records), a.Room(), RunRecords)]
	left := min(a.cfg.BatchBytes-a.bytes, RunBytes)
	for i := range records {
		if left -= int(records[i].ValueLen) + int(records[i].KeyLen); left < 0 {
			return records[:max(i, 1)]
		}
	}
	return records
}

// Rows is how many rows the batches that are being filled have.
func (a *Assembler) Rows() int { return a.rows }

// Added is what became of some records.
type Added struct {
	N    int // the first of them were taken
	Stop Stop
	Wait *schema.Lookup // SchemaPending: what is waited for
	Err  *status.Error  // RecordFailed: why, with its place
}

// BeginRecords notes that other records come next than those that the last Add has left, though they may lie where those lay.
func (a *Assembler) BeginRecords() { a.router.Begin() }

// Add takes some of the records, of which there is one at least: those that Within gives, as far as they follow each other. rest are these and all that were fetched after them. Where it
// has no reason to stop it may be called again at once with the records that are left, also where it has taken none.
func (a *Assembler) Add(chunk *source.Chunk, records, rest []source.Record) Added {
	if a.trim() && a.rows > 0 && a.cfg.Mixed == GroupMixed { // the batches being filled have too many schemas
		return Added{Stop: BatchFull}
	}
	to := a.router.Next(chunk, records, rest)
	switch {
	case to.Wait != nil:
		return Added{Stop: SchemaPending, Wait: to.Wait}
	case to.Fault != nil && to.Own && to.Fault.Option == "": // what an option is to blame for passes no record
		return a.reject(nil, chunk, &records[0], to.Fault)
	case to.Fault != nil:
		return a.unusable(chunk, &records[0], to.Fault)
	case to.N == 0:
		return Added{}
	case a.cfg.Mixed == GroupMixed:
		return a.settleGroup(chunk, records, to)
	case len(to.Runs) == 0:
		a.skipTombstones(chunk, records, to)
		return Added{N: to.N}
	}
	return a.settleRun(chunk, &to.Runs[0])
}

// trim begins with the next run, and drops the plans and columns that were used the longest time ago, where there are too many. It tells whether what is left, because batches are being
// filled, is still too much.
func (a *Assembler) trim() (crowded bool) {
	schemas := a.cfg.Schemas
	if !schemas.NextRun() {
		return false
	}
	schemas.Drop(a.shapes.Idle)
	a.shapes.Forget()
	return schemas.Cache.IsOver()
}

func (a *Assembler) skipTombstones(chunk *source.Chunk, records []source.Record, to Routed) {
	a.counters.Tombstones.Add(int64(to.Skipped))
	a.cfg.Ledger.Skip(chunk.TopicPartition(), records[to.N-1].Offset+1)
}

// settleRun appends a run to the batch of its type, up to the first record that fails.
func (a *Assembler) settleRun(chunk *source.Chunk, r *Run) Added {
	columns := a.shapes.Of(r.Schema, a.limit)
	if !columns.Tombstones() {
		r.First(a.deleted.Others(r.TopicPartition, r.Records))
	}
	if len(r.Records) == 0 {
		return Added{Stop: SchemaChanged}
	}
	b := a.builderFor(columns)
	if b == nil {
		return Added{Stop: SchemaChanged}
	}
	out := a.decode(b, columns, r, false)
	n := out.Rows
	if columns.Tombstones() {
		a.deleted.Add(r.TopicPartition, r.Records[:n])
	}
	rings := r.Schema.Value.Keyrings
	switch {
	case out.Err == nil:
		return Added{N: n}
	case rings != nil && rings.Asks(chunk, r.Records[n].Offset, out.Err): // it is met again, and the key is looked up then
		return Added{N: n}
	case errors.Is(out.Err, format.ErrFull) && b.Rows() > 0:
		return Added{N: n, Stop: SchemaChanged}
	case errors.Is(out.Err, format.ErrLong):
		a.long = DecodeLong(columns, r, n)
		return Added{N: n, Stop: RecordSlow}
	}
	added := a.reject(nil, chunk, &r.Records[n], RowFault(r.Refs, out))
	added.N += n
	return added
}

// settleGroup appends each run to a batch of its own. A bad record is dealt with and passed: its error, if it is to be raised, is delivered after the batches before it.
func (a *Assembler) settleGroup(chunk *source.Chunk, records []source.Record, to Routed) Added {
	for i := range to.Runs {
		a.appendAll(chunk, &to.Runs[i])
		to.Runs[i].Schema = schema.Pair{} // whose plans may be dropped before the next use
	}
	a.skipTombstones(chunk, records, to)
	if len(a.failed) > 0 {
		return Added{N: to.N, Stop: BatchFull}
	}
	return Added{N: to.N}
}

func (a *Assembler) appendAll(chunk *source.Chunk, r *Run) {
	for columns := a.shapes.Of(r.Schema, a.limit); len(r.Records) > 0; {
		b := a.builderFor(columns)
		out := a.decode(b, columns, r, true) // its rows are spread over several batches by now: there is no way back from a record that takes long
		n := out.Rows
		switch {
		case out.Err == nil:
		case errors.Is(out.Err, format.ErrFull) && b.Rows() > 0: // the record goes into a batch of its own
			a.seal(b, true)
		default:
			a.reject(b, chunk, &r.Records[n], RowFault(r.Refs, out))
			n++
		}
		r.After(n)
	}
}

// decode appends the records of a run to columns up to the first that fails, and settles what became of them.
func (a *Assembler) decode(b *Builder, columns *Columns, r *Run, patient bool) Result {
	var out Result
	if g := a.long; g != nil {
		a.long = nil
		out = g.Result(r)
	} else {
		out = Decode(columns, r, patient)
	}
	if out.Rows == 0 {
		return out
	}
	if out.Counts != (format.Counts{}) {
		a.counters.OutOfRange.Add(int64(out.Counts.OutOfRange))
		a.counters.UnknownEnums.Add(int64(out.Counts.UnknownEnums))
		a.counters.UnknownMembers.Add(int64(out.Counts.UnknownMembers))
	}
	if r.Schema.Value.HasIdleRules || r.Schema.Key != nil && r.Schema.Key.HasIdleRules {
		a.counters.RulesNotRun.Add(int64(out.Rows))
	}
	a.bytes += out.Bytes
	a.rows += out.Rows
	a.counters.Rows.Add(int64(out.Rows))
	a.counters.Bytes.Add(int64(out.Bytes))
	a.took(b, r.TopicPartition, r.Records[0].Offset, r.Records[out.Rows-1].Offset+1, out.Rows)
	return out
}

// took notes that a batch has taken the records of [first, next), of which n became rows.
func (a *Assembler) took(b *Builder, k source.TopicPartition, first, next int64, n int) {
	b.Took(k, first, next, n)
	a.cfg.Ledger.Take(k, b.ID(), first, next)
}

// ContinueLong gives the record under the cursor a turn, if it takes long, and tells whether it is done.
func (a *Assembler) ContinueLong(chunk *source.Chunk, r *source.Record, end time.Time) bool {
	if a.long == nil {
		return true
	}
	if !a.long.Is(chunk.TopicPartition(), r) {
		a.EndLong()
		return true
	}
	return a.long.Turn(end)
}

// EndLong gives up the record that takes long, which is read again from its beginning. What is in its batch may be touched then.
func (a *Assembler) EndLong() {
	if a.long != nil {
		a.long.GiveUp()
		a.long = nil
	}
}

// builderFor returns the batch that rows of these columns go to; nil where the one there is must be delivered first.
func (a *Assembler) builderFor(columns *Columns) *Builder {
	if b := columns.Builder(); b != nil {
		return b
	}
	if a.cfg.Mixed == SplitMixed && slices.ContainsFunc(a.builders, func(b *Builder) bool { return b.Rows() > 0 && b.Tombstones() == columns.Tombstones() }) {
		return nil // the rows of one type, and the tombstones between them, are gathered at the same time
	}
	var b *Builder
	if i := slices.IndexFunc(a.builders, func(b *Builder) bool { return b.Rows() == 0 }); i >= 0 {
		b = a.builders[i]
	} else {
		b = a.newBuilder()
	}
	if a.cfg.Mixed == SplitMixed && !columns.Tombstones() { // before the tombstones
		a.builders = append([]*Builder{b}, slices.DeleteFunc(a.builders, func(other *Builder) bool { return other == b })...)
	}
	b.Use(columns)
	return b
}

// anyBuilder returns a batch for what has no type.
func (a *Assembler) anyBuilder() *Builder {
	if len(a.builders) > 0 {
		return a.builders[0]
	}
	return a.newBuilder()
}

func (a *Assembler) newBuilder() *Builder {
	b := NewBuilder()
	a.builders = append(a.builders, b)
	return b
}

// Pending reports whether there is something to deliver before an error is returned.
func (a *Assembler) Pending() bool {
	return len(a.sealed) > 0 || len(a.failed) > 0 || slices.ContainsFunc(a.builders, func(b *Builder) bool { return !b.Empty() })
}

// Waiting reports whether there are sealed batches.
func (a *Assembler) Waiting() bool { return len(a.sealed) > 0 }

// SealAll ends the batches that are being filled.
func (a *Assembler) SealAll() {
	a.EndLong()
	between := a.cfg.Mixed == GroupMixed || len(a.builders) > 1 || a.between
	a.between = false
	for len(a.builders) > 0 {
		a.seal(a.builders[0], between || len(a.sealed) > 0 || a.builders[0].Rows() > a.limit)
	}
	a.sealed = append(a.sealed, a.failed...)
	a.failed = nil
}

// seal ends a batch.
func (a *Assembler) seal(b *Builder, cuttable bool) {
	a.builders = slices.DeleteFunc(a.builders, func(other *Builder) bool { return other == b })
	a.rows -= b.Rows()
	if b.Tombstones() {
		a.deleted.Forget()
	}
	if len(a.builders) == 0 {
		a.bytes = 0
	}
	if b.Empty() { // of its rows none was good
		b.Release()
		return
	}
	a.sealed = append(a.sealed, b.Seal(cuttable))
}

// Next takes what is to be delivered next of the sealed batches, of at most so many rows as the poll wants; nil: there is none.
func (a *Assembler) Next() *batch.Sealed {
	if len(a.sealed) == 0 {
		return nil
	}
	s := a.sealed[0]
	if s.NumRows() > a.limit {
		head := s.Cut(a.limit)
		a.cfg.Ledger.Split(s.ID, head.ID, head.Ranges())
		return a.delivering(head)
	}
	a.sealed = a.sealed[1:]
	return a.delivering(s)
}

func (a *Assembler) delivering(s *batch.Sealed) *batch.Sealed {
	if s.Err == nil && (a.cfg.Mixed == GroupMixed || s.Offsets != nil) {
		a.last = batch.DeliveredFrom(s)
	}
	return s
}

// LastRows returns the offsets of the rows that the batch which Next gave last has of a partition, if it is the one of these ids, and there is no other.
func (a *Assembler) LastRows(ids []int64, k source.TopicPartition) (offsets []int64, known bool) {
	return a.last.Rows(ids, k)
}

// Drop gives up the rows of a partition, and returns the offsets of those that lay in sealed batches, or were errors. A batch that is being filled cannot lose rows from its middle: it is
// sealed, and so are the others, which come before or after it.
func (a *Assembler) Drop(k source.TopicPartition) (dropped []int64) {
	a.EndLong()
	if slices.ContainsFunc(a.builders, func(b *Builder) bool { return b.Holds(k) }) {
		for len(a.builders) > 0 {
			a.seal(a.builders[0], true)
		}
	}
	keep := func(all []*batch.Sealed) []*batch.Sealed {
		kept := make([]*batch.Sealed, 0, len(all))
		for _, s := range all {
			switch {
			case !s.Holds(k):
				kept = append(kept, s)
			case s.Err != nil:
				dropped = append(dropped, s.OffsetsOf(k)...)
			default:
				dropped = append(dropped, s.OffsetsOf(k)...)
				id, parts := s.ID, s.Without(k)
				a.cfg.Ledger.Replace(id, partsOf(parts))
				kept = append(kept, parts...)
			}
		}
		return kept
	}
	a.sealed, a.failed = keep(a.sealed), keep(a.failed)
	return dropped
}

func partsOf(batches []*batch.Sealed) []delivery.Part {
	out := make([]delivery.Part, len(batches))
	for i, s := range batches {
		out[i] = delivery.Part{ID: s.ID, Ranges: s.Ranges()}
	}
	return out
}

// Release gives up everything.
func (a *Assembler) Release() {
	a.EndLong()
	for _, b := range a.builders {
		b.Release()
	}
	for _, s := range a.sealed {
		s.Release()
	}
	a.builders, a.sealed, a.failed = nil, nil, nil
}
