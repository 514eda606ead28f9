// Package deadletter holds rejected messages until the brokers of the dead-letter topic have them.
package deadletter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/sink"
)

// Queue holds the messages that are on their way to the dead-letter topic, and those that failed. The caller holds the row of a message before it sends it (delivery.Tracker), until the
// message is delivered: so no commit covers a message that is in neither topic, and no poll has to wait. A message that fails is kept. Its failure is returned once, and the next Retry
// or Flush writes the message again.
//
// Any goroutine may call it. Its lock is a leaf: neither the sink nor delivered is called while it is held. Only open is, so that one sink is opened; it must not call the queue.
type Queue struct {
	most      int // bytes
	open      func() (sink.Sink, error)
	delivered func(*Message)

	full    atomic.Bool
	arrived atomic.Bool

	mu       sync.Mutex
	to       sink.Sink         // nil: to be opened
	inFlight map[*Message]bool // written, without an answer
	failed   []*Message
	bytes    int           // of both
	failure  *Failure      // the first that was not returned
	changed  chan struct{} // closed at the next answer
	closed   bool
}

// MaxMessages and MaxBytes are what may be in a queue at once. A run of records may go over it, by less than its length.
const (
	MaxMessages = 10_000
	MaxBytes    = 64 << 20
)

// Failure is why a message, which is kept, was not written. Without a message it is ErrClosed.
type Failure struct {
	*Message
	Err error
}

// ErrClosed is the failure of a Flush that waits while the queue is closed.
var ErrClosed = errors.New("the queue is closed")

// New returns a Queue that holds at most so many bytes. open is called when there is a first message, and again after a failure; delivered, from any goroutine, when the brokers have
// a message.
func New(most int, open func() (sink.Sink, error), delivered func(*Message)) *Queue {
	return &Queue{most: most, open: open, delivered: delivered, inFlight: map[*Message]bool{}, changed: make(chan struct{})}
}

// Full tells that no message may be rejected until some are delivered.
func (q *Queue) Full() bool { return q.full.Load() }

// TakeArrived tells whether messages were delivered since it was last called, so that a commit may cover more.
func (q *Queue) TakeArrived() bool { return q.arrived.Swap(false) }

// Send writes messages and does not wait.
func (q *Queue) Send(messages ...*Message) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	for _, m := range messages {
		q.inFlight[m] = true
		q.bytes += m.bytes
	}
	q.measure()
	var err error
	if q.to == nil {
		if q.to, err = q.open(); err != nil {
			q.to = nil // and not an interface that holds a nil
		}
	}
	to := q.to
	q.mu.Unlock()
	for _, m := range messages {
		if err != nil {
			q.answer(m, err)
		} else {
			to.Write(&m.Message, func(err error) { q.answer(m, err) })
		}
	}
}

// answer notes what became of a message.
func (q *Queue) answer(m *Message, err error) {
	if err == nil {
		q.delivered(m)
	}
	q.mu.Lock()
	if to := q.to; err != nil && to != nil && q.inFlight[m] && m.adapt(err) {
		q.mu.Unlock() // Write may answer at once
		to.Write(&m.Message, func(err error) { q.answer(m, err) })
		return
	}
	defer q.mu.Unlock()
	if !q.inFlight[m] { // given up by Close
		return
	}
	delete(q.inFlight, m)
	if err == nil {
		q.bytes -= m.bytes
		q.arrived.Store(true)
	} else {
		q.failed = append(q.failed, m)
		if q.failure == nil {
			q.failure = &Failure{m, err}
		}
	}
	q.measure()
	q.signal()
}

// measure keeps full up to date. q.mu is held.
func (q *Queue) measure() {
	q.full.Store(len(q.inFlight)+len(q.failed) >= MaxMessages || q.bytes >= q.most)
}

// signal wakes those who wait for an answer. q.mu is held.
func (q *Queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Failing tells that TakeFailure has a failure.
func (q *Queue) Failing() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.failure != nil
}

// TakeFailure returns a failure that was not returned yet; nil where there is none.
func (q *Queue) TakeFailure() *Failure {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.failure
	q.failure = nil
	return f
}

// Retry writes the messages that failed again, once their failure has been returned.
func (q *Queue) Retry() { q.retry(false) }

// retry is Retry; always: also where the failure has not been returned, and is none any more.
func (q *Queue) retry(always bool) {
	q.mu.Lock()
	if len(q.failed) == 0 || q.failure != nil && !always {
		q.mu.Unlock()
		return
	}
	q.failure = nil
	messages := q.failed
	q.failed = nil
	for _, m := range messages {
		q.bytes -= m.bytes
	}
	var old sink.Sink
	if len(q.inFlight) == 0 { // a client that has failed for good, or that remembers that there is no such topic, is of no use any more
		old, q.to = q.to, nil
	}
	q.mu.Unlock()
	if old != nil {
		old.Close()
	}
	q.Send(messages...)
}

// Flush writes the messages that failed again, and waits until the brokers have each message that there is now, or it has failed. failure is returned once, like that of TakeFailure;
// err is that of ctx.
func (q *Queue) Flush(ctx context.Context) (failure *Failure, err error) {
	q.retry(true)
	q.mu.Lock()
	messages := slices.Collect(maps.Keys(q.inFlight))
	q.mu.Unlock()
	for _, m := range messages {
		for {
			q.mu.Lock()
			inFlight, changed := q.inFlight[m], q.changed
			q.mu.Unlock()
			if !inFlight {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return q.TakeFailure(), nil
}

// Wait returns at the next answer, or after the longest.
func (q *Queue) Wait(longest time.Duration) {
	q.mu.Lock()
	changed := q.changed
	q.mu.Unlock()
	select {
	case <-changed:
	case <-time.After(longest):
	}
}

// Close gives all messages up. Their rows are not committed, and so they are rejected again by the next one who reads them.
func (q *Queue) Close() {
	q.mu.Lock()
	to, waiting := q.to, len(q.inFlight) > 0
	q.closed, q.to = true, nil
	clear(q.inFlight)
	q.failed = nil
	if waiting {
		q.failure = &Failure{Err: ErrClosed} // of a Flush that waits
	}
	q.signal()
	q.mu.Unlock()
	if to != nil {
		to.Close()
	}
}
