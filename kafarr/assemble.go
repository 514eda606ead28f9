package kafarr

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// runMax is the number of records that are framed, decoded and given their metadata in one go, so that they are still in the
// cache when the next of these three steps comes to them.
const runMax = 1024

// outcome is why assemble stopped.
type outcome int

const (
	drained outcome = iota // all held records are taken: fetch more
	full                   // the poll has its rows
	changed                // the next record belongs to another batch
	waiting                // the next record's schema is being looked up
	failed                 // the next record is bad and is told as an error
	crowded                // there are as many dead letters on their way as may be
)

// assemble appends held records to batches until something stops it.
func (l *Listener) assemble(limit int) (outcome, *Error) {
	for {
		if l.gathered >= limit || l.bytes >= l.cfg.BatchBytes {
			return full, nil
		}
		chunk, records := l.held.rest()
		if chunk == nil {
			return drained, nil
		}
		if l.letters.full.Load() {
			return crowded, nil
		}
		records = l.unbroken(chunk, l.within(records[:min(len(records), limit-l.gathered, runMax)]))
		l.notice(chunk, records[0].Offset)
		n, records := l.handedOver(chunk, records)
		if n > 0 {
			l.held.record += n
			l.pass(chunk, chunk.Records[l.held.record-1].Offset+1)
			continue
		}
		l.values.barren = nil // other records, though they may lie where others lay
		if l.keys != nil {
			l.keys.barren = nil
		}
		var out outcome
		var err *Error
		if l.cfg.Mixed == GroupMixed {
			out, err = l.group(chunk, records)
		} else {
			out, err = l.run(chunk, records)
		}
		if out != drained {
			return out, err
		}
	}
}

// within returns the records that Config.BatchBytes has room for: one at least, or it would never be read.
func (l *Listener) within(records []source.Record) []source.Record {
	left := l.cfg.BatchBytes - l.bytes
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
		return l.bad(chunk, &records[0], refNull, fault)
	}
	p, pending, again, err := l.resolve(&records[0], r.ref, l.keyRef)
	switch {
	case pending:
		return waiting, nil
	case again:
		return drained, nil
	case err != nil:
		return l.unusable(chunk, &records[0], err)
	}
	l.saw(chunk.Topic, r.ref, l.keyRef)
	b := l.buildingFor(l.setOf(p))
	if b == nil {
		return changed, nil
	}
	n, rowErr := l.appendRows(b, p, &r)
	if n > 0 {
		l.held.record += n
	}
	switch {
	case rowErr == nil:
		return drained, nil
	case errors.Is(rowErr, avro.ErrFull) && b.rows() > 0:
		return changed, nil
	}
	return l.bad(chunk, &records[n], r.ref, rowFault(rowErr))
}

// rowFault is the error of a row that could not be appended.
func rowFault(err error) *Error {
	if errors.Is(err, avro.ErrFull) {
		return errorf(DecodeError, "the row does not fit into one batch")
	}
	return wrap(err)
}

// skipTombstones passes over the records without a value that come first.
func (l *Listener) skipTombstones(chunk *source.Chunk, records []source.Record) {
	n := 1
	for n < len(records) && records[n].ValueLen < 0 {
		n++
	}
	l.counters.tombstones.Add(int64(n))
	l.pass(chunk, records[n-1].Offset+1)
	l.held.record += n
}

// frame reads the framing of the records up to the first that is bad or of another schema. The error is that of the first record.
func (l *Listener) frame(chunk *source.Chunk, records []source.Record) (rows, *Error) {
	l.bodies, l.keyBodies = l.bodies[:0], l.keyBodies[:0]
	r := rows{topic: chunk.Topic, partition: chunk.Partition}
	var first *Error
	if l.values.content == Avro && l.values.framing == Confluent && l.keys == nil {
		first = l.framePlain(records, &r)
	} else {
		first = l.frameAny(records, &r)
	}
	n := len(l.bodies)
	r.records, r.bodies = records[:n], l.bodies
	if l.keys != nil {
		r.keys = l.keyBodies
	}
	if n == 0 {
		return r, first
	}
	return r, nil
}

// framePlain is frameAny for the case that counts: registry-framed values, and no keys. Its own loop saves 3 of 31 ns a message.
func (l *Listener) framePlain(records []source.Record, out *rows) *Error {
	for i := range records {
		r := &records[i]
		if r.ValueLen < 0 {
			return l.frameAny(records, out)
		}
		id, body, length, err := wire.Confluent(r.Value, r.ValueLen)
		if err != nil {
			return errorf(FramingError, "%w", err)
		}
		if r.HeaderCount > 0 {
			if fault := l.headersFault(r); fault != nil {
				return fault
			}
		}
		if i == 0 {
			out.ref = schemaRef(id)
		} else if schemaRef(id) != out.ref {
			return nil
		}
		l.bodies = append(l.bodies, avro.Body{Data: body, Len: length})
	}
	return nil
}

