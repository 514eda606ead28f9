// Package produce writes record batches to Kafka: a Builder makes them of rows, a Producer sends them by its own requests: idempotent, in order for each partition, and in
// transactions where they are asked for.
package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Producer writes batches. Its methods may be called from any goroutine.
//
// A goroutine for each broker writes requests, one for each request waits for its answer, one asks for metadata, one watches the time. All of them share the state below under one
// lock, which is held for a few lines: never while bytes are stamped or sent, nor while a Done runs.
type Producer struct {
	set     *settings
	client  *kgo.Client
	ctx     context.Context // ends with Close, or with a panic
	stop    context.CancelFunc
	running sync.WaitGroup
	ended   chan struct{} // closed when each batch has its outcome after Close

	mu      sync.Mutex
	topics  map[string]*topic
	brokers map[int32]*broker
	hosts   map[int32]string
	active  map[*partition]struct{} // those with batches that have no outcome yet
	ids     identities
	txn     transaction
	cluster string // its id; empty: it is not known yet

	taken   uint64 // batches that Send has taken
	left    int    // of them, without an outcome
	bytes   int64  // of those
	room    chan struct{}
	flushes map[*flush]struct{}

	stale   chan struct{} // the metadata are to be asked for
	changed chan struct{} // closed, and made again, when the metadata or the producer's id have changed

	troubled int // partitions that fail at the moment
	since    time.Time
	worst    int   // partitions that failed at once since then
	trouble  error // why nothing reaches the cluster; nil: it answers

	closed bool
	failed error // a panic
}

// flush is a wait for the batches that were taken before it.
type flush struct {
	before uint64
	left   int
	done   chan struct{}
}

// Open checks the settings. It does not wait for the network.
func Open(settings Settings) (*Producer, error) {
	set, err := settings.read()
	if err != nil {
		return nil, err
	}
	return set.open()
}

func (s *settings) open() (*Producer, error) {
	p := &Producer{
		set: s, ended: make(chan struct{}), topics: map[string]*topic{}, brokers: map[int32]*broker{}, hosts: map[int32]string{}, active: map[*partition]struct{}{},
		room: make(chan struct{}), flushes: map[*flush]struct{}{}, stale: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	var err error
	if p.client, err = kgo.NewClient(s.Options...); err != nil {
		return nil, source.Errorf(status.ConfigError, "config: %w", s.Secrets.Error(err))
	}
	p.txn.turn = make(chan struct{}, 1)
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.run(p.watchTopics)
	p.run(p.watchTime)
	go func() {
		<-p.ctx.Done()
		p.running.Wait()
		p.client.Close()
		p.abandon()
		close(p.ended)
	}()
	return p, nil
}

// run starts a goroutine that Close waits for. A panic ends the producer, with an error that each later call returns.
func (p *Producer) run(f func()) {
	p.running.Add(1)
	async.Go(func() {
		defer p.running.Done()
		f()
	}, func(err error) {
		p.mu.Lock()
		p.failed = err
		p.mu.Unlock()
		p.stop()
	})
}

// refusal is why the producer takes nothing more; nil: it does.
func (p *Producer) refusal() error {
	switch {
	case p.failed != nil:
		return p.failed
	case p.closed:
		return errClosed
	}
	if broken := p.set.broken.Load(); broken != nil {
		return *broken
	}
	return p.txn.fatal
}

// await lets others have p.mu, which is held, until one of them closes the channel, ctx ends, which is the error, or the producer does, which its caller looks for.
func (p *Producer) await(ctx context.Context, closes <-chan struct{}) error {
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-closes:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ctx.Done():
	}
	return nil
}

var errClosed = status.Errorf(status.ClosedError, "the producer is closed")

// accepted is a batch that Send has taken.
type accepted struct {
	*Batch
	size   int64
	number uint64
	parts  []Part // of a batch that was cut
	cut    bool
	left   int // parts without an outcome
}

// Send takes a batch. The order of the calls for a partition is the order of its offsets. It waits while as many bytes as the memory limit allows wait for their outcome.
func (p *Producer) Send(ctx context.Context, b *Batch) error {
	if len(b.Bytes) < headerSize || b.Records < 1 || b.Done == nil || b.Partition < 0 {
		return status.Errorf(status.StateError, "a batch needs sealed bytes, records, a partition and Done")
	}
	size := int64(cap(b.Bytes))
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.bytes > 0 && p.bytes+size > p.set.memory && p.refusal() == nil {
		if err := p.await(ctx, p.room); err != nil {
			return err
		}
	}
	if err := p.refusal(); err != nil {
		return err
	}
	if err := p.txn.takes(p.set); err != nil {
		return err
	}
	q := p.topic(b.Topic).partition(b.Partition)
	if q.failed != nil {
		return q.failed
	}
	p.taken++
	p.left++
	p.bytes += size
	a := &accepted{Batch: b, size: size, number: p.taken, left: 1}
	sealed := b.Sealed
	if sealed.IsZero() {
		sealed = time.Now()
	}
	c := &pending{of: a, bytes: b.Bytes, records: b.Records}
	if p.set.delivery > 0 {
		c.deadline = sealed.Add(p.set.delivery + p.throttle(q))
	}
	q.queue = append(q.queue, c)
	p.active[q] = struct{}{}
	if q.leader < 0 {
		q.topic.ask()
		return nil
	}
	p.wake(q.leader)
	return nil
}

