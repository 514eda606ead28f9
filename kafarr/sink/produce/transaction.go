package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// ErrUnknownCommit is why a Commit fails of which nobody knows whether it was done: the request for it was sent, and not answered. It is never sent again. What was open is over: the
// committed offsets of the group say where to continue.
var ErrUnknownCommit = errors.New("whether the transaction was committed is not known")

// ErrFenced is why a producer with a transactional.id can never continue: another one has begun, or, before KIP-890, a transaction has lasted for too long.
var ErrFenced = errors.New("this producer can begin no further transaction: close it, and open another one")

// transaction is what is known of the producer's transaction. Producer.mu guards it, but for turn.
type transaction struct {
	turn    chan struct{} // of the calls that begin and end transactions: one at a time
	open    bool
	began   time.Time
	used    bool  // the cluster may know of it
	broken  error // why it can only be aborted
	fatal   error // why no transaction can begin any more
	renew   bool  // the producer id must be asked for again, which ends what is open
	newer   bool  // KIP-890: partitions join by being written to, and each transaction has an epoch
	waiting map[*partition]struct{}
	added   map[*partition]struct{}
	adding  bool
}

// takes is why no batch may be sent now.
func (t *transaction) takes(set *settings) error {
	switch {
	case set.transactional == "":
		return nil
	case !t.open:
		return errNoTransaction
	case t.broken != nil:
		return abortOnly(t.broken)
	}
	return nil
}

var (
	errNoTransaction  = status.Errorf(status.StateError, "no transaction is open: Begin comes first")
	errNoTransactions = status.Errorf(status.StateError, "the producer has no transactional.id, so that it has no transactions")
)

func abortOnly(why error) error {
	code := status.BrokerError
	var e *status.Error
	if errors.As(why, &e) {
		code = e.Code
	}
	return status.Errorf(code, "the transaction can only be aborted: %w", why)
}

// admits reports whether batches of the partition may be sent. Older brokers must have been told that the transaction reaches to it.
func (p *Producer) admits(q *partition) bool {
	t := &p.txn
	if p.set.transactional == "" {
		return true
	}
	if !t.open || t.broken != nil {
		return false
	}
	if _, added := t.added[q]; added || t.newer {
		t.used = true
		return true
	}
	t.waiting[q] = struct{}{}
	if !t.adding {
		t.adding = true
		p.run(p.addPartitions)
	}
	return false
}

// broke notes that a batch of the transaction was not written.
func (t *transaction) broke(why error) {
	if t.open && t.broken == nil {
		t.broken = why
	}
}

// produceVersion is the newest version of Produce requests: from 12 on they add their partitions to the transaction.
func (p *Producer) produceVersion() int16 {
	if p.set.transactional != "" && !p.txn.newer {
		return 11
	}
	return 13
}

// outdated says what it means that the epoch is not the newest one any more.
func (p *Producer) outdated(err error) error {
	why := fmt.Sprintf("another producer with transactional.id %s has begun", p.set.transactional)
	if p.txn.overdue(p.set) {
		why = fmt.Sprintf("the transaction has lasted longer than transaction.timeout.ms (%v), or %s", p.set.transaction, why)
	}
	return fmt.Errorf("%w: %s", err, why)
}

// overdue reports whether the transaction has lasted for so long that its coordinator aborts it.
func (t *transaction) overdue(set *settings) bool {
	return t.open && time.Since(t.began) >= set.transaction
}

// enter waits for the turn of a call about transactions.
func (p *Producer) enter(ctx context.Context) (leave func(), err error) {
	if p.set.transactional == "" {
		return nil, errNoTransactions
	}
	select {
	case p.txn.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ctx.Done():
		return nil, errClosed
	}
	leave = func() { <-p.txn.turn }
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.refusal(); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// Begin begins a transaction. The first one waits until the cluster has given the producer its id, and has ended what an earlier producer with the same transactional.id has left open.
func (p *Producer) Begin(ctx context.Context) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	p.mu.Lock()
	open := p.txn.open
	p.mu.Unlock()
	if open {
		return status.Errorf(status.StateError, "a transaction is open: Commit or Abort comes first")
	}
	if err := p.freshen(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.txn.begin()
	return nil
}

// Prepare does beforehand what the first Begin waits for. Until it is done, readers wait for the end of what an earlier producer with the same transactional.id has left open, and a member of
// a group for the offsets in it.
func (p *Producer) Prepare(ctx context.Context) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return p.freshen(ctx)
}

