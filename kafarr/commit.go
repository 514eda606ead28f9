package kafarr

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// store passes acknowledged offsets on to the background commit.
func (l *Listener) store() error {
	l.mu.Lock()
	positions := l.mine(l.acks.positions(true))
	l.acks.passedOn(positions)
	l.mu.Unlock()
	return l.source.Store(positions)
}

// mine keeps the positions of partitions that this listener owns: committing another member's would take its progress back. l.mu is
// held.
func (l *Listener) mine(positions []source.Position) []source.Position {
	return slices.DeleteFunc(positions, func(p source.Position) bool { return !l.owned[partitionKey{p.Topic, p.Partition}] })
}

// Commit acknowledges batches, or all that was returned when none is named, and commits: for each partition, the offset of the first row that is
// not acknowledged.
func (l *Listener) Commit(ctx context.Context, batches ...*Batch) error {
	var ids []int64
	var ranges []Range
	for _, b := range batches {
		ids = append(ids, b.ID())
		ranges = append(ranges, b.Ranges...)
	}
	return l.CommitIDs(ctx, len(batches) == 0, ids, ranges)
}

// CommitIDs is Commit for callers that keep only the IDs and Ranges of their batches.
func (l *Listener) CommitIDs(ctx context.Context, all bool, ids []int64, ranges []Range) error {
	if l.closing.Load() {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	l.mu.Lock()
	if all {
		l.acks.all()
	}
	var lost *Error
	for _, r := range ranges {
		if lost == nil && !l.owned[r.key()] {
			lost = errorf(GroupError, "the partition is not assigned to this listener any more: its rows from offset %d on are delivered again by its new owner", r.First)
			lost.Topic, lost.Partition = r.Topic, r.Partition
		}
	}
	// The rows of the other partitions are as done as ever: they would hold up all commits of theirs.
	for _, id := range ids {
		l.acks.acknowledge(batchID(id))
	}
	l.mu.Unlock()
	if err := l.commit(ctx); err != nil || lost == nil {
		return err
	}
	return lost
}

func (l *Listener) commit(ctx context.Context) error {
	if err := l.store(); err != nil {
		return wrap(err)
	}
	l.mu.Lock()
	positions := l.mine(l.acks.positions(false))
	l.mu.Unlock()
	if err := l.source.Commit(ctx, positions); err != nil {
		if errors.Is(err, ctx.Err()) {
			return err
		}
		return wrap(err)
	}
	return nil
}

// closeCommitTimeout bounds the last commit where the cluster does not answer.
const closeCommitTimeout = 30 * time.Second

// Close acknowledges all that was returned (unless Config.Acknowledge is OnCommit), commits, and leaves the group. A Poll under way ends with ErrClosed.
func (l *Listener) Close() error { return l.close(true) }

// Abort leaves the group without acknowledging what the last poll returned: it is delivered again.
func (l *Listener) Abort() error { return l.close(false) }

func (l *Listener) close(acknowledge bool) error {
	if l.closing.Swap(true) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	l.polling.Lock()
	defer l.polling.Unlock()
	var err error
	if acknowledge {
		if l.cfg.Acknowledge == OnNextPoll {
			l.mu.Lock()
			l.acks.all()
			l.mu.Unlock()
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeCommitTimeout)
		if err = l.commit(ctx); errors.Is(err, context.DeadlineExceeded) {
			err = errorf(BrokerError, "the cluster did not answer the last commit within %v: the rows that it covers are delivered again", closeCommitTimeout)
		}
		cancel()
	}
	l.cancel()
	l.source.Release()
	l.held = held{}
	if closeErr := l.source.Close(); err == nil && closeErr != nil {
		err = wrap(closeErr)
	}
	if c, ok := l.registry.(io.Closer); ok && l.cfg.Registry == nil { // one that was given belongs to who gave it
		_ = c.Close()
	}
	for _, b := range l.batches {
		b.release()
	}
	for _, f := range l.queue {
		f.batch.Release()
	}
	l.batches, l.queue = nil, nil
	return err
}
