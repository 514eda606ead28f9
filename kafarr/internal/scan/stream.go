package scan

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Stream is a scan under way: several ranges are read at a time, each in the order of its offsets. Next and Close may be called from any goroutine.
type Stream struct {
	cfg    Config
	ctx    context.Context // ends with the stream
	cancel context.CancelFunc
	out    chan *batch.Sealed // closed when all who read have ended

	mu      sync.Mutex
	report  []Completeness
	next    int   // of the report: the first range that nobody reads
	failure error // the first
	closed  bool
}

// Read begins to read ranges.
func Read(cfg Config, ranges []Range) *Stream {
	s := &Stream{cfg: cfg, out: make(chan *batch.Sealed, cfg.Workers)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, r := range ranges {
		s.report = append(s.report, Completeness{Range: r, First: -1, Next: r.Start})
	}
	var workers sync.WaitGroup
	workers.Add(cfg.Workers)
	for range cfg.Workers {
		failed := func(err error) { // first reported, then done: nobody may take the end for the plan's while an error is on its way
			s.fail(err)
			workers.Done()
		}
		async.Go(func() { failed(s.work()) }, failed)
	}
	async.Go(func() {
		workers.Wait()
		s.end()
		close(s.out)
	}, s.fail)
	return s
}

// Next waits for the next batch, which is the caller's to release. After the last one ok is false; an error says why the scan is not what was planned. Both are the answer however often Next is
// called. The end is no error, as io.EOF is one: a connection that a broker or a registry closes is io.EOF, too, and would be taken for the end.
func (s *Stream) Next(ctx context.Context) (b *batch.Sealed, ok bool, err error) {
	select {
	case b, ok := <-s.out:
		if ok {
			return b, true, nil
		}
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	return nil, false, s.outcome()
}

// NextSlice is Next for callers that cannot wait: it returns not done after slice. What is done without a batch and without an error is the end.
func (s *Stream) NextSlice(slice time.Duration) (b *batch.Sealed, done bool, err error) {
	timer := time.NewTimer(slice)
	defer timer.Stop()
	select {
	case b, ok := <-s.out:
		if ok {
			return b, true, nil
		}
	case <-timer.C:
		return nil, false, nil
	}
	return nil, true, s.outcome()
}

// outcome is how the reading ended: nil where all that was planned was read.
func (s *Stream) outcome() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return status.Errorf(status.ClosedError, "the stream is closed")
	}
	return s.failure
}

// Report says what became of each range so far. Batches that wait to be taken count as handed over.
func (s *Stream) Report() []Completeness {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.report)
}

// Close ends the reading, waits for those who read, and gives up what was not taken. Closing again does nothing.
func (s *Stream) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	for b := range s.out {
		b.Release()
	}
}

// fail notes the first error, which ends the stream.
func (s *Stream) fail(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	if s.failure == nil && s.ctx.Err() == nil {
		s.failure = err
	}
	s.mu.Unlock()
	s.cancel()
}

// end looks whether all of the plan was read, whatever those who read have said.
func (s *Stream) end() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := s.cfg.Shared.Readers.Overdue(true); text != "" && s.failure == nil {
		s.cfg.Warn("SCHEMA", text)
	}
	if e := incomplete(s.report, s.cfg.AllowPartial); e != nil && s.failure == nil {
		s.failure = e
	}
}
