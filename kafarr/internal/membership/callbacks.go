// Package membership holds what a listener knows of its part in a consumer group: which changes of the assignment the caller has still to confirm, where partitions begin, and which
// of them are paused by the listener itself.
package membership

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Rebalance is a change of the assignment that waits until the caller has confirmed it.
type Rebalance struct {
	Partitions []source.Position // Offset 0
	Revoked    bool              // they are about to be given up; else they are assigned, and fetched once the caller has confirmed that
	Lost       bool              // and may be another member's by now
}

// Callbacks holds the changes of the assignment that the caller has not confirmed yet, in their order, and the partitions of an assignment that waits for OnAssign. The source holds
// each change back until then.
//
// Any goroutine may call it. Its lock is a leaf: nothing is called while it is held.
type Callbacks struct {
	running sync.Mutex // held by the goroutine that runs OnAssign and OnRevoke

	mu      sync.Mutex
	pending []Rebalance
	offered map[source.TopicPartition]bool // true: OnAssign has said where the partition begins
}

// Enqueue has the caller called about a change. false: there is nothing to say, as it is of no partition.
func (c *Callbacks) Enqueue(r Rebalance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enqueue(r)
}

func (c *Callbacks) enqueue(r Rebalance) bool {
	if len(r.Partitions) == 0 {
		return false
	}
	r.Partitions = withoutOffsets(r.Partitions)
	c.pending = append(c.pending, r)
	return true
}

// Offer is Enqueue for an assignment, whose partitions are offered from now on until TakeOffered.
func (c *Callbacks) Offer(partitions []source.Position) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.enqueue(Rebalance{Partitions: partitions}) {
		return false
	}
	if c.offered == nil {
		c.offered = map[source.TopicPartition]bool{}
	}
	for _, p := range partitions {
		c.offered[p.TopicPartition()] = false
	}
	return true
}

// Pending returns the change that the caller has to confirm next.
func (c *Callbacks) Pending() (r Rebalance, waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		return Rebalance{}, false
	}
	return c.pending[0], true
}

// Waiting tells whether a change is pending.
func (c *Callbacks) Waiting() bool {
	_, waits := c.Pending()
	return waits
}

// Confirm notes that the caller has confirmed the pending change. false: there is none any more.
func (c *Callbacks) Confirm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		return false
	}
	c.pending = c.pending[1:]
	return true
}

// Run calls call with each pending change until none is left or call fails; call confirms the change. It does nothing within call, or while another goroutine runs the calls.
func (c *Callbacks) Run(call func(Rebalance) error) error {
	if !c.Waiting() || !c.running.TryLock() {
		return nil
	}
	defer c.running.Unlock()
	for r, waits := c.Pending(); waits; r, waits = c.Pending() {
		if err := call(r); err != nil {
			return err
		}
	}
	return nil
}

// IsOffered tells whether a partition is of an assignment that waits for OnAssign.
func (c *Callbacks) IsOffered(k source.TopicPartition) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, offered := c.offered[k]
	return offered
}

// Moved notes that the caller has moved a partition, if it is offered: it starts there.
func (c *Callbacks) Moved(k source.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, offered := c.offered[k]; offered {
		c.offered[k] = true
	}
}

// TakeOffered ends an offer: the source takes the partitions now. It returns those that the caller has placed.
func (c *Callbacks) TakeOffered() (placed map[source.TopicPartition]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	placed = c.offered
	c.offered = nil
	return placed
}

// Withdraw takes back the assignments that the caller has not confirmed, and returns the offered partitions: nothing will be read of them.
func (c *Callbacks) Withdraw() []source.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.DeleteFunc(c.pending, func(r Rebalance) bool { return !r.Revoked })
	return slices.Collect(maps.Keys(c.offered))
}

// RevokeAll has the caller called about all assigned partitions whose revocation is not pending.
func (c *Callbacks) RevokeAll(assigned []source.TopicPartition) {
	var all []source.Position
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range assigned {
		p := k.At(0)
		if !slices.ContainsFunc(c.pending, func(r Rebalance) bool { return r.Revoked && slices.Contains(r.Partitions, p) }) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b source.Position) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	c.enqueue(Rebalance{Partitions: all, Revoked: true})
}

// Clear forgets the pending changes: the source gives the partitions up, whether the caller has confirmed that or not.
func (c *Callbacks) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = nil
}

func withoutOffsets(partitions []source.Position) []source.Position {
	out := slices.Clone(partitions)
	for i := range out {
		out[i].Offset = 0
	}
	return out
}
