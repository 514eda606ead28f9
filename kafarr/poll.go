package kafarr

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
)

// maxSlice bounds how long a step waits, so that contexts, closing and the client's events are answered.
const maxSlice = 50 * time.Millisecond

// poll is a Poll on its way.
type poll struct {
	limit    int
	wait     time.Duration
	began    time.Time
	ready    bool
	fetched  bool      // at least once since ready
	deadline time.Time // valid when ready
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
// after slice, and is called again with begin = false to go on, or with begin = true to begin another poll that keeps the rows.
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
	l.letters.again(false)
	l.passTails()
	l.look(false)
	if err := l.store(); err != nil {
		return wrap(err)
	}
	l.unready.Store(false)
	l.assembler.Begin(limit)
	l.poll = poll{limit: limit, wait: wait, began: time.Now()}
	if l.opened.IsZero() {
		l.opened = l.poll.began
	}
	l.counters.polls.Add(1)
	l.schemas.Values.ReportUnusedReaders(false)
	return nil
}

// step goes on with a poll until it has its answer or the time is over; then the batch is nil.
func (l *Listener) step(end time.Time) (*Batch, error) {
	p := &l.poll
	if l.callbacks.Waiting() {
		return nil, nil
	}
	if b, err := l.deliver(); b != nil || err != nil {
		return b, err
	}
	for {
		if err := l.life.open(leaving); err != nil {
			return nil, err
		}
		if err := l.source.Serve(); err != nil {
			l.fail(err)
		}
		l.watch()
		if l.letters.arrived.Swap(false) { // a commit may pass them now
			if err := l.store(); err != nil {
				l.fail(err)
			}
		}
		if l.callbacks.Waiting() {
			return nil, nil
		}
		if l.failure != nil {
			return l.failed()
		}
		if l.letters.failing() {
			if l.assembler.Pending() {
				return l.take()
			}
			return nil, l.letters.fault()
		}
		if err := l.stuck(); err != nil {
			if l.assembler.Pending() {
				return l.take()
			}
			return nil, err
		}
		if l.assembler.Waiting() { // a rebalance has ended a batch
			return l.take()
		}
		if err := cmp.Or(l.retryBlocked(), l.tendPlaceless()); err != nil {
			l.fail(err)
			continue
		}
		now := time.Now()
		if err := l.catchUp(now); err != nil {
			return nil, err
		}
		switch why, err := l.fill(end); why {
		case assemble.BatchFull, assemble.SchemaChanged:
			return l.take()
		case assemble.RecordFailed:
			if l.assembler.Pending() {
				return l.take()
			}
			return nil, err
		case assemble.SchemaPending:
			if done, err := l.awaitSchema(now, end); err != nil {
				return nil, err
			} else if done {
				return l.take()
			}
			if time.Now().After(end) {
				return nil, nil
			}
			continue
		case assemble.TimeOver:
			if now = time.Now(); p.ready && !now.Before(p.deadline) && l.assembler.Pending() {
				return l.take()
			}
			if !now.Before(end) {
				return nil, nil
			}
			continue
		case assemble.RecordSlow:
			if now = time.Now(); p.ready && !now.Before(p.deadline.Add(maxSlice)) { // see endOfTurn
				if l.assembler.Pending() {
					return l.take()
				}
				return &Batch{}, nil // the record continues with the next poll
			}
			if !now.Before(end) {
				return nil, nil
			}
			continue
		case assemble.Throttled:
			if p.ready && !now.Before(p.deadline) {
				return l.quiet()
			}
			if !now.Before(end) {
				return nil, nil
			}
			l.letters.wait(min(end.Sub(now), maxSlice))
			continue
		case assemble.NeedFetch:
			l.source.Release()
			l.buffer.Hold(nil)
			if l.finite != nil && l.finite.Ended() {
				return l.take()
			}
		}
		if p.ready && p.fetched && !now.Before(p.deadline) {
			return l.quiet()
		}
		if !now.Before(end) {
			return nil, nil
		}
		chunks, err := l.source.Fetch(p.limit-l.assembler.Rows(), l.pause(now, end))
		l.buffer.Hold(chunks)
		p.fetched = p.ready
		if err != nil {
			l.fail(err)
		}
	}
}

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

// fail keeps an error for the moment when the rows received before it are handed over.
func (l *Listener) fail(err error) {
	if l.failure == nil {
		l.failure = err
	}
}

// failed returns the rows first and then the error that came behind them.
func (l *Listener) failed() (*Batch, error) {
	if l.assembler.Pending() {
		return l.take()
	}
	err := l.failure
	l.failure = nil
	return nil, err
}

// quiet ends a poll whose time is over.
func (l *Listener) quiet() (*Batch, error) {
	if !l.assembler.Pending() {
		_, waitingFor := l.source.Ready()
		l.unready.Store(waitingFor != "")
		if err := cmp.Or(l.source.Down(), l.outage(), l.nowhere(), l.gone(), l.unreadable(false)); err != nil {
			return nil, err
		}
	}
	l.look(true)
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
