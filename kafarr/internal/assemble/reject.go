package assemble

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// reject is the policy for a record that cannot become a row (Messages.Errors): its error is delivered in its turn, or it is left out, or it goes into the batch b; nil: whichever there is. It
// is taken, in any case. With b, records before it may not be taken yet.
func (a *Assembler) reject(b *Builder, chunk *source.Chunk, r *source.Record, why *status.Error) Added {
	why = a.placed(chunk, r, why)
	if a.cfg.Rejected != nil {
		a.cfg.Rejected(chunk, r, why)
	}
	k := chunk.TopicPartition()
	switch a.cfg.Errors {
	case Raise:
		id := batch.NewID()
		a.cfg.Ledger.Take(k, id, r.Offset, r.Offset+1)
		a.failed = append(a.failed, &batch.Sealed{ID: id, Err: why, Segments: []batch.Segment{{TopicPartition: k, First: r.Offset, Next: r.Offset + 1}}})
		return Added{N: 1, Stop: BatchFull}
	case Skip:
		a.counters.Skipped.Add(1)
		if b == nil {
			a.cfg.Ledger.Skip(k, r.Offset+1)
		}
	case Collect:
		if b == nil {
			b = a.anyBuilder()
		}
		b.Reject(k, r, why.Code.String(), why.Error())
		a.bytes += int(max(r.ValueLen, 0)) + int(max(r.KeyLen, 0))
		a.counters.Rejected.Add(1)
		a.took(b, k, r.Offset, r.Offset+1, 0)
	}
	return Added{N: 1}
}

// unusable deals with a record whose schema cannot be had or used. The error says which schema that is.
func (a *Assembler) unusable(chunk *source.Chunk, r *source.Record, err *status.Error) Added {
	if schema.IsPermanent(err) || a.cfg.Errors != Raise && schema.IsMissing(err) { // the time to wait for it is over
		return a.reject(nil, chunk, r, err)
	}
	return Added{Stop: RecordFailed, Err: a.placed(chunk, r, err)} // it says nothing about the record, which is met again by the next poll
}

// placed gives the error of a record its place, and what the record looks like.
func (a *Assembler) placed(chunk *source.Chunk, r *source.Record, err *status.Error) *status.Error {
	return err.Hint(a.cfg.Schemas.Looks(r, err)).At(chunk.Topic, chunk.Partition, r.Offset)
}

// RowFault is the error of a record that could not be appended, with the schema of its value, or of its key.
func RowFault(refs Refs, out Result) *status.Error {
	switch {
	case errors.Is(out.Err, format.ErrFull):
		out.Err = status.Errorf(status.DecodeError, "the row does not fit into one batch")
	case out.OfKey:
		e := schema.KeyError(status.Wrap(out.Err))
		if id, ok := refs.Key.ID(); ok {
			e.SchemaID = int64(id)
		}
		return e
	}
	e := status.Wrap(out.Err)
	if id, ok := refs.Value.ID(); ok {
		e.SchemaID = int64(id)
	}
	return e
}
