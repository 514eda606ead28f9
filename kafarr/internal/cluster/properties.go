package cluster

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Reader takes a property's value.
type Reader func(value string) error

// common are librdkafka's properties that every client knows, with librdkafka's ranges. Those of security are in secure.go.
func (s *Settings) common() map[string]Reader {
	return map[string]Reader{
		"client.id":                 Text(&s.ClientID),
		"debug":                     Text(&s.debug),
		"topic.blacklist":           Ignored, // who looks for topics by patterns reads it
		"log_level":                 Number(0, 7, &s.logLevel),
		"receive.message.max.bytes": Number(1000, 2147483647, &s.ReceiveMax),

		"socket.timeout.ms":                  Millis(10, 300000, &s.RequestTimeout),
		"socket.connection.setup.timeout.ms": Millis(1000, 2147483647, &s.ConnectTimeout),
		"socket.keepalive.enable":            Boolean(&s.keepAlive),
		"socket.send.buffer.bytes":           Number(0, 100000000, &s.sendBuffer),
		"socket.receive.buffer.bytes":        Number(0, 100000000, &s.receiveBuffer),
		"connections.max.idle.ms":            Millis(0, 2147483647, &s.idle),
		"reconnect.backoff.ms":               Millis(0, 3600000, &s.reconnect),
		"reconnect.backoff.max.ms":           Millis(0, 3600000, &s.reconnectMax),
		"retry.backoff.ms":                   Millis(1, 300000, &s.Backoff),
		"retry.backoff.max.ms":               Millis(1, 300000, &s.BackoffMax),

		"broker.address.family": s.word(map[string]func(){
			"any": func() { s.Network = "tcp" },
			"v4":  func() { s.Network = "tcp4" },
			"v6":  func() { s.Network = "tcp6" },
		}),
		"client.dns.lookup":   s.word(map[string]func(){"use_all_dns_ips": func() {}}),
		"api.version.request": s.word(map[string]func(){"true": func() {}}),
	}
}

// reserved are set by arguments; each comes with the reason.
var reserved = map[string]string{
	"bootstrap.servers":    "it is the first argument",
	"metadata.broker.list": "the servers are the first argument",
	"log.queue":            "log lines go to the log handler",
}

// passedOver are properties of how librdkafka goes about what franz-go does in its own way.
var passedOver = SetOf(
	"metadata.max.age.ms", "metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms", "topic.metadata.refresh.interval.ms", "topic.metadata.refresh.fast.interval.ms",
	"topic.metadata.refresh.fast.cnt", "topic.metadata.refresh.sparse", "socket.blocking.max.ms", "socket.max.fails", "socket.nagle.disable",
	"broker.address.ttl", "reconnect.backoff.jitter.ms", "api.version.request.timeout.ms", "api.version.fallback.ms", "broker.version.fallback", "enable.random.seed",
	"internal.termination.signal", "enable.metrics.push", "statistics.interval.ms", "log.thread.name", "log.connection.close",
)

// Consumers are properties that mean something to consumers of groups only: the same configuration serves every client.
var Consumers = []string{
	"group.id", "group.instance.id", "group.protocol", "group.protocol.type", "group.remote.assignor", "partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms",
	"max.poll.interval.ms", "coordinator.query.interval.ms", "enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store", "auto.offset.reset",
	"offset.store.method", "offset.store.path", "offset.store.sync.interval.ms", "consume.callback.max.messages", "queued.min.messages", "queued.max.messages.kbytes",
	"fetch.queue.backoff.ms", "fetch.error.backoff.ms", "enable.partition.eof",
}

// SetOf is a set of names.
func SetOf(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}

// read takes all properties but those of security.
func (s *Settings) read(c *Config) error {
	common := s.common()
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		if reason, is := reserved[name]; is {
			return source.Errorf(status.ConfigError, "config: %s must not be set: %s", name, reason)
		}
		read, is := c.Own[name]
		if !is && (c.Passed[name] || passedOver[name] || ofSecurity[name]) {
			if read, is = values[name]; !is {
				continue
			}
		}
		if reason, no := refused[name]; no {
			return source.Errorf(status.ConfigError, "config: %s is not supported in %s: %s", name, c.User, reason)
		}
		if !is {
			read, is = common[name]
		}
		if !is {
			return source.UnknownProperty(name, slices.Concat(Names(), slices.Collect(maps.Keys(c.Own)), slices.Collect(maps.Keys(c.Passed))))
		}
		if err := read(c.Properties[name]); err != nil {
			return source.Errorf(status.ConfigError, "config: %s is %q: %w", name, c.Properties[name], err)
		}
	}
	s.reconnectMax, s.BackoffMax = max(s.reconnectMax, s.reconnect), max(s.BackoffMax, s.Backoff)
	return nil
}

// Names are the properties that this package knows.
func Names() (names []string) {
	for _, some := range []iter.Seq[string]{maps.Keys((&Settings{}).common()), maps.Keys(passedOver), maps.Keys(ofSecurity), maps.Keys(reserved), maps.Keys(refused)} {
		names = slices.AppendSeq(names, some)
	}
	return names
}

// Ignored takes any value.
func Ignored(string) error { return nil }

// Text reads a text.
func Text(to *string) Reader {
	return func(value string) error {
		*to = value
		return nil
	}
}

// Boolean reads true or false.
func Boolean(to *bool) Reader {
	return func(value string) error {
		v, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			return fmt.Errorf("it wants true or false")
		}
		*to = v
		return nil
	}
}

// Number reads a number of a range.
func Number[T int | int16 | int32 | int64](low, high int64, to *T) Reader {
	return func(value string) error {
		n, err := inRange(value, low, high)
		if err != nil {
			return err
		}
		*to = T(n)
		return nil
	}
}

// Millis reads a number of milliseconds.
func Millis(low, high int64, to *time.Duration) Reader {
	return func(value string) error {
		n, err := inRange(value, low, high)
		if err != nil {
			return err
		}
		*to = time.Duration(n) * time.Millisecond
		return nil
	}
}

func inRange(value string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("it wants a number from %d to %d", low, high)
	}
	return n, nil
}

// Word reads one of some words. user is what supports no others: "a scan".
func Word(user string, of map[string]func()) Reader {
	return func(value string) error {
		set, ok := of[strings.ToLower(value)]
		if !ok {
			return fmt.Errorf("%s supports %s", user, strings.Join(slices.Sorted(maps.Keys(of)), ", "))
		}
		set()
		return nil
	}
}

func (s *Settings) word(of map[string]func()) Reader { return Word(s.user, of) }
