package kafarr

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/internal/deadletter"
)

// DefaultSchemaBytes is Memory.SchemaBytes' default: some hundred schemas of a hundred fields.
const DefaultSchemaBytes = 64 << 20

// schemaPart is the part of Memory.Limit that compiled schemas may have at most, besides it.
const schemaPart = 4

// MinMemoryLimit is the least that Memory.Limit may be: below it, fetches would be smaller than a batch of the broker usually is.
const MinMemoryLimit = 16 << 20

// share is the part of Memory.Limit that one fetch may bring, and that the client's queue may hold before it stops fetching. What a listener holds at most:
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

// Memory bounds what is held.
type Memory struct {
	// BatchBytes ends a batch when its messages have this many bytes; 0, and at the most: DefaultBatchBytes, or DefaultScanBytes.
	BatchBytes int
	// SchemaBytes bounds what compiled schemas take: those that were used the longest time ago are dropped, and compiled again when a message needs them. 0: DefaultSchemaBytes, or a
	// quarter of Limit where that is less.
	SchemaBytes int
	// Limit bounds the bytes that a listener holds: the client's queue, the messages taken from it, the batch being built and the letters to the dead-letter topic; or
	// those that the workers of a scan hold together. 0: no bound but BatchBytes and those of librdkafka. What Poll and Next have returned does not count.
	Limit int64
}

// DefaultBatchBytes ends a batch before a column's 32-bit offsets could overflow: no column holds more bytes than came in.
const DefaultBatchBytes = 1 << 30

// validate checks the bounds, and that no property decides what Limit decides.
func (m *Memory) validate(properties map[string]string) error {
	switch {
	case m.BatchBytes < 0 || m.BatchBytes > DefaultBatchBytes:
		return errorf(ConfigError, "limits: batch_bytes must be from 1 to %d, not %d", DefaultBatchBytes, m.BatchBytes)
	case m.SchemaBytes < 0:
		return errorf(ConfigError, "limits: schema_bytes is negative")
	case m.Limit == 0:
		return nil
	case m.Limit < MinMemoryLimit:
		return errorf(ConfigError, "memory_limit must be %d bytes (16 MiB) or more, not %d", MinMemoryLimit, m.Limit)
	}
	var clash []string
	derived := fetchProperties(0)
	for name := range properties {
		if _, ok := derived[name]; ok || fetchAliases[name] != "" {
			clash = append(clash, "config: "+name)
		}
	}
	if m.BatchBytes != 0 {
		clash = append(clash, "limits: batch_bytes")
	}
	if len(clash) > 0 {
		slices.Sort(clash)
		return errorf(ConfigError, "memory_limit decides what these say, too: %s: give the one or the other", strings.Join(clash, ", "))
	}
	return nil
}

func (m *Memory) share() int64 { return m.Limit / shares }

// batchBytes is what a batch's messages may have.
func (m *Memory) batchBytes() int {
	switch {
	case m.Limit != 0:
		return int(min(batchShares*m.share(), DefaultBatchBytes))
	case m.BatchBytes != 0:
		return m.BatchBytes
	}
	return DefaultBatchBytes
}

// columnBytes is what the columns of a batch may hold: with as much room again they have their part of Limit. 0: the default.
func (m *Memory) columnBytes() int {
	return int(columnShares * m.share())
}

// letterBytes is what the messages on their way to the dead-letter topic may have.
func (m *Memory) letterBytes() int {
	if m.Limit == 0 {
		return deadletter.MaxBytes
	}
	return min(deadletter.MaxBytes, m.batchBytes())
}

// schemaBytes is what compiled schemas may take.
func (m *Memory) schemaBytes() int {
	switch {
	case m.SchemaBytes != 0:
		return m.SchemaBytes
	case m.Limit != 0:
		return int(min(m.Limit/schemaPart, DefaultSchemaBytes))
	}
	return DefaultSchemaBytes
}

// consumerProperties are the properties of a consumer with those that Limit decides.
func (m *Memory) consumerProperties(properties map[string]string) map[string]string {
	if m.Limit == 0 {
		return properties
	}
	out := maps.Clone(properties)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, fetchProperties(min(m.share(), 1<<30)))
	// To a consumer it means nothing, but librdkafka wants fetch.max.bytes to be as much, and its default is a million. The producer of dead letters has its own.
	out["message.max.bytes"] = strconv.FormatInt(min(m.share(), 1_000_000), 10)
	return out
}