// throttle is how long the leader of a partition still lets the producer wait.
func (p *Producer) throttle(q *partition) time.Duration {
	if b := p.brokers[q.leader]; b != nil {
		return max(0, time.Until(b.until))
	}
	return 0
}

// Flush waits until each batch that was sent before has its outcome.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	f := &flush{before: p.taken, left: p.left, done: make(chan struct{})}
	if f.left == 0 {
		defer p.mu.Unlock()
		return p.failed
	}
	p.flushes[f] = struct{}{}
	p.mu.Unlock()
	select {
	case <-f.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.failed
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.flushes, f)
		p.mu.Unlock()
		return ctx.Err()
	}
}

// Close gives up what is not acknowledged: it becomes NotSent or Unknown. ctx bounds the wait for goroutines. It may be called again.
func (p *Producer) Close(ctx context.Context) error {
	p.leaveTransaction(ctx)
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closeTimeout bounds how long Close waits for the abort of a transaction.
const closeTimeout = 2 * time.Second

// leaveTransaction aborts what is open, so that readers need not wait for its time-out.
func (p *Producer) leaveTransaction(ctx context.Context) {
	p.mu.Lock()
	open := p.txn.open && p.refusal() == nil
	p.mu.Unlock()
	if !open {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := p.Abort(ctx); err != nil {
		p.set.log(4, "a transaction is left open, which the cluster aborts after transaction.timeout.ms: "+err.Error())
	}
}

// abandon gives each batch that is left its outcome, after the last goroutine.
func (p *Producer) abandon() {
	p.mu.Lock()
	why := p.refusal()
	if why == nil {
		why = errClosed
	}
	var s settled
	for q := range p.active {
		q.giveUp(&s, why)
	}
	p.mu.Unlock()
	p.settle(s)
}

// settlement is a batch with its outcome, whose Done is to be called.
type settlement struct {
	of      *accepted
	outcome Outcome
}

type settled []settlement

// settle calls Done for batches, without the lock, and then lets those in that wait for room or for the outcome.
func (p *Producer) settle(s settled) {
	if len(s) == 0 {
		return
	}
	for _, one := range s {
		one.of.Done(one.outcome)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range s {
		p.bytes -= one.of.size
		p.left--
		for f := range p.flushes {
			if one.of.number > f.before {
				continue
			}
			if f.left--; f.left == 0 {
				close(f.done)
				delete(p.flushes, f)
			}
		}
	}
	close(p.room)
	p.room = make(chan struct{})
}

// wake lets a broker's goroutine look for batches.
func (p *Producer) wake(id int32) {
	b := p.brokers[id]
	if b == nil {
		b = &broker{p: p, id: id, woken: make(chan struct{}, 1)}
		p.brokers[id] = b
		if p.ctx.Err() != nil {
			return
		}
		p.run(b.serve)
	}
	select {
	case b.woken <- struct{}{}:
	default:
	}
}

// wakeAll wakes the brokers that lead partitions with batches.
func (p *Producer) wakeAll() {
	for q := range p.active {
		if q.leader >= 0 {
			p.wake(q.leader)
		}
	}
}

// notify lets those in that wait for metadata or an id.
func (p *Producer) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// brokerName is "broker 3 (host:9092)".
func (p *Producer) brokerName(id int32) string { return fmt.Sprintf("broker %d (%s)", id, p.hosts[id]) }

// tick is how often the time of batches is looked at.
const tick = 50 * time.Millisecond

// watchTime ends the wait for batches whose delivery.timeout.ms is over, or whose transaction can only be aborted.
func (p *Producer) watchTime() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-t.C:
			var s settled
			p.mu.Lock()
			for q := range p.active {
				if p.txn.broken != nil {
					q.giveUp(&s, p.txn.broken)
				}
				q.expire(&s, now)
			}
			p.mu.Unlock()
			p.settle(s)
		}
	}
}

// placed gives an error its partition.
func placed(code status.Code, topic string, partition int32, err error) *status.Error {
	var own *status.Error
	if errors.As(err, &own) {
		code, err = own.Code, own.Err
	}
	return status.New(code, err).At(topic, partition, -1)
}
