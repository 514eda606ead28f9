package kafarr

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lifecycle says which calls a listener still allows, and admits one caller at a time. A listener goes through its phases once, in this order:
//
//	running   polls, control calls such as Seek, and commits
//	leaving   after Leave, and within Close: commits and the callbacks about what is given up; a poll under way ends with ErrClosed
//	closed    nothing but Stats and Assignment
//
// Two things are exclusive. A poll lasts over many slices, and there is one at a time: a second one is refused, as it is a mistake of the caller. The lock is held for one slice of
// the poll, or for one control call between two slices: a second caller waits. Leave and Close wait for the lock, and so for one slice, and never for a whole poll.
type lifecycle struct {
	ctx    context.Context // ends when the listener is closed
	cancel context.CancelFunc

	joined time.Time // when a member of a group was opened; zero: it is none

	phase    atomic.Int32 // a phase
	claimed  atomic.Bool  // by the one Close or Abort
	polled   atomic.Bool  // a poll is under way, or one of its slices
	lastPoll atomic.Int64 // when the last one, or a slice of it, ended: nanoseconds since 1970
	mu       sync.Mutex
}

// phase is how far a listener has come in its life.
type phase int32

const (
	running phase = iota
	leaving
	closed
)

// start begins the life of a listener.
func (c *lifecycle) start() { c.ctx, c.cancel = context.WithCancel(context.Background()) }

// reached reports whether a phase has begun.
func (c *lifecycle) reached(p phase) bool { return phase(c.phase.Load()) >= p }

// isLeaving reports whether polls and control calls are over.
func (c *lifecycle) isLeaving() bool { return c.reached(leaving) }

// open returns ErrClosed once a phase has begun in which a call is not allowed any more.
func (c *lifecycle) open(until phase) error {
	if c.reached(until) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	return nil
}

// beginPoll admits one poll at a time. A caller that is admitted calls endPoll.
func (c *lifecycle) beginPoll() error {
	if err := c.open(leaving); err != nil {
		return err
	}
	if !c.polled.CompareAndSwap(false, true) {
		return errorf(StateError, "another poll of this listener is under way: one at a time")
	}
	return nil
}

func (c *lifecycle) endPoll() {
	c.lastPoll.Store(time.Now().UnixNano())
	c.polled.Store(false)
}

// unpolledSince reports whether the listener may be polled, and has not been polled since then.
func (c *lifecycle) unpolledSince(t time.Time) bool {
	return !c.isLeaving() && !c.polled.Load() && time.Unix(0, c.lastPoll.Load()).Before(t)
}

// lock waits until the slice or the control call that is under way has ended. A caller that gets nil calls unlock.
func (c *lifecycle) lock(until phase) error {
	c.mu.Lock()
	if err := c.open(until); err != nil {
		c.mu.Unlock()
		return err
	}
	return nil
}

func (c *lifecycle) unlock() { c.mu.Unlock() }

// leave ends polls and control calls; the first call alone succeeds. It waits for the slice that is under way, and then holds the lock for its caller.
func (c *lifecycle) leave() error {
	if !c.phase.CompareAndSwap(int32(running), int32(leaving)) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	c.mu.Lock()
	return nil
}

// claim admits one Close or Abort.
func (c *lifecycle) claim() error {
	if c.claimed.Swap(true) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	return nil
}

// end begins the last phase, and holds the lock for its caller. Others that take the lock later find the listener closed: see open.
func (c *lifecycle) end() {
	c.mu.Lock()
	c.phase.Store(int32(closed))
}
