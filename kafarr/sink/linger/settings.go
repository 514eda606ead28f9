package linger

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Config is what a Writer needs.
type Config struct {
	Topic string // that all messages are written to
	// Cluster says how it is reached. Properties that only consumers have are ignored.
	Cluster produce.Settings
	// Batch is where a record batch is full, in bytes before compression (batch.size).
	Batch       int
	Compression produce.Compression
	Partitioner Partitioner
}

// Partitioner chooses the partition of a key; ok is false where any partition will do. key is nil for a null.
type Partitioner interface {
	Partition(key []byte, partitions int) (partition int32, ok bool)
}

// leftOut are properties that a delivery needs to be as they are: what the user's configuration says of them, for the consumer or in general, is left out.
var leftOut = []string{
	"acks", "request.required.acks", // all: who commits after a delivery relies on it
	"max.in.flight", "max.in.flight.requests.per.connection", // idempotence allows 5, a consumer's client more
	"transactional.id", // messages are in no transaction
}

// unlessSet are properties that differ from librdkafka's defaults, unless the user's configuration has them.
var unlessSet = []struct{ name, alias, value string }{
	{"message.timeout.ms", "delivery.timeout.ms", "30000"}, // instead of five minutes, for which a commit would wait
}

// settings are what a Config comes to.
type settings struct {
	topic       string
	bounds      produce.Bounds // Message is what brokers may be asked to take: how much is too much is for them to say
	messages    int            // in a batch
	linger      time.Duration  // for which a batch waits for more messages
	sticky      time.Duration  // for which messages that may go anywhere go to one partition
	delivery    time.Duration  // 0: for ever
	compression produce.Compression
	partitioner Partitioner
	cluster     produce.Settings
}

// Check checks a configuration as Open does.
func Check(c Config) error {
	s, err := c.read()
	if err != nil {
		return err
	}
	return s.cluster.Check()
}

func (c *Config) read() (*settings, error) {
	s := &settings{topic: c.Topic, bounds: produce.Bounds{Batch: c.Batch}, compression: c.Compression, partitioner: c.Partitioner, cluster: c.Cluster}
	properties := maps.Clone(c.Cluster.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	for _, name := range leftOut {
		delete(properties, name)
	}
	for _, p := range unlessSet {
		if properties[p.name] == "" && properties[p.alias] == "" {
			properties[p.name] = p.value
		}
	}
	s.cluster.Properties = properties
	s.cluster.User, s.cluster.Facility = "the producer of dead letters", "LETTERS"
	s.cluster.CreateTopics = true
	number := func(fallback string, low, high float64, names ...string) (value float64, err error) {
		text, name := fallback, ""
		for _, name = range names {
			if given, set := properties[name]; set {
				text = given
				break
			}
		}
		if value, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil || value < low || value > high {
			return 0, source.Errorf(status.ConfigError, "config: %s is %q: it wants a number from %g to %g", name, text, low, high)
		}
		return value, nil
	}
	millis := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	linger, err := number("5", 0, 900_000, "linger.ms", "queue.buffering.max.ms")
	if err != nil {
		return nil, err
	}
	sticky, err := number(fmt.Sprint(2*linger), 0, 2*900_000, "sticky.partitioning.linger.ms")
	if err != nil {
		return nil, err
	}
	delivery, err := number("", 0, 1<<31-1, "message.timeout.ms", "delivery.timeout.ms")
	if err != nil {
		return nil, err
	}
	messages, err := number("10000", 1, 1_000_000, "batch.num.messages")
	if err != nil {
		return nil, err
	}
	most, err := number("1000000000", 1000, 1_000_000_000, "message.max.bytes")
	if err != nil {
		return nil, err
	}
	s.linger, s.sticky, s.delivery, s.messages, s.bounds.Message = millis(linger), millis(sticky), millis(delivery), int(messages), int(most)
	if s.delivery > 0 && s.linger >= s.delivery {
		return nil, source.Errorf(status.ConfigError, "config: linger.ms (%v) must be less than message.timeout.ms (%v)", s.linger, s.delivery)
	}
	return s, nil
}
