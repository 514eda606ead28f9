package fetch

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// isolation.level, as requests have it.
const (
	readUncommitted = 0
	readCommitted   = 1
)

// settings are what the configuration comes to.
type settings struct {
	cluster.Settings

	rack           string
	excluded       []source.Pattern // of topics that other patterns do not find
	isolation      int8
	checkSums      bool
	fetchBytes     int32 // of an answer
	partitionBytes int32
	expandedMax    int
	minBytes       int32
	maxWait        time.Duration
	throttled      time.Duration // besides the RetryTimeout, where brokers ask for it
}

// defaultFetchBytes is what an answer brings at most. On loopback 256 KiB give 16 M flat rows a second, 512 KiB 19, and from 1 MiB to 8 MiB it is 20; where the way to the broker is longer, each answer
// costs a turn, so it is more than 1. Three answers are alive at a time, and as much garbage: the client takes fresh memory for each, whose pages cost more the more there are.
const defaultFetchBytes = 2 << 20

// defaultExpandedBytes is no default of librdkafka's.
const defaultExpandedBytes = 256 << 20

// settings checks the configuration.
func (c *Config) settings() (settings, error) {
	s := settings{
		isolation: readCommitted, checkSums: true, fetchBytes: 50 << 20, partitionBytes: defaultFetchBytes, expandedMax: defaultExpandedBytes, minBytes: 1, maxWait: 500 * time.Millisecond,
		throttled: maxThrottled,
	}
	common, err := cluster.Read(cluster.Config{
		User: "a scan", Facility: "SCAN", Servers: c.Servers, Properties: c.Properties, Own: s.properties(), Passed: passedOver, Environment: c.Environment, RetryTimeout: c.RetryTimeout,
		MetadataBytes: c.MetadataBytes, Token: c.Token, Log: c.Log,
	})
	if err != nil {
		return s, err
	}
	s.Settings = *common
	if c.FetchBytes > 0 {
		s.fetchBytes, s.partitionBytes = min(s.fetchBytes, int32(c.FetchBytes)), min(s.partitionBytes, int32(c.FetchBytes)) //nolint:gosec // a bound of what is configured
	}
	if c.DecompressedBytes > 0 {
		s.expandedMax = c.DecompressedBytes
	}
	if s.excluded, err = source.Excluded(c.Properties); err != nil {
		return s, err
	}
	s.Options = append(s.Options, kgo.FetchMaxBytes(min(s.fetchBytes, s.ReceiveMax)), versions())
	return s, nil
}

// properties are librdkafka's properties that only a scan knows, with librdkafka's ranges.
func (s *settings) properties() map[string]cluster.Reader {
	return map[string]cluster.Reader{
		"client.rack":               cluster.Text(&s.rack),
		"fetch.max.bytes":           cluster.Number(0, 2147483135, &s.fetchBytes),
		"max.partition.fetch.bytes": cluster.Number(1, 1000000000, &s.partitionBytes),
		"fetch.message.max.bytes":   cluster.Number(1, 1000000000, &s.partitionBytes),
		"fetch.min.bytes":           cluster.Number(1, 100000000, &s.minBytes),
		"fetch.wait.max.ms":         cluster.Millis(0, 300000, &s.maxWait),
		"check.crcs":                cluster.Boolean(&s.checkSums), // true, here: it costs next to nothing
		"isolation.level": cluster.Word("a scan", map[string]func(){
			"read_committed":   func() { s.isolation = readCommitted },
			"read_uncommitted": func() { s.isolation = readUncommitted },
		}),
	}
}

// passedOver are properties that mean nothing to a scan.
var passedOver = cluster.SetOf(
	// of groups, commits and the client's own queue
	append(cluster.Consumers,
		// of what a scan never does
		"allow.auto.create.topics", "topic.metadata.propagation.max.ms",
		// of producers, which dead letters have
		"acks", "request.required.acks", "request.timeout.ms", "message.timeout.ms", "delivery.timeout.ms", "message.max.bytes", "message.copy.max.bytes", "message.send.max.retries", "retries",
		"linger.ms", "queue.buffering.max.ms", "queue.buffering.max.messages", "queue.buffering.max.kbytes", "queue.buffering.backpressure.threshold", "batch.size", "batch.num.messages",
		"compression.type", "compression.codec", "compression.level", "enable.idempotence", "enable.gapless.guarantee", "partitioner", "max.in.flight", "max.in.flight.requests.per.connection",
		"sticky.partitioning.linger.ms", "delivery.report.only.error", "transactional.id", "transaction.timeout.ms",
	)...,
)
