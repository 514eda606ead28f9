package kafka

import (
	"fmt"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// suggest adds the name that was probably meant to why a topic is missing, as soon as the cluster has answered which topics there are. k.mu is held.
func (k *Kafka) suggest(topic string, why kafka.Error) {
	if code := why.Code(); code != kafka.ErrUnknownTopicOrPart && code != kafka.ErrUnknownTopic {
		return
	}
	if hint, asked := k.hints[topic]; asked {
		if hint != "" {
			k.missing[topic] = fmt.Errorf("%w%s", why, hint)
		}
		return
	}
	k.hints[topic] = ""
	k.spawn(func() {
		m, err := k.consumer.GetMetadata(nil, true, int(probeTimeout.Milliseconds()))
		k.mu.Lock()
		defer k.mu.Unlock()
		if err != nil {
			delete(k.hints, topic) // it is asked again when the topic is missed again
			return
		}
		var names []string
		for name := range m.Topics {
			if name != topic {
				names = append(names, name)
			}
		}
		k.hints[topic] = nearest.Qualified(topic, names)
		if _, missing := k.missing[topic]; missing && k.hints[topic] != "" {
			k.missing[topic] = fmt.Errorf("%w%s", why, k.hints[topic])
		}
	})
}
