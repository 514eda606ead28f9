package kafarr

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
)

// take finishes the batches and hands the first one over; one without rows where there is none.
func (l *Listener) take() (*Batch, error) {
	l.endLong()
	between := l.cfg.Mixed == GroupMixed || len(l.batches) > 1 || l.reread
	l.reread = false
	for len(l.batches) > 0 {
		l.enqueue(l.batches[0], between || len(l.queue) > 0 || l.batches[0].rows() > l.poll.limit)
	}
	l.queue = append(l.queue, l.errs...)
	l.errs = nil
	if b, err := l.fromQueue(); b != nil || err != nil {
		return b, err
	}
	return &Batch{}, nil
}

// enqueue finishes a batch.
func (l *Listener) enqueue(b *building, cuttable bool) {
	l.batches = slices.DeleteFunc(l.batches, func(other *building) bool { return other == b })
	l.gathered -= b.rows()
	if b.set != nil && b.set.tombstones {
		l.deleted.forget()
	}
	if len(l.batches) == 0 {
		l.bytes = 0
	}
	if b.rows() == 0 && b.rejected == nil { // of its rows none was good
		b.release()
		return
	}
	l.queue = append(l.queue, b.finish(cuttable))
}

// fromQueue hands over what comes next of what was gathered, as much of it as this poll may return.
func (l *Listener) fromQueue() (*Batch, error) {
	if len(l.queue) == 0 {
		return nil, nil
	}
	f := l.queue[0]
	if f.NumRows() > l.poll.limit {
		head := f.Cut(l.poll.limit)
		l.tracker.Split(f.ID, head.ID, head.Ranges())
		return l.handOver(head), nil
	}
	l.queue = l.queue[1:]
	if f.Err != nil {
		l.tracker.Deliver(f.ID)
		return nil, f.Err
	}
	return l.handOver(f), nil
}

func (l *Listener) handOver(f *batch.Sealed) *Batch {
	l.remember(f)
	l.tracker.Deliver(f.ID)
	b := &Batch{Record: f.Record, Rejected: f.Rejected, MessageType: f.MessageType, Ranges: f.Ranges(), id: f.ID}
	if !b.empty() {
		b.Events, l.happened = l.happened, nil
		l.counters.batches.Add(1)
	}
	return b
}
