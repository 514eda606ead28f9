// Package fetch reads known ranges of partitions with Fetch requests of its own, without a consumer group and without an object for each message. Record batches are
// parsed where the answer lies, while the next request is on its way.
package fetch

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Config says how the cluster is reached.
type Config struct {
	Servers    string
	Properties map[string]string // librdkafka's names; what has no counterpart here is refused by Dial
	// Environment says which authorities are trusted where no property does, and which proxy a token endpoint is behind.
	Environment environ.Variables
	// FetchBytes bounds what one answer brings, and DecompressedBytes what one record batch may become; 0: defaults.
	FetchBytes, DecompressedBytes int
	// Large is what clients share that read at the same time, so that one record batch at a time becomes large; nil: each may have its own.
	Large *LargeBatches
	// MetadataBytes bounds an answer that names topics or partitions, between 1 MiB and 16 MiB; 0: 16 MiB.
	MetadataBytes int
	// TopicIDs are those of the topics as they were planned: one that has another id is another topic by now, and is not read. Topics without one here are not checked.
	TopicIDs map[string][16]byte
	// Headers: records carry their headers.
	Headers bool
	// SkipDeleted: offsets of a range that the log has deleted are counted and passed; else they are an error.
	SkipDeleted bool
	// RetryTimeout is how long a failure that may pass is met again and again without any progress, before it is an error; 0: a minute.
	RetryTimeout time.Duration
	Token        func(context.Context) (source.Token, error)
	Log          func(level int, facility, message string)
}

// Range is what is to be read of a partition: [Start, End).
type Range struct {
	Topic      string
	Partition  int32
	Start, End int64
}

// Report says how far the reading of a range came.
type Report struct {
	Range
	Next    int64 // the first offset that was not passed; End where the range is complete
	Rows    int64 // handed out
	Aborted int64 // rows of transactions that were aborted
	Control int64 // transaction markers
	Deleted int64 // offsets at the start of the range, or in it, that the log had deleted: log start offset past them while reading
	Ended   string
}
