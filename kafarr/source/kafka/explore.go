package kafka

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

var _ source.RecordFinder = (*Kafka)(nil)

// What the explorer asks is small, and it is asked again by the listener.
const (
	exploreTimeout = 5 * time.Second
	exploreBytes   = 256 << 10
)

// explorer looks beyond the last record of a partition with a request client of its own, which is made when it is first needed. librdkafka says where its fetching is in two ways only. An event at the end of a
// partition (enable.partition.eof) moves its position one too far in batch consumption before librdkafka 2.13.2, which programs in Go link, and rows are lost (confluentinc/librdkafka#4844); statistics are made for all partitions, whether they are
// needed or not, and are not ordered with the messages in our queue. A Fetch says what the log holds, whatever the consumer does meanwhile.
type explorer struct {
	mu      sync.Mutex
	client  *fetch.Client
	refused error // this configuration is none for a request client
}

// open returns the client.
func (e *explorer) open(cfg *Config) (*fetch.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil || e.refused != nil {
		return e.client, e.refused
	}
	e.client, e.refused = fetch.Dial(fetch.Config{
		Servers: cfg.Servers, Properties: cfg.Properties, FetchBytes: exploreBytes, RetryTimeout: exploreTimeout, Token: cfg.Token, Log: cfg.Log, Environment: cfg.Environment,
	})
	if e.refused != nil {
		cfg.Log(4, "EXPLORE", "offsets after the last row stay in the lag, and topics that are deleted or re-created are not noticed: "+e.refused.Error())
	}
	return e.client, e.refused
}

// close comes after the last call.
func (e *explorer) close() {
	if e.client != nil {
		e.client.Close()
	}
}

// FindNext implements source.RecordFinder. The cluster is asked only where the last answer to a fetch has named a later end than the position.
func (k *Kafka) FindNext(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	var out []source.Position
	var failed error
	err := k.background(ctx, func() error {
		found, gone := slices.Clone(positions), k.DeletedTopics()
		for i, p := range found {
			if gone[p.Topic] != nil {
				continue
			}
			if _, high, err := k.consumer.GetWatermarkOffsets(p.Topic, p.Partition); err == nil && high >= 0 && high <= p.Offset {
				continue
			}
			client, err := k.explorer.open(&k.cfg)
			if err != nil {
				return nil //nolint:nilerr // the log says so
			}
			next, err := client.Next(ctx, p)
			if err != nil {
				failed = cmp.Or(failed, err)
				continue
			}
			found[i].Offset = next
		}
		out = found
		return nil
	})
	if err != nil || out == nil {
		return positions, err
	}
	return out, failed
}
