package kafarr

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// bad deals with the record under the cursor, which cannot be decoded. drained means: go on behind it.
func (l *Listener) bad(chunk *source.Chunk, r *source.Record, ref schema.Ref, err *Error) (outcome, *Error) {
	placed := l.placed(chunk, r, ref, err)
	l.deadLetter(chunk, r, placed)
	switch l.cfg.Errors {
	case Raise:
		if l.pending() { // what came before comes first; the record is met again by the next poll
			return changed, nil
		}
		// The error has passed its row once it is returned: the next poll, or the commit of a later batch, acknowledges it.
		id := l.takeAlone(chunk, r)
		l.tracker.DeliverError(id)
		l.buffer.Take(1)
		return failed, placed
	case Skip:
		l.skip(chunk, r)
	case Collect:
		l.reject(l.anyBuilding(), chunk, r, placed)
	}
	l.buffer.Take(1)
	return drained, nil
}

func (l *Listener) placed(chunk *source.Chunk, r *source.Record, ref schema.Ref, err *Error) *Error {
	placed := err.Hint(l.schemas.Looks(r, err)).At(chunk.Topic, chunk.Partition, r.Offset)
	if id, ok := ref.ID(); ok && placed.Code != KeyDecodeError { // ref is the value's
		placed.SchemaID = max(placed.SchemaID, int64(id))
	}
	return placed
}

// takeAlone gives a bad record a batch of its own, which stands for its error.
func (l *Listener) takeAlone(chunk *source.Chunk, r *source.Record) batch.ID {
	id, k := batch.NewID(), chunk.TopicPartition()
	l.tracker.Take(k, id, r.Offset, r.Offset+1)
	l.partitions.Of(k).Advance(r.Offset + 1)
	return id
}

// sealedError takes a bad record as the error that it is, which is delivered in the turn of its batch.
func (l *Listener) sealedError(chunk *source.Chunk, r *source.Record, err *Error) *batch.Sealed {
	return &batch.Sealed{
		ID: l.takeAlone(chunk, r), Err: err,
		Segments: []batch.Segment{{TopicPartition: chunk.TopicPartition(), First: r.Offset, Next: r.Offset + 1}},
	}
}

func (l *Listener) skip(chunk *source.Chunk, r *source.Record) {
	l.counters.skipped.Add(1)
	l.pass(chunk, r.Offset+1)
}

func (l *Listener) reject(b *building, chunk *source.Chunk, r *source.Record, err *Error) {
	if b.rejected == nil {
		b.rejected = batch.NewRejected()
	}
	b.rejected.Append(chunk.TopicPartition(), r, err.Code.String(), err.Error())
	l.bytes += int(max(r.ValueLen, 0)) + int(max(r.KeyLen, 0))
	l.counters.rejected.Add(1)
	l.took(b, chunk.TopicPartition(), r.Offset, r.Offset+1, 0)
}

// rowFault is the error of a row that could not be appended.
func rowFault(err error) *Error {
	if errors.Is(err, avro.ErrFull) {
		return errorf(DecodeError, "the row does not fit into one batch")
	}
	return wrap(err)
}

// unusable deals with the record under the cursor, whose schema cannot be had or used. The error knows which schema that is. drained means: go on behind it.
func (l *Listener) unusable(chunk *source.Chunk, r *source.Record, err *Error) (outcome, *Error) {
	if schema.IsPermanent(err) || l.cfg.Errors != Raise && schema.IsMissing(err) { // the patience with it is over
		return l.bad(chunk, r, schema.Null, err)
	}
	// It says nothing about the record, which is tried again by the next poll.
	if l.pending() {
		return changed, nil
	}
	return failed, err.Hint(l.schemas.Looks(r, err)).At(chunk.Topic, chunk.Partition, r.Offset)
}
