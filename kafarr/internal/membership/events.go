package membership

import "github.com/pykafarr/pykafarr/kafarr/source"

// EventKind says what an Event tells of.
type EventKind string

// What may happen to a partition while it is read.
const (
	PartitionAssigned EventKind = "assigned"      // New is where it begins, -1: where the group left off
	PartitionRevoked  EventKind = "revoked"       // handed over to another member
	PartitionLost     EventKind = "lost"          // another member may have read it already
	OffsetReset       EventKind = "offset_reset"  // Old was deleted before it was read: New is the first offset that there is
	LogWentBack       EventKind = "log_went_back" // Old was to come, and New came: a log was truncated, or a topic re-created
)

// Event is what happened to a partition since the batch before.
type Event struct {
	Kind      EventKind
	Topic     string
	Partition int32
	Old       int64 // -1: none
	New       int64 // -1: none
}

// maxEvents bounds what is kept for the next batch; the oldest go first.
const maxEvents = 1000

// Events are what happened since the last batch. The listener's lock guards them.
type Events struct{ since []Event }

// Add keeps an event for the next batch.
func (e *Events) Add(one Event) {
	if len(e.since) >= maxEvents {
		e.since = append(e.since[:0], e.since[1:]...)
	}
	e.since = append(e.since, one)
}

// AddAssignment keeps an event for each partition of an assignment.
func (e *Events) AddAssignment(kind EventKind, partitions []source.Position) {
	for _, p := range partitions {
		one := Event{Kind: kind, Topic: p.Topic, Partition: p.Partition, Old: -1, New: -1}
		if kind == PartitionAssigned {
			one.New = max(p.Offset, -1) // the client's words for places are below 0
		}
		e.Add(one)
	}
}

// Take returns the events, which go with a batch.
func (e *Events) Take() []Event {
	out := e.since
	e.since = nil
	return out
}
