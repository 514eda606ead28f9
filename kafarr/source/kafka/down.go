package kafka

import (
	"errors"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// LastConnectError implements source.Source.
func (k *Kafka) LastConnectError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unfetched != nil {
		for p := range k.assigned {
			if k.awaited(p, k.fetching(p)) {
				return k.unfetched
			}
		}
		k.unfetched = nil
	}
	return k.down
}

// unreachable notes that no broker can be reached. k.mu is held.
func (k *Kafka) unreachable() {
	k.downAt = time.Now()
	code := status.BrokerError
	if k.denied {
		code = status.AuthenticationError
	}
	k.down = source.Errorf(code, "no broker of %s can be reached (%s)", k.cfg.Servers, k.transport)
	k.problem = k.down.Error()
}

// alive notes that the cluster has answered a question.
func (k *Kafka) alive() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answered = time.Now()
	k.reached()
}

// reached notes that a broker can be reached. k.mu is held.
func (k *Kafka) reached() {
	if k.down != nil && k.problem == k.down.Error() {
		k.problem = ""
	}
	k.down = nil
}

// brokersTimeout bounds one question of askBrokers, and so how long Close may have to wait for it.
const brokersTimeout = 500 * time.Millisecond

// beginAsking asks the brokers after a connection has failed. The client itself says that none can be reached only once in reconnect.backoff.max.ms (10 s), which is
// longer than most polls, and never that one can be reached again. k.mu is held.
func (k *Kafka) beginAsking() {
	if !k.askingBrokers && !k.ended {
		k.askingBrokers = true
		k.spawn(k.askBrokers)
	}
}

// askBrokers asks until a broker answers. A broker that takes the question and does not answer it can be reached; but it may have been lost with the question
// under way, and the client reports the same failure of a connection once in 30 s, so that nothing else would begin to ask again.
func (k *Kafka) askBrokers() {
	for {
		topic := "" // of no topic: only who the brokers are
		_, err := k.consumer.GetMetadata(&topic, false, int(brokersTimeout.Milliseconds()))
		if err == nil {
			k.alive()
		}
		if !k.askBrokersAgain(err) {
			return
		}
		select {
		case <-time.After(askPause):
		case <-k.ctx.Done():
		}
	}
}

// askBrokersAgain takes the result of a question of askBrokers, and reports whether there is to be another one.
func (k *Kafka) askBrokersAgain(err error) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	var e kafka.Error
	if errors.As(err, &e) && e.Code() == kafka.ErrTransport { // there was no connection for as long as the question could wait
		k.unreachable()
	}
	k.askingBrokers = (err != nil || k.down != nil) && !k.ended
	return k.askingBrokers
}
