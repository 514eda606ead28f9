package kafarr

import (
	"context"
	"iter"
	"runtime"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

// Stream is a scan under way: several ranges are read at a time, each in the order of its offsets. Next and Close may be called from any goroutine.
type Stream struct{ under *scan.Stream }

// Completeness says what became of a range of a scan.
type Completeness = scan.Completeness

// Why the reading of a range ended.
const (
	ScanComplete = scan.Complete // nothing of it is missing
	ScanLogEnd   = scan.LogEnd   // the log ends before the range does
	ScanDeleted  = scan.Deleted  // records had been deleted before they were read
)

// Read begins to read all partitions of the plan.
func (p *Plan) Read() *Stream { return p.read(p.Partitions) }

func (p *Plan) read(ranges []ScanRange) *Stream {
	cfg := &p.cfg
	workers := cfg.Memory.workers(len(ranges), runtime.GOMAXPROCS(0))
	memory := cfg.Memory.divided(workers)
	var large *fetch.LargeBatches
	if memory.Limit == 0 {
		large = fetch.NewLargeBatches()
	}
	token := inTurn(cfg.Cluster.OAuthToken)
	log := clientlog.New(cfg.Logger)
	return &Stream{scan.Read(scan.Config{
		Workers: workers,
		Dial:    func() (scan.Cluster, error) { return cfg.dialWith(memory, token, large) },
		Resolvers: func(ctx context.Context, topic string) (*schema.Resolvers, error) {
			return cfg.Messages.resolvers(ctx, cfg.schemaSources(memory.schemaBytes(), p.planned(topic)), log)
		},
		Assembly:  cfg.Messages.assembly(assemble.Config{BatchBytes: memory.scanBatchBytes()}, 0),
		BatchRows: cfg.BatchRows, Timeout: cfg.Timeout, AllowPartial: cfg.AllowPartial, Shared: cfg.shared, Warn: log.Warn,
	}, ranges)}
}

// Next waits for the next batch, which is the caller's to release. After the last one ok is false; an error says why the scan is not what was planned. Both are the answer however often Next is
// called. The end is no error, as io.EOF is one: a connection that a broker or a registry closes is io.EOF, too, and would be taken for the end.
func (s *Stream) Next(ctx context.Context) (b *Batch, ok bool, err error) {
	sealed, ok, err := s.under.Next(ctx)
	return batchOfScan(sealed), ok, err
}

// NextSlice is Next for callers that cannot wait, as PollSlice is Poll: it returns not done after slice. What is done without a batch and without an error is the end.
func (s *Stream) NextSlice(slice time.Duration) (b *Batch, done bool, err error) {
	sealed, done, err := s.under.NextSlice(slice)
	return batchOfScan(sealed), done, err
}

func batchOfScan(sealed *batch.Sealed) *Batch {
	if sealed == nil {
		return nil
	}
	return batchOf(sealed)
}

// All are the batches of Next. The loop ends with the first error, with ctx, or when the body breaks off.
func (s *Stream) All(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			b, ok, err := s.Next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !ok || !yield(b, nil) {
				return
			}
		}
	}
}

// Report says what became of each range so far. Batches that wait to be taken count as handed over.
func (s *Stream) Report() []Completeness { return s.under.Report() }

// Close ends the reading, waits for those who read, and gives up what was not taken. Closing again does nothing.
func (s *Stream) Close() { s.under.Close() }
