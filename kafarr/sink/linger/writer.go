// Package linger writes messages that come one by one: it collects them for a moment, by partition, into record batches, which sink/produce sends.
package linger

import (
	"context"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Writer is a sink.Sink for one topic. Write only notes a message; a goroutine fills batches, and the producer's goroutines answer for them.
type Writer struct {
	set      *settings
	producer *produce.Producer
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	arrived  chan struct{} // there are messages that wait
	ended    chan struct{} // closed after the goroutine
	closing  sync.Once

	mu      sync.Mutex
	waiting []*entry // those in no batch
	closed  bool
	broken  error // the first panic, which is the answer to each later message
}

// entry is a message without an answer.
type entry struct {
	*sink.Message
	done  func(error)
	since time.Time
	alone bool // it goes in a batch of its own, so that the answer is about no other message
}

// Open makes a Writer. It does not wait for the network.
func Open(cfg Config) (*Writer, error) {
	set, err := cfg.read()
	if err != nil {
		return nil, err
	}
	w := &Writer{set: set, arrived: make(chan struct{}, 1), ended: make(chan struct{})}
	if w.producer, err = produce.Open(set.cluster); err != nil {
		return nil, err
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	c := &collector{w: w, batches: map[int32]*batch{}}
	go func() {
		defer close(w.ended)
		if err := async.Catch(c.run); err != nil {
			w.breaks(err)
			c.giveUp(err)
		}
	}()
	return w, nil
}

// breaks makes a panic the answer to each later message.
func (w *Writer) breaks(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.broken = err
	}
}

// Write implements sink.Sink.
func (w *Writer) Write(message *sink.Message, done func(error)) {
	if err := w.enqueue(&entry{Message: message, done: done, since: time.Now()}); err != nil {
		done(err)
	}
}

// enqueue lets messages wait for their batch.
func (w *Writer) enqueue(entries ...*entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return source.ErrClosed
	case w.broken != nil:
		return w.broken
	}
	w.waiting = append(w.waiting, entries...)
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	return nil
}

// take returns the messages that wait.
func (w *Writer) take() []*entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.waiting
	w.waiting = nil
	return taken
}

// answer answers for messages, unless they were given up by Close.
func (w *Writer) answer(entries []*entry, err error) {
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return
	}
	for _, e := range entries {
		if err := async.Catch(func() { e.done(err) }); err != nil { // for each: the others wait for their answers
			w.breaks(err)
		}
	}
}

// again lets messages go into further batches, with time of their own.
func (w *Writer) again(entries []*entry) {
	now := time.Now()
	for _, e := range entries {
		e.since = now
	}
	if err := w.enqueue(entries...); err != nil {
		w.answer(entries, err)
	}
}

// closeTimeout bounds the wait for the producer's goroutines, which end by themselves.
const closeTimeout = 10 * time.Second

// Close implements sink.Sink.
func (w *Writer) Close() {
	w.closing.Do(func() {
		w.mu.Lock()
		w.closed, w.waiting = true, nil
		w.mu.Unlock()
		w.stop()
		<-w.ended
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = w.producer.Close(ctx) // its error is that of ctx
	})
}
