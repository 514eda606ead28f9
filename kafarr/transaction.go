package kafarr

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// GroupMember is a member of a consumer group whose offsets a transaction commits.
type GroupMember = produce.GroupMember

// ErrUnknownCommit is why Transaction.Commit fails where its request was sent and not answered. It is never sent again.
var ErrUnknownCommit = produce.ErrUnknownCommit

// Transaction is an open transaction of a Producer. All of its rows become visible to readers with isolation.level=read_committed, and its offsets are committed, or none.
type Transaction struct {
	producer *Producer
	turn     chan struct{} // of Commit and Abort

	mu      sync.Mutex
	over    bool
	ending  bool // Commit is under way
	reports []*SendReport
	read    []*enlisted
}

// enlisted are the batches of a listener that a transaction acknowledges.
type enlisted struct {
	listener *Listener
	ids      []int64
	ranges   []Range
}

// Begin begins a transaction, which ends with Commit or Abort. A Producer has one at a time; its property transactional.id is set.
func (p *Producer) Begin(ctx context.Context) (*Transaction, error) {
	if p.cfg.TransactionalID == "" {
		return nil, errorf(ConfigError, "a transaction needs the property transactional.id: a name that no other producer has at the same time, and that this one has again after a restart")
	}
	t := &Transaction{producer: p, turn: make(chan struct{}, 1)}
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, errorf(ClosedError, "the producer is closed")
	case p.transaction != nil:
		p.mu.Unlock()
		return nil, errorf(StateError, "a transaction of this producer is open: commit or abort it first")
	}
	p.transaction = t
	p.mu.Unlock()
	if err := p.begin(ctx); err != nil {
		p.forget(t)
		return nil, wrap(err)
	}
	return t, nil
}

// begin begins a transaction of the sink, after what has to come before it.
func (p *Producer) begin(ctx context.Context) error {
	if err := p.prepared(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	unended := p.unended
	p.mu.Unlock()
	if unended {
		var e *Error
		if err := p.sink.Abort(ctx); err != nil && (!errors.As(err, &e) || e.Code != StateError) { // which says that none is open any more
			return err
		}
		p.mu.Lock()
		p.unended = false
		p.mu.Unlock()
	}
	return p.sink.Begin(ctx)
}

// preparation is what a producer does from its opening on, so that what its predecessor has left open ends before its first transaction.
type preparation struct {
	done   chan struct{}
	failed error // once it is done
}

// prepare begins the preparation.
func (p *Producer) prepare() {
	p.preparation.done = make(chan struct{})
	if p.cfg.TransactionalID == "" {
		close(p.preparation.done)
		return
	}
	spawn(func() {
		p.preparation.failed = p.sink.Prepare(p.ctx)
		close(p.preparation.done)
	}, func(err error) {
		p.preparation.failed = err
		close(p.preparation.done)
	})
}

// prepared waits for the preparation, if it is under way. If it has failed before, its error is an old one.
func (p *Producer) prepared(ctx context.Context) error {
	select {
	case <-p.preparation.done:
		return nil
	default:
	}
	select {
	case <-p.preparation.done:
		return p.preparation.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Producer) forget(t *Transaction) {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.transaction == t {
		p.transaction = nil
	}
}

// mayProduce is the error of rows that are not, or no longer, of the open transaction.
func (p *Producer) mayProduce(of *Transaction) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case of == nil && p.transaction != nil:
		return errorf(StateError, "a transaction of this producer is open: send by it")
	case of == nil && p.cfg.TransactionalID != "":
		return errorf(StateError, "this producer has a transactional.id: it sends within transactions only: begin one, and send by it")
	case of != nil && p.transaction != of:
		return errorf(StateError, "the transaction is over")
	}
	return nil
}

// Send is Producer.Send within the transaction.
func (t *Transaction) Send(ctx context.Context, options SendOptions, batches ...arrow.RecordBatch) (*SendReport, error) {
	p := t.producer
	p.under.RLock()
	defer p.under.RUnlock()
	if err := p.open(); err != nil {
		return nil, err
	}
	if err := p.mayProduce(t); err != nil {
		return nil, err
	}
	report, err := p.send(ctx, options, batches)
	if report != nil {
		t.mu.Lock()
		t.reports = append(t.reports, report)
		t.mu.Unlock()
	}
	return report, err
}

