package kafarr

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Lag is the number of offsets from the position of a partition to the end of its log.
type Lag struct {
	Topic     string
	Partition int32
	Position  int64 // the next offset to be handed over
	End       int64 // of the log, as far as it can be read: up to an open transaction with read_committed
	Lag       int64 // End - Position, which counts offsets; gaps in the log are counted, too
	Paused    bool  // nothing comes of it until Resume, or until the registry answers
}

// Position returns the next offset that a poll hands over, for each partition of the assignment. Where nothing was read yet, or what was to come is gone from the log, the cluster
// is asked for the place where reading begins, or continues. A partition of which that is not known, because its topic was deleted, is left out; it is an error where no other is left.
func (l *Listener) Position(ctx context.Context) ([]source.Position, error) {
	ctx, cancel, err := l.asking(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	out, err := l.position(ctx)
	if err != nil {
		return nil, l.asked(err)
	}
	return out, nil
}

func (l *Listener) position(ctx context.Context) ([]source.Position, error) {
	if err := l.between(); err != nil {
		return nil, err
	}
	l.group.Tails.Pass()
	out := l.Assignment()
	l.group.HearResets()
	reset := l.partitions.Resets()
	var begin []source.TopicPartition
	for i, p := range out {
		k := p.TopicPartition()
		_, moved := reset[k]
		if next, received := l.firstUndelivered(k); received {
			out[i].Offset = next
		} else if next := l.partitions.Of(k).Next; next.Known && !moved {
			out[i].Offset = next.At
		} else {
			begin = append(begin, k)
		}
	}
	l.life.unlock()
	found, missing, err := l.offsets().Beginnings(ctx, begin, reset)
	if err != nil {
		return nil, err
	}
	for _, k := range begin {
		at := slices.IndexFunc(out, func(p source.Position) bool { return p.TopicPartition() == k })
		if b, exists := found[k]; exists {
			out[at].Offset = b.Offset
		} else {
			out = slices.Delete(out, at, at+1)
		}
	}
	if len(out) == 0 {
		return nil, missing
	}
	return out, nil
}

// Committed asks what the group has committed for each partition of the assignment; Offset is -1 where that is nothing.
func (l *Listener) Committed(ctx context.Context) ([]source.Position, error) {
	ctx, cancel, err := l.asking(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	out, err := l.source.Positioner.CommittedOffsets(ctx, l.Assignment())
	if err != nil {
		return nil, l.asked(err)
	}
	for i := range out {
		out[i].Offset = max(out[i].Offset, -1)
	}
	return out, nil
}

// Lag asks the cluster for the lag of each partition of the assignment. Partitions of topics that were deleted are left out; it is an error where no other is left.
func (l *Listener) Lag(ctx context.Context) ([]Lag, error) {
	ctx, cancel, err := l.asking(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	positions, err := l.position(ctx)
	if err != nil {
		return nil, l.asked(err)
	}
	keys := make([]source.TopicPartition, len(positions))
	for i, p := range positions {
		keys[i] = p.TopicPartition()
	}
	end := map[source.TopicPartition]int64{}
	missing, err := existing(keys, func(keys []source.TopicPartition) error {
		ask := make([]source.Position, len(keys))
		for i, k := range keys {
			ask[i] = k.At(source.End)
		}
		ends, err := l.source.Positioner.ListOffsets(ctx, ask)
		for _, p := range ends {
			end[p.TopicPartition()] = p.Offset
		}
		return err
	})
	if err != nil || len(end) == 0 && missing != nil {
		return nil, l.asked(cmp.Or(err, missing))
	}
	out := make([]Lag, 0, len(positions))
	paused := l.source.Positioner.Paused(positions)
	for i, p := range positions {
		if e, exists := end[p.TopicPartition()]; exists {
			out = append(out, Lag{Topic: p.Topic, Partition: p.Partition, Position: p.Offset, End: e, Lag: max(e-p.Offset, 0), Paused: paused[i]})
		}
	}
	return out, nil
}

// Assignment returns the partitions that this listener reads, in the order of their names and numbers; Offset is 0. A group's assignment changes within polls only: before
// the first one there is none. It does not ask whether the client still works: when Broken returns an error, these are the partitions that the listener had.
func (l *Listener) Assignment() []source.Position { return l.group.Assignment() }

// between takes the listener's lock between two slices of a poll.
func (l *Listener) between() error {
	if l.source.Positioner == nil {
		return errorf(StateError, "this source has no positions")
	}
	if err := l.life.lock(leaving); err != nil {
		return err
	}
	if err := l.Broken(); err != nil {
		l.life.unlock()
		return err
	}
	return nil
}

// asking bounds the questions to the cluster by the ready time-out, and ends them with the listener.
func (l *Listener) asking(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := l.life.open(leaving); err != nil {
		return nil, nil, err
	}
	if l.source.Positioner == nil {
		return nil, nil, errorf(StateError, "this source has no positions")
	}
	if err := l.Broken(); err != nil {
		return nil, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, l.cfg.ReadyTimeout)
	stop := context.AfterFunc(l.life.ctx, cancel)
	return bounded, func() { stop(); cancel() }, nil
}

// asked gives the error of a question its code.
func (l *Listener) asked(err error) error {
	switch {
	case l.life.isLeaving():
		return errorf(ClosedError, "%w", ErrClosed)
	case errors.Is(err, context.DeadlineExceeded):
		return errorf(BrokerError, "the cluster did not answer within %v: %w", l.cfg.ReadyTimeout, err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return wrap(err)
}

func positionsOf(targets []PartitionOffset) []source.Position {
	out := make([]source.Position, len(targets))
	for i, t := range targets {
		out[i] = source.Position{Topic: t.Topic, Partition: t.Partition}
	}
	return out
}
