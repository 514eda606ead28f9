// Package rdkafka is what the consumer (source/kafka) needs to know of its client, confluent-kafka-go and librdkafka below it: properties, errors, log lines, tokens, and the client's
// private fields.
package rdkafka

import "github.com/confluentinc/confluent-kafka-go/v2/kafka"

// Log is called for each line that a client logs; level is syslog's.
type Log = func(level int, facility, message string)

// PassLogs passes a client's log lines on until stop is closed.
func PassLogs(lines <-chan kafka.LogEvent, stop <-chan struct{}, log Log) {
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
