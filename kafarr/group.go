package kafarr

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// bucket gathers the records of one schema out of a stretch of several: a run of one message, as A,B,A,B… has, costs more than its decoding.
type bucket struct {
	refs  refs
	pair  schema.Pair
	rows  rows
	taken []source.Record
}

// refs are the schemas of a record's value and key.
type refs struct{ value, key schema.Ref }

// group sorts records by their schemas and appends each sort to its own batch. It takes them all, or those before the first that is bad or whose schema is not there yet.
func (l *Listener) group(chunk *source.Chunk, records []source.Record) (outcome, *Error) {
	n, skipped, out, err := l.sort(chunk, records)
	if n == 0 {
		return out, err
	}
	for i := range l.buckets[:l.used] {
		l.appendBucket(chunk, &l.buckets[i])
		l.buckets[i].pair = schema.Pair{} // whose plans may be dropped before the next use
	}
	l.buffer.Take(n)
	l.counters.tombstones.Add(int64(skipped))
	l.pass(chunk, records[n-1].Offset+1)
	if len(l.errs) > 0 {
		return full, nil
	}
	return drained, nil
}

// sort puts records into buckets, and returns how many it took. Where it took none, the outcome says why.
func (l *Listener) sort(chunk *source.Chunk, records []source.Record) (n, skipped int, out outcome, err *Error) {
	l.used = 0
	var b *bucket
	for i := range records {
		r := &records[i]
		if r.ValueLen < 0 && l.cfg.Tombstones == SkipTombstones {
			skipped++
			continue
		}
		ref, key, body, keyBody, fault := l.frameOne(chunk.Topic, records, i, schema.Null)
		if fault != nil {
			if i == 0 {
				out, err = l.bad(chunk, r, schema.Null, fault)
			}
			return i, skipped, out, err
		}
		if at := (refs{ref, key}); b == nil || b.refs != at {
			if b = l.bucket(at); b == nil {
				_, rest := l.buffer.Rest()
				resolved := l.schemas.Resolve(chunk, rest[i:], ref, key)
				switch {
				case i > 0 && resolved.State != schema.Ready: // those before it first; it is met again
					return i, skipped, drained, nil
				case resolved.Wait != nil:
					l.lookup = resolved.Wait
					return 0, 0, waiting, nil
				case resolved.TakesOther:
					return 0, 0, drained, nil
				case resolved.Err != nil:
					out, err = l.unusable(chunk, r, resolved.Err)
					return 0, 0, out, err
				case i > 0 && l.schemas.Cache.IsOver(): // before the next run there is room again
					return i, skipped, drained, nil
				case l.bucketOf(l.setOf(resolved.Pair)): // whose rows behind this one would come before it
					return i, skipped, drained, nil
				}
				b = l.newBucket(at, resolved.Pair, chunk)
			}
			l.schemas.NoteSchemas(chunk.Topic, ref, key)
		}
		b.taken = append(b.taken, *r)
		b.rows.bodies = append(b.rows.bodies, body)
		if l.schemas.Keys != nil {
			b.rows.keys = append(b.rows.keys, keyBody)
		}
	}
	return len(records), skipped, drained, nil
}

// bucket finds the bucket of these schemas. They are few.
func (l *Listener) bucket(at refs) *bucket {
	for i := range l.buckets[:l.used] {
		if l.buckets[i].refs == at {
			return &l.buckets[i]
		}
	}
	return nil
}

// bucketOf tells whether there is a bucket whose rows go into these columns.
func (l *Listener) bucketOf(set *columnSet) bool {
	for i := range l.buckets[:l.used] {
		if l.setOf(l.buckets[i].pair) == set {
			return true
		}
	}
	return false
}

// newBucket opens one, in the memory of one that was used before.
func (l *Listener) newBucket(at refs, p schema.Pair, chunk *source.Chunk) *bucket {
	if l.used == len(l.buckets) {
		l.buckets = append(l.buckets, bucket{})
	}
	b := &l.buckets[l.used]
	l.used++
	b.refs, b.pair, b.taken = at, p, b.taken[:0]
	b.rows = rows{topic: chunk.Topic, partition: chunk.Partition, ref: at.value, bodies: b.rows.bodies[:0], keys: b.rows.keys[:0]}
	return b
}

// appendBucket appends all rows of a bucket. A bad one is dealt with and passed: its error, if it is to be raised, is told when the batches before it are handed over.
func (l *Listener) appendBucket(chunk *source.Chunk, b *bucket) {
	r := b.rows
	r.records = b.taken
	for len(r.records) > 0 {
		to := l.buildingFor(l.setOf(b.pair))
		n, err := l.appendRows(to, b.pair, &r)
		if err == nil && n == len(r.records) {
			return
		}
		if err == nil { // those that were appended took long
			r.records, r.bodies = r.records[n:], r.bodies[n:]
			if l.schemas.Keys != nil {
				r.keys = r.keys[n:]
			}
			continue
		}
		bad := &r.records[n]
		if errors.Is(err, avro.ErrFull) && to.rows() > 0 { // it goes into a batch of its own
			l.enqueue(to, true)
		} else {
			l.badOfBucket(to, chunk, bad, l.placed(chunk, bad, r.ref, rowFault(err)))
			n++
		}
		r.records, r.bodies = r.records[n:], r.bodies[n:]
		if l.schemas.Keys != nil {
			r.keys = r.keys[n:]
		}
	}
}

func (l *Listener) badOfBucket(b *building, chunk *source.Chunk, r *source.Record, err *Error) {
	l.deadLetter(chunk, r, err)
	switch l.cfg.Errors {
	case Raise:
		l.errs = append(l.errs, l.sealedError(chunk, r, err))
	case Skip:
		l.counters.skipped.Add(1)
	case Collect:
		l.reject(b, chunk, r, err)
	}
}
