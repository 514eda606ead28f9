package kafarr

import (
	"context"
	"iter"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
)

// maxSlice bounds how long a step waits, so that contexts, closing and the client's events are answered.
const maxSlice = 50 * time.Millisecond

// poll is a Poll on its way, and the error that waits for it.
type poll struct {
	limit    int
	wait     time.Duration
	began    time.Time
	ready    bool
	fetched  bool      // at least once since ready
	deadline time.Time // valid when ready
	failures []error   // that have come after the rows: each is the error of a poll of its own

	lookup *schema.Lookup // that the next record waits for, once a round has found that it waits
}

// Poll acknowledges what earlier polls returned and receives rows of one message type until there are limit of them or wait has
// passed, which counts from when the client has caught up (assigned and fetching). It returns early where the message type or schema
// changes. A Batch without rows means that nothing came. When ctx ends, the rows received so far come with the next Poll.
func (l *Listener) Poll(ctx context.Context, limit int, wait time.Duration) (*Batch, error) {
	if err := l.life.beginPoll(); err != nil {
		return nil, err
	}
	defer l.life.endPoll()
	for begin := true; ; begin = false {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if b, err := l.slice(begin, limit, wait, maxSlice); b != nil || err != nil {
			return b, err
		}
		if err := l.runCallbacks(ctx); err != nil {
			return nil, err
		}
	}
}

// PollSlice is Poll for callers that cannot wait, such as another language's thread that has signals to answer: it returns not done
// after slice, and is called again with begin = false to continue, or with begin = true to begin another poll that keeps the rows.
func (l *Listener) PollSlice(begin bool, limit int, wait, slice time.Duration) (b *Batch, done bool, err error) {
	if err := l.life.beginPoll(); err != nil {
		return nil, false, err
	}
	defer l.life.endPoll()
	b, err = l.slice(begin, limit, wait, slice)
	return b, b != nil, err
}

// slice is one turn of a poll. Before and after it, seeks and the like have theirs.
func (l *Listener) slice(begin bool, limit int, wait, slice time.Duration) (*Batch, error) {
	if err := l.life.lock(leaving); err != nil {
		return nil, err
	}
	defer l.life.unlock()
	if begin {
		if limit < 1 {
			return nil, errorf(ConfigError, "num_messages is %d: it must be at least 1", limit)
		}
		if wait < 0 {
			return nil, errorf(ConfigError, "max_time is negative")
		}
		if err := l.begin(limit, wait); err != nil {
			return nil, err
		}
	}
	b, err := l.step(time.Now().Add(slice))
	if err != nil {
		return nil, wrap(err)
	}
	return b, nil
}

func (l *Listener) begin(limit int, wait time.Duration) error {
	if l.cfg.Acknowledge == OnNextPoll {
		l.tracker.AcknowledgeAll()
	}
	l.letters.Retry()
	l.group.Tails.Pass()
	l.group.Look(false)
	if err := l.store(); err != nil {
		return wrap(err)
	}
	l.poll = poll{limit: limit, wait: wait, began: time.Now(), failures: l.poll.failures}
	l.group.Readiness.Begin(l.poll.began)
	l.assembler.Begin(limit)
	l.counters.polls.Add(1)
	l.schemas.Values.ReportUnusedReaders(false)
	return nil
}

// step continues a poll until it has its answer or the slice is over; then the batch is nil.
func (l *Listener) step(end time.Time) (*Batch, error) {
	if l.group.Callbacks.Waiting() {
		return nil, nil
	}
	if b, err := l.deliver(); b != nil || err != nil {
		return b, err
	}
	for {
		s := l.serve(end)
		if b, done, err := l.round(&s); done {
			return b, err
		}
	}
}

// serve hears what there is to hear, and returns what it comes to.
func (l *Listener) serve(end time.Time) situation {
	s := situation{leaving: l.life.isLeaving(), end: end}
	if s.leaving {
		return s
	}
	if err := l.source.ServeEvents(); err != nil {
		l.fail(err)
	}
	l.group.Watch()
	if l.letters.TakeArrived() { // a commit may cover their rows now
		if err := l.store(); err != nil {
			l.fail(err)
		}
	}
	_, stuck := l.group.Stuck()
	s.callback, s.failed, s.letterFailed, s.stuck = l.group.Callbacks.Waiting(), len(l.poll.failures) > 0, l.letters.Failing(), stuck != nil
	s.queued, s.pending, s.blockable = l.assembler.Waiting(), l.assembler.Pending(), l.source.Positioner != nil
	return s
}

