package assemble

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Builder fills a batch.
type Builder struct {
	id       batch.ID
	columns  *Columns // nil until the first good row
	segments []batch.Segment
	rejected *batch.Rejected
}

// NewBuilder begins a batch.
func NewBuilder() *Builder { return &Builder{id: batch.NewID()} }

// ID is that of the batch.
func (b *Builder) ID() batch.ID { return b.id }

// Rows returns the number of rows.
func (b *Builder) Rows() int {
	if b.columns == nil {
		return 0
	}
	return b.columns.Rows()
}

// Empty reports whether there is nothing to deliver.
func (b *Builder) Empty() bool { return b.Rows() == 0 && b.rejected == nil }

// Tombstones reports whether the batch is one of tombstones that lie between other rows.
func (b *Builder) Tombstones() bool { return b.columns != nil && b.columns.tombstones }

// Holds reports whether some of the batch comes from a partition.
func (b *Builder) Holds(k source.TopicPartition) bool { return batch.Holds(b.segments, k) }

// Use has the batch filled with the rows of these columns. It has no rows.
func (b *Builder) Use(c *Columns) {
	if b.columns != nil { // none of its rows was good: what they had reserved is given back
		b.columns.Release()
	}
	b.columns, c.builder = c, b
}

// Took notes that the records of [first, next) were taken, of which n became rows.
func (b *Builder) Took(k source.TopicPartition, first, next int64, n int) {
	if last := len(b.segments) - 1; last >= 0 && b.segments[last].TopicPartition == k && b.segments[last].Next <= first {
		b.segments[last].Next = next
		b.segments[last].Rows += n
		return
	}
	b.segments = append(b.segments, batch.Segment{TopicPartition: k, Row: b.Rows() - n, Rows: n, First: first, Next: next})
}

// Reject adds a message that could not be decoded, with the class and the text of its error.
func (b *Builder) Reject(k source.TopicPartition, r *source.Record, class, message string) {
	if b.rejected == nil {
		b.rejected = batch.NewRejected()
	}
	b.rejected.Append(k, r, class, message)
}

// Seal makes the batch of it. cuttable: with the offsets of its rows, for it may have to be cut.
func (b *Builder) Seal(cuttable bool) *batch.Sealed {
	out := &batch.Sealed{ID: b.id, Segments: b.segments}
	n := b.Rows()
	if cuttable {
		out.Offsets = make([]int64, n)
		for i := range out.Offsets {
			out.Offsets[i] = int64(b.columns.offsets.At64(i)) //nolint:gosec // bit pattern
		}
	}
	if n > 0 {
		out.MessageType = b.columns.messageType
		out.Record = batch.NewRecord(b.columns.schema, b.columns.finish(), n)
	}
	if b.rejected != nil {
		out.Rejected = b.rejected.Finish()
	}
	b.Release()
	return out
}

// Release gives up what was not sealed.
func (b *Builder) Release() {
	if b.columns != nil {
		b.columns.Release()
	}
	if b.rejected != nil {
		b.rejected.Release()
		b.rejected = nil
	}
}
