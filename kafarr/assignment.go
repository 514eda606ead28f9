package kafarr

import (
	"cmp"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// assignment is the listener as its source sees it: who is told of rebalances.
type assignment Listener

// Assigning implements source.Handler: nothing is fetched of partitions while OnAssign is told of them, which may say where they begin.
func (a *assignment) Assigning(partitions []source.Position) bool {
	l := (*Listener)(a)
	if l.cfg.OnAssign == nil || l.life.isLeaving() || !l.callbacks.Offer(partitions) {
		return false
	}
	l.tracker.Assign(partitions)
	return true
}

// Assigned implements source.Handler. A partition that comes back goes on where this listener stopped, not at the committed offset,
// or rows would be repeated that were handed over and not yet acknowledged. If another member has committed more meanwhile, its
// progress counts. A partition that is new to this listener begins where Config.Start says, and one that OnAssign has placed, there.
func (a *assignment) Assigned(given []source.Position, committed func([]source.Position) ([]source.Position, error)) []source.Position {
	l := (*Listener)(a)
	out := make([]source.Position, len(given))
	var known []source.Position
	var fresh []int
	placed := l.callbacks.TakeOffered()
	for i, p := range given {
		k := p.TopicPartition()
		out[i] = source.Position{Topic: p.Topic, Partition: p.Partition, Offset: source.Stored}
		if next := l.partitions.Of(k).Next; next.Known {
			out[i].Offset = next.At
			if placed[k] {
				continue
			}
			known = append(known, source.Position{Topic: p.Topic, Partition: p.Partition})
		} else if at := l.cfg.startOf(k).Kind; at != "" && at != AtCommitted {
			fresh = append(fresh, i)
		}
	}
	l.begins(out, fresh)
	if len(known) > 0 {
		if group, err := committed(known); err == nil {
			l.overtaken(out, group)
		} else {
			l.log.client(4, "REBALANCE", "the committed offsets could not be read, going on from this listener's own: "+err.Error())
		}
	}
	l.tracker.Assign(given)
	for _, p := range given {
		l.partitions.Of(p.TopicPartition()).Look = partitions.Look{} // it is looked at as one that was never read
	}
	l.counters.rebalances.Add(1)
	l.log.assignment("assigned", out)
	l.assignmentHappens(PartitionAssigned, out)
	return out
}

// overtaken moves positions up to what the group has committed, where that is further. What it had committed before this listener moved
// back is no progress.
func (l *Listener) overtaken(out, group []source.Position) {
	for _, g := range group {
		for i := range out {
			k := g.TopicPartition()
			if out[i].TopicPartition() != k || g.Offset <= out[i].Offset {
				continue
			}
			if l.tracker.Overtaken(k, g.Offset) {
				out[i].Offset = g.Offset
				l.partitions.Of(k).Next = partitions.At(g.Offset)
				l.partitions.Of(k).RedeliverAll()
			}
		}
	}
}

// Revoking implements source.Handler: partitions are kept while OnRevoke is told of them.
func (a *assignment) Revoking(partitions []source.Position, lost bool) bool {
	l := (*Listener)(a)
	if l.cfg.OnRevoke == nil || l.life.isLeaving() {
		return false
	}
	if lost { // no commit for them any more: it could take their new owner's progress back
		l.unassign(partitions)
	}
	return l.callbacks.Enqueue(Rebalance{Partitions: partitions, Revoked: true, Lost: lost})
}

// Revoked implements source.Handler. Rows that were not handed over are dropped: whoever gets the partition reads them.
func (a *assignment) Revoked(partitions []source.Position, lost bool) {
	l := (*Listener)(a)
	l.unassign(partitions)
	for _, p := range partitions {
		l.discard(p.TopicPartition())
		if err := cmp.Or(l.unblock(p.TopicPartition()), l.hasPlaceNow(p.TopicPartition())); err != nil && !l.life.isLeaving() { // or it would come back paused
			l.log.client(4, "REBALANCE", err.Error())
		}
	}
	what := PartitionRevoked
	if lost {
		what = PartitionLost
	}
	l.log.assignment(string(what), partitions)
	l.assignmentHappens(what, partitions)
}
