package fetch

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

// reader takes a property's value.
type propertyReader func(s *settings, value string) error

// mapped are librdkafka's properties that a scan knows, with librdkafka's ranges. Those of security are in secure.go.
var mapped = map[string]propertyReader{
	"client.id":                 text(func(s *settings) *string { return &s.clientID }),
	"client.rack":               text(func(s *settings) *string { return &s.rack }),
	"debug":                     text(func(s *settings) *string { return &s.debug }),
	"topic.blacklist":           func(*settings, string) error { return nil }, // settings reads it
	"log_level":                 number(0, 7, func(s *settings) *int { return &s.logLevel }),
	"receive.message.max.bytes": number(1000, 2147483647, func(s *settings) *int32 { return &s.receiveMax }),
	"fetch.max.bytes":           number(0, 2147483135, func(s *settings) *int32 { return &s.fetchBytes }),
	"max.partition.fetch.bytes": number(1, 1000000000, func(s *settings) *int32 { return &s.partitionBytes }),
	"fetch.message.max.bytes":   number(1, 1000000000, func(s *settings) *int32 { return &s.partitionBytes }),
	"fetch.min.bytes":           number(1, 100000000, func(s *settings) *int32 { return &s.minBytes }),
	"fetch.wait.max.ms":         millis(0, 300000, func(s *settings) *time.Duration { return &s.maxWait }),

	"socket.timeout.ms":                  millis(10, 300000, func(s *settings) *time.Duration { return &s.requestTimeout }),
	"socket.connection.setup.timeout.ms": millis(1000, 2147483647, func(s *settings) *time.Duration { return &s.connectTimeout }),
	"socket.keepalive.enable":            boolean(func(s *settings) *bool { return &s.keepAlive }),
	"socket.send.buffer.bytes":           number(0, 100000000, func(s *settings) *int { return &s.sendBuffer }),
	"socket.receive.buffer.bytes":        number(0, 100000000, func(s *settings) *int { return &s.receiveBuffer }),
	"connections.max.idle.ms":            millis(0, 2147483647, func(s *settings) *time.Duration { return &s.idle }),
	"reconnect.backoff.ms":               millis(0, 3600000, func(s *settings) *time.Duration { return &s.reconnect }),
	"reconnect.backoff.max.ms":           millis(0, 3600000, func(s *settings) *time.Duration { return &s.reconnectMax }),
	"retry.backoff.ms":                   millis(1, 300000, func(s *settings) *time.Duration { return &s.backoff }),
	"retry.backoff.max.ms":               millis(1, 300000, func(s *settings) *time.Duration { return &s.backoffMax }),

	"check.crcs": boolean(func(s *settings) *bool { return &s.checkSums }), // true, here: it costs next to nothing
	"isolation.level": word(map[string]func(*settings){
		"read_committed":   func(s *settings) { s.isolation = readCommitted },
		"read_uncommitted": func(s *settings) { s.isolation = readUncommitted },
	}),
	"broker.address.family": word(map[string]func(*settings){
		"any": func(s *settings) { s.network = "tcp" },
		"v4":  func(s *settings) { s.network = "tcp4" },
		"v6":  func(s *settings) { s.network = "tcp6" },
	}),
	"client.dns.lookup":   word(map[string]func(*settings){"use_all_dns_ips": func(*settings) {}}),
	"api.version.request": word(map[string]func(*settings){"true": func(*settings) {}}),
}

// reserved are set by arguments; each comes with the reason.
var reserved = map[string]string{
	"bootstrap.servers":    "it is the first argument",
	"metadata.broker.list": "the servers are the first argument",
	"log.queue":            "log lines go to the log handler",
}

