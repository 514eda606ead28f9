package produce

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// pending is a batch that has no outcome yet, or a part of one that was cut.
type pending struct {
	of      *accepted
	bytes   []byte
	index   int32 // of its first record in the batch
	records int32

	deadline time.Time // zero: none
	flying   bool      // in a request that has not ended
	done     bool      // acknowledged; an earlier batch of the partition is not
	tries    int
	maybe    bool  // an attempt may have been written: its bytes must not change any more
	last     error // why the last attempt failed

	stamped bool
	id      int64
	epoch   int16
	seq     int32
}

// partition is where batches of a partition wait, in their order. Producer.mu guards it.
//
// The first `next` batches of the queue have been sent since the last failure. After a failure nothing is sent until all answers are in; then sending begins again with the first
// batch that is not acknowledged. A batch is stamped when it is sent first, and again only where the brokers have said that they did not take it.
type partition struct {
	topic       *topic
	number      int32
	leader      int32 // -1: not known
	leaderEpoch int32
	queue       []*pending
	next        int
	flying      int   // requests under way with a batch of this partition
	at          int32 // the broker that they are under way to
	broken      bool
	alone       bool // what is under way is a question about an earlier attempt
	retryAt     time.Time
	backoff     time.Duration
	troubled    bool
	failed      error // nothing is written to it any more

	owned bool // id, epoch and base are set
	id    int64
	epoch int16
	base  int32     // the sequence of the first batch of the queue
	bump  bool      // the epoch is to be raised once no batch may have been written
	known int64     // the producer id that the partition has taken a batch of; -1: none
	heard time.Time // when it has acknowledged the last one
	acked int64     // the last offset that was acknowledged; -1: none
}

// after is the sequence that follows n records.
func after(seq, n int32) int32 { return int32((int64(seq) + int64(n)) & math.MaxInt32) }

// expected is the sequence of the batch at i, if all before it are written.
func (q *partition) expected(i int) int32 {
	seq := q.base
	for _, b := range q.queue[:i] {
		seq = after(seq, b.records)
	}
	return seq
}

// fits reports whether the batch at i is stamped as it is to be sent.
func (q *partition) fits(i int) bool {
	b := q.queue[i]
	return b.stamped && b.id == q.id && b.epoch == q.epoch && b.seq == q.expected(i)
}

// pick is the index of the batch that may be sent now; -1: none.
func (q *partition) pick(now time.Time) int {
	p := q.topic.p
	if q.leader < 0 || q.failed != nil || q.alone || q.flying >= p.set.window || now.Before(q.retryAt) || q.flying > 0 && (q.broken || q.at != q.leader || q.bump) {
		return -1
	}
	if q.broken {
		q.broken, q.next = false, 0
	}
	if q.bump {
		if i := slices.IndexFunc(q.queue, func(b *pending) bool { return b.maybe && !b.done }); i >= 0 {
			return i
		}
		if q.queue != nil && !q.raise() {
			return -1
		}
	}
	for q.next < len(q.queue) && q.queue[q.next].done {
		q.next++
	}
	if q.next == len(q.queue) || q.next >= p.set.window || !p.admits(q) {
		return -1 // the window begins with the first batch that is not acknowledged: a broker recognizes only the last five again
	}
	if p.set.idempotent {
		if !q.owned && !p.own(q) {
			return -1
		}
		if q.flying > 0 && (q.strange(now) || q.queue[q.next].maybe && !q.fits(q.next)) {
			return -1 // it goes alone
		}
	}
	return q.next
}

// forgetting is how long a partition is sure to know a producer id. Brokers forget one that they have not heard of for producer.id.expiration.ms, a day by default.
const forgetting = time.Minute

// strange reports whether the partition may not know the producer id. It takes any sequence then, also the second batch without the first: so the first one goes alone.
func (q *partition) strange(now time.Time) bool {
	return q.known != q.id || now.Sub(q.heard) > forgetting
}

// launch notes that the batch at i is sent. It reports whether it must be stamped before.
func (q *partition) launch(i int) (stamp bool) {
	b := q.queue[i]
	fits := !q.topic.p.set.idempotent && b.stamped || q.owned && q.fits(i)
	q.alone = b.maybe && !fits
	if !fits && !b.maybe {
		stamp = true
		b.stamped, b.id, b.epoch, b.seq = true, -1, -1, -1
		if q.topic.p.set.idempotent {
			b.id, b.epoch, b.seq = q.id, q.epoch, q.expected(i)
		}
	}
	b.flying = true
	b.tries++
	q.flying++
	q.at = q.leader
	if i == q.next {
		q.next++
	}
	return stamp
}

// landed notes that a request has ended.
func (q *partition) landed(b *pending) {
	b.flying = false
	q.flying--
	q.alone = false
}

// remove takes the batch at i out of the queue, and those at its front that are acknowledged.
func (q *partition) remove(i int) {
	q.drop(i)
	for len(q.queue) > 0 && q.queue[0].done {
		q.base = after(q.base, q.queue[0].records)
		q.drop(0)
	}
}

func (q *partition) drop(i int) {
	q.queue = slices.Delete(q.queue, i, i+1)
	if i < q.next {
		q.next--
	}
	if len(q.queue) == 0 {
		q.queue = nil
		delete(q.topic.p.active, q)
	}
}

// written notes an acknowledgement.
func (q *partition) written(s *settled, b *pending, o Outcome) {
	o.State = Written
	if o.BaseOffset >= 0 {
		o.LastOffset = o.BaseOffset + int64(b.records) - 1
		q.acked = max(q.acked, o.LastOffset)
	}
	b.done = true
	q.known, q.heard = b.id, time.Now()
	q.report(s, b, o)
	if q.queue[0] == b {
		q.base = after(q.base, b.records)
		q.remove(0)
	}
	q.backoff = 0
	if q.troubled {
		q.topic.p.recovered(q)
	}
}

