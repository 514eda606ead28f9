package fetch

import (
	"context"
	"errors"
)

// largeBytes is what a record batch may become before it has to wait for its turn. Producers make batches of a few MiB.
const largeBytes = 16 << 20

// LargeBatches lets one record batch at a time become larger than 16 MiB, over all readers of the clients that share it: each reader would else hold two of them, of up to 256 MiB each.
type LargeBatches struct {
	turn chan struct{} // is full while nobody has it

	// Of the goroutine that has the turn.
	decompressor
	buffer []byte
}

// NewLargeBatches makes one for the clients that are to share it.
func NewLargeBatches() *LargeBatches {
	l := &LargeBatches{turn: make(chan struct{}, 1), decompressor: decompressor{bound: defaultExpandedBytes}}
	l.turn <- struct{}{}
	return l
}

// take waits for the turn; false: ctx has ended.
func (l *LargeBatches) take(ctx context.Context) bool {
	select {
	case <-l.turn:
		return true
	case <-ctx.Done():
		return false
	}
}

// give gives the turn back. The buffer is used again by the next large batch.
func (l *LargeBatches) give() { l.turn <- struct{}{} }

// inflate decompresses a batch: into a buffer of the reader's, or in its turn where it becomes large.
func (e *expander) inflate(ctx context.Context, c codec, src []byte) (out []byte, large bool, err error) {
	own := e.free.take()
	if out, err = e.expand(c, src, own); e.large == nil || !errors.Is(err, errBound) {
		return out, false, err
	}
	e.free.give([][]byte{own})
	if !e.large.take(ctx) {
		return nil, false, ctx.Err()
	}
	if out, err = e.large.expand(c, src, e.large.buffer); err != nil {
		e.large.give()
		return nil, false, err
	}
	e.large.buffer = out
	e.turn.Store(true)
	return out, true, nil
}

// passOn gives the turn back, if this reader has it.
func (e *expander) passOn() {
	if e.turn.Swap(false) {
		e.large.give()
	}
}
