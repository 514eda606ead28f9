// Package delivery knows which rows were delivered to the caller and acknowledged, and which offsets may be committed for them.
package delivery

import (
	"slices"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Tracker knows, for each partition, which rows were taken into which batch and are not acknowledged yet. A batch is delivered and acknowledged as a whole, in any
// order, and the offset to commit is that of the first row that is still open: batches of several message types may lie between each other's rows.
//
// Any goroutine may call it. Its lock is a leaf: nothing is called while it is held.
type Tracker struct {
	mu         sync.Mutex
	partitions map[source.TopicPartition]*partition
	last       *partition            // that of returned last: runs of one partition follow each other
	lastNamed  source.TopicPartition // its name
	delivered  map[batch.ID]turn     // the caller has them and has not acknowledged them
	failed     []batch.ID            // those of delivered that stand for an error, in their turn: the caller has nothing to name them by
	enlisted   map[batch.ID]struct{} // those of delivered that a transaction is to acknowledge
	lost       map[batch.ID]struct{} // those of delivered that had rows in partitions that came back and began again
	turns      turn
}

// turn is a batch's place among all that were delivered, from 1 on. The IDs do not say it: a batch has its ID from its first row on.
type turn int64

// partition is what is known of one partition. What is open, held and stored lasts until the partition is read by another member; the rest
// outlives that.
type partition struct {
	assigned bool // to this listener: committing for another member's partition would take the member's progress back
	term     term // counts how often it was taken away
	progress
	moved *move // nil: it was never moved
}

// term is a time for which a partition was this listener's without a break. What was taken in an earlier one may have been read by another member meanwhile.
type term int

// progress is how far a partition was read, delivered and acknowledged.
type progress struct {
	open         []openRows // in the order in which they were taken
	next         int64      // the offset after the last row that was taken
	acknowledged bool       // at least once: before that, there is nothing to commit
	stored       int64      // the offset that Store returned last; notStored
	held         []int64    // rows that no commit may cover; ascending, and one twice where it was held twice
}

const notStored = -1

// openRows are rows of one batch that lie in [first, next).
type openRows struct {
	batch       batch.ID
	first, next int64
	taken       term
}

// move is the last time that a partition continued at another offset than the next one: a seek, a configured start, or a log that went back.
type move struct {
	committed int64 // by the group, before it; below 0: nothing
	rewound   bool  // it went back, and nothing was stored since
}

// New returns a Tracker that knows no partition.
func New() *Tracker {
	return &Tracker{partitions: map[source.TopicPartition]*partition{}, delivered: map[batch.ID]turn{}, enlisted: map[batch.ID]struct{}{}, lost: map[batch.ID]struct{}{}}
}

// of returns what is known of a partition. t.mu is held.
func (t *Tracker) of(k source.TopicPartition) *partition {
	if t.last != nil && t.lastNamed == k {
		return t.last
	}
	p := t.partitions[k]
	if p == nil {
		p = &partition{progress: progress{stored: notStored}}
		t.partitions[k] = p
	}
	t.last, t.lastNamed = p, k
	return p
}

// Assign notes that this listener reads these partitions. What was stored for them is stored again: the client forgets it when an assignment ends.
func (t *Tracker) Assign(partitions []source.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range partitions {
		p := t.of(at.TopicPartition())
		p.assigned, p.stored = true, notStored
	}
}

// Unassign notes that this listener does not read these partitions any more: nothing is stored or committed for them.
func (t *Tracker) Unassign(partitions ...source.TopicPartition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range partitions {
		p := t.of(k)
		p.assigned = false
		p.term++
	}
}

// IsAssigned reports whether this listener reads a partition.
func (t *Tracker) IsAssigned(k source.TopicPartition) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[k]
	return p != nil && p.assigned
}

// Assignment returns the partitions that this listener reads, in no order.
func (t *Tracker) Assignment() []source.TopicPartition {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []source.TopicPartition
	for k, p := range t.partitions {
		if p.assigned {
			out = append(out, k)
		}
	}
	return out
}

// Take notes that a batch has taken, or passed over, the records of [first, next).
func (t *Tracker) Take(k source.TopicPartition, id batch.ID, first, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(k).take(id, first, next)
}

