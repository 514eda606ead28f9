// Package batch holds batches that wait for their delivery, their IDs, and the offsets that their rows come from.
package batch

import (
	"sync/atomic"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// ID identifies a batch within the process, so that no listener takes the batch of another one for its own.
type ID int64

var lastID atomic.Int64

// NewID returns an ID that no other batch of the process has.
func NewID() ID { return ID(lastID.Add(1)) }

// Range is a stretch of a partition: its rows lie in [First, Next). Rows counts those that arrived; fewer than Next-First where
// offsets are missing from the log (transactions, compaction), messages were skipped or rejected, or rows of other types lie in
// between (MixedGroup).
type Range struct {
	Topic     string
	Partition int32
	First     int64
	Next      int64
	Rows      int64
}

// TopicPartition names the partition that the range lies in.
func (r Range) TopicPartition() source.TopicPartition {
	return source.TopicPartition{Topic: r.Topic, Partition: r.Partition}
}
