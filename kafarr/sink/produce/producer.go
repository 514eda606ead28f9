// Package produce writes sealed record batches by Produce requests of its own: idempotent, in order for each partition, and in transactions where they are asked for.
package produce

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

var errNotReady = status.Errorf(status.StateError, "the producer is not there yet")

// Producer writes batches. Its methods may be called from any goroutine.
type Producer struct{}

// Open checks the settings. It does not wait for the network.
func Open(Settings) (*Producer, error) { return nil, errNotReady }

// Partitions is the number of a topic's partitions. It waits until the cluster has answered. A topic that stays missing is a TopicNotFoundError.
func (p *Producer) Partitions(context.Context, string) (int, error) { return 0, errNotReady }

// MaxMessageBytes is how large a batch of the topic may be: max.message.bytes where the cluster tells it, and 1,000,000 otherwise.
func (p *Producer) MaxMessageBytes(context.Context, string) (int, error) { return 0, errNotReady }

// Send takes a batch. The order of the calls for a partition is the order of its offsets. It waits while as many bytes as the memory limit allows wait for their outcome.
func (p *Producer) Send(context.Context, *Batch) error { return errNotReady }

// Flush waits until each batch that was sent before has its outcome.
func (p *Producer) Flush(context.Context) error { return errNotReady }

// Close gives up what is not acknowledged: NotSent or Unknown. ctx bounds the wait for goroutines.
func (p *Producer) Close(context.Context) error { return errNotReady }

// Begin begins a transaction.
func (p *Producer) Begin(context.Context) error { return errNotReady }

// SendOffsets commits offsets of a consumer group within the transaction.
func (p *Producer) SendOffsets(context.Context, GroupMember, []source.Position) error {
	return errNotReady
}

// Commit commits the transaction.
func (p *Producer) Commit(context.Context) error { return errNotReady }

// Abort aborts the transaction.
func (p *Producer) Abort(context.Context) error { return errNotReady }
