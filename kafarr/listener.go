package kafarr

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// Listener reads topics as batches of rows. One Poll at a time; Commit, Stats and Close may be called from any goroutine.
type Listener struct {
	cfg      Config
	log      *logSink
	registry registry.Registry
	source   source.Source
	// positioner is the source, where it has positions to move; else nil
	positioner source.Positioner
	resetter   source.Resetter // likewise
	finite     source.Finite   // likewise, where it has an end
	letters    *deadLetters
	readers    []*avro.Schema
	ctx        context.Context // ends with the listener; look-ups of schemas live in it
	cancel     context.CancelFunc
	closing    atomic.Bool // no poll any more
	ending     atomic.Bool // somebody closes
	closed     atomic.Bool // no commit any more
	counters   counters
	headers    bool // are read as text

	polled  atomic.Bool // a poll is under way; between its slices polling is free
	telling sync.Mutex  // held by whoever calls OnAssign and OnRevoke
	polling sync.Mutex  // held by whoever uses what follows

	poll      poll
	held      held
	batches   []*building // being filled, in the order of their first rows: one at most, unless GroupMixed
	gathered  int         // their rows
	bytes     int         // that they came in
	queue     []*finished // to be handed over, one a poll
	errs      []*finished // to be told after the batches of this poll
	sets      map[pair]*columnSet
	shapes    map[string]*columnSet // the same sets
	failure   error                 // told by the next poll
	values    *side
	keys      *side     // nil: keys are not asked for
	lookup    *lookup   // the one that is waited for
	awaited   schemaRef // its schema
	bodies    []avro.Body
	keyBodies []avro.Body
	keyRef    schemaRef
	buckets   []bucket
	used      int                    // of buckets
	positions map[partitionKey]int64 // the first offset that no batch has taken
	happened  []Event                // since the last batch
	again     map[partitionKey]again // rows that were discarded and are not read again yet
	resets    map[partitionKey]int64 // offsets that the client asked for in vain, until the first record behind them
	opened    time.Time              // the first poll
	toldNames bool                   // topics that do not exist were named
	waived    bool                   // the wait for all partitions was given up once: read what there is

	mu         sync.Mutex // guards what follows
	acks       *ledger
	owned      map[partitionKey]bool
	rebalances []Rebalance // that somebody has to be told of, in their order
	leapt      map[partitionKey]leap
}

// poll is a Poll on its way.
type poll struct {
	limit    int
	wait     time.Duration
	began    time.Time
	ready    bool
	fetched  bool      // at least once since ready
	deadline time.Time // valid when ready
}

