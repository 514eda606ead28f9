package kafarr

import (
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// beginTimeout bounds the questions for the places where partitions begin: they come within a rebalance, which holds up the group.
const beginTimeout = 15 * time.Second

// begins sets the offsets where partitions begin that this listener has for the first time. Once found they are its positions, so that a
// partition that comes back goes on instead of beginning anew. life.mu is held.
func (l *Listener) begins(out []source.Position, fresh []int) {
	if len(fresh) == 0 || l.life.isLeaving() { // an assignment may still come while the source is being closed
		return
	}
	targets := make([]Target, len(fresh))
	for i, at := range fresh {
		targets[i] = Target{Topic: out[at].Topic, Partition: out[at].Partition, To: l.cfg.startOf(out[at].TopicPartition())}
	}
	b := l.findPlaces(targets)
	if b.err != nil {
		l.beginsNowhere(out, fresh, b.err)
		return
	}
	l.tellOutside(b.outside)
	for i, at := range fresh {
		k := b.found[i].TopicPartition()
		out[at].Offset = b.found[i].Offset
		l.tracker.Start(b.found[i], b.group[i].Offset)
		if !hasPlace(b.outside, k) {
			l.partitions.Of(k).Next = partitions.At(b.found[i].Offset)
		}
	}
}

// tellOutside tells of places that are not in the log: the client goes on where auto.offset.reset says.
func (l *Listener) tellOutside(outside []*Error) {
	for _, e := range outside {
		l.log.client(4, "START", e.Error())
		l.fail(e)
	}
}

func hasPlace(errs []*Error, k source.TopicPartition) bool {
	for _, e := range errs {
		if e.Topic == k.Topic && e.Partition == k.Partition {
			return true
		}
	}
	return false
}