// report hands a batch's outcome over, once all of its parts have one.
func (q *partition) report(s *settled, b *pending, o Outcome) {
	a := b.of
	a.left--
	if a.cut {
		Recycle(b.bytes)
		a.parts = append(a.parts, Part{First: b.index, Records: b.records, Outcome: o})
		if a.left > 0 {
			return
		}
		o = joined(a.parts)
	}
	if a.left == 0 {
		*s = append(*s, settlement{a, o})
	}
}

// joined is the outcome of a batch that was cut: that of the worst part, and each part.
func joined(parts []Part) Outcome {
	slices.SortFunc(parts, func(a, b Part) int { return int(a.First - b.First) })
	worst := parts[0].Outcome
	for _, part := range parts[1:] {
		if part.State > worst.State {
			worst = part.Outcome
		}
	}
	worst.Parts = parts
	worst.BaseOffset, worst.LastOffset = parts[0].BaseOffset, parts[len(parts)-1].LastOffset
	return worst
}

// end gives the batch at i up, with the state that fits what is known of it.
func (q *partition) end(s *settled, i int, code status.Code, why error) {
	b := q.queue[i]
	o := Outcome{State: NotSent, BaseOffset: -1, LastOffset: -1, LogAppendTime: -1}
	switch {
	case b.maybe:
		o.State = Unknown
		why = fmt.Errorf("%w: it was sent, and whether it was written is not known", why)
	case b.tries > 0 && isAnswer(b.last):
		o.State = Refused
	}
	o.Err = placed(code, q.topic.name, q.number, q.topic.p.set.Secrets.Error(why))
	if o.State == Unknown && q.topic.p.set.idempotent {
		q.bump = true // no late copy of it is taken once the epoch is raised
		q.broken = true
		q.topic.p.txn.renew = q.topic.p.set.transactional != ""
	}
	q.topic.p.txn.broke(o.Err)
	q.remove(i)
	q.report(s, b, o)
	if q.leader >= 0 {
		q.topic.p.wake(q.leader) // what waited for it may be sent
	}
}

// giveUp ends each batch that is not in a request.
func (q *partition) giveUp(s *settled, why error) {
	for i := len(q.queue) - 1; i >= 0; i-- {
		if b := q.queue[i]; !b.done && !b.flying {
			q.end(s, i, status.BrokerError, why)
		}
	}
	slices.Reverse(*s)
}

// fail makes the partition one that nothing is written to any more.
func (q *partition) fail(s *settled, why error) {
	if q.failed == nil {
		q.failed = why
		q.topic.p.set.log(3, why.Error())
	}
	q.giveUp(s, why)
}

// refuse gives a batch the outcome that the brokers refuse it.
func (q *partition) refuse(s *settled, b *pending, code status.Code, why error, records []RecordError) {
	o := Outcome{State: Refused, BaseOffset: -1, LastOffset: -1, LogAppendTime: -1, Records: records, Err: placed(code, q.topic.name, q.number, q.topic.p.set.Secrets.Error(why))}
	q.topic.p.txn.broke(o.Err)
	q.remove(slices.Index(q.queue, b))
	q.report(s, b, o)
}

// again lets a batch be sent once more. maybe says that the attempt may have been written; pause, that it makes no sense at once.
func (q *partition) again(s *settled, b *pending, why error, maybe, pause bool) {
	p := q.topic.p
	b.last, b.maybe = why, b.maybe || maybe
	q.broken = true
	if b.tries > p.set.retries {
		q.end(s, slices.Index(q.queue, b), status.BrokerError, fmt.Errorf("%d attempts (retries=%d): %w", b.tries, p.set.retries, why))
		return
	}
	if now := time.Now(); pause && !now.Before(q.retryAt) {
		q.backoff = min(max(2*q.backoff, p.set.Backoff), p.set.BackoffMax)
		q.retryAt = now.Add(q.backoff)
		time.AfterFunc(q.backoff, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if q.leader >= 0 && p.ctx.Err() == nil {
				p.wake(q.leader)
			}
		})
	}
}

// expire ends the batches whose time is over. One that is under way has a request that ends at the same time.
func (q *partition) expire(s *settled, now time.Time) {
	for i := 0; i < len(q.queue); i++ {
		b := q.queue[i]
		if b.done || b.flying || b.deadline.IsZero() || now.Before(b.deadline) {
			continue
		}
		why := b.last
		if why == nil {
			why = q.topic.p.trouble
		}
		if why == nil {
			why = errors.New("it waited for earlier batches")
		}
		q.end(s, i, status.BrokerError, fmt.Errorf("no acknowledgement within delivery.timeout.ms (%v): %w", q.topic.p.set.delivery, why))
		i--
	}
}

// raise begins a new epoch: what is sent from here on counts from 0, and no copy of an earlier attempt is taken any more (KIP-360). It reports whether the partition has one.
func (q *partition) raise() bool {
	p := q.topic.p
	if !q.owned {
		q.bump = false
		return true
	}
	if p.set.transactional != "" { // its epochs are the coordinator's
		return false
	}
	q.bump, q.base = false, 0
	if q.epoch == math.MaxInt16 {
		q.owned = false
		p.ids.drop(q.id)
		return true
	}
	q.epoch++
	p.set.log(5, fmt.Sprintf("%s[%d]: epoch %d of producer id %d begins", q.topic.name, q.number, q.epoch, q.id))
	return true
}

// throttled gives batches the time that the broker lets the producer wait.
func (q *partition) throttled(d time.Duration) {
	for _, b := range q.queue {
		if !b.deadline.IsZero() {
			b.deadline = b.deadline.Add(d)
		}
	}
}