// CommitBatches has the transaction commit the offsets of batches that a listener of the same cluster has read: the rows that were made of them and their offsets are there together, or
// not at all. Commit commits the offsets, and acknowledges the batches when that is done; after Abort, and an error, they are open as they were. A listener whose batches were given to a
// transaction does not commit by itself any more: it has Config.Acknowledge OnCommit, and enable.auto.commit=false.
func (t *Transaction) CommitBatches(l *Listener, batches ...*Batch) error {
	for _, b := range batches {
		if err := t.CommitBatchIDs(l, []int64{b.ID()}, b.Ranges); err != nil {
			return err
		}
	}
	return nil
}

// CommitBatchIDs is CommitBatches for callers that keep only the IDs and Ranges of their batches. Batches that the transaction has already are passed over.
func (t *Transaction) CommitBatchIDs(l *Listener, ids []int64, ranges []Range) error {
	if err := t.producer.mayProduce(t); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.ending {
		return errorf(StateError, "the transaction is over")
	}
	i := slices.IndexFunc(t.read, func(e *enlisted) bool { return e.listener == l })
	if i < 0 {
		i = len(t.read)
		t.read = append(t.read, &enlisted{listener: l})
	}
	mine := t.read[i]
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(mine.ids, id) })
	if err := l.enlist(ids, ranges, mine.ids); err != nil {
		return err
	}
	mine.ids, mine.ranges = append(mine.ids, ids...), append(mine.ranges, ranges...)
	return nil
}

// CommitOffsets commits offsets of a consumer group with the transaction: those of the rows to be read next. It is for members that are no Listener; see CommitBatches.
func (t *Transaction) CommitOffsets(ctx context.Context, member GroupMember, offsets []source.Position) error {
	if err := t.producer.mayProduce(t); err != nil {
		return err
	}
	if err := t.producer.sink.SendOffsets(ctx, member, offsets); err != nil {
		return wrap(err)
	}
	return nil
}

// Commit waits until each row has its outcome and commits. Where a row was not written, or the batches of CommitBatches are another member's by now, the transaction is aborted, and the error says why.
//
// After an error that is an ErrUnknownCommit nobody knows whether it was committed: its batches are neither acknowledged nor open.
func (t *Transaction) Commit(ctx context.Context) error {
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	p := t.producer
	if err := p.mayProduce(t); err != nil {
		return err
	}
	err = t.commit(ctx)
	switch {
	case err == nil:
		t.acknowledge()
		p.forget(t)
		return nil
	case errors.Is(err, ErrUnknownCommit):
		p.forget(t)
		if len(t.read) == 0 {
			return wrap(err)
		}
		return wrap(err).Hint("the committed offsets of the group say whether it was: its rows are read again if it was not. Open the listener again, or seek to the committed offsets")
	case ctx.Err() != nil && errors.Is(err, ctx.Err()): // Abort is the caller's, with another ctx
		return err
	}
	if failed := t.abort(ctx); failed != nil {
		return wrap(err).Hint("aborting the transaction failed, too, so that the next one does it first: " + failed.Error())
	}
	return wrap(err).Hint("the transaction is aborted")
}

// enter waits for the turn of Commit and Abort: one at a time.
func (t *Transaction) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn }, nil
	default:
	}
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *Transaction) commit(ctx context.Context) error {
	p := t.producer
	if err := p.sink.Flush(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	reports, read := t.reports, t.read
	t.ending = true // no batch joins whose offsets are not sent
	t.mu.Unlock()
	for _, report := range reports {
		if err := report.Wait(ctx); err != nil {
			return err
		}
	}
	for _, e := range read {
		member, offsets, err := e.listener.cover(ctx, e.ids, e.ranges)
		if err != nil {
			return err
		}
		if err := p.sink.SendOffsets(ctx, member, offsets); err != nil {
			return err
		}
	}
	return p.sink.Commit(ctx)
}

// acknowledge notes that the offsets of the batches are committed.
func (t *Transaction) acknowledge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.read {
		e.listener.tracker.Acknowledge(e.ids, nil)
	}
	t.read = nil
}

// Abort aborts the transaction. Where it is over, it does nothing.
func (t *Transaction) Abort(ctx context.Context) error {
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return t.abort(ctx)
}

func (t *Transaction) abort(ctx context.Context) error {
	t.mu.Lock()
	over := t.over
	t.mu.Unlock()
	if over {
		return nil
	}
	defer t.producer.forget(t)
	defer t.release()
	if err := t.producer.sink.Abort(ctx); err != nil {
		t.producer.mu.Lock()
		t.producer.unended = true
		t.producer.mu.Unlock()
		return wrap(err)
	}
	// What was sent is not read by anybody: its failures are of no interest any more.
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, report := range t.reports {
		_ = report.Err()
	}
	return nil
}

// release opens the batches again.
func (t *Transaction) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.read {
		e.listener.tracker.Release(e.ids)
	}
	t.read = nil
}
