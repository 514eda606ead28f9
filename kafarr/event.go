package kafarr

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// EventKind says what an Event tells of.
type EventKind string

// What may happen to a partition while it is read.
const (
	PartitionAssigned EventKind = "assigned"      // New is where it begins, -1: where the group left off
	PartitionRevoked  EventKind = "revoked"       // handed over to another member
	PartitionLost     EventKind = "lost"          // another member may have read it already
	OffsetReset       EventKind = "offset_reset"  // Old was deleted before it was read: New is the first offset that there is
	LogWentBack       EventKind = "log_went_back" // Old was to come, and New came: a log was truncated, or a topic created anew
)

// Event is what happened to a partition since the batch before.
type Event struct {
	Kind      EventKind
	Topic     string
	Partition int32
	Old       int64 // -1: none
	New       int64 // -1: none
}

// maxHappened bounds what is kept for the next batch; the oldest go first.
const maxHappened = 1000

// happen keeps an event for the next batch. life.mu is held.
func (l *Listener) happen(e Event) {
	if len(l.happened) >= maxHappened {
		l.happened = append(l.happened[:0], l.happened[1:]...)
	}
	l.happened = append(l.happened, e)
}

// assignmentHappens keeps an event for each partition of an assignment.
func (l *Listener) assignmentHappens(kind EventKind, partitions []source.Position) {
	for _, p := range partitions {
		e := Event{Kind: kind, Topic: p.Topic, Partition: p.Partition, Old: -1, New: -1}
		if kind == PartitionAssigned {
			e.New = max(p.Offset, -1) // the client's words for places are below 0
		}
		l.happen(e)
	}
}

// hearResets notes the offsets that the client asked for in vain. life.mu is held.
func (l *Listener) hearResets() {
	if l.resetter == nil {
		return
	}
	for _, p := range l.resetter.Resets() {
		l.partitions.Of(p.TopicPartition()).ResetTo(p.Offset)
	}
}

// follow notes that the next record of a partition has the offset first. It reports where the log goes back, or continues after records that were deleted before they were
// read; the client begins again there by auto.offset.reset.
func (l *Listener) follow(k source.TopicPartition, p *partitions.Partition, first int64) {
	switch how, expected := p.Follow(first); how {
	case partitions.Skipped:
		l.log.warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d is not in the log any more: reading continues at %d", k.Topic, k.Partition, expected, first))
		l.happen(Event{Kind: OffsetReset, Topic: k.Topic, Partition: k.Partition, Old: expected, New: first})
	case partitions.WentBack:
		l.log.warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d follows where %d was expected: the log was truncated, or the topic re-created", k.Topic, k.Partition, first, expected))
		l.happen(Event{Kind: LogWentBack, Topic: k.Topic, Partition: k.Partition, Old: expected, New: first})
		l.tracker.Rewind(k.At(first), expected)
	case partitions.Follows:
	}
}