func (l *Listener) frameAny(records []source.Record, out *rows) *Error {
	l.bodies = l.bodies[:0]
	for i := range records {
		ref, key, body, keyBody, err := l.frameOne(out.topic, records, i, out.ref)
		if err != nil {
			return err
		}
		if i == 0 {
			out.ref, l.keyRef = ref, key
		} else if ref != out.ref || key != l.keyRef && (keyBody.Len >= 0 || l.keys.untyped()) || l.cfg.Tombstones == SkipTombstones && body.Len < 0 {
			return nil
		}
		l.bodies = append(l.bodies, body)
		if l.keys != nil {
			l.keyBodies = append(l.keyBodies, keyBody)
		}
	}
	return nil
}

// frameOne reads the framing of record i. current is the schema of the record before it.
func (l *Listener) frameOne(topic string, records []source.Record, i int, current schemaRef) (ref, key schemaRef, body, keyBody avro.Body, fault *Error) {
	r := &records[i]
	var err error
	switch ref, body, err = l.values.frame(topic, r, r.Value, r.ValueLen); {
	case err != nil:
		return 0, 0, body, keyBody, errorf(FramingError, "%w", err)
	case ref == refNull && l.cfg.Tombstones == KeepTombstones && l.values.untyped():
		ref = refUntyped
	case ref == refNull && l.cfg.Tombstones == KeepTombstones && i > 0 && l.cfg.Mixed == SplitMixed:
		ref = current
	case ref == refNull && l.cfg.Tombstones == KeepTombstones:
		ref = l.values.nullOf(topic, records[i:])
	}
	if r.HeaderCount > 0 {
		if fault = l.headersFault(r); fault != nil {
			return 0, 0, body, keyBody, fault
		}
	}
	if l.keys != nil {
		if key, keyBody, fault = l.keys.key(topic, r, records[i:]); fault != nil {
			return 0, 0, body, keyBody, fault
		}
	}
	return ref, key, body, keyBody, nil
}

// headersFault is the error of a record whose headers are asked for and are no text. Where they only say which schema, or only dead letters carry them, their names do no harm.
func (l *Listener) headersFault(r *source.Record) *Error {
	if !l.headers {
		return nil
	}
	text := headerFault(r)
	if text == "" {
		return nil
	}
	fault := errorf(DecodeError, "%s", text)
	fault.Path = string(Headers)
	return fault
}

// resolve finds the plans of a record's value and key. pending: the registry was asked. again: a null has taken a schema that turns out to be unusable, so the record is to be
// framed again, when it takes another.
func (l *Listener) resolve(r *source.Record, ref, keyRef schemaRef) (p pair, pending, again bool, err *Error) {
	p.value, pending, err = l.planOf(l.values, ref)
	l.values.note(ref, err)
	if pending || err != nil || l.keys == nil {
		return p, pending, err != nil && r.ValueLen < 0, err
	}
	p.key, pending, err = l.planOf(l.keys, keyRef)
	l.keys.note(keyRef, err)
	if err != nil && ofSchema(err) {
		err = keyError(err)
	}
	return p, pending, err != nil && r.KeyLen < 0, err
}

// saw keeps the schemas of a record that can be read: what the nulls behind it are nulls of.
func (l *Listener) saw(topic string, ref, keyRef schemaRef) {
	l.values.saw(topic, ref)
	if l.keys != nil {
		l.keys.saw(topic, keyRef)
	}
}

// ofSchema tells whether an error is a schema's own, so that asking again changes nothing.
func ofSchema(err *Error) bool {
	return err.Code == SchemaError || err.Code == IncompatibleSchemaError || err.Code == KeyDecodeError
}

// hopeless tells whether the registry's answer to this one id is final: it does not know it, or what it gives is of no use, as references that form a circle.
func hopeless(err *Error) bool {
	var answer *registry.Error
	return err.Code == SchemaNotFoundError || errors.As(err.Err, &answer) && answer.Kind == registry.Invalid
}

// unusable deals with the record under the cursor, whose schema cannot be had or used. The error knows which schema that is. drained means: go on behind it.
func (l *Listener) unusable(chunk *source.Chunk, r *source.Record, err *Error) (outcome, *Error) {
	if ofSchema(err) || l.cfg.Errors != Raise && hopeless(err) {
		return l.bad(chunk, r, refNull, err)
	}
	// It says nothing about the record, which is tried again by the next poll.
	if l.pending() {
		return changed, nil
	}
	return failed, err.at(chunk.Topic, chunk.Partition, r.Offset)
}

