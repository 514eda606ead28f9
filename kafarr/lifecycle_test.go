package kafarr

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestEachPhaseOfAListenerAllowsItsCalls(t *testing.T) {
	calls := []struct {
		name string
		call func(*lifecycle) error
	}{
		{"poll", func(c *lifecycle) error {
			err := c.beginPoll()
			if err == nil {
				c.endPoll()
			}
			return err
		}},
		{"control", func(c *lifecycle) error {
			err := c.lock(leaving)
			if err == nil {
				c.unlock()
			}
			return err
		}},
		{"confirm", func(c *lifecycle) error {
			err := c.lock(closed)
			if err == nil {
				c.unlock()
			}
			return err
		}},
		{"commit", func(c *lifecycle) error { return c.open(closed) }},
		{"leave", func(c *lifecycle) error {
			err := c.leave()
			if err == nil {
				c.unlock()
			}
			return err
		}},
		{"close", func(c *lifecycle) error { return c.claim() }},
	}
	for _, phase := range []struct {
		name    string
		reach   func(*lifecycle)
		allowed []string
	}{
		{"running", func(*lifecycle) {}, []string{"poll", "control", "confirm", "commit", "leave", "close"}},
		{"left", func(c *lifecycle) { _ = c.leave(); c.unlock() }, []string{"confirm", "commit", "close"}},
		{"closing", func(c *lifecycle) { _ = c.claim() }, []string{"poll", "control", "confirm", "commit", "leave"}},
		{"closing, after leave", func(c *lifecycle) { _ = c.claim(); _ = c.leave(); c.unlock() }, []string{"confirm", "commit"}},
		{"closed", func(c *lifecycle) { _ = c.claim(); _ = c.leave(); c.unlock(); c.end(); c.unlock() }, nil},
	} {
		for _, call := range calls {
			c := &lifecycle{}
			phase.reach(c)
			err := call.call(c)
			if allowed := slices.Contains(phase.allowed, call.name); allowed != (err == nil) {
				t.Errorf("%s: %s: %v", phase.name, call.name, err)
			} else if !allowed && !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %s is refused by %v", phase.name, call.name, err)
			}
		}
	}
}

func TestASecondPollIsRefusedAndASecondControlCallWaits(t *testing.T) {
	c := &lifecycle{}
	if err := c.beginPoll(); err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := c.beginPoll(); !errors.As(err, &e) || e.Code != StateError {
		t.Errorf("a second poll: %v", err)
	}
	c.endPoll()
	if err := c.beginPoll(); err != nil {
		t.Errorf("a poll after the first: %v", err)
	}
	if err := c.lock(leaving); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		err := c.lock(leaving)
		c.unlock()
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("a control call did not wait for the one under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	c.unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLeavingWaitsForOneSliceAndRefusesTheNextOne(t *testing.T) {
	c := &lifecycle{}
	if err := c.lock(leaving); err != nil { // a slice
		t.Fatal(err)
	}
	left := make(chan error)
	go func() { left <- c.leave() }()
	for !c.isLeaving() { // which the slice sees at once
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-left:
		t.Fatalf("leave did not wait for the slice under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	c.unlock()
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	c.unlock()
	if err := c.lock(leaving); !errors.Is(err, ErrClosed) {
		t.Errorf("the next slice: %v", err)
	}
}

func TestAListenerThatIsPolledOrLeftIsNotAnUnpolledOne(t *testing.T) {
	start := time.Now()
	c := &lifecycle{}
	if !c.unpolledSince(start) {
		t.Error("one that was never polled")
	}
	_ = c.beginPoll()
	if c.unpolledSince(start) {
		t.Error("one that is being polled")
	}
	c.endPoll()
	if c.unpolledSince(start) || !c.unpolledSince(time.Now().Add(time.Second)) {
		t.Error("the last poll is not remembered")
	}
	_ = c.leave()
	if c.unpolledSince(time.Now().Add(time.Second)) {
		t.Error("one that is being closed")
	}
}

func TestAListenerIsComposedOfFewParts(t *testing.T) {
	if n := reflect.TypeFor[Listener]().NumField(); n > 16 {
		t.Errorf("%d fields: what belongs together is a component, which owns its state", n)
	}
}
