package kafarr

import (
	"cmp"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Rebalance is a change of the assignment that waits until somebody has been told of it.
type Rebalance struct {
	Partitions []source.Position // Offset 0
	Revoked    bool              // they are about to be given up; else they were assigned
	Lost       bool              // and may be another member's by now
}

// Rebalance returns what waits to be told, if Config.OnAssign and OnRevoke ask for it. For callers of PollSlice, which is not done at once
// while something waits. The same is returned until Rebalanced.
func (l *Listener) Rebalance() (r Rebalance, waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rebalances) == 0 {
		return Rebalance{}, false
	}
	return l.rebalances[0], true
}

// Rebalanced goes on with what Rebalance returned: partitions that are to be given up are.
func (l *Listener) Rebalanced() error {
	l.polling.Lock()
	defer l.polling.Unlock()
	if l.closed.Load() {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	r, waits := l.Rebalance()
	if !waits {
		return errorf(StateError, "no rebalance waits")
	}
	l.poll.began = time.Now() // whoever was told may have taken longer than the ready time-out, which is the cluster's
	l.mu.Lock()
	l.rebalances = l.rebalances[1:]
	l.mu.Unlock()
	if keeper, ok := l.source.(source.Keeper); ok && r.Revoked {
		keeper.GiveUp()
	}
	return nil
}

// tell calls OnAssign and OnRevoke with what waits. Close within one of them, or while another goroutine calls one, tells nothing more.
func (l *Listener) tell() {
	if !l.untold() || !l.telling.TryLock() {
		return
	}
	defer l.telling.Unlock()
	for r, waits := l.Rebalance(); waits; r, waits = l.Rebalance() {
		l.tellOne(r)
	}
}

func (l *Listener) tellOne(r Rebalance) {
	defer func() { _ = l.Rebalanced() }() // also when the callable panics
	if r.Revoked {
		l.cfg.OnRevoke(r.Partitions, r.Lost)
	} else {
		l.cfg.OnAssign(r.Partitions)
	}
}

// announce has somebody told of a rebalance, unless it is empty.
func (l *Listener) announce(r Rebalance) bool {
	if len(r.Partitions) == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rebalances = append(l.rebalances, r)
	return true
}

// untold tells whether a rebalance waits.
func (l *Listener) untold() bool {
	_, waits := l.Rebalance()
	return waits
}

// askAboutAll has OnRevoke told of all partitions that it has not been told of.
func (l *Listener) askAboutAll() {
	if l.cfg.OnRevoke == nil {
		return
	}
	var all []source.Position
	l.mu.Lock()
	for k := range l.owned {
		p := source.Position{Topic: k.topic, Partition: k.partition}
		if !slices.ContainsFunc(l.rebalances, func(r Rebalance) bool { return r.Revoked && slices.Contains(r.Partitions, p) }) {
			all = append(all, p)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b source.Position) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	l.announce(Rebalance{Partitions: all, Revoked: true})
}

// disown notes that partitions are not this listener's any more: nothing is committed for them.
func (l *Listener) disown(partitions []source.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range partitions {
		delete(l.owned, partitionKey{p.Topic, p.Partition})
	}
}

func withoutOffsets(partitions []source.Position) []source.Position {
	out := slices.Clone(partitions)
	for i := range out {
		out[i].Offset = 0
	}
	return out
}
