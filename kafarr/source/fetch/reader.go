package fetch

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

var (
	_ source.Fetcher = (*Reader)(nil)
	_ source.Bounded = (*Reader)(nil)
)

// chunkMax is the number of records that one Fetch brings at most: they should still be in the cache when they are decoded.
const chunkMax = 8192

// Reader reads a range of one partition. It is a source.Fetcher that ends: it has no group, and nothing to commit.
type Reader struct {
	c       *Client
	cancel  context.CancelFunc
	running sync.WaitGroup
	closed  bool

	expander  expander
	part      *part // being read
	at        int   // its next batch
	current   records
	skip      bool  // the current batch's rows were aborted
	next      int64 // the first offset that was not passed
	producers producers
	used      [][]byte        // since the last Release
	body      []byte          // that the current batch was decompressed into
	large     bool            // it is that of LargeBatches
	passOn    bool            // which nobody reads any more, from the next Release on
	room      []source.Record // as large as the largest Fetch was, up to chunkMax
	records   []source.Record // in it, since the last Fetch
	chunk     [1]source.Chunk
	failure   error // which the next Fetch returns

	broken atomic.Pointer[error] // a panic of a goroutine that brings parts
	ended  atomic.Bool
	mu     sync.Mutex
	report Report
}

// Read begins to read a range.
func (c *Client) Read(r Range) *Reader {
	f := &fetcher{c: c, r: r, out: make(chan *answer), at: r.Start, id: c.cfg.TopicIDs[r.Topic], replica: -1, epoch: -1, checked: -1, bytes: c.set.partitionBytes}
	reader, ctx := c.readerOf(r, f.out)
	reader.running.Go(func() { reader.guard(func() { f.run(ctx) }) })
	return reader
}

// guard keeps a panic for the next Fetch: in a goroutine that nobody waits for it would end the process.
func (r *Reader) guard(bring func()) {
	defer func() {
		if p := recover(); p != nil {
			err := fmt.Errorf("%s[%d]: panic: %v\n%s", r.report.Topic, r.report.Partition, p, debug.Stack())
			r.broken.Store(&err)
		}
	}()
	bring()
}

// readerOf reads answers that somebody else brings, until the context is at its end.
func (c *Client) readerOf(r Range, answers <-chan *answer) (*Reader, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	reader := &Reader{
		c: c, cancel: cancel, next: r.Start, report: Report{Range: r, Next: r.Start},
		expander: expander{decompressor: decompressor{bound: c.set.expandedMax}, out: make(chan *part), free: buffers{most: c.set.expandedMax / 2}, large: c.cfg.Large},
	}
	if reader.expander.large != nil {
		reader.expander.bound, reader.expander.free.most = largeBytes, largeBytes
	}
	reader.running.Go(func() { reader.guard(func() { reader.expander.run(ctx, answers) }) })
	return reader, ctx
}

// Fetch implements source.Fetcher.
func (r *Reader) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	if r.failure != nil {
		err := r.failure
		r.failure = nil
		return nil, err
	}
	if r.ended.Load() || limit <= 0 {
		return nil, nil
	}
	if limit = min(limit, chunkMax); len(r.room) < limit {
		r.room = make([]source.Record, limit)
	}
	r.records = r.room[:0:limit]
	for len(r.records) < cap(r.records) && r.failure == nil {
		switch {
		case r.current.left > 0:
			r.take()
		case r.part != nil && r.at < len(r.part.batches):
			r.open(&r.part.batches[r.at])
			r.at++
		case r.part != nil:
			r.close()
		case len(r.records) > 0 || r.ended.Load() || !r.receive(wait): // one part at a time: the next one's memory is bounded by the last one's being free
			return r.give(), nil
		}
	}
	if len(r.records) == 0 && r.failure != nil {
		err := r.failure
		r.failure = nil
		return nil, err
	}
	return r.give(), nil
}

// give hands over what was taken.
func (r *Reader) give() []source.Chunk {
	if len(r.records) == 0 {
		return nil
	}
	r.mu.Lock()
	r.report.Rows += int64(len(r.records))
	r.mu.Unlock()
	r.chunk[0] = source.Chunk{Topic: r.report.Topic, Partition: r.report.Partition, Records: r.records}
	return r.chunk[:]
}

