package produce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// SendOffsets commits offsets of a consumer group within the transaction: the offsets of the first rows that are not part of it. A member that has lost its partitions since its rows
// were handed over gets an error, and the transaction can only be aborted.
func (p *Producer) SendOffsets(ctx context.Context, member GroupMember, offsets []source.Position) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := p.ofThisCluster(ctx, member); err != nil {
		return err
	}
	p.mu.Lock()
	err = p.txn.takes(p.set)
	newest := int16(4)
	if p.txn.newer {
		newest = 5
	}
	req := p.offsets(member, offsets)
	if len(offsets) > 0 {
		p.txn.used = p.txn.used || err == nil
	}
	p.mu.Unlock()
	if err != nil || len(offsets) == 0 {
		return err
	}
	err = p.persist(ctx, "the offsets of group "+member.Group, func(ctx context.Context) error {
		if newest < 5 {
			if err := p.addOffsets(ctx, member.Group); err != nil {
				return err
			}
		}
		resp, _, err := p.coordinate(ctx, ofGroup, member.Group, req, newest)
		if err != nil {
			return err
		}
		for _, t := range resp.(*kmsg.TxnOffsetCommitResponse).Topics {
			for _, q := range t.Partitions {
				err := kerr.ErrorForCode(q.ErrorCode)
				if errors.Is(err, kerr.TopicAuthorizationFailed) {
					err = fmt.Errorf("%w: the principal needs the right Read on topic %s", err, t.Topic)
				}
				if err != nil {
					return fmt.Errorf("%s[%d]: %w", t.Topic, q.Partition, err)
				}
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case isFence(err):
		err, p.txn.renew = status.New(status.BrokerError, p.outdated(err)), true
	case cluster.IsOneOf(err, []error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.FencedInstanceID, kerr.RebalanceInProgress, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch}):
		err = status.New(status.GroupError, fmt.Errorf("%w: the member has lost its partitions since it was given these rows, so that their new owner reads them again", err))
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		err = status.New(status.AuthenticationError, fmt.Errorf("%w: the principal needs the right Read on group %s", err, member.Group))
	}
	p.txn.broke(err)
	return err
}

func (p *Producer) offsets(member GroupMember, offsets []source.Position) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.set.transactional, p.ids.id, p.ids.epoch
	req.Group, req.MemberID, req.Generation = member.Group, member.Member, member.Generation
	if member.Instance != "" {
		req.InstanceID = &member.Instance
	}
	for _, o := range offsets {
		i := slices.IndexFunc(req.Topics, func(t kmsg.TxnOffsetCommitRequestTopic) bool { return t.Topic == o.Topic })
		if i < 0 {
			i = len(req.Topics)
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = o.Topic
			req.Topics = append(req.Topics, t)
		}
		q := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		q.Partition, q.Offset = o.Partition, o.Offset
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, q)
	}
	return req
}

// addOffsets tells the coordinator of the transaction that offsets of a group are part of it, as brokers before KIP-890 want it.
func (p *Producer) addOffsets(ctx context.Context, group string) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	p.mu.Lock()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.set.transactional, p.ids.id, p.ids.epoch, group
	p.mu.Unlock()
	resp, _, err := p.coordinate(ctx, ofTransaction, p.set.transactional, req, 3)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
}
