package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// findPause is between questions for partitions that do not exist (yet).
const findPause = 500 * time.Millisecond

// findPartitions waits until all partitions that are to be assigned exist: the client would say nothing useful about those that do not.
func (k *Kafka) findPartitions() {
	wanted := map[string][]int32{}
	for _, p := range k.cfg.Assign {
		wanted[p.Topic] = append(wanted[p.Topic], p.Partition)
	}
	for len(wanted) > 0 {
		for topic, partitions := range wanted {
			found, err := k.lookFor(topic, partitions)
			if !k.lookedFor(topic, found, err) {
				return
			}
			if found {
				delete(wanted, topic)
			}
		}
		if len(wanted) > 0 {
			time.Sleep(findPause)
		}
	}
	k.found.Store(true)
}

// lookedFor notes what lookFor has found, and reports whether to continue.
func (k *Kafka) lookedFor(topic string, found bool, err error) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	var refused kafka.Error
	switch {
	case k.ended:
		return false
	case found:
		delete(k.missing, topic)
	case err != nil:
		k.missing[topic] = err
		if errors.As(err, &refused) {
			k.suggest(topic, refused)
		}
	}
	return true
}

// lookFor reports whether all of a topic's partitions exist. Without an error there was no answer.
func (k *Kafka) lookFor(topic string, partitions []int32) (bool, error) {
	m, err := k.consumer.GetMetadata(&topic, false, int(findPause.Milliseconds()))
	if err != nil {
		return false, nil //nolint:nilerr // it is asked again, and Ready says what the client complains about
	}
	t, ok := m.Topics[topic]
	if !ok || t.Error.Code() == kafka.ErrLeaderNotAvailable {
		return false, nil
	}
	if t.Error.Code() != kafka.ErrNoError {
		return false, t.Error
	}
	for _, p := range partitions {
		if int(p) >= len(t.Partitions) {
			return false, fmt.Errorf("there is no partition %d: it has %d", p, len(t.Partitions))
		}
	}
	return true, nil
}

// takeAssigned takes the partitions of the configuration, once they are known to exist, as rebalanced does the group's.
func (k *Kafka) takeAssigned() {
	if k.taken || !k.found.Load() {
		return
	}
	k.taken = true
	k.asked(&change{partitions: toClient(k.cfg.Assign), assigned: true})
}
