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

// fill has records assembled until something stops it.
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

// unclocked is how much is assembled between two looks at the clock, as weightOf weighs it. A look takes as long as a short row, so runs of one row, as of deletions and their tombstones,
// have one look together; what they may ask of the decoder (message_steps) takes about a millisecond.
const unclocked = 4096

// weightOf weighs records: the more they are, and the longer, the longer they take.
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

// over tells that the slice has ended, or the poll or the listener: between two runs of records nothing may take long.
func (l *Listener) over(end time.Time) bool {
	now := time.Now()
	return now.After(end) || l.poll.ready && l.assembler.Rows() > 0 && now.After(l.poll.deadline.Add(maxSlice)) || l.life.isLeaving()
}

// endOfTurn is until when a record that takes long is decoded. A poll whose time is over has some for it, as in over.
func (l *Listener) endOfTurn(end time.Time) time.Time {
	if over := l.poll.deadline.Add(maxSlice); l.poll.ready && over.Before(end) {
		return over
	}
	return end
}

// take seals the batches and delivers the first one; one without rows where there is none.
func (l *Listener) take() (*Batch, error) {
	l.assembler.SealAll()
	if b, err := l.deliver(); b != nil || err != nil {
		return b, err
	}
	return &Batch{}, nil
}

// deliver delivers what comes next of the sealed batches, or an error in its turn, which has passed its record then: the next poll, or the commit of a later batch, acknowledges it.
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

// batchOf is a sealed batch as its caller gets it.
func batchOf(s *batch.Sealed) *Batch {
	return &Batch{Record: s.Record, Rejected: s.Rejected, MessageType: s.MessageType, Ranges: s.Ranges(), id: s.ID}
}
