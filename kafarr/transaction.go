package kafarr

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// GroupMember is a member of a consumer group whose offsets a transaction commits.
type GroupMember = produce.GroupMember

// Transaction is an open transaction of a Producer. All of its rows become visible to readers with isolation.level=read_committed, and its offsets are committed, or none.
type Transaction struct {
	producer *Producer

	mu      sync.Mutex
	over    bool
	reports []*SendReport
}

// Begin begins a transaction, which ends with Commit or Abort. A Producer has one at a time; its property transactional.id is set.
func (p *Producer) Begin(ctx context.Context) (*Transaction, error) {
	if p.cfg.TransactionalID == "" {
		return nil, errorf(ConfigError, "a transaction needs the property transactional.id: a name that no other producer has at the same time, and that this one has again after a restart")
	}
	t := &Transaction{producer: p}
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
	if err := p.sink.Begin(ctx); err != nil {
		p.forget(t)
		return nil, wrap(err)
	}
	return t, nil
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
		return errorf(StateError, "this producer has a transactional.id: it sends within transactions only")
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

// CommitOffsets commits offsets of a consumer group with the transaction: those of the rows to be read next.
func (t *Transaction) CommitOffsets(ctx context.Context, member GroupMember, offsets []source.Position) error {
	if err := t.producer.mayProduce(t); err != nil {
		return err
	}
	if err := t.producer.sink.SendOffsets(ctx, member, offsets); err != nil {
		return wrap(err)
	}
	return nil
}

// Commit waits until each row has its outcome and commits. Where a row was not written, the transaction is aborted, and the error is that of the row.
func (t *Transaction) Commit(ctx context.Context) error {
	p := t.producer
	if err := p.mayProduce(t); err != nil {
		return err
	}
	if err := p.sink.Flush(ctx); err != nil {
		return wrap(err)
	}
	t.mu.Lock()
	reports := t.reports
	t.mu.Unlock()
	for _, report := range reports {
		if failed := report.Wait(ctx); failed != nil {
			if err := t.Abort(ctx); err != nil {
				return err
			}
			return wrap(failed).Hint("the transaction is aborted")
		}
	}
	defer p.forget(t)
	if err := p.sink.Commit(ctx); err != nil {
		return wrap(err)
	}
	return nil
}

// Abort aborts the transaction. Where it is over, it does nothing.
func (t *Transaction) Abort(ctx context.Context) error {
	t.mu.Lock()
	over := t.over
	t.mu.Unlock()
	if over {
		return nil
	}
	defer t.producer.forget(t)
	if err := t.producer.sink.Abort(ctx); err != nil {
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
