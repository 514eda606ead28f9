package kafarr

import (
	"slices"
	"sync/atomic"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// ledger keeps, for each partition, which rows were taken into which batch and not yet acknowledged. A batch is handed over and acknowledged as a whole, in any order,
// and the offset to commit is that of the first row that is still open: batches of several message types may lie between each other's rows.
type ledger struct {
	partitions map[partitionKey]*progress
	handedOver map[batchID]turn // the caller has them and has not acknowledged them
	raised     []batchID        // those of handedOver that stand for an error, in their turn: the caller has nothing to name them by
	turns      turn
}

type partitionKey struct {
	topic     string
	partition int32
}

// batchID tells the batches of a process apart, so that no listener takes another's for its own.
type batchID int64

var lastBatchID atomic.Int64

func newBatchID() batchID { return batchID(lastBatchID.Add(1)) }

// turn is a batch's place among all that were handed over, from 1 on. Their numbers say nothing of it: a batch has its own from its first row on.
type turn int64

// progress is one partition's.
type progress struct {
	open         []openRows // in the order in which they were taken
	next         int64      // behind the last row that was taken
	acknowledged bool       // once at least: else there is nothing to commit
	stored       int64      // what was last passed on; -1: nothing
	letters      []int64    // rejected and not in the dead-letter topic yet; ascending, and one twice where it was rejected twice
}

// openRows are rows of one batch that lie in [first, next).
type openRows struct {
	batch       batchID
	first, next int64
}

func newLedger() *ledger {
	return &ledger{partitions: map[partitionKey]*progress{}, handedOver: map[batchID]turn{}}
}

func (l *ledger) of(k partitionKey) *progress {
	p := l.partitions[k]
	if p == nil {
		p = &progress{stored: -1}
		l.partitions[k] = p
	}
	return p
}

// took notes that a batch has taken, or passed over, the records of [first, next).
func (l *ledger) took(k partitionKey, id batchID, first, next int64) {
	p := l.of(k)
	p.next = max(p.next, next)
	for i := len(p.open) - 1; i >= 0; i-- {
		if o := &p.open[i]; o.batch == id {
			o.next = max(o.next, next)
			return
		}
	}
	p.open = append(p.open, openRows{batch: id, first: first, next: next})
}

// passed notes that nothing of the records before next is to be handed over.
func (l *ledger) passed(k partitionKey, next int64) {
	p := l.of(k)
	p.next = max(p.next, next)
	p.acknowledged = p.acknowledged || len(p.open) == 0
}

// wentBack notes that a partition's offsets begin again at an earlier one.
func (l *ledger) wentBack(k partitionKey, first int64) { l.of(k).next = first }

// cut gives the rows before next, of each of these partitions, to a batch of their own that comes before the rest.
func (l *ledger) cut(whole, head batchID, ranges []Range) {
	for _, r := range ranges {
		p := l.partitions[r.key()]
		if p == nil {
			continue
		}
		i := slices.IndexFunc(p.open, func(o openRows) bool { return o.batch == whole })
		if i < 0 {
			continue
		}
		o := &p.open[i]
		h := openRows{batch: head, first: o.first, next: min(r.Next, o.next)}
		if o.first = h.next; o.first >= o.next {
			p.open[i] = h
			continue
		}
		p.open = slices.Insert(p.open, i, h)
	}
}

// replace gives the rows of a batch to others, which hold them now.
func (l *ledger) replace(whole batchID, parts []*finished) {
	l.drop(whole)
	for _, f := range parts {
		for _, r := range f.batch.Ranges {
			l.took(r.key(), f.batch.id, r.First, r.Next)
		}
	}
}

// handOver notes that the caller has a batch.
func (l *ledger) handOver(id batchID) {
	l.turns++
	l.handedOver[id] = l.turns
}

// raise notes that the caller gets a batch of one message as an error.
func (l *ledger) raise(id batchID) {
	l.handOver(id)
	l.raised = append(l.raised, id)
}

// all acknowledges everything that was handed over.
func (l *ledger) all() {
	for id := range l.handedOver {
		l.acknowledge(id)
	}
	l.raised = nil
}

// upTo acknowledges a batch, and the errors that were raised before it: a message that is an error would hold up all commits after it, for nothing names it.
func (l *ledger) upTo(id batchID) {
	at := l.handedOver[id]
	if at == 0 {
		return
	}
	for len(l.raised) > 0 && l.handedOver[l.raised[0]] < at {
		l.acknowledge(l.raised[0])
		l.raised = l.raised[1:]
	}
	l.acknowledge(id)
}

// acknowledge takes a batch that was handed over as done. Any other is passed over: it was acknowledged before.
func (l *ledger) acknowledge(id batchID) {
	if l.handedOver[id] == 0 {
		return
	}
	delete(l.handedOver, id)
	for _, p := range l.partitions {
		if p.remove(id) {
			p.acknowledged = true
		}
	}
}

// drop forgets a batch that nobody will get.
func (l *ledger) drop(id batchID) {
	for _, p := range l.partitions {
		p.remove(id)
	}
}

func (p *progress) remove(id batchID) bool {
	n := len(p.open)
	p.open = slices.DeleteFunc(p.open, func(o openRows) bool { return o.batch == id })
	return len(p.open) < n
}

// takeBack drops a partition's rows that the caller does not have, and returns the offset of the first of them.
func (l *ledger) takeBack(k partitionKey) (first int64, any bool) {
	p := l.partitions[k]
	if p == nil {
		return 0, false
	}
	p.open = slices.DeleteFunc(p.open, func(o openRows) bool {
		if l.handedOver[o.batch] != 0 {
			return false
		}
		if !any || o.first < first {
			first, any = o.first, true
		}
		return true
	})
	if any {
		p.next = first
	}
	return first, any
}

// notHandedOver returns the offset of the first row that the caller does not have.
func (l *ledger) notHandedOver(k partitionKey) (first int64, any bool) {
	if p := l.partitions[k]; p != nil {
		for _, o := range p.open {
			if l.handedOver[o.batch] == 0 && (!any || o.first < first) {
				first, any = o.first, true
			}
		}
	}
	return first, any
}

// restart makes an offset the one to commit, whatever was handed over before.
func (l *ledger) restart(k partitionKey, offset int64) {
	l.partitions[k] = &progress{next: offset, acknowledged: true, stored: -1, letters: l.of(k).letters} // letters are on their way all the same
}

// commit is the offset to commit: that of the first row not acknowledged, or rejected and in no dead-letter topic yet; -1 where nothing was.
func (p *progress) commit() int64 {
	if !p.acknowledged {
		return -1
	}
	least := p.next
	for _, o := range p.open {
		least = min(least, o.first)
	}
	if len(p.letters) > 0 {
		least = min(least, p.letters[0])
	}
	return least
}

// writing notes that a rejected row is on its way to the dead-letter topic.
func (l *ledger) writing(k partitionKey, offset int64) {
	p := l.of(k)
	i, _ := slices.BinarySearch(p.letters, offset)
	p.letters = slices.Insert(p.letters, i, offset)
}

// written notes that it has arrived there.
func (l *ledger) written(k partitionKey, offset int64) {
	if p := l.partitions[k]; p != nil {
		if i, found := slices.BinarySearch(p.letters, offset); found {
			p.letters = slices.Delete(p.letters, i, i+1)
		}
	}
}

// positions returns the offsets to commit; changed only: those that were not passed on yet.
func (l *ledger) positions(changedOnly bool) []source.Position {
	var out []source.Position
	for k, p := range l.partitions {
		if c := p.commit(); c >= 0 && (!changedOnly || c != p.stored) {
			out = append(out, source.Position{Topic: k.topic, Partition: k.partition, Offset: c})
		}
	}
	return out
}

// passedOn notes that these positions were stored.
func (l *ledger) passedOn(positions []source.Position) {
	for _, q := range positions {
		l.partitions[partitionKey{q.Topic, q.Partition}].stored = q.Offset
	}
}

// pass makes a partition's offset be passed on again: it was assigned anew, and what was stored before is gone.
func (l *ledger) pass(k partitionKey) {
	if p := l.partitions[k]; p != nil {
		p.stored = -1
	}
}

// forget drops a partition: its new owner answers for it, or it is read from elsewhere.
func (l *ledger) forget(k partitionKey) { delete(l.partitions, k) }