func (p *partition) take(id batch.ID, first, next int64) {
	p.next = max(p.next, next)
	for i := len(p.open) - 1; i >= 0; i-- {
		if o := &p.open[i]; o.batch == id {
			o.next = max(o.next, next)
			return
		}
	}
	p.open = append(p.open, openRows{batch: id, first: first, next: next, taken: p.term})
}

// Skip notes that none of the records before next will be delivered.
func (t *Tracker) Skip(k source.TopicPartition, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	p.next = max(p.next, next)
	p.acknowledged = p.acknowledged || len(p.open) == 0
}

// Split gives the rows before the end of each of the ranges to a batch of their own, which comes before the rest.
func (t *Tracker) Split(whole, head batch.ID, ranges []batch.Range) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range ranges {
		p := t.partitions[r.TopicPartition()]
		if p == nil {
			continue
		}
		i := slices.IndexFunc(p.open, func(o openRows) bool { return o.batch == whole })
		if i < 0 {
			continue
		}
		o := &p.open[i]
		h := openRows{batch: head, first: o.first, next: min(r.Next, o.next), taken: o.taken}
		if o.first = h.next; o.first >= o.next {
			p.open[i] = h
			continue
		}
		p.open = slices.Insert(p.open, i, h)
	}
}

// Part is a batch that holds rows of a batch that was given up.
type Part struct {
	ID     batch.ID
	Ranges []batch.Range
}

// Replace gives the rows of a batch that was not delivered to its parts. Rows that no part holds are not open any more.
func (t *Tracker) Replace(whole batch.ID, parts []Part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.partitions {
		p.remove(whole)
	}
	for _, part := range parts {
		for _, r := range part.Ranges {
			t.of(r.TopicPartition()).take(part.ID, r.First, r.Next)
		}
	}
}

// Deliver notes that the caller has a batch.
func (t *Tracker) Deliver(id batch.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deliver(id)
}

// DeliverError notes that the caller has the error that a batch of one message stands for.
func (t *Tracker) DeliverError(id batch.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deliver(id)
	t.failed = append(t.failed, id)
}

func (t *Tracker) deliver(id batch.ID) {
	t.turns++
	t.delivered[id] = t.turns
}

// GiveBack notes that the caller does not have these batches any more, and has not acknowledged them.
func (t *Tracker) GiveBack(ids []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.delivered, batch.ID(id))
		delete(t.lost, batch.ID(id))
	}
}

// AcknowledgeAll acknowledges everything that was delivered.
func (t *Tracker) AcknowledgeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.delivered {
		t.acknowledge(id)
	}
	t.failed = nil
}

// Acknowledge acknowledges batches, and the errors that were delivered before each: a message that is an error would hold up all later commits, as
// the caller cannot name it. It returns the first of the ranges whose partition is not assigned any more, so that its rows are delivered again by another
// member. The rows of the other partitions are acknowledged all the same: they would hold up the commits of these partitions.
func (t *Tracker) Acknowledge(ids []int64, ranges []batch.Range) (lost batch.Range, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		t.acknowledgeUpTo(batch.ID(id))
	}
	for _, r := range ranges {
		if p := t.partitions[r.TopicPartition()]; p == nil || !p.assigned {
			return r, true
		}
	}
	return batch.Range{}, false
}

func (t *Tracker) acknowledgeUpTo(id batch.ID) {
	at := t.delivered[id]
	if at == 0 {
		return
	}
	for len(t.failed) > 0 && t.delivered[t.failed[0]] < at {
		t.acknowledge(t.failed[0])
		t.failed = t.failed[1:]
	}
	t.acknowledge(id)
}

// acknowledge takes a batch that was delivered as done. Any other is passed over: it was acknowledged before.
func (t *Tracker) acknowledge(id batch.ID) {
	if t.delivered[id] == 0 {
		return
	}
	delete(t.delivered, id)
	delete(t.enlisted, id)
	delete(t.lost, id)
	for _, p := range t.partitions {
		if p.remove(id) {
			p.acknowledged = true
		}
	}
}

func (p *progress) remove(id batch.ID) bool {
	n := len(p.open)
	p.open = slices.DeleteFunc(p.open, func(o openRows) bool { return o.batch == id })
	return len(p.open) < n
}

// Discard drops the rows of a partition that the caller does not have. first is the offset of the first of them, until the offset after the last row that
// had been taken.
func (t *Tracker) Discard(k source.TopicPartition) (first, until int64, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	until = p.next
	if first, any = t.firstUndelivered(p); !any {
		return 0, until, false
	}
	p.open = slices.DeleteFunc(p.open, func(o openRows) bool { return t.delivered[o.batch] == 0 })
	p.next = first
	return first, until, true
}

