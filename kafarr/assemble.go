package kafarr

import (
	"errors"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// runMax is the number of records that are framed, decoded and given their metadata in one go, so that they are still in the
// cache when the next of these three steps comes to them.
const runMax = 1024

// runBytes bounds the messages of a run, so that polls are answered between large ones, too: a message of 1 MB may take a tenth of a second. A full run of messages of
// 1 KB is not cut by it.
const runBytes = 1 << 20

// outcome is why assemble stopped.
type outcome int

const (
	drained outcome = iota // all held records are taken: fetch more
	full                   // the poll has its rows
	changed                // the next record belongs to another batch
	waiting                // the next record's schema is being looked up
	failed                 // the next record is bad and is told as an error
	crowded                // there are as many dead letters on their way as may be
	slow                   // the next record takes long to decode
	late                   // the slice is over, or the poll, and records are left: some take long
)

// assemble appends held records to batches until something stops it.
func (l *Listener) assemble(limit int, end time.Time) (outcome, *Error) {
	for first := true; ; {
		if l.gathered >= limit || l.bytes >= l.cfg.BatchBytes {
			return full, nil
		}
		chunk, records := l.buffer.Rest()
		if chunk == nil {
			return drained, nil
		}
		if !l.longDone(chunk, &records[0], end) {
			return slow, nil
		}
		records = l.within(records[:min(len(records), limit-l.gathered, runMax)])
		l.hearResets()
		p := l.partitions.Of(chunk.TopicPartition())
		records = p.UntilDiscontinuity(records)
		l.follow(chunk.TopicPartition(), p, records[0].Offset)
		l.reread = l.reread || p.Redelivering()
		n, rest := p.Undelivered(records)
		if n > 0 {
			l.buffer.Take(n)
			l.pass(chunk, records[n-1].Offset+1)
			continue
		}
		records = rest
		l.schemas.BeginRecords()
		for taken := -1; taken != 0 && len(records) > 0; records = records[taken:] {
			if l.letters.full.Load() {
				return crowded, nil
			}
			if !first && l.over(end) {
				return late, nil
			}
			first = false
			before := l.buffer.Taken()
			out, err := l.append(chunk, records)
			if out != drained {
				return out, err
			}
			taken = l.buffer.Taken() - before
		}
	}
}

// append takes the first of the records.
func (l *Listener) append(chunk *source.Chunk, records []source.Record) (outcome, *Error) {
	if l.trim() && l.gathered > 0 && l.cfg.Mixed == GroupMixed { // the batches being filled have too many schemas
		return full, nil
	}
	if l.cfg.Mixed == GroupMixed {
		return l.group(chunk, records)
	}
	return l.run(chunk, records)
}

// over tells that the slice has ended, or the poll or the listener: between two runs of records nothing may take long.
func (l *Listener) over(end time.Time) bool {
	now := time.Now()
	return now.After(end) || l.poll.ready && l.gathered > 0 && now.After(l.poll.deadline.Add(maxSlice)) || l.life.isLeaving()
}

// within returns the records that Config.BatchBytes has room for: one at least, or it would never be read.
func (l *Listener) within(records []source.Record) []source.Record {
	left := min(l.cfg.BatchBytes-l.bytes, runBytes)
	for i := range records {
		if left -= int(records[i].ValueLen) + int(records[i].KeyLen); left < 0 {
			return records[:max(i, 1)]
		}
	}
	return records
}

// run appends the records up to the first that is of another schema, or bad.
func (l *Listener) run(chunk *source.Chunk, records []source.Record) (outcome, *Error) {
	if l.cfg.Tombstones == SkipTombstones && records[0].ValueLen < 0 {
		l.skipTombstones(chunk, records)
		return drained, nil
	}
	r, fault := l.frame(chunk, records)
	if fault != nil {
		return l.bad(chunk, &records[0], schema.Null, fault)
	}
	_, rest := l.buffer.Rest()
	resolved := l.schemas.Resolve(chunk, rest, r.ref, l.keyRef)
	switch {
	case resolved.Wait != nil:
		l.lookup = resolved.Wait
		return waiting, nil
	case resolved.TakesOther:
		return drained, nil
	case resolved.Err != nil:
		return l.unusable(chunk, &records[0], resolved.Err)
	}
	p := resolved.Pair
	l.schemas.NoteSchemas(chunk.Topic, r.ref, l.keyRef)
	set := l.setOf(p)
	if !set.tombstones {
		r.first(l.deleted.others(chunk, r.records))
	}
	if len(r.records) == 0 {
		return changed, nil
	}
	b := l.buildingFor(set)
	if b == nil {
		return changed, nil
	}
	n, rowErr := l.appendRows(b, p, &r)
	if n > 0 {
		l.buffer.Take(n)
	}
	if set.tombstones {
		l.deleted.add(chunk, r.records[:n])
	}
	switch {
	case rowErr == nil:
		return drained, nil
	case p.Value.Keyrings != nil && p.Value.Keyrings.Asks(chunk, records[n].Offset, rowErr): // it is met again, and the key is looked up then
		return drained, nil
	case errors.Is(rowErr, avro.ErrFull) && b.rows() > 0:
		return changed, nil
	case errors.Is(rowErr, avro.ErrLong):
		l.beginLong(set, p, &r, n)
		return slow, nil
	}
	return l.bad(chunk, &records[n], r.ref, rowFault(rowErr))
}

// skipTombstones passes over the records without a value that come first.
func (l *Listener) skipTombstones(chunk *source.Chunk, records []source.Record) {
	n := 1
	for n < len(records) && records[n].ValueLen < 0 {
		n++
	}
	l.counters.tombstones.Add(int64(n))
	l.pass(chunk, records[n-1].Offset+1)
	l.buffer.Take(n)
}

// appendRows appends rows to a batch until one fails, and returns how many it appended.
func (l *Listener) appendRows(b *building, p schema.Pair, r *rows) (int, error) {
	set := b.set
	n, outside, err := l.decode(set, p, r)
	if n == 0 {
		return 0, err
	}
	if outside > 0 {
		l.counters.outOfRange.Add(int64(outside))
	}
	if p.Value.HasIdleRules || p.Key != nil && p.Key.HasIdleRules {
		l.counters.ruled.Add(int64(n))
	}
	l.done = rows{topic: r.topic, partition: r.partition, ref: r.ref, records: r.records[:n]}
	done := &l.done
	done.survey()
	for i, m := range l.cfg.Metadata {
		if m.Column != Key {
			metadataColumns[m.Column].append(set.metadata[i], done)
		}
	}
	if set.hidden {
		metadataColumns[Offset].append(set.offsets, done)
	}
	l.bytes += done.bytes
	l.gathered += n
	l.counters.rows.Add(int64(n))
	l.counters.bytes.Add(int64(done.bytes))
	l.took(b, source.TopicPartition{Topic: r.topic, Partition: r.partition}, done.records[0].Offset, done.records[n-1].Offset+1, n)
	return n, err
}

// decode appends rows to columns until one fails, or takes long (avro.ErrLong): that one alone is decoded in turns (beginLong), and taken here when it is done.
func (l *Listener) decode(set *columnSet, p schema.Pair, r *rows) (n, outside int, err error) {
	if g := l.long; g != nil {
		l.long = nil
		return g.result()
	}
	var look func() bool
	if l.cfg.Mixed == GroupMixed { // its rows are spread over several batches by now: there is no way back
		look = patient
	} else if r.bodies[0].Len > longBytes || p.Key != nil && r.keys[0].Len > longBytes {
		return 0, 0, avro.ErrLong
	}
	return l.filling(set, p, r.topic).decode(r.bodies, r.keys, look)
}

// patient lets a row take as long as it takes.
func patient() bool { return true }

// took notes that a batch has taken the records of [first, next), of which n became rows.
func (l *Listener) took(b *building, k source.TopicPartition, first, next int64, n int) {
	b.took(k, first, next, n)
	l.tracker.Take(k, b.id, first, next)
	l.partitions.Of(k).Advance(next)
}

// pass notes that the records before next need no batch: there is nothing to hand over of them.
func (l *Listener) pass(chunk *source.Chunk, next int64) {
	l.passTo(chunk.TopicPartition(), next)
}

// passTo is pass for a partition.
func (l *Listener) passTo(k source.TopicPartition, next int64) {
	l.tracker.Skip(k, next)
	l.partitions.Of(k).Advance(next)
}
