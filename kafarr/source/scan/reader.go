package scan

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

var (
	_ source.Source = (*Reader)(nil)
	_ source.Finite = (*Reader)(nil)
)

// chunkMax is the number of records that one Fetch brings at most: they should still be in the cache when they are decoded.
const chunkMax = 8192

// Reader reads a range. It is a source.Source of one partition, without a group: there is nothing to commit.
type Reader struct {
	c        *Client
	handler  source.Handler
	cancel   context.CancelFunc
	fetching sync.WaitGroup
	answers  chan *answer
	assigned bool
	closed   bool

	answer    *answer // being read
	at        int     // its next batch
	current   records
	skip      bool  // the current batch's rows were aborted
	next      int64 // the first offset that was not passed
	producers producers
	expander  decompressor
	buffers   [][]byte        // free
	used      [][]byte        // since the last Release
	body      []byte          // that the current batch is expanded into
	room      []source.Record // of chunkMax
	records   []source.Record // in it, since the last Fetch
	chunk     [1]source.Chunk
	failure   error // told by the next Fetch

	ended  atomic.Bool
	mu     sync.Mutex
	report Report
}

// Read begins to read a range.
func (c *Client) Read(r Range) *Reader {
	ctx, cancel := context.WithCancel(context.Background())
	reader := &Reader{
		c: c, cancel: cancel, next: r.Start, answers: make(chan *answer), report: Report{Range: r, Next: r.Start},
		expander: decompressor{bound: c.set.expandedMax}, room: make([]source.Record, chunkMax),
	}
	f := &fetcher{c: c, r: r, out: reader.answers, at: r.Start, replica: -1, epoch: -1, checked: -1, bytes: c.set.partitionBytes}
	reader.fetching.Go(func() { f.run(ctx) })
	return reader
}

// Open is a Config.Source.
func (r *Reader) Open(h source.Handler) (source.Source, error) {
	r.handler = h
	return r, nil
}

// Serve implements source.Source: the first call assigns the partition.
func (r *Reader) Serve() error {
	if !r.assigned && r.handler != nil {
		r.assigned = true
		place := source.Position{Topic: r.report.Topic, Partition: r.report.Partition, Offset: r.report.Start}
		r.handler.Assigned([]source.Position{place}, func(p []source.Position) ([]source.Position, error) { return p, nil })
	}
	return nil
}

// Fetch implements source.Source.
func (r *Reader) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	if r.failure != nil {
		err := r.failure
		r.failure = nil
		return nil, err
	}
	if r.ended.Load() || limit <= 0 {
		return nil, nil
	}
	r.records = r.room[:0:min(limit, chunkMax)]
	for len(r.records) < cap(r.records) && r.failure == nil {
		switch {
		case r.current.left > 0:
			r.take()
		case r.answer != nil && r.at < len(r.answer.batches):
			r.open(r.answer.batches[r.at])
			r.at++
		case r.answer != nil:
			r.close()
		default:
			if len(r.records) > 0 {
				wait = 0
			}
			if r.ended.Load() || !r.receive(wait) {
				return r.give(), nil
			}
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

// receive waits for the next answer.
func (r *Reader) receive(wait time.Duration) bool {
	select {
	case r.answer = <-r.answers:
	default:
		if wait <= 0 {
			return false
		}
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case r.answer = <-r.answers:
		case <-t.C:
			return false
		}
	}
	if r.answer == nil { // Close
		return false
	}
	r.at = 0
	r.producers.begin(r.answer.aborted)
	return true
}

// open begins with a batch.
func (r *Reader) open(b batch) {
	r.putAside()
	if b.count == 0 { // compaction has left the batch for its producer's sequence
		r.pass(b.last+1, 0, 0)
		return
	}
	body := b.records
	if c := b.codec(); c != codecNone {
		var err error
		if body, err = r.expander.expand(c, b.records, r.buffer()); err != nil {
			r.fail(b.base, err)
			return
		}
		r.body = body
	}
	r.skip = r.c.set.isolation == readCommitted && r.producers.skips(&b)
	if b.has(control) {
		aborts, err := marker(b, body)
		if err != nil {
			r.fail(b.base, err)
			return
		}
		if aborts {
			r.producers.ends(b.producer)
		}
		r.pass(b.last+1, 0, int64(b.count))
		return
	}
	r.current.begin(b, body)
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

// close takes what comes behind an answer's batches.
func (r *Reader) close() {
	a := r.answer
	r.answer = nil
	r.mu.Lock()
	r.report.Gone += a.gone
	r.mu.Unlock()
	r.pass(a.next, 0, 0)
	if a.ended != "" {
		r.end(a.ended, a.err)
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
	r.answer = nil
	r.current.left = 0
	r.ended.Store(true)
}

// fail ends the range at a record that cannot be read.
func (r *Reader) fail(at int64, err error) {
	r.end("error", &source.Error{Kind: source.Broker, Topic: r.report.Topic, Partition: r.report.Partition, Offset: at, Err: fmt.Errorf("at offset %d: %w", at, err)})
	r.cancel()
}

// buffer is one to decompress into.
func (r *Reader) buffer() []byte {
	if n := len(r.buffers); n > 0 {
		b := r.buffers[n-1]
		r.buffers = r.buffers[:n-1]
		return b
	}
	return nil
}

// putAside takes the current batch's buffer as used up to the next Release.
func (r *Reader) putAside() {
	if r.body != nil {
		r.used = append(r.used, r.body)
		r.body = nil
	}
}

// Release implements source.Source.
func (r *Reader) Release() {
	if r.current.left == 0 {
		r.putAside()
	}
	r.buffers = append(r.buffers, r.used...)
	r.used = r.used[:0]
	r.current.slab = r.current.slab[:0]
}

// Ended implements source.Finite.
func (r *Reader) Ended() bool { return r.ended.Load() && r.failure == nil }

// Report says how far the reading came.
func (r *Reader) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report
}

// Ready implements source.Source.
func (r *Reader) Ready() (joined bool, waitingFor string) { return true, "" }

// Missing implements source.Source.
func (r *Reader) Missing() map[string]error { return nil }

// Down implements source.Source: what cannot be reached for long is an error of Fetch.
func (r *Reader) Down(time.Time) error { return nil }

// Store implements source.Source: there is no group.
func (r *Reader) Store([]source.Position) error { return nil }

// Commit implements source.Source likewise.
func (r *Reader) Commit(context.Context, []source.Position) error { return nil }

// Close implements source.Source.
func (r *Reader) Close() error {
	if r.closed {
		return source.ErrClosed
	}
	r.closed = true
	r.cancel()
	r.fetching.Wait()
	return nil
}
