package kafarr

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// runMax is the number of records that are framed, decoded and given their metadata in one go, so that they are still in the
// cache when the next of these three steps comes to them.
const runMax = 1024

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
		if l.batch.rows() >= limit || l.batch.bytes >= l.cfg.BatchBytes {
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
	if b.set.hidden {
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