// receive waits for the next part of an answer.
func (r *Reader) receive(wait time.Duration) bool {
	select {
	case r.part = <-r.expander.out:
	default:
		if wait <= 0 {
			return false
		}
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case r.part = <-r.expander.out:
		case <-t.C:
			return false
		}
	}
	if r.part == nil { // Close, or a panic
		if err := r.broken.Load(); err != nil {
			r.end("error", *err)
			r.cancel()
		}
		return false
	}
	r.at = 0
	if r.part.first {
		r.producers.begin(r.part.aborted)
	}
	return true
}

// open begins with a batch.
func (r *Reader) open(b *expanded) {
	r.putAside()
	r.body, r.large = b.buffer, b.large
	if b.count == 0 { // compaction has left the batch for its producer's sequence
		r.pass(b.last+1, 0, 0)
		return
	}
	r.skip = r.c.set.isolation == readCommitted && r.producers.skips(&b.batch)
	if !b.has(control) {
		r.current.begin(b.batch, b.body)
		return
	}
	aborts, err := marker(b.batch, b.body)
	if err != nil {
		r.fail(b.base, err)
		return
	}
	if aborts {
		r.producers.ends(b.producer)
	}
	r.pass(b.last+1, 0, int64(b.count))
}

// take reads records of the current batch.
func (r *Reader) take() {
	before := len(r.records)
	var more bool
	var err error
	r.records, more, err = r.current.take(r.records, r.next, r.report.End, r.c.cfg.Headers)
	var skipped int64
	if r.skip {
		skipped = int64(len(r.records) - before)
		r.records = r.records[:before]
	}
	switch {
	case err != nil:
		r.pass(r.current.base+r.current.before+1, skipped, 0)
		r.fail(r.next, err)
	case more:
		r.pass(r.current.base+r.current.before+1, skipped, 0)
	default:
		r.pass(r.current.last+1, skipped, 0)
	}
}

// pass notes that what lies before an offset is done.
func (r *Reader) pass(next, aborted, markers int64) {
	r.next = max(r.next, min(next, r.report.End))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Aborted += aborted
	r.report.Control += markers
	r.report.Next = r.next
}

// close handles the end of a part: the error or the gap that follows its batches.
func (r *Reader) close() {
	p := r.part
	r.part = nil
	switch {
	case p.err != nil:
		r.fail(max(p.damaged, r.next), p.err)
	case p.last:
		r.mu.Lock()
		r.report.Deleted += p.gone
		r.mu.Unlock()
		r.pass(p.next, 0, 0)
		if p.ended != "" {
			r.end(p.ended, p.answer.err)
		}
	}
}

// end is the end of the range's reading.
func (r *Reader) end(why string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why == "error" {
		why = "error: " + err.Error()
	}
	r.report.Ended = why
	r.failure = err
	r.part = nil
	r.current.left = 0
	r.ended.Store(true)
}

// fail ends the range at a record that cannot be read.
func (r *Reader) fail(at int64, err error) {
	r.end("error", &source.Error{Code: status.BrokerError, Topic: r.report.Topic, Partition: r.report.Partition, Offset: at, Err: fmt.Errorf("at offset %d: %w", at, err)})
	r.cancel()
}

// putAside takes the current batch's buffer as used up to the next Release.
func (r *Reader) putAside() {
	switch {
	case r.body == nil:
		return
	case r.large:
		r.passOn = true
	default:
		r.used = append(r.used, r.body)
	}
	r.body = nil
}

// Release implements source.Fetcher.
func (r *Reader) Release() {
	if r.current.left == 0 {
		r.putAside()
	}
	if r.passOn {
		r.passOn = false
		r.expander.passOn()
	}
	r.expander.free.give(r.used)
	clear(r.used) // nor do those that are not kept live on here
	r.used = r.used[:0]
	r.current.slab = r.current.slab[:0]
}

// Ended implements source.Bounded.
func (r *Reader) Ended() bool { return r.ended.Load() && r.failure == nil }

// Report says how far the reading came.
func (r *Reader) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report
}

// Close implements io.Closer.
func (r *Reader) Close() error {
	if r.closed {
		return source.ErrClosed
	}
	r.closed = true
	r.cancel()
	r.running.Wait()
	r.expander.passOn()
	return nil
}
