package kafarr

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/internal/deadletter"
)

// MinMemoryLimit is the least that Config.MemoryLimit may be: below it, fetches would be smaller than a batch of the broker usually is.
const MinMemoryLimit = 16 << 20

// share is the part of Config.MemoryLimit that one fetch may bring, and that the client's queue may hold before it stops fetching. What a listener holds at most:
//
//	client's queue, while a fetch of each of n brokers is on its way    1 + n shares
//	messages taken from it and not decoded yet                          1 + n
//	columns of 2 shares of messages, growing: the old ones and the new  6
//
// which are the 16 shares of the limit for four brokers. Messages for the dead-letter topic have as many as the columns' messages.
const (
	shares       = 16
	batchShares  = 2
	columnShares = 3
)

// fetchProperties are the properties of librdkafka that hold the client to its share.
func fetchProperties(share int64) map[string]string {
	return map[string]string{
		"queued.max.messages.kbytes": strconv.FormatInt(share>>10, 10), // of the one queue that all partitions are forwarded to
		"fetch.max.bytes":            strconv.FormatInt(share, 10),     // a broker's answer
		"fetch.message.max.bytes":    strconv.FormatInt(min(share, 1<<20), 10),
	}
}

// Other names of the same properties.
var fetchAliases = map[string]string{"max.partition.fetch.bytes": "fetch.message.max.bytes"}

// validateMemory checks MemoryLimit, and that nothing else claims to decide what it decides.
func (c *Config) validateMemory() error {
	if c.MemoryLimit == 0 {
		return nil
	}
	if c.MemoryLimit < MinMemoryLimit {
		return errorf(ConfigError, "memory_limit must be %d bytes (16 MiB) or more, not %d", MinMemoryLimit, c.MemoryLimit)
	}
	var clash []string
	derived := fetchProperties(0)
	for name := range c.Properties {
		if _, ok := derived[name]; ok || fetchAliases[name] != "" {
			clash = append(clash, "config: "+name)
		}
	}
	if c.BatchBytes != 0 {
		clash = append(clash, "limits: batch_bytes")
	}
	if len(clash) > 0 {
		slices.Sort(clash)
		return errorf(ConfigError, "memory_limit decides what these say, too: %s: give the one or the other", strings.Join(clash, ", "))
	}
	return nil
}

func (c *Config) share() int64 { return c.MemoryLimit / shares }

// batchBytes is what a batch's messages may have.
func (c *Config) batchBytes() int {
	switch {
	case c.MemoryLimit != 0:
		return int(min(batchShares*c.share(), DefaultBatchBytes))
	case c.BatchBytes != 0:
		return c.BatchBytes
	}
	return DefaultBatchBytes
}

// columnBytes is what the columns of a batch may hold: with as much room again they have their part of MemoryLimit. 0: the default.
func (c *Config) columnBytes() int {
	return int(columnShares * c.share())
}

// letterBytes is what the messages on their way to the dead-letter topic may have.
func (c *Config) letterBytes() int {
	if c.MemoryLimit == 0 {
		return deadletter.MaxBytes
	}
	return min(deadletter.MaxBytes, c.batchBytes())
}

// consumerProperties are Properties with those that MemoryLimit decides.
func (c *Config) consumerProperties() map[string]string {
	if c.MemoryLimit == 0 {
		return c.Properties
	}
	out := maps.Clone(c.Properties)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, fetchProperties(min(c.share(), 1<<30)))
	// To a consumer it means nothing, but librdkafka wants fetch.max.bytes to be as much, and its default is a million. The producer of dead letters has its own.
	out["message.max.bytes"] = strconv.FormatInt(min(c.share(), 1_000_000), 10)
	return out
}
