package kafka

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Config is what a Kafka source needs.
type Config struct {
	Servers    string
	Group      string
	Topics     []string          // names, or regular expressions, which begin with ^, as source.Topics reads them
	Assign     []source.Position // instead of Topics: these partitions, without the group's say; Offset 0
	Properties map[string]string // librdkafka's
	// Environment is for requests of our own; librdkafka reads the process's.
	Environment environ.Variables
	Timestamps  bool // fill Record.Timestamp
	Headers     bool // fill Record.Headers
	// LeaderEpochs: fill Record.LeaderEpoch.
	LeaderEpochs bool
	Handler      source.Handler
	// Token is asked for OAUTHBEARER's tokens, from a goroutine of this source; nil: the client gets them by itself.
	Token func(context.Context) (Token, error)
	// Log is called from a goroutine of this source for each line that librdkafka logs; level is syslog's.
	Log func(level int, facility, message string)
}

// reserved properties would break this source; each comes with the reason.
var reserved = map[string]string{
	"enable.auto.offset.store": "offsets are stored when rows are acknowledged, or rows that nobody has seen would be committed",
	"bootstrap.servers":        "it is the first argument",
	"metadata.broker.list":     "the servers are the first argument",
	"group.id":                 "it is the second argument",
	"log.queue":                "log lines go to the log handler",
}

const (
	partitionEOF = "enable.partition.eof"
	// fixedEOF is librdkafka 2.13.2. In the batch consumption of older ones an end-of-partition event moves the position one too far, and rows are lost. The Go module's own is 2.11.1.
	fixedEOF = 0x020d0200
)

func configMap(cfg Config) (kafka.ConfigMap, error) {
	conf := kafka.ConfigMap{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Properties)) { // so that the same mistakes give the same error
		value := cfg.Properties[name]
		reason, isReserved := reserved[name]
		if strings.HasPrefix(name, "go.") {
			reason, isReserved = "it is internal to the Go client", true
		}
		if version, text := kafka.LibraryVersion(); name == partitionEOF && version < fixedEOF {
			reason, isReserved = "in the batch consumption of librdkafka "+text+" rows are lost with it (confluentinc/librdkafka#4844, mended in 2.13.2)", true
		}
		if isReserved {
			return nil, source.Errorf(status.ConfigError, "config: %s must not be set: %s", name, reason)
		}
		conf[name] = value
	}
	// librdkafka stops fetching a partition for this long, by default a second, whenever its queue is full: every reader that is slower than
	// the broker falls into that hole again and again.
	if _, set := conf["fetch.queue.backoff.ms"]; !set {
		conf["fetch.queue.backoff.ms"] = "5"
	}
	// librdkafka's default is false, Java's is true. A row that was damaged on its way would be a wrong value that nobody notices; the comparison costs 3 to 5 % of the CPU time.
	if _, set := conf["check.crcs"]; !set {
		conf["check.crcs"] = "true"
	}
	servers, err := source.Servers(cfg.Servers, cfg.Properties)
	if err != nil {
		return nil, err
	}
	if err := exclude(conf, cfg); err != nil {
		return nil, err
	}
	conf["bootstrap.servers"] = strings.Join(servers, ",")
	conf["group.id"] = cfg.Group
	conf["enable.auto.offset.store"] = false
	return conf, nil
}
