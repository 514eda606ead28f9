package kafka

import (
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// rebalanced is called by the client within Poll and Close.
func (k *Kafka) rebalanced(c *kafka.Consumer, ev kafka.Event) error {
	protocol, ended := askGroup(k, c.GetRebalanceProtocol)
	if ended {
		return nil
	}
	cooperative := protocol == "COOPERATIVE"
	switch ev := ev.(type) {
	case kafka.AssignedPartitions:
		k.asked(&change{partitions: ev.Partitions, assigned: true, cooperative: cooperative})
	case kafka.RevokedPartitions:
		k.asked(&change{partitions: ev.Partitions, cooperative: cooperative})
	}
	return nil
}

// begins asks where partitions begin.
func (k *Kafka) begins(partitions []source.Position) []source.Position {
	begin := k.cfg.Handler.Assigned(partitions, k.committed)
	k.fetchers.begin(begin)
	return begin
}

func (k *Kafka) note(partitions []kafka.TopicPartition, assigned bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.joined = assigned || len(k.assigned) > len(partitions)
	if assigned {
		k.turnedAway = nil
	}
	for _, p := range partitions {
		key := source.TopicPartition{Topic: *p.Topic, Partition: p.Partition}
		if assigned {
			k.assigned[key] = false
			delete(k.missing, key.Topic)
		} else {
			delete(k.assigned, key)
			delete(k.sought, key)
			k.fetchers.forget(key)
		}
	}
}

// committedTimeout bounds the question for committed offsets within a rebalance, which holds up the group.
const committedTimeout = 5 * time.Second

func (k *Kafka) committed(positions []source.Position) ([]source.Position, error) {
	parts, err := k.consumer.Committed(toClient(positions), int(committedTimeout.Milliseconds()))
	if err != nil {
		return nil, err
	}
	return fromClient(parts), nil
}
