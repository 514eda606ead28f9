package kafarr

import (
	"fmt"
	"time"

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

// happen keeps an event for the next batch. l.polling is held.
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

// unbroken returns the records up to the first before which the client began again: one run may hold what it fetched before and after that.
func (l *Listener) unbroken(chunk *source.Chunk, records []source.Record) []source.Record {
	l.hearResets()
	last := len(records) - 1
	asked, reset := l.resets[chunk.TopicPartition()]
	if !reset && records[last].Offset-records[0].Offset >= int64(last) {
		return records
	}
	for i := 1; i <= last; i++ {
		if before, at := records[i-1].Offset, records[i].Offset; at < before || reset && before < asked && at >= asked {
			return records[:i]
		}
	}
	return records
}

// hearResets returns the offsets that the client asked for in vain, until the first record behind them. l.polling is held.
func (l *Listener) hearResets() map[source.TopicPartition]int64 {
	if l.resetter != nil {
		for _, p := range l.resetter.Resets() {
			l.resets[p.TopicPartition()] = p.Offset
			l.watched.broken[p.TopicPartition()] = time.Now()
		}
	}
	return l.resets
}

// notice tells where a log goes back, or on behind records that were deleted before they were read; the client begins again by auto.offset.reset. A gap alone tells
// nothing: compaction and transactions leave some, too.
func (l *Listener) notice(chunk *source.Chunk, first int64) {
	k := chunk.TopicPartition()
	next, known := l.positions[k]
	asked, reset := l.resets[k]
	if reset && !known {
		next, known = asked, true
	}
	switch {
	case reset && first >= asked: // what comes before was fetched before
		delete(l.resets, k)
		if first > asked {
			l.log.warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d was to come and is not there any more: going on at %d", k.Topic, k.Partition, asked, first))
			l.happen(Event{Kind: OffsetReset, Topic: k.Topic, Partition: k.Partition, Old: asked, New: first})
		}
	case known && first < next:
		delete(l.resets, k)
		l.wentBack(k, first, next)
	}
}

// wentBack follows a log to an offset before the one that was to come next: commits, too.
func (l *Listener) wentBack(k source.TopicPartition, first, next int64) {
	l.log.warn("OFFSETS", fmt.Sprintf("%s[%d]: offset %d follows where %d was to come: the log was truncated, or the topic created anew", k.Topic, k.Partition, first, next))
	l.happen(Event{Kind: LogWentBack, Topic: k.Topic, Partition: k.Partition, Old: next, New: first})
	l.positions[k] = first
	l.watched.broken[k] = time.Now()
	delete(l.again, k)
	l.tracker.Rewind(k.At(first), next)
}
