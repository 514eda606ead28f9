package async

import (
	"sync/atomic"
	"time"
)

// Turns are the turns of a task that takes long, such as decoding a large message. The task runs in a goroutine of its own, so that its caller can stop waiting for it, but only in
// the turns that it is given: what it reads and writes may be touched by its caller between them.
type Turns struct {
	over   atomic.Bool   // the turn
	ended  atomic.Bool   // the task is given up
	parked chan struct{} // the task has ended its turn
	turns  chan struct{} // it has another
	done   chan struct{}
	bug    error // a panic of the task, once done is closed
}

// InTurns begins a task, which runs by Turn. The task calls proceed now and then, and leaves no trace of itself where proceed answers false.
func InTurns(task func(proceed func() bool)) *Turns {
	t := &Turns{parked: make(chan struct{}), turns: make(chan struct{}), done: make(chan struct{})}
	Go(func() {
		<-t.turns
		task(t.proceed)
		close(t.done)
	}, func(err error) {
		t.bug = err
		close(t.done)
	})
	return t
}

// proceed parks the task where its turn is over. false: the task is given up.
func (t *Turns) proceed() bool {
	if t.over.Load() {
		t.parked <- struct{}{}
		<-t.turns
	}
	return !t.ended.Load()
}

// Turn runs the task until a time, and reports whether it has ended. Otherwise the task is parked when Turn returns.
func (t *Turns) Turn(until time.Time) bool {
	select {
	case <-t.done:
		return true
	case t.turns <- struct{}{}:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-t.done:
		return true
	case <-timer.C:
	}
	t.over.Store(true)
	defer t.over.Store(false)
	select {
	case <-t.done:
		return true
	case <-t.parked:
		return false
	}
}

// Join panics as the task has, if it has. The task has ended.
func (t *Turns) Join() {
	if t.bug != nil {
		panic(t.bug)
	}
}

// GiveUp ends the task. It may have come to its end all the same.
func (t *Turns) GiveUp() {
	t.ended.Store(true)
	select {
	case <-t.done:
	case t.turns <- struct{}{}:
		<-t.done
	}
}
