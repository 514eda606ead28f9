package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
)

// broker writes requests to one broker, one after the other.
type broker struct {
	p     *Producer
	id    int32
	woken chan struct{}
	until time.Time // to which it lets the producer wait (quotas); guarded by Producer.mu
}

// flight is a request with one batch of each of some partitions.
type flight struct {
	broker   int32
	batches  []flown
	bytes    int
	deadline time.Time // the earliest of the batches; zero: none
	newest   int16     // version of the request
	written  atomic.Bool
}

// flown is a batch in a request.
type flown struct {
	q     *partition
	b     *pending
	stamp bool
	id    [16]byte // of the topic
}

// request is a Produce request that says when it is written: the client writes the requests of a connection one after the other, but may swap two that it is given at once. A type
// of its own also keeps the client from changing acks.
type request struct {
	*kmsg.ProduceRequest
	f    *flight
	once *sync.Once
	sent chan struct{}
}

// AppendTo is called when the request is written.
func (r request) AppendTo(to []byte) []byte {
	to = r.ProduceRequest.AppendTo(to) // before the next request may begin
	r.f.written.Store(true)
	r.once.Do(func() { close(r.sent) })
	return to
}

// MaxVersion is the last one that may be used.
func (r request) MaxVersion() int16 { return r.f.newest }

// serve writes what is ready whenever it is woken.
func (b *broker) serve() {
	for {
		select {
		case <-b.woken:
		case <-b.p.ctx.Done():
			return
		}
		for b.p.ctx.Err() == nil {
			f := b.p.take(b.id)
			if f == nil {
				break
			}
			b.send(f)
		}
	}
}

// take gathers one batch of each partition that is ready.
func (p *Producer) take(id int32) *flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := &flight{broker: id, newest: p.produceVersion()}
	now := time.Now()
	for q := range p.active {
		if q.leader != id {
			continue
		}
		i := q.pick(now)
		if i < 0 {
			continue
		}
		b := q.queue[i]
		if f.bytes += len(b.bytes); len(f.batches) > 0 && f.bytes > maxRequestBytes {
			break
		}
		if !b.deadline.IsZero() && (f.deadline.IsZero() || b.deadline.Before(f.deadline)) {
			f.deadline = b.deadline
		}
		f.batches = append(f.batches, flown{q, b, q.launch(i), q.topic.id})
	}
	if len(f.batches) == 0 {
		return nil
	}
	return f
}

// send stamps the batches, and returns when the request is written, or has failed.
func (b *broker) send(f *flight) {
	p := b.p
	for _, one := range f.batches {
		if one.stamp {
			Stamp(one.b.bytes, one.b.id, one.b.epoch, one.b.seq, p.set.transactional != "")
		}
	}
	req := f.request(p.set)
	r := request{ProduceRequest: req, f: f, once: new(sync.Once), sent: make(chan struct{})}
	ended := make(chan struct{})
	p.run(func() {
		ctx, cancel := p.ctx, context.CancelFunc(func() {})
		if !f.deadline.IsZero() {
			ctx, cancel = context.WithDeadline(p.ctx, f.deadline)
		}
		defer cancel()
		got, err := p.roundTrip(ctx, f, r)
		close(ended)
		p.answered(f, got, p.set.Login.Alert(err))
	})
	select {
	case <-r.sent:
		if p.set.acks == 0 {
			<-ended
		}
	case <-ended:
	}
}

func (p *Producer) roundTrip(ctx context.Context, f *flight, r request) (*kmsg.ProduceResponse, error) {
	broker := p.client.Broker(int(f.broker))
	if p.set.acks == 0 { // the client must know that no answer comes, which it sees by the type
		f.written.Store(true)
		_, err := broker.Request(ctx, r.ProduceRequest)
		return nil, err
	}
	got, err := broker.Request(ctx, r)
	if err != nil {
		return nil, err
	}
	return got.(*kmsg.ProduceResponse), nil
}

// request is the flight as Kafka's protocol has it.
func (f *flight) request(set *settings) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = set.acks, int32(set.answer.Milliseconds()) //nolint:gosec // bounded by the table of properties
	if set.transactional != "" {
		req.TransactionID = &set.transactional
	}
	at := map[*topic]int{}
	for _, one := range f.batches {
		i, is := at[one.q.topic]
		if !is {
			i = len(req.Topics)
			at[one.q.topic] = i
			t := kmsg.NewProduceRequestTopic()
			t.Topic, t.TopicID = one.q.topic.name, one.id
			req.Topics = append(req.Topics, t)
			if one.id == ([16]byte{}) {
				f.newest = min(f.newest, 12) // by name
			}
		}
		t := kmsg.NewProduceRequestTopicPartition()
		t.Partition, t.Records = one.q.number, one.b.bytes
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, t)
	}
	return req
}

