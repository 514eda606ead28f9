package kafka

import (
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
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
		err, _ = askGroup(k, func() error { return assign(c.partitions) })
	} else {
		err = k.assign(toClient(k.begins(fromClient(c.partitions))), assign)
	}
	k.note(c.partitions, true)
	k.refused(err)
}

// revoke answers the group that the partitions are given up.
func (k *Kafka) revoke(r *change) {
	k.cfg.Handler.Revoked(fromClient(r.partitions), k.consumer.AssignmentLost())
	unassign := k.consumer.Unassign
	if r.cooperative {
		unassign = func() error { return k.consumer.IncrementalUnassign(r.partitions) }
	}
	err, _ := askGroup(k, unassign)
	k.note(r.partitions, false)
	k.refused(err)
}

// closedPause is how often askGroup asks whether the group has ended, and closedGrace how long an answer that was on its way then may still take.
const (
	closedPause = 20 * time.Millisecond
	closedGrace = 500 * time.Millisecond
)

// askGroup asks the client for something of the group. While the consumer closes, the group may end without waiting for the answer to its last rebalance, and
// librdkafka (2.15 and later) then drops the question without a reply (rd_kafka_cgrp_op_serve), so that the call never returns. There is nothing left to be asked then: the
// call is left behind with its thread, and ended is true.
func askGroup[T any](k *Kafka, ask func() T) (answer T, ended bool) {
	if !k.closing {
		return ask(), false
	}
	*k.client.Reassigned = true // also where the group is not answered: the client would answer by itself, and wait for ever
	if k.queue.groupEnded() {
		return answer, true
	}
	answers := make(chan T, 1)
	async.Go(func() { answers <- ask() }, func(error) { close(answers) })
	tick := time.NewTicker(closedPause)
	defer tick.Stop()
	for since := (time.Time{}); ; {
		select {
		case answer, answered := <-answers:
			return answer, !answered
		case now := <-tick.C:
			switch {
			case since.IsZero() && k.queue.groupEnded():
				since = now
			case !since.IsZero() && now.Sub(since) > closedGrace:
				return answer, true
			}
		}
	}
}

// refused keeps why the client did not take an assignment.
func (k *Kafka) refused(err error) {
	if err != nil {
		k.errs = append(k.errs, source.Errorf(status.GroupError, "the assignment could not be taken: %w", err))
	}
}
