package kafarr

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// store gives acknowledged offsets to the background commit.
func (l *Listener) store() error {
	changed, rewound := l.tracker.Store()
	l.commitRewound(rewound)
	return l.source.Store(changed)
}

// commitRewound commits offsets that are before the last commit, in the background: the client's own background commit never commits a lower offset. Later commits are higher
// again.
func (l *Listener) commitRewound(positions []source.Position) {
	switch strings.ToLower(l.cfg.Cluster.Properties["enable.auto.commit"]) {
	case "false", "f", "0":
		return
	}
	if len(positions) == 0 {
		return
	}
	failed := func(err error) {
		if !errors.Is(err, l.life.ctx.Err()) {
			l.log.Client(4, "COMMIT", "the offsets to which the listener was moved back were not committed: "+err.Error())
		}
	}
	spawn(func() {
		if err := l.source.Commit(l.life.ctx, positions); err != nil {
			failed(err)
		}
	}, failed)
}

// Commit acknowledges batches, or all that was returned when none is named, and commits: for each partition, the offset of the first row that is
// not acknowledged. It waits for the dead letters on their way, for as long as ctx allows. It is a StateError once transactions commit: see Transaction.CommitBatches.
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
	if err := l.life.open(closed); err != nil {
		return err
	}
	if err := l.Broken(); err != nil {
		return err
	}
	if err := l.commits.begin(); err != nil {
		return err
	}
	defer l.commits.end()
	if all {
		l.tracker.AcknowledgeAll()
	}
	var lost *Error
	if r, any := l.tracker.Acknowledge(ids, ranges); any {
		lost = errorf(GroupError, "the partition is not assigned to this listener any more: its rows from offset %d on are delivered again by its new owner", r.First)
		lost.Topic, lost.Partition = r.Topic, r.Partition
	}
	failure := l.flushLetters(ctx)
	if err := l.commit(ctx); err != nil { // rows before a letter that failed are committed all the same
		return err
	}
	if lost != nil {
		return lost
	}
	return failure
}

func (l *Listener) commit(ctx context.Context) error {
	if err := l.Broken(); err != nil {
		if len(l.tracker.Offsets()) == 0 {
			return nil
		}
		return err
	}
	if err := l.store(); err != nil {
		return wrap(err)
	}
	if err := l.source.Commit(ctx, l.tracker.Offsets()); err != nil {
		if errors.Is(err, ctx.Err()) {
			return err
		}
		return wrap(err)
	}
	return nil
}

// closeCommitTimeout bounds the last commit where the cluster does not answer.
const closeCommitTimeout = 30 * time.Second

// Leave is the first half of Close, for callers of PollSlice: polls end with ErrClosed, what was returned is acknowledged and committed, and
// Rebalance returns the assignment that is about to be given up. Commit still works. Abort is the second half, also after an error.
func (l *Listener) Leave(acknowledge bool) error {
	if err := l.life.leave(); err != nil {
		return err
	}
	defer l.life.unlock()
	l.tracker.Unassign(l.group.Callbacks.Withdraw()...)
	if l.cfg.OnRevoke != nil {
		defer func() { l.group.Callbacks.RevokeAll(l.tracker.Assignment()) }()
	}
	if !acknowledge {
		return nil
	}
	l.group.Tails.Settle()
	if l.cfg.Acknowledge == OnNextPoll {
		l.tracker.AcknowledgeAll()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeCommitTimeout)
	failure := l.flushLetters(ctx)
	cancel()
	if errors.Is(failure, context.DeadlineExceeded) {
		failure = errorf(BrokerError, "dead_letter_topic %s did not take the last rejected messages within %v: they are delivered again", l.cfg.DeadLetterTopic, closeCommitTimeout)
	}
	if l.commits.begin() != nil { // transactions have committed what is acknowledged
		return failure
	}
	defer l.commits.end()
	ctx, cancel = context.WithTimeout(context.Background(), closeCommitTimeout)
	defer cancel()
	err := l.commit(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errorf(BrokerError, "the cluster did not answer the last commit within %v: the rows that it covers are delivered again", closeCommitTimeout)
	}
	return cmp.Or(err, failure)
}

// Close acknowledges all that was returned (unless Config.Acknowledge is OnCommit), commits, calls Config.OnRevoke, and leaves the group. A Poll under way ends with ErrClosed.
func (l *Listener) Close() error { return l.close(true) }

// Abort is Close without acknowledging what the last poll returned and without a commit: it is delivered again.
func (l *Listener) Abort() error { return l.close(false) }

func (l *Listener) close(acknowledge bool) error {
	if err := l.life.claim(); err != nil {
		return err
	}
	err := l.Leave(acknowledge)
	if errors.Is(err, ErrClosed) { // the caller has done that
		err = nil
	}
	_ = l.runCallbacks(context.Background()) // OnRevoke only, which gives no error
	l.life.end()
	defer l.life.unlock()
	l.group.Callbacks.Clear()
	l.unregister()
	if l.source.LivenessReporter != nil { // a source that cannot tell has no login
		l.schemas.Values.ReportUnusedReaders(true)
	}
	l.assembler.Release()
	l.letters.Close()
	l.life.cancel()
	l.source.Release()
	l.buffer.Hold(nil)
	if closeErr := l.source.Close(); err == nil && closeErr != nil {
		err = wrap(closeErr)
	}
	l.closeRegistry()
	return err
}
