package kafka

import (
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// passLogs passes a client's log lines on until stop is closed.
func passLogs(lines <-chan kafka.LogEvent, stop <-chan struct{}, log func(level int, facility, message string)) {
	for {
		select {
		case l := <-lines:
			log(l.Level, l.Tag, l.Message)
		case <-stop:
			for {
				select {
				case l := <-lines:
					log(l.Level, l.Tag, l.Message)
				default:
					return
				}
			}
		}
	}
}

// logged takes a line of librdkafka's log.
func (k *Kafka) logged(level int, facility, message string) {
	switch facility {
	case "OFFSET":
		k.noteReset(message)
	case "FAIL":
		k.connectionFailed(message)
	case "COORD":
		k.coordinatorLost(message)
	}
	if level > k.logLevel {
		return
	}
	k.cfg.Log(level, facility, message)
}

// connectionFailed takes a log line "[thrd:NAME]: …": of some failures, such as a wrong security.protocol, no event tells.
func (k *Kafka) connectionFailed(line string) {
	if _, text, ok := strings.Cut(line, "]: "); ok {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.denied { // that says more
			k.transport = k.secrets.Text(text)
		}
	}
}
