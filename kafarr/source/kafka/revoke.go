package kafka

import (
	"fmt"
	"reflect"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// revocation is what the group wants back.
type revocation struct {
	partitions  []kafka.TopicPartition
	cooperative bool // as it was when the group asked: a member that has been thrown out meanwhile has no protocol
}

// reassigned reaches the flag by which the client knows that its rebalance callback has answered the group. A callback that wants to answer
// later sets it and returns: librdkafka, which asks by an event, waits for the answer, sending heartbeats meanwhile, while the Go client would
// give the partitions up by itself. It is a private field, so this fails, with its reason, when the client moves it.
func reassigned(c *kafka.Consumer) (*bool, error) {
	field := reflect.ValueOf(c).Elem().FieldByName("appReassigned")
	if !field.IsValid() || field.Kind() != reflect.Bool {
		return nil, fmt.Errorf("this version of confluent-kafka-go has no Consumer.appReassigned")
	}
	return (*bool)(field.Addr().UnsafePointer()), nil
}

// asked is told by the client what the group wants back.
func (k *Kafka) asked(partitions []kafka.TopicPartition, cooperative bool) {
	r := &revocation{partitions: partitions, cooperative: cooperative}
	if !k.closing && k.cfg.Handler.Revoking(fromClient(partitions), k.consumer.AssignmentLost()) {
		k.waiting, *k.reassigned = r, true
		return
	}
	k.revoke(r)
}

// GiveUp implements source.Keeper.
func (k *Kafka) GiveUp() {
	if r := k.waiting; r != nil {
		k.waiting = nil
		k.revoke(r)
	}
}

// revoke answers the group.
func (k *Kafka) revoke(r *revocation) {
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
		k.errs = append(k.errs, source.Errorf(source.Group, "the group's assignment could not be taken: %w", err))
	}
}