// passedOver are properties that mean nothing to a scan: the same config= serves a listener.
var passedOver = setOf(
	// of groups, commits and the client's own queue
	"group.id", "group.instance.id", "group.protocol", "group.protocol.type", "group.remote.assignor", "partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms",
	"max.poll.interval.ms", "coordinator.query.interval.ms", "enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store", "auto.offset.reset",
	"offset.store.method", "offset.store.path", "offset.store.sync.interval.ms", "consume.callback.max.messages", "queued.min.messages", "queued.max.messages.kbytes",
	"fetch.queue.backoff.ms", "fetch.error.backoff.ms",
	// of what a scan never does: it creates no topic, and knows where its ranges end
	"allow.auto.create.topics", "enable.partition.eof",
	// of producers, which dead letters have
	"acks", "request.required.acks", "request.timeout.ms", "message.timeout.ms", "delivery.timeout.ms", "message.max.bytes", "message.copy.max.bytes", "message.send.max.retries", "retries",
	"linger.ms", "queue.buffering.max.ms", "queue.buffering.max.messages", "queue.buffering.max.kbytes", "queue.buffering.backpressure.threshold", "batch.size", "batch.num.messages",
	"compression.type", "compression.codec", "compression.level", "enable.idempotence", "enable.gapless.guarantee", "partitioner", "max.in.flight", "max.in.flight.requests.per.connection",
	"sticky.partitioning.linger.ms", "delivery.report.only.error", "transactional.id", "transaction.timeout.ms",
	// of how librdkafka goes about what franz-go does in its own way
	"metadata.max.age.ms", "metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms", "topic.metadata.refresh.interval.ms", "topic.metadata.refresh.fast.interval.ms",
	"topic.metadata.refresh.fast.cnt", "topic.metadata.refresh.sparse", "topic.metadata.propagation.max.ms", "socket.blocking.max.ms", "socket.max.fails", "socket.nagle.disable",
	"broker.address.ttl", "reconnect.backoff.jitter.ms", "api.version.request.timeout.ms", "api.version.fallback.ms", "broker.version.fallback", "enable.random.seed",
	"internal.termination.signal", "enable.metrics.push", "statistics.interval.ms", "log.thread.name", "log.connection.close",
)

func setOf(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}

// read takes all properties but those of security.
func (s *settings) read(properties map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if reason, is := reserved[name]; is {
			return source.Errorf(status.ConfigError, "config: %s must not be set: %s", name, reason)
		}
		if passedOver[name] || ofSecurity[name] {
			continue
		}
		if reason, is := refused[name]; is {
			return source.Errorf(status.ConfigError, "config: %s cannot be had in a scan: %s", name, reason)
		}
		read, is := mapped[name]
		if !is {
			return unknown(name)
		}
		if err := read(s, properties[name]); err != nil {
			return source.Errorf(status.ConfigError, "config: %s is %q: %w", name, properties[name], err)
		}
	}
	s.reconnectMax, s.backoffMax = max(s.reconnectMax, s.reconnect), max(s.backoffMax, s.backoff)
	return nil
}

// unknown is the error of a property that a scan does not have.
func unknown(name string) error {
	var known []string
	for _, names := range []iter.Seq[string]{maps.Keys(mapped), maps.Keys(passedOver), maps.Keys(ofSecurity), maps.Keys(reserved), maps.Keys(refused)} {
		known = slices.AppendSeq(known, names)
	}
	return source.UnknownProperty(name, known)
}

func text(of func(*settings) *string) propertyReader {
	return func(s *settings, value string) error {
		*of(s) = value
		return nil
	}
}

func boolean(of func(*settings) *bool) propertyReader {
	return func(s *settings, value string) error {
		v, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			return fmt.Errorf("it wants true or false")
		}
		*of(s) = v
		return nil
	}
}

func number[T int | int32](low, high int64, of func(*settings) *T) propertyReader {
	return func(s *settings, value string) error {
		n, err := inRange(value, low, high)
		if err != nil {
			return err
		}
		*of(s) = T(n)
		return nil
	}
}

func millis(low, high int64, of func(*settings) *time.Duration) propertyReader {
	return func(s *settings, value string) error {
		n, err := inRange(value, low, high)
		if err != nil {
			return err
		}
		*of(s) = time.Duration(n) * time.Millisecond
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

func word(of map[string]func(*settings)) propertyReader {
	return func(s *settings, value string) error {
		set, ok := of[strings.ToLower(value)]
		if !ok {
			return fmt.Errorf("a scan can do %s", strings.Join(slices.Sorted(maps.Keys(of)), ", "))
		}
		set(s)
		return nil
	}
}
