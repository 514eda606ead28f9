package kafka

import (
	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// change is an assignment or a revocation that the group asks for.
type change struct {
	partitions  []kafka.TopicPartition
	assigned    bool
	cooperative bool // as it was when the group asked: a member that has been thrown out meanwhile has no protocol
}

// asked handles an assignment or a revocation.
func (k *Kafka) asked(c *change) {
	if !k.closing && k.holds(c) {
		k.waiting, *k.client.Reassigned = c, true
		return
	}
	k.answer(c)
}

// holds asks the handler whether a change is to wait.
func (k *Kafka) holds(c *change) bool {
	if c.assigned {
		return k.cfg.Handler.Assigning(fromClient(c.partitions))
	}
	return k.cfg.Handler.Revoking(fromClient(c.partitions), k.consumer.AssignmentLost())
}

// ConfirmRebalance implements source.DeferredRebalancer.
func (k *Kafka) ConfirmRebalance() {
	if c := k.waiting; c != nil {
		k.waiting = nil
		k.answer(c)
	}
}

func (k *Kafka) answer(c *change) {
	if c.assigned {
		k.take(c)
	} else {
		k.revoke(c)
	}
}

// take answers the group that the partitions are read from now on.
func (k *Kafka) take(c *change) {
	assign := k.consumer.Assign
	if c.cooperative {
		assign = k.consumer.IncrementalAssign
	}
	var err error
	if k.closing { // the queue is gone, nobody reads the messages, and a question for committed offsets would time out
		err = assign(c.partitions)
	} else {
		err = k.assign(toClient(k.begins(fromClient(c.partitions))), assign)
	}
	k.note(c.partitions, true)
	k.refused(err)
}

// revoke answers the group that the partitions are given up.
func (k *Kafka) revoke(r *change) {
	k.cfg.Handler.Revoked(fromClient(r.partitions), k.consumer.AssignmentLost())
	var err error
	if r.cooperative {
		err = k.consumer.IncrementalUnassign(r.partitions)
	} else {
		err = k.consumer.Unassign()
	}
	k.note(r.partitions, false)
	k.refused(err)
}

// refused keeps why the client did not take an assignment.
func (k *Kafka) refused(err error) {
	if err != nil {
		k.errs = append(k.errs, source.Errorf(status.GroupError, "the assignment could not be taken: %w", err))
	}
}
