package kafarr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
)

// Batch is what one Poll brings: rows of one message type. Release it when done; its memory is C memory, which the garbage
// collector does not see.
type Batch struct {
	// Record holds a column per Avro field and then the metadata columns.
	Record arrow.RecordBatch
	// Rejected holds the rows that could not be decoded, with Messages.Errors = Collect; nil: none.
	Rejected arrow.RecordBatch
	// MessageType is the full Avro name of the rows' type; empty when there are no rows.
	MessageType string
	// Ranges say which offsets the rows come from: one range a partition.
	Ranges []Range
	// Events are what happened to partitions since the batch before.
	Events []Event

	id batch.ID
}

// ID is unique among the batches of this process. CommitIDs takes it.
func (b *Batch) ID() int64 { return int64(b.id) }

// Range is a stretch of a partition that rows of a Batch lie in.
type Range = batch.Range

// Release gives up the batch's memory.
func (b *Batch) Release() {
	if b.Record != nil {
		b.Record.Release()
	}
	if b.Rejected != nil {
		b.Rejected.Release()
	}
	b.Record, b.Rejected = nil, nil
}

// NumRows returns the number of rows that were decoded.
func (b *Batch) NumRows() int64 {
	if b.Record == nil {
		return 0
	}
	return b.Record.NumRows()
}

// empty reports whether a poll brought nothing at all.
func (b *Batch) empty() bool { return b.NumRows() == 0 && b.Rejected == nil }
