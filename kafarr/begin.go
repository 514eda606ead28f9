package kafarr

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// beginTimeout bounds the questions for the places where partitions begin: they come within a rebalance, which holds up the group.
const beginTimeout = 15 * time.Second

// begins sets the offsets where partitions begin that this listener has for the first time. Once found they are its positions, so that a
// partition that comes back goes on instead of beginning anew. l.polling is held.
func (l *Listener) begins(out []source.Position, fresh []int) {
	if len(fresh) == 0 || l.closing.Load() { // an assignment may still come while the source is being closed
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, beginTimeout)
	defer cancel()
	targets := make([]Target, len(fresh))
	for i, at := range fresh {
		targets[i] = Target{Topic: out[at].Topic, Partition: out[at].Partition, To: l.cfg.startOf(keyOf(out[at]))}
	}
	found, err := l.offsetsOf(ctx, targets)
	var outside []*Error
	if err == nil {
		outside, err = l.outside(ctx, targets)
	}
	var group []source.Position
	if err == nil {
		group, err = l.positioner.AskCommitted(ctx, found)
	}
	if err != nil {
		l.beginsNowhere(out, fresh, err)
		return
	}
	for _, e := range outside { // the client goes on where auto.offset.reset says
		l.log.client(4, "START", e.Error())
		l.fail(e)
	}
	for i, at := range fresh {
		k := keyOf(found[i])
		out[at].Offset = found[i].Offset
		l.leaps(found[i], group[i].Offset)
		if !hasPlace(outside, k) {
			l.positions[k] = found[i].Offset
		}
	}
}

// beginsNowhere pauses partitions of which nobody knows where they are to begin: a wrong place would lose rows or repeat them.
func (l *Listener) beginsNowhere(out []source.Position, fresh []int, why error) {
	paused := make([]source.Position, len(fresh))
	for i, at := range fresh {
		out[at].Offset = source.End
		paused[i] = out[at]
	}
	if err := l.positioner.Pause(paused); err != nil {
		why = err
	}
	e := errorf(BrokerError, "it is paused, as the place where it begins could not be found out; seek and resume to go on: %w", why)
	e.Topic, e.Partition = paused[0].Topic, paused[0].Partition
	l.log.client(3, "START", e.Error())
	l.fail(e)
}

func hasPlace(errs []*Error, k partitionKey) bool {
	for _, e := range errs {
		if e.Topic == k.topic && e.Partition == k.partition {
			return true
		}
	}
	return false
}
