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

// identities is the producer id that partitions begin with. Producer.mu guards it.
type identities struct {
	have   bool
	id     int64
	epoch  int16
	asking bool
}

// drop gives an id up whose epochs are used up.
func (i *identities) drop(id int64) {
	if i.id == id {
		i.have = false
	}
}

// own gives a partition the producer's id. It asks for one if there is none, and reports whether there is.
func (p *Producer) own(q *partition) bool {
	if !p.ids.have {
		if !p.ids.asking && p.set.transactional == "" {
			p.ids.asking = true
			p.run(p.askID)
		}
		return false
	}
	q.owned, q.id, q.epoch, q.base, q.bump = true, p.ids.id, p.ids.epoch, 0, false
	return true
}

// askID asks for a producer id until there is one, or a broker refuses it.
func (p *Producer) askID() {
	for wait := p.set.Backoff; ; wait = min(2*wait, p.set.BackoffMax) {
		id, epoch, err := p.requestID(p.ctx, -1, -1)
		if p.ctx.Err() != nil {
			return
		}
		var s settled
		p.mu.Lock()
		if err == nil {
			p.ids = identities{have: true, id: id, epoch: epoch}
			p.reached()
		} else {
			p.refusedID(&s, err)
		}
		again := p.ids.asking
		p.notify()
		p.wakeAll()
		p.mu.Unlock()
		p.settle(s)
		if !again || cluster.Pause(p.ctx, wait) != nil {
			return
		}
	}
}

// refusedID ends the batches that wait for an id, where no further try will bring one.
func (p *Producer) refusedID(s *settled, err error) {
	why := p.failure(fmt.Errorf("the cluster gives no producer id: %w", err))
	if p.trouble == nil || p.trouble.Error() != why.Error() {
		p.set.log(4, why.Error())
	}
	p.trouble = why
	if passingID(err) {
		return
	}
	p.ids.asking = false
	for q := range p.active {
		q.giveUp(s, why)
	}
}

// requestID is one request for a producer id. id and epoch are those that a transactional producer had, or -1.
func (p *Producer) requestID(ctx context.Context, id int64, epoch int16) (int64, int16, error) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.ProducerID, req.ProducerEpoch = id, epoch
	if p.set.transactional != "" {
		req.TransactionalID = &p.set.transactional
		req.TransactionTimeoutMillis = int32(p.set.transaction.Milliseconds()) //nolint:gosec // bounded by the table of properties
	}
	ctx, cancel := context.WithTimeout(ctx, p.set.RequestTimeout+time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, p.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return 0, 0, p.explainID(p.set.Login.Alert(err))
	}
	return resp.ProducerID, resp.ProducerEpoch, nil
}

func passingID(err error) bool {
	return cluster.IsOneOf(err, []error{kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator}) || cluster.Passing(err)
}

// explainID says what to do about a refusal.
func (p *Producer) explainID(err error) error {
	switch {
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return status.New(status.AuthenticationError, fmt.Errorf("%w: the principal needs the right IdempotentWrite on the cluster, or Write on a topic; enable.idempotence=false does without", p.set.Login.Refused(err)))
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return status.New(status.AuthenticationError, fmt.Errorf("%w: the principal needs the rights Describe and Write on transactional.id %s", p.set.Login.Refused(err), p.set.transactional))
	case errors.Is(err, kerr.InvalidTransactionTimeout):
		return status.New(status.ConfigError, fmt.Errorf("config: transaction.timeout.ms is %d: %w: the brokers allow at most transaction.max.timeout.ms", p.set.transaction.Milliseconds(), err))
	case errors.Is(err, kerr.UnsupportedVersion) || err.Error() == tooOld || err.Error() == unknownKey:
		return status.New(status.BrokerError, fmt.Errorf("%w: the brokers know no idempotent producers: set enable.idempotence=false", err))
	}
	return err
}

// What the client says of a request that the brokers do not have; it has no values for them.
const (
	tooOld     = "broker is too old; the broker has already indicated it will not know how to handle the request"
	unknownKey = "request key is unknown"
)
