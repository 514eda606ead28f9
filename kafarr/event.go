package kafarr

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Event is what happened to a partition since the batch before: its Kind, Topic and Partition, and the offsets Old and New, which are -1 where there is none.
type Event = membership.Event

// EventKind says what has happened.
type EventKind = membership.EventKind

// What may happen to a partition while it is read.
const (
	PartitionAssigned = membership.PartitionAssigned // New is where it begins, -1: where the group left off
	PartitionRevoked  = membership.PartitionRevoked  // handed over to another member
	PartitionLost     = membership.PartitionLost     // another member may have read it already
	OffsetReset       = membership.OffsetReset       // Old was deleted before it was read: New is the first offset that there is
	LogWentBack       = membership.LogWentBack       // New came where Old was expected: the log was truncated, or the topic was re-created
)

// follow notes that the next record of a partition has the offset first. It reports a log that goes back, and one that continues after records that were deleted before they were
// read, from where auto.offset.reset has led the client.
func (l *Listener) follow(k source.TopicPartition, p *partitions.Partition, first int64) {
	switch how, expected := p.Follow(first); how {
	case partitions.Skipped:
		l.log.Warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d is not in the log any more: reading continues at %d", k.Topic, k.Partition, expected, first))
		l.events.Add(Event{Kind: OffsetReset, Topic: k.Topic, Partition: k.Partition, Old: expected, New: first})
	case partitions.WentBack:
		l.log.Warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d follows where %d was expected: the log was truncated, or the topic re-created", k.Topic, k.Partition, first, expected))
		l.events.Add(Event{Kind: LogWentBack, Topic: k.Topic, Partition: k.Partition, Old: expected, New: first})
		l.tracker.Rewind(k.At(first), expected)
	case partitions.Follows:
	}
}
