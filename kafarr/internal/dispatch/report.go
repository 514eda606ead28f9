package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Report says what becomes of the rows of a frame. It may be asked from any goroutine, and is complete once Done is closed.
type Report struct {
	topic    string
	firstRow int64
	done     chan struct{}
	ended    func(*Report)

	mu       sync.Mutex
	rows     int // of the frame
	written  int // acknowledged
	open     int // batches that have no outcome yet, and 1 while there may be more
	ranges   map[int32]*Range
	failures []Failure
	taken    bool // the caller has had Err when it was complete
}

// Range is where the rows of a frame are in a partition. Rows of other producers may lie between them.
type Range struct {
	Topic     string
	Partition int32
	First     int64 // offset; -1: the brokers did not say
	Last      int64
	Rows      int
}

// Failure is what became of rows that were not acknowledged.
type Failure struct {
	Topic     string
	Partition int32
	State     produce.State
	Rows      [][2]int64 // first and last row of the frame, for each stretch of them
	Count     int
	Err       error
	// Blamed are the rows that the brokers complain about, with what they say of each; the others of Rows were refused with them.
	Blamed []BlamedRow
}

// BlamedRow is a row that the brokers complain about.
type BlamedRow struct {
	Row     int64
	Message string
}

func newReport(topic string, firstRow int64, rows int, ended func(*Report)) *Report {
	return &Report{topic: topic, ended: ended, firstRow: firstRow, rows: rows, open: 1, ranges: map[int32]*Range{}, done: make(chan struct{})}
}

// Done is closed when each row has its outcome.
func (r *Report) Done() <-chan struct{} { return r.done }

// Wait waits until each row has its outcome. Where some were not written, the error is a DeliveryError that names the first of them.
func (r *Report) Wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Rows are those of the frame, and Written those that the brokers have acknowledged.
func (r *Report) Rows() int { return r.rows }

// Written are the rows that the brokers have acknowledged so far.
func (r *Report) Written() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written
}

// Ranges are the partitions and offsets of the rows that were written, in the order of the partitions.
func (r *Report) Ranges() []Range {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ranges []Range
	for _, p := range slices.Sorted(maps.Keys(r.ranges)) {
		ranges = append(ranges, *r.ranges[p])
	}
	return ranges
}

// Taken tells whether the error of the complete report has been asked for.
func (r *Report) Taken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// Failures are the rows that were not written, or of which it is not known.
func (r *Report) Failures() []Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.failures)
}

// Err is the error of the rows that were not written so far; nil: there is none.
func (r *Report) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = r.taken || r.open == 0
	if len(r.failures) == 0 {
		return nil
	}
	counts := map[produce.State]int{}
	for i := range r.failures {
		counts[r.failures[i].State] += r.failures[i].Count
	}
	text := ""
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		text += fmt.Sprintf("%d %s, ", counts[state], state)
	}
	first := &r.failures[0]
	e := status.New(status.DeliveryError, fmt.Errorf("of %d rows %d are written, %sthe first of them row %d: %w", r.rows, r.written, text, first.Rows[0][0], first.Err))
	e.Topic, e.Partition = r.topic, first.Partition
	return e
}

// span is the rows of a batch.
type span struct {
	rows        []uint32 // nil: those from first on
	first, size int
}

func (s span) row(i int) int {
	if s.rows != nil {
		return int(s.rows[i])
	}
	return s.first + i
}

func (s span) part(first, size int) span {
	if s.rows != nil {
		return span{rows: s.rows[first : first+size], size: size}
	}
	return span{first: s.first + first, size: size}
}

// begun counts a batch that was handed over.
func (r *Report) begun() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
}

// settle takes the outcome of a batch.
func (r *Report) settle(partition int32, s span, o produce.Outcome) {
	r.mu.Lock()
	if len(o.Parts) == 0 {
		r.take(partition, s, o)
	}
	for _, p := range o.Parts {
		r.take(partition, s.part(int(p.First), int(p.Records)), p.Outcome)
	}
	r.mu.Unlock()
	r.end()
}

// end is called for each batch and once more, when no more batches come.
func (r *Report) end() {
	r.mu.Lock()
	r.open--
	complete := r.open == 0
	r.mu.Unlock()
	if complete {
		r.ended(r)
		close(r.done)
	}
}

// take is called with mu held.
func (r *Report) take(partition int32, s span, o produce.Outcome) {
	if o.State == produce.Written {
		r.written += s.size
		known := r.ranges[partition]
		if known == nil {
			r.ranges[partition] = &Range{Topic: r.topic, Partition: partition, First: o.BaseOffset, Last: o.LastOffset, Rows: s.size}
			return
		}
		known.Rows += s.size
		if o.BaseOffset >= 0 && (known.First < 0 || o.BaseOffset < known.First) {
			known.First = o.BaseOffset
		}
		known.Last = max(known.Last, o.LastOffset)
		return
	}
	f := Failure{Topic: r.topic, Partition: partition, State: o.State, Count: s.size, Err: o.Err}
	for i := range s.size {
		row := r.firstRow + int64(s.row(i))
		if n := len(f.Rows); n > 0 && f.Rows[n-1][1] == row-1 {
			f.Rows[n-1][1] = row
		} else {
			f.Rows = append(f.Rows, [2]int64{row, row})
		}
	}
	for _, record := range o.Records {
		if i := int(record.Index); i >= 0 && i < s.size {
			f.Blamed = append(f.Blamed, BlamedRow{Row: r.firstRow + int64(s.row(i)), Message: record.Message})
		}
	}
	r.failures = append(r.failures, f)
}
