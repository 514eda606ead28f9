// Package scan reads ranges of partitions as batches: several ranges at a time, each in the order of its offsets, without a group.
package scan

import (
	"context"
	"io"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

// Range is what is to be read of a partition: the rows whose offsets lie in [Start, End).
type Range = fetch.Range

// Cluster is what a scan asks of Kafka. See fetch.Client.
type Cluster interface {
	Partitions(ctx context.Context, topics []string) ([]source.Position, error)
	Offsets(ctx context.Context, positions []source.Position) ([]source.Position, error)
	Read(r Range) RangeReader
	Close()
}

// RangeReader is the source of a range's records.
type RangeReader interface {
	source.Fetcher
	source.Bounded
	io.Closer
	Report() fetch.Report
}

// kafka is a fetch.Client as a Cluster.
type kafka struct{ *fetch.Client }

func (k kafka) Read(r Range) RangeReader { return k.Client.Read(r) }

// Dial makes a client of a cluster. It does not wait for the network.
func Dial(cfg fetch.Config) (Cluster, error) {
	client, err := fetch.Dial(cfg)
	if err != nil {
		return nil, err
	}
	return kafka{client}, nil
}

// Config says how ranges are read.
type Config struct {
	Workers int // that read a range each
	// Dial makes the client of a worker.
	Dial func() (Cluster, error)
	// Resolvers makes what resolves the schemas of a topic's messages. Look-ups end with ctx.
	Resolvers func(ctx context.Context, topic string) (*schema.Resolvers, error)
	// Assembly says how batches are assembled; Schemas and Ledger are the scan's own.
	Assembly     assemble.Config
	BatchRows    int            // of a batch, at most
	Timeout      time.Duration  // bounds the wait for a schema, and for a batch that does not become full
	AllowPartial bool           // it is no error that rows are not in the log
	Shared       *schema.Shared // what the Resolvers of all topics share
	Warn         func(facility, text string)
}

// maxWait bounds how long a step waits, so that the end of a stream is noticed.
const maxWait = 50 * time.Millisecond