// freshen asks for the producer id where there is none, or a doubtful one.
func (p *Producer) freshen(ctx context.Context) error {
	p.mu.Lock()
	fresh := p.ids.have && !p.txn.renew || p.txn.open
	p.mu.Unlock()
	if fresh {
		return nil
	}
	return p.renewID(ctx)
}

func (t *transaction) begin() {
	t.open, t.began, t.used, t.broken = true, time.Now(), false, nil
	t.waiting, t.added = map[*partition]struct{}{}, map[*partition]struct{}{}
}

// renewID asks for the producer id of the transactional.id, which ends any transaction that is open. Sequences begin again.
func (p *Producer) renewID(ctx context.Context) error {
	p.mu.Lock()
	id, epoch := int64(-1), int16(-1)
	if p.ids.have {
		id, epoch = p.ids.id, p.ids.epoch
	}
	p.mu.Unlock()
	var newer bool
	err := p.persist(ctx, "the producer id", func(ctx context.Context) (err error) {
		if newer, err = p.askVersion(ctx); err != nil {
			return err
		}
		newID, newEpoch, err := p.requestID(ctx, id, epoch)
		if err == nil {
			id, epoch = newID, newEpoch
		}
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case isFence(err):
		p.txn.fatal = status.New(status.BrokerError, fmt.Errorf("%w: %w", ErrFenced, p.outdated(err)))
		p.set.log(3, p.txn.fatal.Error())
		return p.txn.fatal
	case err != nil:
		return err
	}
	p.txn.renew, p.txn.newer = false, newer
	p.identify(id, epoch)
	return nil
}

// identify begins the sequences of all partitions again.
func (p *Producer) identify(id int64, epoch int16) {
	p.ids = identities{have: true, id: id, epoch: epoch}
	for _, t := range p.topics {
		for _, q := range t.parts {
			q.owned, q.bump, q.base, q.failed = false, false, 0, nil
		}
	}
}

func isFence(err error) bool {
	return cluster.IsOneOf(err, []error{kerr.InvalidProducerEpoch, kerr.ProducerFenced})
}

// askVersion asks whether the cluster has the newer transactions (KIP-890): the feature may be off although the brokers know the requests.
func (p *Producer) askVersion(ctx context.Context) (bool, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "pykafarr", "1"
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return false, err
	}
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "transaction.version" {
			return f.MaxVersionLevel >= 2, nil
		}
	}
	return false, nil
}

// persist tries until it works, or fails in a way that no further try will mend, or the client's time for failures is over.
func (p *Producer) persist(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closing := context.AfterFunc(p.ctx, cancel)
	defer closing()
	bounded, end := context.WithTimeout(ctx, p.set.RetryTimeout)
	defer end()
	var last error
	for wait, tries := p.set.Backoff/4, 1; ; wait, tries = min(2*wait, p.set.BackoffMax), tries+1 {
		err := try(bounded)
		if err == nil {
			return nil
		}
		if last == nil || bounded.Err() == nil {
			last = err
		}
		if bounded.Err() == nil && passingID(err) {
			if tries == 5 {
				p.set.log(5, fmt.Sprintf("%s: it is waited for: %v", what, err))
			}
			_ = cluster.Pause(bounded, wait)
		}
		switch {
		case p.ctx.Err() != nil:
			return errClosed
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %w", ctx.Err(), last)
		case bounded.Err() != nil || !passingID(err):
			e := p.failure(last)
			return status.New(e.Code, fmt.Errorf("%s: %w", what, e.Err))
		}
	}
}