// FirstUndelivered returns the offset of the first row that was taken and that the caller does not have.
func (t *Tracker) FirstUndelivered(k source.TopicPartition) (first int64, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[k]
	if p == nil {
		return 0, false
	}
	return t.firstUndelivered(p)
}

func (t *Tracker) firstUndelivered(p *partition) (first int64, any bool) {
	for _, o := range p.open {
		if t.delivered[o.batch] == 0 && (!any || o.first < first) {
			first, any = o.first, true
		}
	}
	return first, any
}

// Start notes where the configuration, or the caller within a rebalance, begins a partition that had not been read. committed is the group's offset.
func (t *Tracker) Start(to source.Position, committed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(to.TopicPartition()).move(to.Offset, committed)
}

// Seek makes an offset the one to commit, whatever was delivered before. committed is the group's offset.
func (t *Tracker) Seek(to source.Position, committed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(to.TopicPartition())
	p.progress = progress{next: to.Offset, acknowledged: true, stored: notStored, held: p.held} // dead letters are on their way all the same
	p.move(to.Offset, committed)
}

// Rewind notes that the log of a partition goes back to an earlier offset than the next one: it was truncated, or its topic re-created.
func (t *Tracker) Rewind(to source.Position, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(to.TopicPartition())
	p.next = to.Offset
	p.move(to.Offset, next)
}

func (p *partition) move(to, committed int64) {
	p.moved = &move{committed: committed, rewound: to < committed}
}

// Overtaken reports whether another member has read a partition further, up to what the group has committed; the progress of this listener is forgotten then.
// What the group had committed before this listener moved the partition is no progress of another member.
func (t *Tracker) Overtaken(k source.TopicPartition, committed int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	if p.moved != nil && p.moved.committed == committed {
		return false
	}
	p.progress = progress{stored: notStored}
	return true
}

// Forget forgets the progress of this listener in a partition, which has come back and begins where the group left off.
func (t *Tracker) Forget(k source.TopicPartition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	for _, o := range p.open {
		if t.delivered[o.batch] != 0 {
			t.lost[o.batch] = struct{}{}
		}
	}
	p.progress = progress{stored: notStored}
}

// Hold notes that no commit may cover a row: it was rejected, and its dead letter is on its way.
func (t *Tracker) Hold(k source.TopicPartition, offset int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	i, _ := slices.BinarySearch(p.held, offset)
	p.held = slices.Insert(p.held, i, offset)
}

// Unhold notes that the dead letter of a row has arrived.
func (t *Tracker) Unhold(k source.TopicPartition, offset int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(k)
	if i, found := slices.BinarySearch(p.held, offset); found {
		p.held = slices.Delete(p.held, i, i+1)
	}
}

// commit is the offset to commit: that of the first row that is held or not acknowledged; below 0 where nothing was acknowledged.
func (p *progress) commit() int64 {
	if !p.acknowledged {
		return -1
	}
	return p.commitWithout(nil)
}

// commitWithout is the offset to commit once these batches are acknowledged, too.
func (p *progress) commitWithout(batches map[batch.ID]struct{}) int64 {
	least := p.next
	for _, o := range p.open {
		if _, done := batches[o.batch]; !done {
			least = min(least, o.first)
		}
	}
	if len(p.held) > 0 {
		least = min(least, p.held[0])
	}
	return least
}

// Offsets returns the offsets to commit of the partitions that are assigned.
func (t *Tracker) Offsets() []source.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []source.Position
	for k, p := range t.partitions {
		if c := p.commit(); c >= 0 && p.assigned {
			out = append(out, k.At(c))
		}
	}
	return out
}

// Store returns the offsets to commit that changed since it was last called. rewound are those of them that are the first after their partition went back: a client
// that commits in the background does not commit an earlier offset by itself.
func (t *Tracker) Store() (changed, rewound []source.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, p := range t.partitions {
		c := p.commit()
		if c < 0 || !p.assigned || c == p.stored {
			continue
		}
		p.stored = c
		changed = append(changed, k.At(c))
		if p.moved != nil && p.moved.rewound {
			p.moved.rewound = false
			rewound = append(rewound, k.At(c))
		}
	}
	return changed, rewound
}
