package kafka

import "strings"

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

// connectionFailed takes a log line "[thrd:NAME]: …": some failures, such as a wrong security.protocol, cause no event.
func (k *Kafka) connectionFailed(line string) {
	if _, text, ok := strings.Cut(line, "]: "); ok {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.denied { // that says more
			k.transport = k.secrets.Text(text)
		}
	}
}