// Open makes a listener. It checks the configuration and does not wait for the network.
func Open(cfg Config) (*Listener, error) {
	if cfg.Metadata == nil {
		cfg.Metadata = []Metadata{{Column: Offset}}
	}
	if cfg.Value == Usual {
		cfg.Value = Avro
	}
	if cfg.Key == Usual {
		cfg.Key = Bytes
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.ReadyTimeout == 0 {
		cfg.ReadyTimeout = DefaultReadyTimeout
	}
	cfg.BatchBytes = cfg.batchBytes()
	l := &Listener{
		cfg: cfg, log: newLogSink(cfg.Logger),
		sets: map[pair]*columnSet{}, shapes: map[string]*columnSet{}, positions: map[partitionKey]int64{}, resets: map[partitionKey]int64{}, again: map[partitionKey]again{},
		values: newSide(cfg.Value, cfg.Framing, wire.ValueSchemaHeader, false),
		acks:   newLedger(), owned: map[partitionKey]bool{}, leapt: map[partitionKey]leap{},
		headers: cfg.wants(Headers),
	}
	l.values.nulls = cfg.Tombstones == KeepTombstones
	if cfg.wants(Key) {
		framing := Confluent
		if cfg.Framing == SchemaHeader {
			framing = SchemaHeader
		}
		l.keys = newSide(cfg.Key, framing, wire.KeySchemaHeader, true)
		l.keys.nulls = !l.keys.untyped()
	}
	for _, text := range cfg.Readers {
		reader, err := parseReader(text, cfg.Limits)
		if err != nil {
			return nil, err
		}
		l.readers = append(l.readers, reader)
	}
	for _, s := range cfg.latest {
		reader, err := parseReader(s.Text, cfg.Limits, s.References...)
		if err != nil {
			return nil, err
		}
		l.readers = append(l.readers, reader)
	}
	if err := l.given(); err != nil {
		return nil, wrap(err)
	}
	l.letters = newDeadLetters(cfg.DeadLetterTopic, cfg.letterBytes(), l.cfg.openDeadLetters(l.log), l.letterSettled)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	var err error
	if l.registry, l.source, err = cfg.open((*assignment)(l), l.log); err != nil {
		l.cancel()
		return nil, err
	}
	l.positioner, _ = l.source.(source.Positioner)
	l.resetter, _ = l.source.(source.Resetter)
	l.finite, _ = l.source.(source.Finite)
	if l.positioner == nil && len(cfg.Start) > 0 {
		_ = l.Abort()
		return nil, errorf(ConfigError, "start: this source has no positions")
	}
	return l, nil
}

// maxSlice bounds how long a step waits, so that contexts, closing and the client's events are answered.
const maxSlice = 50 * time.Millisecond

// Poll acknowledges what earlier polls returned and receives rows of one message type until there are limit of them or wait has
// passed, which counts from when the client has caught up (assigned and fetching). It returns early where the message type or schema
// changes. A Batch without rows means that nothing came. When ctx ends, the rows received so far come with the next Poll.
func (l *Listener) Poll(ctx context.Context, limit int, wait time.Duration) (*Batch, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.polled.Store(false)
	for begin := true; ; begin = false {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if b, err := l.slice(begin, limit, wait, maxSlice); b != nil || err != nil {
			return b, err
		}
		l.tell()
	}
}

// PollSlice is Poll for callers that cannot wait, such as another language's thread that has signals to answer: it returns not done
// after slice, and is called again with begin = false to go on, or with begin = true to begin another poll that keeps the rows.
func (l *Listener) PollSlice(begin bool, limit int, wait, slice time.Duration) (b *Batch, done bool, err error) {
	if err := l.enter(); err != nil {
		return nil, false, err
	}
	defer l.polled.Store(false)
	b, err = l.slice(begin, limit, wait, slice)
	return b, b != nil, err
}

// enter lets one poll in at a time.
func (l *Listener) enter() error {
	if l.closing.Load() {
		return errorf(ClosedError, "%w", ErrClosed)
	}
	if !l.polled.CompareAndSwap(false, true) {
		return errorf(StateError, "another poll of this listener is under way: one at a time")
	}
	return nil
}

// slice is one turn of a poll. Before and after it, seeks and the like have theirs.
func (l *Listener) slice(begin bool, limit int, wait, slice time.Duration) (*Batch, error) {
	l.polling.Lock()
	defer l.polling.Unlock()
	if l.closing.Load() {
		return nil, errorf(ClosedError, "%w", ErrClosed)
	}
	if begin {
		if limit < 1 {
			return nil, errorf(ConfigError, "num_messages is %d: it must be at least 1", limit)
		}
		if wait < 0 {
			return nil, errorf(ConfigError, "max_time is negative")
		}
		if err := l.begin(limit, wait); err != nil {
			return nil, err
		}
	}
	b, err := l.step(time.Now().Add(slice))
	if err != nil {
		return nil, wrap(err)
	}
	return b, nil
}

func (l *Listener) begin(limit int, wait time.Duration) error {
	if l.cfg.Acknowledge == OnNextPoll {
		l.mu.Lock()
		l.acks.all()
		l.mu.Unlock()
	}
	l.letters.again(false)
	if err := l.store(); err != nil {
		return wrap(err)
	}
	l.poll = poll{limit: limit, wait: wait, began: time.Now()}
	if l.opened.IsZero() {
		l.opened = l.poll.began
	}
	l.counters.polls.Add(1)
	return nil
}

// step goes on with a poll until it has its answer or the time is over; then the batch is nil.
func (l *Listener) step(end time.Time) (*Batch, error) {
	p := &l.poll
	if l.untold() {
		return nil, nil
	}
	if b, err := l.fromQueue(); b != nil || err != nil {
		return b, err
	}
	for {
		if l.closing.Load() {
			return nil, errorf(ClosedError, "%w", ErrClosed)
		}
		if err := l.source.Serve(); err != nil {
			l.fail(err)
		}
		if l.letters.arrived.Swap(false) { // a commit may pass them now
			if err := l.store(); err != nil {
				l.fail(err)
			}
		}
		if l.untold() {
			return nil, nil
		}
		if l.failure != nil {
			return l.failed()
		}
		if l.letters.failing() {
			if l.pending() {
				return l.take()
			}
			return nil, l.letters.fault()
		}
		if len(l.queue) > 0 { // a rebalance has ended a batch
			return l.take()
		}
		now := time.Now()
		if err := l.catchUp(now); err != nil {
			return nil, err
		}
		switch out, err := l.assemble(p.limit); out {
		case full, changed:
			return l.take()
		case failed:
			return nil, err
		case waiting:
			if done, err := l.awaitSchema(now, end); err != nil {
				return nil, err
			} else if done {
				return l.take()
			}
			if time.Now().After(end) {
				return nil, nil
			}
			continue
		case crowded:
			if p.ready && !now.Before(p.deadline) {
				return l.quiet()
			}
			if !now.Before(end) {
				return nil, nil
			}
			l.letters.wait(min(end.Sub(now), maxSlice))
			continue
		case drained:
			l.source.Release()
			l.held = held{}
			if l.finite != nil && l.finite.Ended() {
				return l.take()
			}
		}
		if p.ready && p.fetched && !now.Before(p.deadline) {
			return l.quiet()
		}
		if !now.Before(end) {
			return nil, nil
		}
		chunks, err := l.source.Fetch(p.limit-l.gathered, l.pause(now, end))
		l.held = held{chunks: chunks}
		p.fetched = p.ready
		if err != nil {
			l.fail(err)
		}
	}
}

// pause is how long a fetch may wait.
func (l *Listener) pause(now, end time.Time) time.Duration {
	wait := min(end.Sub(now), maxSlice)
	if l.poll.ready {
		wait = min(wait, l.poll.deadline.Sub(now))
	} else {
		wait = min(wait, 10*time.Millisecond) // whether it is ready is asked between fetches
	}
	return max(wait, 0)
}

// fail keeps an error for the moment when the rows received before it are handed over.
func (l *Listener) fail(err error) {
	if l.failure == nil {
		l.failure = err
	}
}

// failed returns the rows first and then the error that came behind them.
func (l *Listener) failed() (*Batch, error) {
	if l.pending() {
		return l.take()
	}
	err := l.failure
	l.failure = nil
	return nil, err
}

// catchUp notes when the client has caught up, and gives up waiting after the ready time-out.
func (l *Listener) catchUp(now time.Time) error {
	p := &l.poll
	if !p.ready {
		joined, waitingFor := l.source.Ready()
		if waitingFor == "" || joined && l.waived {
			p.ready = true
			p.deadline = now.Add(p.wait)
		} else if now.Sub(p.began) >= l.cfg.ReadyTimeout {
			l.waived = true
			return l.tellOrReturn(errorf(l.notReady(), "after %v still waiting for %s%s", l.cfg.ReadyTimeout, waitingFor, l.missing()))
		}
	}
	if !l.toldNames && now.Sub(l.opened) >= l.cfg.ReadyTimeout {
		if names := l.missing(); names != "" {
			l.toldNames = true
			return l.tellOrReturn(errorf(BrokerError, "%s", strings.TrimPrefix(names, "; ")))
		}
	}
	return nil
}

// notReady is the code of having waited too long: a login that is refused time and again is told as such.
func (l *Listener) notReady() Code {
	if s, ok := l.source.(interface{ Refused() bool }); ok && s.Refused() {
		return AuthenticationError
	}
	return BrokerError
}

// tellOrReturn keeps the error for the next poll where there are rows to return first.
func (l *Listener) tellOrReturn(err *Error) error {
	if !l.pending() {
		return err
	}
	l.fail(err)
	return nil
}

// missing names the topics that cannot be read.
func (l *Listener) missing() string {
	topics := l.source.Missing()
	if len(topics) == 0 {
		return ""
	}
	l.toldNames = true
	list := make([]string, 0, len(topics))
	for t, why := range topics {
		list = append(list, t+" ("+why.Error()+")")
	}
	slices.Sort(list)
	return "; topics that cannot be read: " + strings.Join(list, ", ")
}

// awaitSchema waits for the look-up of the next record's schema. done: return the rows that there are. An attempt under way counts
// as catching up; once one has failed, the poll's time decides.
func (l *Listener) awaitSchema(now, end time.Time) (done bool, err error) {
	p := &l.poll
	over := p.ready && !now.Before(p.deadline)
	if over && l.pending() {
		return true, nil
	}
	if why := l.lookup.failure(); why != nil {
		if over {
			chunk, records := l.held.rest()
			e := wrap(why).at(chunk.Topic, chunk.Partition, records[0].Offset)
			if id, ok := l.awaited.id(); ok {
				e.SchemaID = int64(id)
			}
			return false, e
		}
		time.Sleep(min(max(time.Until(l.lookup.retryAt), time.Millisecond), end.Sub(now), maxSlice))
		return false, nil
	}
	select {
	case <-l.lookup.done:
	case <-time.After(min(end.Sub(now), maxSlice)):
	}
	return false, nil
}

// quiet ends a poll whose time is over.
func (l *Listener) quiet() (*Batch, error) {
	if !l.pending() {
		if err := l.source.Down(l.poll.began); err != nil {
			return nil, err
		}
	}
	return l.take()
}

// take finishes the batches and hands the first one over; one without rows where there is none.
func (l *Listener) take() (*Batch, error) {
	for len(l.batches) > 0 {
		l.enqueue(l.batches[0], len(l.queue) > 0 || l.batches[0].rows() > l.poll.limit)
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
	if f.batch.NumRows() > int64(l.poll.limit) {
		whole := f.batch.id
		head := f.cut(l.poll.limit)
		l.mu.Lock()
		l.acks.cut(whole, head.id, head.Ranges)
		l.mu.Unlock()
		return l.handOver(head), nil
	}
	l.queue = l.queue[1:]
	if f.err != nil {
		l.mu.Lock()
		l.acks.handOver(f.batch.id)
		l.mu.Unlock()
		return nil, f.err
	}
	return l.handOver(f.batch), nil
}

func (l *Listener) handOver(b *Batch) *Batch {
	l.mu.Lock()
	l.acks.handOver(b.id)
	l.mu.Unlock()
	if !b.empty() {
		b.Events, l.happened = l.happened, nil
		l.counters.batches.Add(1)
	}
	return b
}

// Batches polls for ever: batches of at most limit rows, each gathered for at most wait. Polls that bring nothing are passed over.
// The loop ends with the first error, with ctx, or when the body breaks off. A batch is valid until Release, which is the caller's.
func (l *Listener) Batches(ctx context.Context, limit int, wait time.Duration) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			b, err := l.Poll(ctx, limit, wait)
			if err != nil {
				yield(nil, err)
				return
			}
			if !b.empty() && !yield(b, nil) {
				return
			}
		}
	}
}