// round does what is decided, until the round, the slice or the poll is over. done: the slice or the poll is.
func (l *Listener) round(s *situation) (b *Batch, done bool, err error) {
	var record *Error // of the next one
	for {
		switch next(s) {
		case raiseClosed:
			return nil, true, l.life.open(leaving)
		case endSlice:
			return nil, true, nil
		case handOver:
			b, err = l.take()
			return b, true, err
		case raiseFailure:
			err, l.poll.failures = l.poll.failures[0], l.poll.failures[1:]
			return nil, true, err
		case raiseLetter:
			if failure := l.letters.TakeFailure(); failure != nil {
				return nil, true, l.letterFault(failure)
			}
			s.letterFailed = false // a commit has returned it meanwhile
		case raiseStuck:
			if _, err = l.group.Stuck(); err != nil {
				return nil, true, err
			}
			s.stuck = false // it is not any more
		case raiseRecord:
			return nil, true, record
		case raiseOutage:
			return nil, true, l.outageHere()
		case endQuiet:
			b, err = l.quiet()
			return b, true, err
		case endWithoutRows:
			return &Batch{}, true, nil
		case catchUp:
			if err = l.group.Retry(); err != nil {
				l.fail(err)
				return nil, false, nil
			}
			s.now = time.Now()
			if err = l.catchUp(s.now); err != nil {
				return nil, true, err
			}
			s.stage, s.ready, s.fetched, s.deadline = stageFilling, l.poll.ready, l.poll.fetched, l.poll.deadline
		case assembleRows:
			record = l.assemble(s)
		case blockPartition:
			if l.block() {
				return nil, time.Now().After(s.end), nil
			}
			s.blockable = false // not now
		case waitForSchema:
			l.awaitSchema(s)
			return nil, time.Now().After(s.end), nil
		case waitForLetters:
			l.letters.Wait(min(s.end.Sub(s.now), maxSlice))
			return nil, false, nil
		case fetchMore:
			l.fetch(s)
			return nil, false, nil
		case nextRound:
			return nil, false, nil
		}
	}
}

// assemble has what was fetched assembled, and notes in the situation why it stopped. It returns the error of the next record, if that is why.
func (l *Listener) assemble(s *situation) *Error {
	why, err := l.fill(s.end)
	switch why {
	case assemble.BatchFull, assemble.SchemaChanged:
		s.stage = stageSealed
	case assemble.RecordFailed:
		s.stage = stageRecordFailed
	case assemble.SchemaPending:
		s.stage = stageAwaitingSchema
		l.seeLookup(s)
	case assemble.Throttled:
		s.stage = stageThrottled
	case assemble.TimeOver:
		s.stage, s.now = stageOutOfTime, time.Now()
	case assemble.RecordSlow:
		s.stage, s.now = stageSlowRecord, time.Now()
	case assemble.NeedFetch:
		s.stage = stageFetching
		l.source.Release()
		l.buffer.Hold(nil)
		s.ended = l.source.Bounded != nil && l.source.Bounded.Ended()
	}
	s.pending = l.assembler.Pending()
	return err
}

// fetch asks the source for records.
func (l *Listener) fetch(s *situation) {
	p := &l.poll
	chunks, err := l.source.Fetch(p.limit-l.assembler.Rows(), l.pause(s.now, s.end))
	l.buffer.Hold(chunks)
	p.fetched = p.ready
	if err != nil {
		l.fail(err)
	}
}

// catchUp notes when the client has caught up.
func (l *Listener) catchUp(now time.Time) error {
	p := &l.poll
	if !p.ready {
		state, err := l.group.Readiness.Check(p.began, now)
		if err != nil {
			return l.raiseOrKeep(err)
		}
		switch state {
		case membership.Caught:
			p.ready, p.deadline = true, now.Add(p.wait)
		case membership.GivenUp:
			p.ready, p.deadline = true, now
		case membership.NotYet:
		}
	}
	if err := l.group.Readiness.CheckTopics(now); err != nil {
		return l.raiseOrKeep(err)
	}
	return nil
}

// raiseOrKeep keeps the error for the next poll where there are rows to return first.
func (l *Listener) raiseOrKeep(err *Error) error {
	if !l.assembler.Pending() {
		return err
	}
	l.fail(err)
	return nil
}

// Broken returns the error after which this listener can never continue, such as that another member of the group has the same group.instance.id; nil as long as it may. Every call
// returns it, but for Assignment, Stats, Close and Abort: close the listener and open another one.
func (l *Listener) Broken() error {
	if fatal, err := l.group.Stuck(); fatal {
		return err
	}
	return nil
}

// Waiting tells that the last poll ended without rows while this listener was still waiting for partitions, or for the first fetch of some: that is no end of the rows.
func (l *Listener) Waiting() bool { return l.group.Readiness.Waiting() }

// pause is how long a fetch may wait.
func (l *Listener) pause(now, end time.Time) time.Duration {
	wait := min(end.Sub(now), maxSlice)
	if l.poll.ready {
		wait = min(wait, l.poll.deadline.Sub(now))
	} else {
		wait = min(wait, 10*time.Millisecond) // whether it is ready is asked between fetches
	}
	return max(wait, 0)
}

// fail keeps an error for the moment when the rows received before it are handed over. Where another waits already it is dropped: what lasts comes again.
func (l *Listener) fail(err error) {
	if len(l.poll.failures) == 0 {
		l.failOnce(err)
	}
}

// failOnce keeps an error that does not come again: it is the error of a poll, after those that wait already.
func (l *Listener) failOnce(err error) { l.poll.failures = append(l.poll.failures, err) }

// quiet ends a poll whose time is over.
func (l *Listener) quiet() (*Batch, error) {
	if !l.assembler.Pending() {
		l.group.Readiness.SetWaiting()
		if err := l.group.Fault(); err != nil {
			return nil, err
		}
	}
	l.group.Look(true)
	return l.take()
}

// Batches polls for ever: batches of at most limit rows, each gathered for at most wait. Polls that bring nothing are passed over.
// The loop ends with the first error, with ctx, or when the body breaks off. A batch is valid until Release, which is the caller's.
func (l *Listener) Batches(ctx context.Context, limit int, wait time.Duration) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			b, err := l.Poll(ctx, limit, wait)
			if err != nil {
				yield(nil, err)
				return
			}
			if !b.empty() && !yield(b, nil) {
				return
			}
		}
	}
}
