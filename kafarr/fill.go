package kafarr

import (
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// newAssembler makes the assembler of a listener.
func (l *Listener) newAssembler() *assemble.Assembler {
	return assemble.New(l.cfg.Messages.assembly(assemble.Config{
		BatchBytes: l.cfg.Memory.batchBytes(), Schemas: l.schemas, Ledger: progress{l.tracker, l.partitions}, Rejected: l.deadLetter,
	}, l.cfg.Memory.columnBytes()))
}

// assembly adds to cfg what these options say.
func (m *Messages) assembly(cfg assemble.Config, columnBytes int) assemble.Config {
	cfg.Mixed, cfg.Tombstones, cfg.Errors, cfg.Columns = m.Mixed, m.Tombstones, m.Errors, *m.columnOptions(columnBytes)
	return cfg
}

// columnOptions say which columns batches have, and what they may hold; 0: the default.
func (m *Messages) columnOptions(columnBytes int) *assemble.Options {
	return &assemble.Options{
		Metadata: m.Metadata, ColumnBytes: columnBytes, NullableSchemaID: m.Tombstones == KeepTombstones || m.Framing == SchemaHeader,
	}
}

// fill assembles records until there is a reason to stop.
func (l *Listener) fill(end time.Time) (assemble.Stop, *Error) {
	a := l.assembler
	for done := 0; ; {
		if a.Room() == 0 {
			return assemble.BatchFull, nil
		}
		chunk, records := l.buffer.Rest()
		if chunk == nil {
			return assemble.NeedFetch, nil
		}
		if !a.ContinueLong(chunk, &records[0], l.endOfTurn(end)) {
			return assemble.RecordSlow, nil
		}
		records = a.Within(records)
		l.group.HearResets()
		p := l.partitions.Of(chunk.TopicPartition())
		records = p.UntilDiscontinuity(records)
		l.follow(chunk.TopicPartition(), p, records[0].Offset)
		if p.Redelivering() {
			a.LieBetween()
		}
		n, undelivered := p.Undelivered(records)
		if n > 0 {
			l.buffer.Take(n)
			l.skip(chunk.TopicPartition(), records[n-1].Offset+1)
			continue
		}
		a.BeginRecords()
		for n, records = -1, undelivered; n != 0 && len(records) > 0; records = records[n:] {
			if l.letters.Full() {
				return assemble.Throttled, nil
			}
			if done >= unclocked {
				if done = 0; l.over(end) {
					return assemble.TimeOver, nil
				}
			}
			_, rest := l.buffer.Rest()
			added := a.Add(chunk, records, rest)
			n = added.N
			l.buffer.Take(n)
			done += weightOf(records[:n])
			if added.Stop != assemble.NeedFetch {
				l.poll.lookup = added.Wait
				return added.Stop, added.Err
			}
		}
	}
}

// unclocked is how much weight (see weightOf) is assembled between two looks at the clock. A look takes as long as a short row, so several runs of one row, as of deletions and their
// tombstones, share one look. Within this weight the decoder takes about a millisecond at most (message_steps).
const unclocked = 4096

// weightOf estimates how long records take to decode, from their number and their bytes.
func weightOf(records []source.Record) int {
	if len(records) > 8 {
		return unclocked
	}
	weight := 0
	for i := range records {
		weight += 256 + int(max(records[i].ValueLen, 0)) + int(max(records[i].KeyLen, 0))
	}
	return weight
}

// skip notes that none of the records of a partition before next will be delivered.
func (l *Listener) skip(k source.TopicPartition, next int64) {
	progress{l.tracker, l.partitions}.Skip(k, next)
}

// over reports whether the slice, the poll or the listener has ended. It is asked between two runs of records.
func (l *Listener) over(end time.Time) bool {
	now := time.Now()
	return now.After(end) || l.poll.ready && l.assembler.Rows() > 0 && now.After(l.poll.deadline.Add(maxSlice)) || l.life.isLeaving()
}

// endOfTurn returns the time until which a record that takes long is decoded. As in over, a poll whose time has passed has a little more.
func (l *Listener) endOfTurn(end time.Time) time.Time {
	if over := l.poll.deadline.Add(maxSlice); l.poll.ready && over.Before(end) {
		return over
	}
	return end
}

// take seals the batches and delivers the first one; an empty batch where there is none.
func (l *Listener) take() (*Batch, error) {
	l.assembler.SealAll()
	if b, err := l.deliver(); b != nil || err != nil {
		return b, err
	}
	return &Batch{}, nil
}

// deliver delivers the next sealed batch, or the error that stands in its place. Such an error has passed its record: the next poll, or the commit of a later batch, acknowledges it.
func (l *Listener) deliver() (*Batch, error) {
	s := l.assembler.Next()
	if s == nil {
		return nil, nil
	}
	if s.Err != nil {
		l.tracker.DeliverError(s.ID)
		return nil, s.Err
	}
	b := batchOf(s)
	l.tracker.Deliver(s.ID)
	if !b.empty() {
		b.Events = l.events.Take()
		l.counters.batches.Add(1)
	}
	return b, nil
}

// batchOf makes the public batch of a sealed one.
func batchOf(s *batch.Sealed) *Batch {
	return &Batch{Record: s.Record, Rejected: s.Rejected, MessageType: s.MessageType, Ranges: s.Ranges(), id: s.ID}
}
