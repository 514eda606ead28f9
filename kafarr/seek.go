package kafarr

import (
	"context"
	"errors"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// notFetchingPause is between tries to seek in a partition that has been assigned a moment ago.
const notFetchingPause = 20 * time.Millisecond

// Seek moves partitions of the assignment: the next rows of a partition come from its new offset on, and rows that were received from it
// and not handed over are dropped. What is committed follows: everything before the new offset counts as acknowledged, all else as not.
// The offsets are looked up before anything moves; an offset that is not in the log is an error.
func (l *Listener) Seek(ctx context.Context, targets ...PartitionOffset) error {
	for _, t := range targets {
		if err := t.Offset.validate("to"); err != nil {
			return err
		}
	}
	ctx, cancel, err := l.asking(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if err := l.group.Has(positionsOf(targets)); err != nil {
		return err
	}
	missed, err := l.offsets().notInLog(ctx, targets)
	if err != nil {
		return l.asked(err)
	}
	if len(missed) > 0 {
		return missed[0]
	}
	to, err := l.offsets().resolve(ctx, targets)
	if err != nil {
		return l.asked(err)
	}
	group, err := l.source.Positioner.CommittedOffsets(ctx, to)
	if err != nil {
		return l.asked(err)
	}
	committed := map[source.TopicPartition]int64{}
	for _, p := range group {
		committed[p.TopicPartition()] = p.Offset
	}
	for len(to) > 0 {
		if to, err = l.seekNow(ctx, to, committed); err != nil {
			return l.asked(err)
		}
		if len(to) == 0 {
			break
		}
		select {
		case <-time.After(notFetchingPause):
		case <-ctx.Done():
			return l.asked(&source.Error{Code: status.BrokerError, Topic: to[0].Topic, Partition: to[0].Partition, Offset: -1, Err: source.ErrNotFetching})
		}
	}
	return nil
}

// seekNow moves partitions in one step, between two slices of a poll. It returns those that are not fetched yet, which it has left where they were.
func (l *Listener) seekNow(ctx context.Context, to []source.Position, committed map[source.TopicPartition]int64) (left []source.Position, err error) {
	if err := l.between(); err != nil {
		return nil, err
	}
	defer l.life.unlock()
	if err := l.group.Has(to); err != nil {
		return nil, err
	}
	isLeft := map[source.TopicPartition]bool{}
	if fetched := l.group.Fetched(to); len(fetched) > 0 {
		err := l.source.Positioner.Seek(ctx, fetched)
		var some *source.NotFetching
		switch {
		case errors.As(err, &some):
			for _, p := range some.Left {
				isLeft[p] = true
			}
		case errors.Is(err, source.ErrNotFetching):
			for _, p := range fetched {
				isLeft[p.TopicPartition()] = true
			}
		case err != nil:
			return nil, err
		}
	}
	for _, p := range to {
		if isLeft[p.TopicPartition()] {
			left = append(left, p)
		} else if err := l.group.Move(p, committed[p.TopicPartition()]); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// Pause stops the fetching of partitions of the assignment, nil for all of it: polls return none of their rows until Resume. They stay assigned, and stay paused
// over rebalances that give them back. Partition -1 means all that are assigned of the topic.
func (l *Listener) Pause(wanted []source.Position) error {
	return l.ofThese(wanted, func(chosen []source.Position) error {
		if err := l.source.Positioner.Pause(chosen); err != nil {
			return err
		}
		for _, p := range chosen {
			k := p.TopicPartition()
			l.group.KeepPaused(k)
			if next, received := l.firstUndelivered(k); received { // the client would continue after what it gave us
				if err := l.readAgain(k, next); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Resume fetches paused partitions again, nil for all of the assignment.
func (l *Listener) Resume(wanted []source.Position) error {
	return l.ofThese(wanted, func(chosen []source.Position) error {
		chosen = l.group.Resumable(chosen)
		if err := l.source.Positioner.Resume(chosen); err != nil {
			return err
		}
		for _, p := range chosen {
			l.group.Blocked.Leave(p.TopicPartition())
		}
		return nil
	})
}

// ofThese calls a function with partitions of the assignment, nil for all of it, between two slices of a poll.
func (l *Listener) ofThese(wanted []source.Position, do func(chosen []source.Position) error) error {
	if err := l.between(); err != nil {
		return err
	}
	defer l.life.unlock()
	chosen, err := l.group.Chosen(wanted)
	if err == nil {
		err = do(chosen)
	}
	if err != nil {
		return wrap(err)
	}
	return nil
}

// GiveBack takes back batches that Poll returned and that their caller could not pass on: their rows come again, with the rows after them in their partitions
// that were not returned yet. It acknowledges nothing.
func (l *Listener) GiveBack(ids []int64, ranges []Range) error {
	if err := l.between(); err != nil {
		return err
	}
	defer l.life.unlock()
	l.tracker.GiveBack(ids)
	for _, r := range ranges {
		k := r.TopicPartition()
		if !l.tracker.IsAssigned(k) { // its new owner reads them
			l.discard(k)
			continue
		}
		next := r.First
		if first, found := l.firstUndelivered(k); found { // rows of another batch that waits may come first
			next = min(next, first)
		}
		rows, known := l.assembler.LastRows(ids, k)
		if err := l.readAgain(k, next, rows...); err != nil {
			return wrap(err)
		}
		if !known {
			l.partitions.Of(k).RedeliverAll() // else it would skip them
		}
		if err := l.group.Blocked.Unblock(k); err != nil {
			return err
		}
	}
	return nil
}

// readAgain moves a partition back to the first row that its caller does not have.
func (l *Listener) readAgain(k source.TopicPartition, next int64, givenBack ...int64) error {
	if err := l.source.Positioner.Seek(l.life.ctx, []source.Position{k.At(next)}); err != nil {
		return err
	}
	l.discard(k, givenBack...)
	l.partitions.Of(k).Next = partitions.At(next)
	return nil
}

// firstUndelivered returns the first offset of what was received of a partition and not handed over. life.mu is held.
func (l *Listener) firstUndelivered(k source.TopicPartition) (first int64, found bool) {
	if first, found := l.tracker.FirstUndelivered(k); found {
		return first, true
	}
	return l.buffer.First(k)
}