// capped is a request of a version that is no newer than some, which says whether it was written.
type capped struct {
	kmsg.Request
	newest  int16
	written *bool
}

// MaxVersion is the last one that may be used.
func (c capped) MaxVersion() int16 { return min(c.newest, c.Request.MaxVersion()) }

// AppendTo is called when the request is written.
func (c capped) AppendTo(to []byte) []byte {
	*c.written = true
	return c.Request.AppendTo(to)
}

// Kinds of coordinators.
const (
	ofGroup       = int8(0)
	ofTransaction = int8(1)
)

// coordinate sends a request to a coordinator, once.
func (p *Producer) coordinate(ctx context.Context, kind int8, key string, req kmsg.Request, newest int16) (resp kmsg.Response, written bool, err error) {
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorType, find.CoordinatorKey, find.CoordinatorKeys = kind, key, []string{key}
	ctx, cancel := context.WithTimeout(ctx, p.set.RequestTimeout)
	defer cancel()
	found, err := find.RequestWith(ctx, p.client)
	if err != nil {
		return nil, false, p.set.Login.Alert(err)
	}
	node, code := found.NodeID, found.ErrorCode
	if len(found.Coordinators) > 0 {
		node, code = found.Coordinators[0].NodeID, found.Coordinators[0].ErrorCode
	}
	if err := kerr.ErrorForCode(code); err != nil {
		return nil, false, err
	}
	resp, err = p.client.Broker(int(node)).Request(ctx, capped{req, newest, &written})
	return resp, written, p.set.Login.Alert(err)
}

// addPartitions adds partitions to the transaction, as brokers before KIP-890 want it.
func (p *Producer) addPartitions() {
	p.mu.Lock()
	for len(p.txn.waiting) > 0 && p.txn.broken == nil && p.ctx.Err() == nil {
		parts := p.txn.waiting
		p.txn.waiting = map[*partition]struct{}{}
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.set.transactional, p.ids.id, p.ids.epoch
		names := map[string][]int32{}
		for q := range parts {
			names[q.topic.name] = append(names[q.topic.name], q.number)
		}
		for name, numbers := range names {
			t := kmsg.NewAddPartitionsToTxnRequestTopic()
			t.Topic, t.Partitions = name, numbers
			req.Topics = append(req.Topics, t)
		}
		p.txn.used = true
		p.mu.Unlock()
		err := p.persist(p.ctx, "adding partitions to the transaction", func(ctx context.Context) error {
			if err := p.brokenBy(); err != nil {
				return err
			}
			resp, _, err := p.coordinate(ctx, ofTransaction, p.set.transactional, req, 3)
			if err != nil {
				return err
			}
			for _, t := range resp.(*kmsg.AddPartitionsToTxnResponse).Topics {
				for _, q := range t.Partitions {
					if err := kerr.ErrorForCode(q.ErrorCode); err != nil && !errors.Is(err, kerr.OperationNotAttempted) {
						return fmt.Errorf("%s[%d]: %w", t.Topic, q.Partition, advised(err, t.Topic))
					}
				}
			}
			return nil
		})
		p.mu.Lock()
		if err != nil {
			if isFence(err) {
				err, p.txn.renew = p.outdated(err), true
			}
			p.txn.broke(err)
			continue
		}
		for q := range parts {
			p.txn.added[q] = struct{}{}
		}
		p.wakeAll()
	}
	p.txn.adding = false
	p.notify()
	p.mu.Unlock()
}

func (p *Producer) brokenBy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.txn.broken
}

// added waits until no partition is being added any more: one that is added after the end of its transaction would begin another one.
func (p *Producer) added(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.txn.adding {
		if err := p.await(ctx, p.changed); err != nil {
			return err
		}
		if p.ctx.Err() != nil {
			return errClosed
		}
	}
	return nil
}