// appendRows appends rows to a batch until one fails, and returns how many it appended.
func (l *Listener) appendRows(b *building, p pair, r *rows) (int, error) {
	set := b.set
	n, err := set.appender(p.value.avro, set.values).Append(r.bodies)
	if p.key != nil {
		k, keyErr := set.appender(p.key.avro, set.keys).Append(r.keys[:n])
		if k < n { // the values behind the bad key go back
			set.values.Truncate(set.values.Rows() - (n - k))
			if n, err = k, keyErr; !errors.Is(err, avro.ErrFull) {
				err = keyError(wrap(err))
			}
		}
	}
	if n == 0 {
		return 0, err
	}
	done := rows{topic: r.topic, partition: r.partition, ref: r.ref, records: r.records[:n]}
	done.survey()
	for i, m := range l.cfg.Metadata {
		if m.Column != Key {
			metadataColumns[m.Column].append(set.metadata[i], &done)
		}
	}
	if set.hidden {
		metadataColumns[Offset].append(set.offsets, &done)
	}
	l.bytes += done.bytes
	l.gathered += n
	l.counters.rows.Add(int64(n))
	l.counters.bytes.Add(int64(done.bytes))
	l.took(b, partitionKey{r.topic, r.partition}, done.records[0].Offset, done.records[n-1].Offset+1, n)
	return n, err
}

// took notes that a batch has taken the records of [first, next), of which n became rows.
func (l *Listener) took(b *building, k partitionKey, first, next int64, n int) {
	b.took(k, first, next, n)
	l.mu.Lock()
	l.acks.took(k, b.id, first, next)
	l.mu.Unlock()
	l.positions[k] = max(l.positions[k], next)
}

// pass notes that the records before next need no batch: there is nothing to hand over of them.
func (l *Listener) pass(chunk *source.Chunk, next int64) {
	k := partitionKey{chunk.Topic, chunk.Partition}
	l.mu.Lock()
	l.acks.passed(k, next)
	l.mu.Unlock()
	l.positions[k] = max(l.positions[k], next)
}

// bad deals with the record under the cursor, which cannot be decoded. drained means: go on behind it.
func (l *Listener) bad(chunk *source.Chunk, r *source.Record, ref schemaRef, err *Error) (outcome, *Error) {
	placed := l.placed(chunk, r, ref, err)
	l.deadLetter(chunk, r, placed)
	switch l.cfg.Errors {
	case Raise:
		if l.pending() { // what came before comes first; the record is met again by the next poll
			return changed, nil
		}
		// The error has passed its row once it is returned: the next poll acknowledges it and goes on behind it.
		id := l.takeAlone(chunk, r)
		l.mu.Lock()
		l.acks.handOver(id)
		l.mu.Unlock()
		l.held.record++
		return failed, placed
	case Skip:
		l.skip(chunk, r)
	case Collect:
		l.reject(l.anyBuilding(), chunk, r, placed)
	}
	l.held.record++
	return drained, nil
}

func (l *Listener) placed(chunk *source.Chunk, r *source.Record, ref schemaRef, err *Error) *Error {
	placed := err.at(chunk.Topic, chunk.Partition, r.Offset)
	if id, ok := ref.id(); ok && placed.Code != KeyDecodeError { // ref is the value's
		placed.SchemaID = max(placed.SchemaID, int64(id))
	}
	return placed
}

// takeAlone gives a bad record a batch of its own, which stands for its error.
func (l *Listener) takeAlone(chunk *source.Chunk, r *source.Record) batchID {
	id, k := newBatchID(), partitionKey{chunk.Topic, chunk.Partition}
	l.mu.Lock()
	l.acks.took(k, id, r.Offset, r.Offset+1)
	l.mu.Unlock()
	l.positions[k] = max(l.positions[k], r.Offset+1)
	return id
}

func (l *Listener) skip(chunk *source.Chunk, r *source.Record) {
	l.counters.skipped.Add(1)
	l.pass(chunk, r.Offset+1)
}

func (l *Listener) reject(b *building, chunk *source.Chunk, r *source.Record, err *Error) {
	if b.rejected == nil {
		b.rejected = newRejected()
	}
	b.rejected.append(chunk, r, err)
	l.bytes += int(max(r.ValueLen, 0)) + int(max(r.KeyLen, 0))
	l.counters.rejected.Add(1)
	l.took(b, partitionKey{chunk.Topic, chunk.Partition}, r.Offset, r.Offset+1, 0)
}
