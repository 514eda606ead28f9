package dispatch

import (
	"context"
	"errors"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

// Checked is a frame whose every value can be sent. Its batches must live until Send has returned.
type Checked struct {
	plan  *Plan
	parts []*part
	rows  int
}

// Check checks every value of a frame: nothing is sent of one that has an error.
func (p *Plan) Check(batches []arrow.RecordBatch) (*Checked, error) {
	c := &Checked{plan: p}
	for _, b := range batches {
		made, err := p.bind(b, c.rows)
		if err != nil {
			return nil, err
		}
		c.rows += made.rows
		c.parts = append(c.parts, made)
	}
	return c, nil
}

// Rows is how many there are.
func (c *Checked) Rows() int { return c.rows }

// Unsent is the report of rows that are not to be sent.
func (c *Checked) Unsent() *Report {
	report := newReport(c.plan.Topic, c.plan.FirstRow, 0, func(*Report) {})
	report.end()
	return report
}

// Send hands the rows to a sink, and returns when it has taken all of them. first is the partition that rows which may go anywhere begin with. After an error that is not about the
// frame, some rows may have been sent: the report tells, which is nil where none was. ended is called once with the report that is returned, when it is complete; it must not block.
func (c *Checked) Send(ctx context.Context, to Sink, first int32, ended func(*Report)) (*Report, error) {
	p := c.plan
	report := newReport(p.Topic, p.FirstRow, c.rows, ended)
	if c.rows == 0 {
		report.end()
		return report, nil
	}
	partitions, err := to.Partitions(ctx, p.Topic, false)
	if err != nil {
		return nil, err
	}
	bounds := p.Bounds
	if bounds.Message, err = to.MaxMessageBytes(ctx, p.Topic); err != nil {
		return nil, err
	}
	bounds.Batch = min(bounds.Batch, bounds.Message)
	if err := c.measure(bounds); err != nil {
		return nil, err
	}
	lanes, err := p.route(c.parts, c.rows, partitions, first%int32(partitions)) //nolint:gosec // a number of partitions
	if errors.As(err, new(noPartition)) {                                       // unless it was added since the cluster was asked
		if partitions, err = to.Partitions(ctx, p.Topic, true); err == nil {
			lanes, err = p.route(c.parts, c.rows, partitions, first%int32(partitions)) //nolint:gosec // likewise
		}
	}
	if err != nil {
		return nil, err
	}
	s := &sending{Checked: c, sink: to, report: report, lanes: make(chan *lane, len(lanes)), broken: make(chan struct{}), now: now(), bounds: bounds, fixed: p.fixedHeaders()}
	s.ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	s.left.Add(len(lanes))
	for _, l := range lanes {
		s.lanes <- l
	}
	return report, s.run(min(max(p.Workers, 1), workersFor(c.rows)))
}

// rowsPerWorker makes frames of few rows the work of one goroutine.
const rowsPerWorker = 10_000

func workersFor(rows int) int { return 1 + rows/rowsPerWorker }

// sending is a frame on its way to the sink.
type sending struct {
	*Checked
	sink   Sink
	report *Report
	bounds produce.Bounds
	now    int64
	fixed  [4][]sink.Header
	ctx    context.Context
	cancel context.CancelFunc

	lanes  chan *lane     // those whose next batch may be filled
	left   sync.WaitGroup // lanes with rows
	broken chan struct{}  // closed when a worker has panicked: its lane does not end

	mu  sync.Mutex
	err error // the first one
}

// run has goroutines fill batches until no row is left.
func (s *sending) run(workers int) error {
	defer s.report.end()
	go func() {
		s.left.Wait()
		close(s.lanes)
	}()
	if workers == 1 {
		s.work()
	} else {
		var ended sync.WaitGroup
		var once sync.Once
		ended.Add(workers)
		for range workers {
			async.Go(func() {
				s.work()
				ended.Done()
			}, func(err error) {
				s.fail(err)
				once.Do(func() { close(s.broken) })
				ended.Done()
			})
		}
		ended.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *sending) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.cancel()
}

// worker is what a goroutine fills batches with.
type worker struct {
	builder *produce.Builder
	record  produce.Record
	key     []byte
	headers []sink.Header
}

func (s *sending) work() {
	w := newWorker(s.plan, s.bounds)
	for {
		select {
		case l, ok := <-s.lanes:
			if !ok {
				return
			}
			s.next(w, l)
		case <-s.broken:
			return
		}
	}
}

func newWorker(p *Plan, bounds produce.Bounds) *worker {
	w := &worker{builder: produce.NewBuilder(bounds, p.Compression)}
	w.record.Prefix = p.Prefix
	return w
}

// next fills a batch of a lane and hands it over. The lane's next batch may be filled, and compressed, while this one is: only the order of handing over is kept.
func (s *sending) next(w *worker, l *lane) {
	rest := l.all.part(l.next, l.all.size-l.next)
	if s.ctx.Err() != nil {
		s.fail(context.Cause(s.ctx))
		s.giveUp(l, rest)
		return
	}
	n, err := s.fill(w, rest)
	if err != nil {
		w.builder.Discard()
		s.fail(err)
		s.giveUp(l, rest)
		return
	}
	before, handed := l.before, make(chan struct{})
	l.before = handed
	l.next += n
	partition := l.partition
	if l.next < l.all.size {
		s.lanes <- l
	} else {
		defer s.left.Done()
	}
	bytes, records, raw := w.builder.Seal()
	if before != nil {
		select {
		case <-before:
		case <-s.broken:
		}
	}
	defer close(handed)
	s.hand(&produce.Batch{Topic: s.plan.Topic, Partition: partition, Bytes: bytes, Records: records, Raw: raw, Sealed: time.Now()}, rest.part(0, n))
}

// giveUp reports rows that are not sent.
func (s *sending) giveUp(l *lane, rest span) {
	defer s.left.Done()
	s.report.begun()
	s.report.settle(l.partition, rest, produce.Outcome{State: produce.NotSent, BaseOffset: -1, LastOffset: -1, Err: s.cause()})
}

func (s *sending) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return context.Cause(s.ctx)
}

