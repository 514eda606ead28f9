package membership_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

func partition(n int32) source.TopicPartition { return source.TopicPartition{Topic: "t", Partition: n} }

func positions(ns ...int32) []source.Position {
	var out []source.Position
	for _, n := range ns {
		out = append(out, partition(n).At(source.Stored))
	}
	return out
}

// told runs the calls and returns what the caller heard, in its order.
func told(t *testing.T, c *membership.Callbacks) []string {
	t.Helper()
	var out []string
	if err := c.Run(func(r membership.Rebalance) error {
		out = append(out, fmt.Sprint(r.Partitions, r.Revoked, r.Lost))
		c.Confirm()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheCallerHearsOfEachChangeOnceAndInOrder(t *testing.T) {
	var c membership.Callbacks
	if c.Enqueue(membership.Rebalance{Revoked: true}) || c.Offer(nil) {
		t.Error("a change of no partition is enqueued")
	}
	if !c.Offer(positions(0, 1)) || !c.Enqueue(membership.Rebalance{Partitions: positions(1), Revoked: true, Lost: true}) {
		t.Fatal("a change is not enqueued")
	}
	want := []string{"[{t 0 0} {t 1 0}] false false", "[{t 1 0}] true true"}
	if got := told(t, &c); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if got := told(t, &c); got != nil || c.Waiting() || c.Confirm() {
		t.Errorf("told again: %q", got)
	}
}

func TestAChangeWaitsWhereItsCallFails(t *testing.T) {
	var c membership.Callbacks
	c.Offer(positions(0))
	failure := errors.New("no")
	if err := c.Run(func(membership.Rebalance) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("the call's error is %v", err)
	}
	if got := told(t, &c); len(got) != 1 {
		t.Errorf("told %q after a failure", got)
	}
}

func TestNothingIsCalledWithinACall(t *testing.T) {
	var c membership.Callbacks
	c.Offer(positions(0))
	calls := 0
	_ = c.Run(func(membership.Rebalance) error {
		calls++
		if err := c.Run(func(membership.Rebalance) error { calls++; return nil }); err != nil {
			t.Error(err)
		}
		c.Confirm()
		return nil
	})
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestOnlyOfferedPartitionsArePlaced(t *testing.T) {
	var c membership.Callbacks
	c.Moved(partition(0))
	c.Offer(positions(0, 1))
	c.Moved(partition(1))
	if !c.IsOffered(partition(0)) || c.IsOffered(partition(2)) {
		t.Error("offered partitions are mixed up")
	}
	if placed := c.TakeOffered(); placed[partition(0)] || !placed[partition(1)] {
		t.Errorf("placed: %v", placed)
	}
	if c.IsOffered(partition(0)) || c.TakeOffered()[partition(1)] {
		t.Error("an offer outlives its end")
	}
}

func TestAWithdrawnAssignmentIsNotToldAndARevocationIs(t *testing.T) {
	var c membership.Callbacks
	c.Offer(positions(0, 1))
	c.Enqueue(membership.Rebalance{Partitions: positions(2), Revoked: true})
	offered := c.Withdraw()
	slices.SortFunc(offered, func(a, b source.TopicPartition) int { return int(a.Partition - b.Partition) })
	if !slices.Equal(offered, []source.TopicPartition{partition(0), partition(1)}) {
		t.Errorf("withdrawn: %v", offered)
	}
	c.RevokeAll([]source.TopicPartition{partition(4), partition(2), partition(3)})
	want := []string{"[{t 2 0}] true false", "[{t 3 0} {t 4 0}] true false"}
	if got := told(t, &c); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	c.RevokeAll(nil)
	c.Offer(positions(5))
	c.Clear()
	if got := told(t, &c); got != nil {
		t.Errorf("told %q after clear", got)
	}
}