// Commit waits for all batches and commits the transaction. After an error that is an ErrUnknownCommit the transaction is over; after any other one it is open, and Abort comes next.
func (p *Producer) Commit(ctx context.Context) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	p.mu.Lock()
	err = p.txn.takes(p.set)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	if err := errors.Join(p.Flush(ctx), p.added(ctx)); err != nil {
		return err
	}
	p.mu.Lock()
	broken, used := p.txn.broken, p.txn.used
	p.mu.Unlock()
	switch {
	case broken != nil:
		return abortOnly(broken)
	case used:
		err = p.end(ctx, true)
	default:
		p.over()
	}
	if errors.Is(err, ErrUnknownCommit) {
		if late := p.renewID(ctx); late != nil {
			err = fmt.Errorf("%w (%w)", err, late)
		}
		return status.New(status.BrokerError, err)
	}
	return err
}

// Abort gives up what is not sent yet and aborts the transaction.
func (p *Producer) Abort(ctx context.Context) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	p.mu.Lock()
	if !p.txn.open {
		p.mu.Unlock()
		return errNoTransaction
	}
	p.txn.broke(errAborted)
	p.mu.Unlock()
	if err := errors.Join(p.Flush(ctx), p.added(ctx)); err != nil { // each batch is over soon: what is not in a request is given up
		return err
	}
	p.mu.Lock()
	used, renew := p.txn.used, p.txn.renew
	p.mu.Unlock()
	switch {
	case !used && !renew:
		p.over()
		return nil
	case renew:
		err = p.renewID(ctx)
	default:
		err = p.end(ctx, false)
		if errors.Is(err, ErrUnknownCommit) || isFence(err) || errors.Is(err, kerr.InvalidTxnState) {
			err = p.renewID(ctx) // which ends what is open
		}
	}
	if err == nil {
		p.over()
	}
	return err
}

var errAborted = status.Errorf(status.StateError, "the transaction was aborted")

// over notes that no transaction is open.
func (p *Producer) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.txn.open, p.txn.broken = false, nil
}

// end ends the transaction. A request that was written and not answered is not sent again.
func (p *Producer) end(ctx context.Context, commit bool) error {
	p.mu.Lock()
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.set.transactional, p.ids.id, p.ids.epoch, commit
	newest := int16(4)
	if p.txn.newer {
		newest = 5
	}
	p.mu.Unlock()
	what := map[bool]string{true: "committing the transaction", false: "aborting the transaction"}[commit]
	var got *kmsg.EndTxnResponse
	unknown := false
	err := p.persist(ctx, what, func(ctx context.Context) error {
		resp, written, err := p.coordinate(ctx, ofTransaction, p.set.transactional, req, newest)
		if err != nil && written {
			unknown = true
			return status.New(status.BrokerError, fmt.Errorf("%w: the coordinator has not answered: %v", ErrUnknownCommit, err)) //nolint:errorlint // it must not be tried again
		}
		if err != nil {
			return err
		}
		got = resp.(*kmsg.EndTxnResponse)
		return advised(kerr.ErrorForCode(got.ErrorCode), "")
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.txn.open, p.txn.broken = false, nil
		if got.Version >= 5 {
			p.identify(got.ProducerID, got.ProducerEpoch)
		}
	case unknown:
		p.txn.open, p.txn.broken, p.txn.renew = false, nil, true
		p.set.log(3, err.Error())
	case isFence(err):
		p.txn.renew = true
		p.txn.broke(err)
		return status.New(status.BrokerError, p.outdated(err))
	case cluster.IsOneOf(err, []error{kerr.TransactionAbortable, kerr.InvalidTxnState, kerr.InvalidProducerIDMapping, kerr.UnknownProducerID}):
		p.txn.renew = p.txn.renew || !errors.Is(err, kerr.TransactionAbortable)
		if errors.Is(err, kerr.InvalidTxnState) && p.txn.overdue(p.set) { // the coordinator has aborted it
			err = status.New(status.BrokerError, p.outdated(err))
		}
		p.txn.broke(err)
	}
	return err
}
