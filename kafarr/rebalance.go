package kafarr

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Rebalance is a change of the assignment that waits until the caller has confirmed it with Rebalanced, or by OnAssign and OnRevoke.
type Rebalance = membership.Rebalance

// Rebalance returns the change that waits, where Config.OnAssign and OnRevoke are given. It is for callers of PollSlice, which returns at once and is
// not done while a change waits. The same change is returned until Rebalanced.
func (l *Listener) Rebalance() (r Rebalance, waits bool) { return l.group.Callbacks.Pending() }

// Rebalanced confirms the change that Rebalance returned: revoked partitions are given up, and assigned ones are fetched from now on. The
// partitions that begin names start at its offsets, as after a Seek; begin may name other partitions of the topics that are read, too. After an error the
// rebalance waits as before: nothing was fetched.
func (l *Listener) Rebalanced(ctx context.Context, begin ...PartitionOffset) error {
	r, waits := l.Rebalance()
	if !waits {
		return errorf(StateError, "no rebalance waits")
	}
	if !r.Revoked {
		targets, err := l.cfg.startTargets(r.Partitions, begin)
		if err == nil && len(targets) > 0 {
			err = l.Seek(ctx, targets...)
		}
		if err != nil {
			return err
		}
	}
	if err := l.life.lock(closed); err != nil {
		return err
	}
	defer l.life.unlock()
	if !l.group.Callbacks.Confirm() { // the listener was closed meanwhile
		return errorf(StateError, "no rebalance waits")
	}
	l.poll.began = time.Now() // the ready time-out is for the cluster: what the caller took does not count
	if l.source.DeferredRebalancer != nil {
		l.source.DeferredRebalancer.ConfirmRebalance()
	}
	return nil
}

// runCallbacks calls OnAssign and OnRevoke with the changes that wait. A Close that is called within one of them, or while another goroutine runs one, calls no further one.
func (l *Listener) runCallbacks(ctx context.Context) error {
	return l.group.Callbacks.Run(func(r Rebalance) error { return l.callBack(ctx, r) })
}

// callBack calls OnAssign or OnRevoke with a change, and confirms it. It confirms a revocation also when OnRevoke panics. An assignment waits on where OnAssign fails, because its
// partitions could be read from a wrong offset otherwise.
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

// startTargets are the offsets at which OnAssign has partitions of the assignment start.
func (c *Config) startTargets(partitions []source.Position, begin []PartitionOffset) ([]PartitionOffset, error) {
	for _, s := range begin {
		if err := s.Offset.validate("on_assign"); err != nil {
			return nil, err
		}
		if !c.readsTopic(s.Topic) {
			return nil, errorf(ConfigError, "on_assign: %s is none of the topics that are read", s.name())
		}
	}
	var targets []PartitionOffset
	for _, p := range partitions {
		if at, named := findSpec(begin, p.TopicPartition()); named {
			targets = append(targets, PartitionOffset{Topic: p.Topic, Partition: p.Partition, Offset: at})
		}
	}
	return targets, nil
}

// newGroup returns the group of a listener.
func newGroup(l *Listener) *membership.Group {
	return membership.New(
		membership.Config{
			Topics: l.cfg.Topics, Assign: l.cfg.Assign, Properties: l.cfg.Cluster.Properties, ReadyTimeout: l.cfg.ReadyTimeout, SchemaTimeout: l.cfg.Messages.SchemaPatience,
			OnAssign: l.cfg.OnAssign != nil, OnRevoke: l.cfg.OnRevoke != nil,
			Starts: func(k source.TopicPartition) bool {
				kind := specFor(l.cfg.Start, k).Kind
				return kind != "" && kind != AtCommitted
			},
		},
		membership.Listener{
			Context: l.life.ctx, Leaving: l.life.isLeaving, Discard: func(k source.TopicPartition) { l.discard(k) }, Fail: l.failOnce, Neighbours: l.neighbours, Rebalances: &l.counters.rebalances,
			Returns: l.commits.byTransactions,
		},
		l.partitions, l.tracker, &l.events, l.log,
	)
}