// errSilent: a broker has answered, and not for each partition.
var errSilent = errors.New("the broker's answer does not name the partition")

// answered takes the answer to a request, or that there is none.
func (p *Producer) answered(f *flight, got *kmsg.ProduceResponse, err error) {
	var s settled
	now := time.Now()
	p.mu.Lock()
	if err == nil && got != nil && got.ThrottleMillis > 0 {
		p.throttled(f.broker, time.Duration(got.ThrottleMillis)*time.Millisecond)
	}
	if err != nil {
		p.lost(f, err)
	}
	for _, one := range f.batches {
		q, b := one.q, one.b
		q.landed(b)
		switch {
		case err != nil && p.ctx.Err() != nil: // abandon gives it its outcome
			b.maybe = b.maybe || f.written.Load()
		case err != nil:
			q.unanswered(&s, b, f, err)
		case got == nil: // acks=0
			q.written(&s, b, Outcome{BaseOffset: -1, LastOffset: -1, LogAppendTime: -1})
		default:
			if a := find(got, one); a != nil {
				q.answered(&s, b, a)
			} else {
				q.again(&s, b, errSilent, true, true)
			}
		}
		q.tidy(&s, now)
	}
	p.wake(f.broker)
	p.mu.Unlock()
	p.settle(s)
}

// tidy is what is to be done after each answer.
func (q *partition) tidy(s *settled, now time.Time) {
	if q.failed != nil {
		q.giveUp(s, q.failed)
	}
	q.expire(s, now)
	if q.queue != nil && q.leader >= 0 && q.leader != q.at {
		q.topic.p.wake(q.leader)
	}
}

func find(got *kmsg.ProduceResponse, one flown) *kmsg.ProduceResponseTopicPartition {
	for i := range got.Topics {
		t := &got.Topics[i]
		if got.Version >= 13 && t.TopicID != one.id || got.Version < 13 && t.Topic != one.q.topic.name {
			continue
		}
		for j := range t.Partitions {
			if t.Partitions[j].Partition == one.q.number {
				return &t.Partitions[j]
			}
		}
	}
	return nil
}

// throttled: the client waits before its next request to the broker, which is not the batches' time.
func (p *Producer) throttled(id int32, d time.Duration) {
	b, now := p.brokers[id], time.Now()
	if now.After(b.until) {
		p.set.log(6, fmt.Sprintf("%s lets the producer wait for %v (quotas)", p.brokerName(id), d))
		b.until = now
	}
	more := now.Add(d).Sub(b.until)
	if more <= 0 {
		return
	}
	b.until = b.until.Add(more)
	for q := range p.active {
		if q.leader == id {
			q.throttled(more)
		}
	}
}

// lost logs that a request had no answer.
func (p *Producer) lost(f *flight, err error) {
	if p.ctx.Err() != nil {
		return
	}
	records := int32(0)
	for _, one := range f.batches {
		records += one.b.records
	}
	what := "was not sent"
	if f.written.Load() {
		what = "has no answer"
	}
	p.set.log(4, fmt.Sprintf("%s: a request with %d batches (%d records; the first is of %s[%d]) %s: %v", p.brokerName(f.broker), len(f.batches), records,
		f.batches[0].q.topic.name, f.batches[0].q.number, what, err))
}

// unanswered: the request has failed. What was written to the connection may be in the log.
func (q *partition) unanswered(s *settled, b *pending, f *flight, err error) {
	p := q.topic.p
	if !cluster.Passing(err) && !errors.Is(err, context.DeadlineExceeded) && !f.written.Load() {
		i := -1
		for j, other := range q.queue {
			if other == b {
				i = j
			}
		}
		b.last = err
		why := p.failure(err)
		q.broken = true
		q.end(s, i, why.Code, why.Err)
		return
	}
	q.suffers()
	q.topic.ask()
	if b.last != nil && errors.Is(err, context.DeadlineExceeded) {
		err = b.last // the time was over in the middle of this attempt: the one before says why
	}
	q.again(s, b, err, f.written.Load(), true)
}

// suffers notes that the partition has failed, until it is written to again.
func (q *partition) suffers() {
	if q.troubled {
		return
	}
	p := q.topic.p
	q.troubled = true
	if p.troubled == 0 {
		p.since, p.worst = time.Now(), 0
	}
	p.troubled++
	p.worst = max(p.worst, p.troubled)
}

// recovered logs the end of a failure, once for all partitions.
func (p *Producer) recovered(q *partition) {
	q.troubled = false
	if p.troubled--; p.troubled == 0 {
		p.set.log(5, fmt.Sprintf("all partitions are written to again: %d failed, for %v; the last was %s[%d], by %s", p.worst, time.Since(p.since).Round(time.Millisecond), q.topic.name, q.number,
			p.brokerName(q.at)))
	}
}
