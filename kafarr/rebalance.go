package kafarr

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Rebalance is a change of the assignment that waits until somebody has been told of it.
type Rebalance struct {
	Partitions []source.Position // Offset 0
	Revoked    bool              // they are about to be given up; else they are assigned, and fetched once somebody has been told
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

// Rebalanced goes on with what Rebalance returned: partitions that are to be given up are, and assigned ones are fetched from now on. Where
// begin names them they begin there, as after a Seek; it may name other partitions, too, of topics that are read. After an error the
// rebalance waits as before: nothing was fetched.
func (l *Listener) Rebalanced(ctx context.Context, begin ...Start) error {
	r, waits := l.Rebalance()
	if !waits {
		return errorf(StateError, "no rebalance waits")
	}
	if !r.Revoked {
		if err := l.placeOffered(ctx, r.Partitions, begin); err != nil {
			return err
		}
	}
	if err := l.life.lock(closed); err != nil {
		return err
	}
	defer l.life.unlock()
	if _, waits := l.Rebalance(); !waits { // closed meanwhile
		return errorf(StateError, "no rebalance waits")
	}
	l.poll.began = time.Now() // whoever was told may have taken longer than the ready time-out, which is the cluster's
	l.mu.Lock()
	l.rebalances = l.rebalances[1:]
	l.mu.Unlock()
	if keeper, ok := l.source.(source.Keeper); ok {
		keeper.Answer()
	}
	return nil
}

// placeOffered moves partitions of an assignment that waits to where OnAssign said that they begin.
func (l *Listener) placeOffered(ctx context.Context, partitions []source.Position, begin []Start) error {
	for _, s := range begin {
		if err := s.At.validate("on_assign"); err != nil {
			return err
		}
		if !l.cfg.readsTopic(s.Topic) {
			return errorf(ConfigError, "on_assign: %s is none of the topics that are read", s.place())
		}
	}
	var targets []Target
	for _, p := range partitions {
		if at, named := bestOf(begin, p.TopicPartition()); named {
			targets = append(targets, Target{Topic: p.Topic, Partition: p.Partition, To: at})
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return l.Seek(ctx, targets...)
}

// tell calls OnAssign and OnRevoke with what waits. Close within one of them, or while another goroutine calls one, tells nothing more.
func (l *Listener) tell(ctx context.Context) error {
	if !l.untold() || !l.telling.TryLock() {
		return nil
	}
	defer l.telling.Unlock()
	for r, waits := l.Rebalance(); waits; r, waits = l.Rebalance() {
		if err := l.tellOne(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// tellOne answers a revocation also when OnRevoke panics. An assignment waits on where OnAssign fails: its partitions could be read from a
// wrong place else.
func (l *Listener) tellOne(ctx context.Context, r Rebalance) error {
	if r.Revoked {
		defer func() { _ = l.Rebalanced(ctx) }()
		l.cfg.OnRevoke(r.Partitions, r.Lost)
		return nil
	}
	begin, err := l.cfg.OnAssign(r.Partitions)
	if err != nil {
		return err
	}
	err = l.Rebalanced(ctx, begin...)
	if l.life.isLeaving() { // by OnAssign
		return nil
	}
	return err
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

// dropOffered takes the assignment back of which OnAssign has not been told, or about which it failed: nothing will be read of it.
func (l *Listener) dropOffered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rebalances = slices.DeleteFunc(l.rebalances, func(r Rebalance) bool { return !r.Revoked })
	l.tracker.Unassign(slices.Collect(maps.Keys(l.offered))...)
}

// askAboutAll has OnRevoke told of all partitions that it has not been told of.
func (l *Listener) askAboutAll() {
	if l.cfg.OnRevoke == nil {
		return
	}
	var all []source.Position
	assigned := l.tracker.Assignment()
	l.mu.Lock()
	for _, k := range assigned {
		p := k.At(0)
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

// unassign notes that partitions are not this listener's any more: nothing is committed for them.
func (l *Listener) unassign(partitions []source.Position) {
	for _, p := range partitions {
		l.tracker.Unassign(p.TopicPartition())
	}
}

func withoutOffsets(partitions []source.Position) []source.Position {
	out := slices.Clone(partitions)
	for i := range out {
		out[i].Offset = 0
	}
	return out
}
