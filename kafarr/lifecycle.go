package kafarr

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lifecycle says what may still be done with a listener, and lets one caller at a time do it. A listener goes through its phases once, in this order:
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

// phase is what a listener may still do.
type phase int32

const (
	running phase = iota
	leaving
	closed
)

// start begins the life of a listener.
func (c *lifecycle) start() { c.ctx, c.cancel = context.WithCancel(context.Background()) }

// reached tells whether a phase has begun.
func (c *lifecycle) reached(p phase) bool { return phase(c.phase.Load()) >= p }

// isLeaving tells whether polls and control calls are over.
func (c *lifecycle) isLeaving() bool { return c.reached(leaving) }

// open is ErrClosed once a phase has begun in which a call is not allowed any more.
func (c *lifecycle) open(until phase) error {
	if c.reached(until) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	return nil
}

// beginPoll lets one poll in at a time. Whoever is let in calls endPoll.
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

// unpolledSince tells that the listener may be polled, and that nobody has polled it since then.
func (c *lifecycle) unpolledSince(t time.Time) bool {
	return !c.isLeaving() && !c.polled.Load() && time.Unix(0, c.lastPoll.Load()).Before(t)
}

// lock waits for the end of the slice or of the control call that is under way. Where it returns nil, unlock is the caller's.
func (c *lifecycle) lock(until phase) error {
	c.mu.Lock()
	if err := c.open(until); err != nil {
		c.mu.Unlock()
		return err
	}
	return nil
}

func (c *lifecycle) unlock() { c.mu.Unlock() }

// leave ends polls and control calls, for the first that calls it. The lock is then the caller's, once the slice that is under way has ended.
func (c *lifecycle) leave() error {
	if !c.phase.CompareAndSwap(int32(running), int32(leaving)) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	c.mu.Lock()
	return nil
}

// claim lets one Close or Abort in.
func (c *lifecycle) claim() error {
	if c.claimed.Swap(true) {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	return nil
}

// end is the last phase. The lock is then the caller's, and stays taken by nobody else that could do anything: see open.
func (c *lifecycle) end() {
	c.mu.Lock()
	c.phase.Store(int32(closed))
}
