package linger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// collector fills batches. It belongs to the goroutine that runs it.
type collector struct {
	w       *Writer
	batches map[int32]*batch // that are being filled, by partition

	anywhere int32     // the partition that messages go to which may go anywhere
	chosen   time.Time // since when
}

// batch is what is being filled.
type batch struct {
	builder *produce.Builder
	entries []*entry
}

// body is a message's value as it is.
type body []byte

// Encode implements format.Encoder.
func (b body) Encode(to []byte, _ int) (int, bool) {
	if len(to) < len(b) {
		return 0, false
	}
	return copy(to, b), true
}

// run fills batches until the Writer is closed.
func (c *collector) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-c.w.arrived:
		case <-timer.C:
		case <-c.w.ctx.Done():
			return
		}
		if entries := c.w.take(); len(entries) > 0 {
			c.collect(entries)
		}
		timer.Reset(c.lingered())
	}
}

// giveUp answers for the messages that are in no batch that was sent.
func (c *collector) giveUp(why error) {
	for _, b := range c.batches {
		c.w.answer(b.entries, why)
	}
	c.w.answer(c.w.take(), why)
}

// lingered sends the batches that have waited for long enough, and returns how long the next one waits.
func (c *collector) lingered() time.Duration {
	least := time.Hour
	for partition, b := range c.batches {
		if left := c.w.set.linger - time.Since(b.entries[0].since); left > 0 {
			least = min(least, left)
			continue
		}
		c.flush(partition)
	}
	return least
}

// collect adds messages to batches.
func (c *collector) collect(entries []*entry) {
	set, ctx := c.w.set, c.w.ctx
	if set.delivery > 0 {
		bounded, cancel := context.WithDeadline(ctx, entries[0].since.Add(set.delivery))
		defer cancel()
		ctx = bounded
	}
	bounds := set.bounds
	partitions, err := c.w.producer.Partitions(ctx, set.topic, false)
	if err == nil {
		var most int
		most, err = c.w.producer.MaxMessageBytes(ctx, set.topic)
		bounds.Batch = min(bounds.Batch, most)
	}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = status.New(status.BrokerError, fmt.Errorf("no acknowledgement within message.timeout.ms (%v): %w", set.delivery, err))
		}
		c.w.answer(entries, err)
		return
	}
	for _, e := range entries {
		c.add(e, c.choose(e.Key, partitions), bounds)
	}
}

// choose is the partition of a message with this key.
func (c *collector) choose(key []byte, partitions int) int32 {
	if partition, ok := c.w.set.partitioner.Partition(key, partitions); ok {
		return partition
	}
	if now := time.Now(); int(c.anywhere) >= partitions || now.Sub(c.chosen) >= c.w.set.sticky {
		c.anywhere, c.chosen = rand.Int32N(int32(partitions)), now //nolint:gosec // a number of partitions
	}
	return c.anywhere
}

// add adds a message to the batch of its partition.
func (c *collector) add(e *entry, partition int32, bounds produce.Bounds) {
	r := produce.Record{Key: e.Key, Headers: e.Headers, Timestamp: e.Timestamp}
	if e.Value != nil {
		r.Value = body(e.Value)
	}
	if r.Timestamp == 0 {
		r.Timestamp = e.since.UnixMilli()
	}
	if e.alone {
		c.flush(partition)
	}
	result := produce.Full
	if b := c.batches[partition]; b != nil {
		if result = b.builder.Append(&r); result == produce.Full {
			c.flush(partition)
		}
	}
	if result == produce.Full {
		b := &batch{builder: produce.NewBuilder(bounds, c.w.set.compression)}
		b.builder.Reserve(size(e.Message))
		if result = b.builder.Append(&r); result == produce.TooLarge {
			b.builder.Discard()
			c.w.answer([]*entry{e}, status.New(status.BrokerError, fmt.Errorf("%w: it has more than the %d bytes of message.max.bytes", sink.ErrMessageTooLarge, bounds.Message)))
			return
		}
		c.batches[partition] = b
	}
	b := c.batches[partition]
	b.entries = append(b.entries, e)
	if e.alone || len(b.entries) >= c.w.set.messages {
		c.flush(partition)
	}
}

// size is how many bytes a message has.
func size(m *sink.Message) int {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

// flush hands the batch of a partition over, if there is one. It waits while as many bytes are on their way as may be.
func (c *collector) flush(partition int32) {
	b := c.batches[partition]
	if b == nil {
		return
	}
	delete(c.batches, partition)
	bytes, records, raw := b.builder.Seal()
	entries := b.entries
	err := c.w.producer.Send(c.w.ctx, &produce.Batch{
		Topic: c.w.set.topic, Partition: partition, Bytes: bytes, Records: records, Raw: raw, Sealed: entries[0].since,
		Done: func(o produce.Outcome) {
			produce.Recycle(bytes)
			c.w.settle(entries, o)
		},
	})
	if err != nil {
		produce.Recycle(bytes)
		c.w.answer(entries, err)
	}
}

// settle answers for the messages of a batch, or sends those again that the brokers have refused for another one's sake.
func (w *Writer) settle(entries []*entry, o produce.Outcome) {
	switch {
	case len(o.Parts) > 0:
		for _, part := range o.Parts {
			w.settle(entries[part.First:part.First+part.Records], part.Outcome)
		}
	case o.State == produce.Written:
		w.answer(entries, nil)
	case errors.Is(o.Err, produce.ErrRecreated): // a letter is as good in the new topic
		w.again(entries)
	case o.State == produce.Refused && len(entries) > 1 && produce.IsOfRecords(o.Err):
		w.apart(entries, o)
	default:
		w.answer(entries, o.Err)
	}
}

// apart answers for the messages that the brokers complain about, and sends those again that are refused for their sake: each alone where the brokers do not say which they are.
func (w *Writer) apart(entries []*entry, o produce.Outcome) {
	named := make([]bool, len(entries))
	for _, r := range o.Records {
		if r.Index >= 0 && int(r.Index) < len(named) {
			named[r.Index] = true
		}
	}
	var refused, others []*entry
	for i, e := range entries {
		if named[i] {
			refused = append(refused, e)
		} else {
			others = append(others, e)
		}
	}
	for _, e := range others {
		e.alone = refused == nil
	}
	w.again(others)
	w.answer(refused, o.Err)
}