// hand gives a batch to the sink.
func (s *sending) hand(b *produce.Batch, rows span) {
	s.report.begun()
	report := s.report
	b.Done = func(o produce.Outcome) {
		report.settle(b.Partition, rows, o)
		produce.Recycle(b.Bytes)
	}
	err := s.ctx.Err()
	if err == nil {
		err = s.sink.Send(s.ctx, b)
	}
	if err != nil {
		s.fail(err)
		b.Done(produce.Outcome{State: produce.NotSent, BaseOffset: -1, LastOffset: -1, Err: s.cause()})
	}
}

// fill appends rows until the batch is full, and returns how many.
func (s *sending) fill(w *worker, rows span) (int, error) {
	var current *part
	for i := 0; i < rows.size; {
		row := rows.row(i)
		if current == nil || row >= current.first+current.rows {
			current = s.partAt(row)
		}
		var result produce.Result
		if from := row - current.first; rows.rows == nil && s.plain(current) {
			var end int
			end, result = w.builder.AppendRows(current.value, from, min(current.rows, from+rows.size-i), s.plan.Prefix, s.now)
			i += end - from
		} else {
			s.prepare(w, current, from)
			if result = w.builder.Append(&w.record); result == produce.Added {
				i++
			}
		}
		switch result {
		case produce.Full:
			return i, nil
		case produce.TooLarge:
			return 0, s.plan.tooLarge(rows.row(i), s.bounds.Message)
		}
	}
	return rows.size, nil
}

// plain tells whether rows differ in their values only.
func (s *sending) plain(p *part) bool {
	return p.value != nil && p.deleted == nil && p.key == nil && p.headers == nil && p.timestamp == nil && len(s.fixed[hasValue]) == 0
}

// prepare makes the record of a row.
func (s *sending) prepare(w *worker, p *part, row int) {
	r := &w.record
	r.Row, r.Value, r.Key, r.Timestamp = row, p.value, nil, s.now
	has := 0
	if p.deleted != nil && p.deleted[row] {
		r.Value = nil
	}
	if r.Value != nil {
		has |= hasValue
	}
	if p.key != nil {
		if r.Key = p.key(&w.key, row); r.Key != nil {
			has |= hasKey
		}
	}
	if p.timestamp != nil {
		if t, ok := p.timestamp(row); ok {
			r.Timestamp = t
		}
	}
	r.Headers = s.fixed[has]
	if p.headers != nil {
		w.headers = p.headers(append(w.headers[:0], s.fixed[has]...), row)
		r.Headers = w.headers
	}
}

const (
	hasValue = 1 << iota
	hasKey
)

// fixedHeaders are the headers that each message has, by whether it has a value and a key: a null has no schema.
func (p *Plan) fixedHeaders() (fixed [4][]sink.Header) {
	for has := range fixed {
		fixed[has] = append(fixed[has], p.Constant...)
		if has&hasKey != 0 {
			fixed[has] = append(fixed[has], p.KeyNamed...)
		}
		if has&hasValue != 0 {
			fixed[has] = append(fixed[has], p.Named...)
		}
	}
	return fixed
}

func (c *Checked) partAt(row int) *part {
	return c.parts[sort.Search(len(c.parts), func(k int) bool { return c.parts[k].first+c.parts[k].rows > row })]
}

func (p *Plan) tooLarge(row, most int) error {
	return p.atRow(&format.ValueError{Row: row, Msg: "the message is larger than the " + strconv.Itoa(most) + " bytes that may be sent to the topic " + p.Topic + ": raise its max.message.bytes, or message.max.bytes in config where that is lower"}, 0)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
