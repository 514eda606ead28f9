package kafarr

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Rebalance is a change of the assignment that waits until somebody has been told of it.
type Rebalance = membership.Rebalance

// Rebalance returns what waits to be told, if Config.OnAssign and OnRevoke ask for it. For callers of PollSlice, which is not done at once
// while something waits. The same is returned until Rebalanced.
func (l *Listener) Rebalance() (r Rebalance, waits bool) { return l.callbacks.Pending() }

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
	if !l.callbacks.Confirm() { // closed meanwhile
		return errorf(StateError, "no rebalance waits")
	}
	l.poll.began = time.Now() // whoever was told may have taken longer than the ready time-out, which is the cluster's
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

// runCallbacks calls OnAssign and OnRevoke with what waits. Close within one of them, or while another goroutine calls one, calls nothing more.
func (l *Listener) runCallbacks(ctx context.Context) error {
	return l.callbacks.Run(func(r Rebalance) error { return l.callBack(ctx, r) })
}

// callBack answers a revocation also when OnRevoke panics. An assignment waits on where OnAssign fails: its partitions could be read from a
// wrong place else.
func (l *Listener) callBack(ctx context.Context, r Rebalance) error {
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

// unassign notes that partitions are not this listener's any more: nothing is committed for them.
func (l *Listener) unassign(partitions []source.Position) {
	for _, p := range partitions {
		l.tracker.Unassign(p.TopicPartition())
	}
}
