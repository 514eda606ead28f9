package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// values are what librdkafka takes for properties that some client passes over. A mistake is found by each client that has the configuration, and not first by the one that the
// property is for. Properties that are not here take any text.
var values = map[string]Reader{
	"metadata.max.age.ms":                      whole(1, 86400000),
	"metadata.recovery.strategy":               oneOf("none", "rebootstrap"),
	"metadata.recovery.rebootstrap.trigger.ms": whole(0, 2147483647),
	"topic.metadata.refresh.interval.ms":       whole(-1, 3600000),
	"topic.metadata.refresh.fast.interval.ms":  whole(1, 60000),
	"topic.metadata.refresh.fast.cnt":          whole(0, 1000),
	"topic.metadata.refresh.sparse":            truth,
	"topic.metadata.propagation.max.ms":        whole(0, 3600000),
	"socket.blocking.max.ms":                   whole(1, 60000),
	"socket.max.fails":                         whole(0, 1000000),
	"socket.nagle.disable":                     truth,
	"broker.address.ttl":                       whole(0, 86400000),
	"reconnect.backoff.jitter.ms":              whole(0, 3600000),
	"api.version.request.timeout.ms":           whole(1, 300000),
	"api.version.fallback.ms":                  whole(0, 604800000),
	"enable.random.seed":                       truth,
	"internal.termination.signal":              whole(0, 128),
	"enable.metrics.push":                      truth,
	"statistics.interval.ms":                   whole(0, 86400000),
	"log.thread.name":                          truth,
	"log.connection.close":                     truth,
	"sasl.kerberos.min.time.before.relogin":    whole(0, 86400000),

	// of consumers
	"group.protocol":                oneOf("classic", "consumer"),
	"session.timeout.ms":            whole(1, 3600000),
	"heartbeat.interval.ms":         whole(1, 3600000),
	"max.poll.interval.ms":          whole(1, 86400000),
	"coordinator.query.interval.ms": whole(1, 3600000),
	"enable.auto.commit":            truth,
	"auto.commit.enable":            truth,
	"auto.commit.interval.ms":       whole(0, 86400000),
	"enable.auto.offset.store":      truth,
	"auto.offset.reset":             oneOf("smallest", "earliest", "beginning", "largest", "latest", "end", "error"),
	"offset.store.method":           oneOf("none", "file", "broker"),
	"offset.store.sync.interval.ms": whole(-1, 86400000),
	"consume.callback.max.messages": whole(0, 1000000),
	"queued.min.messages":           whole(1, 10000000),
	"queued.max.messages.kbytes":    whole(1, 2097151),
	"fetch.queue.backoff.ms":        whole(0, 300000),
	"fetch.error.backoff.ms":        whole(0, 300000),
	"fetch.max.bytes":               whole(0, 2147483135),
	"max.partition.fetch.bytes":     whole(1, 1000000000),
	"fetch.message.max.bytes":       whole(1, 1000000000),
	"fetch.min.bytes":               whole(1, 100000000),
	"fetch.wait.max.ms":             whole(0, 300000),
	"enable.partition.eof":          truth,
	"check.crcs":                    truth,
	"isolation.level":               oneOf("read_uncommitted", "read_committed"),
	"allow.auto.create.topics":      truth,

	// of producers
	"acks":                                   acknowledgements,
	"request.required.acks":                  acknowledgements,
	"request.timeout.ms":                     whole(1, 900000),
	"message.timeout.ms":                     whole(0, 2147483647),
	"delivery.timeout.ms":                    whole(0, 2147483647),
	"message.max.bytes":                      whole(1000, 1000000000),
	"message.copy.max.bytes":                 whole(0, 1000000000),
	"message.send.max.retries":               whole(0, 2147483647),
	"retries":                                whole(0, 2147483647),
	"linger.ms":                              between(0, 900000),
	"queue.buffering.max.ms":                 between(0, 900000),
	"sticky.partitioning.linger.ms":          whole(0, 900000),
	"queue.buffering.max.messages":           whole(0, 2147483647),
	"queue.buffering.max.kbytes":             whole(1, 2147483647),
	"queue.buffering.backpressure.threshold": whole(1, 1000000),
	"batch.size":                             whole(1, 2147483647),
	"batch.num.messages":                     whole(1, 1000000),
	"compression.type":                       oneOf("none", "gzip", "snappy", "lz4", "zstd", "inherit"),
	"compression.codec":                      oneOf("none", "gzip", "snappy", "lz4", "zstd", "inherit"),
	"compression.level":                      whole(-1, 22), // zstd's; librdkafka stops at 12
	"enable.idempotence":                     truth,
	"enable.gapless.guarantee":               truth,
	"max.in.flight":                          whole(1, 1000000),
	"max.in.flight.requests.per.connection":  whole(1, 1000000),
	"partitioner":                            oneOf("random", "consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"),
	"delivery.report.only.error":             truth,
	"transaction.timeout.ms":                 whole(1000, 2147483647),
}

func whole(low, high int64) Reader {
	return func(value string) error {
		_, err := inRange(value, low, high)
		return err
	}
}

func truth(value string) error {
	var is bool
	return Boolean(&is)(value)
}

// oneOf takes some words, whatever their case, as librdkafka does.
func oneOf(words ...string) Reader {
	return func(value string) error {
		if !slices.Contains(words, strings.ToLower(value)) {
			return fmt.Errorf("it wants one of %s", strings.Join(words, ", "))
		}
		return nil
	}
}

func acknowledgements(value string) error {
	if strings.EqualFold(value, "all") {
		return nil
	}
	if _, err := inRange(value, -1, 1000); err != nil {
		return fmt.Errorf("it wants all, 1 or 0")
	}
	return nil
}

// between takes numbers that need not be whole.
func between(low, high float64) Reader {
	return func(value string) error {
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(n >= low && n <= high) { // NaN is neither
			return fmt.Errorf("it wants a number from %g to %g", low, high)
		}
		return nil
	}
}
