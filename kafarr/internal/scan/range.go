package scan

import (
	"context"
	"fmt"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// rangeScan reads one range of a scan: what its reader fetches is assembled. There is no group, and nothing to commit, to seek or to deliver again.
type rangeScan struct {
	reader    RangeReader
	buffer    partitions.Buffer
	schemas   *schema.Resolvers
	assembler *assemble.Assembler
	warn      func(facility, text string)
	errors    assemble.ErrorMode
	rows      int           // of a batch, at most
	wait      time.Duration // for schemas, and until a batch is returned that is not full
	failure   error         // of the reader, after what it brought before
	cancel    context.CancelFunc
}

// openRange begins to read a range. The rangeScan closes the reader.
func (s *Stream) openRange(reader RangeReader, of Range) (*rangeScan, error) {
	lookups, cancel := context.WithCancel(s.ctx)
	r := &rangeScan{
		reader: reader, warn: s.cfg.Warn, errors: s.cfg.Assembly.Errors, rows: int(min(int64(s.cfg.BatchRows), of.End-of.Start)), wait: s.cfg.Timeout, cancel: cancel,
	}
	var err error
	if r.schemas, err = s.cfg.Resolvers(lookups, of.Topic); err != nil {
		r.close()
		return nil, err
	}
	assembly := s.cfg.Assembly
	assembly.Schemas, assembly.Ledger = r.schemas, unaccounted{}
	r.assembler = assemble.New(assembly)
	return r, nil
}

// unaccounted is the ledger of a scan, whose report counts what came of its ranges.
type unaccounted struct{}

func (unaccounted) Take(source.TopicPartition, batch.ID, int64, int64) {}
func (unaccounted) Skip(source.TopicPartition, int64)                  {}
func (unaccounted) Split(batch.ID, batch.ID, []batch.Range)            {}
func (unaccounted) Replace(batch.ID, []delivery.Part)                  {}

// next returns the next batch; nil: the range has ended, or ctx.
func (s *rangeScan) next(ctx context.Context) (*batch.Sealed, error) {
	s.assembler.Begin(s.rows)
	if b, err := s.deliver(); b != nil || err != nil {
		return b, err
	}
	deadline := time.Now().Add(s.wait)
	for ctx.Err() == nil {
		added := s.fill(ctx, deadline)
		switch added.Stop {
		case assemble.BatchFull, assemble.SchemaChanged:
			return s.seal(nil)
		case assemble.RecordFailed:
			return s.seal(added.Err)
		case assemble.SchemaPending:
			if s.assembler.Pending() && !time.Now().Before(deadline) {
				return s.seal(nil)
			}
			if err := s.await(added.Wait, deadline); err != nil {
				return nil, err
			}
			continue
		case assemble.NeedFetch:
			s.reader.Release()
			s.buffer.Hold(nil)
			if s.failure != nil || s.reader.Ended() {
				return s.seal(s.failure)
			}
		case assemble.RecordSlow, assemble.TimeOver, assemble.Throttled:
		}
		if s.assembler.Pending() && !time.Now().Before(deadline) {
			return s.seal(nil)
		}
		if added.Stop == assemble.NeedFetch {
			chunks, err := s.reader.Fetch(s.rows-s.assembler.Rows(), maxWait)
			s.buffer.Hold(chunks)
			s.failure = err
		}
	}
	return nil, nil
}

// fill has records assembled until something stops it.
func (s *rangeScan) fill(ctx context.Context, deadline time.Time) assemble.Added {
	a := s.assembler
	for {
		if a.Room() == 0 {
			return assemble.Added{Stop: assemble.BatchFull}
		}
		chunk, records := s.buffer.Rest()
		if chunk == nil {
			return assemble.Added{}
		}
		now := time.Now()
		if ctx.Err() != nil || a.Rows() > 0 && now.After(deadline) {
			return assemble.Added{Stop: assemble.TimeOver}
		}
		if !a.ContinueLong(chunk, &records[0], now.Add(maxWait)) {
			return assemble.Added{Stop: assemble.RecordSlow}
		}
		a.BeginRecords()
		for n, some := -1, a.Within(records); n != 0 && len(some) > 0; some = some[n:] {
			_, rest := s.buffer.Rest()
			added := a.Add(chunk, some, rest)
			n = added.N
			s.buffer.Take(n)
			if added.Stop != assemble.NeedFetch {
				return added
			}
		}
	}
}

// await waits for the schema of the next record. The time bounds the wait for the first attempt, too: nobody asks again for the range's rows. The time to wait for a schema that is missing
// ends by itself.
func (s *rangeScan) await(lookup *schema.Lookup, deadline time.Time) error {
	now := time.Now()
	missing := s.errors != assemble.Raise && schema.IsMissing(lookup.Failed())
	if !now.Before(deadline) && !missing && (lookup.Failed() != nil || now.Sub(lookup.Asked()) >= s.wait) {
		return s.outage(lookup)
	}
	if lookup.Failed() != nil && lookup.Report() {
		s.warn("REGISTRY", fmt.Sprintf("%v; it is asked again", s.outage(lookup)))
	}
	lookup.Wait(maxWait)
	return nil
}

// outage is the error of the next record, which waits for a schema.
func (s *rangeScan) outage(lookup *schema.Lookup) *status.Error {
	_, records := s.buffer.Rest()
	why := lookup.Outage(s.buffer.Next())
	return why.Hint(s.schemas.Looks(&records[0], why))
}

// seal ends the batches that are being filled and returns the first; without one, the error that comes after them.
func (s *rangeScan) seal(after error) (*batch.Sealed, error) {
	s.assembler.SealAll()
	if b, err := s.deliver(); b != nil || err != nil {
		return b, err
	}
	return nil, after
}

// deliver returns the next sealed batch, or the error in its place.
func (s *rangeScan) deliver() (*batch.Sealed, error) {
	sealed := s.assembler.Next()
	if sealed == nil {
		return nil, nil
	}
	if sealed.Err != nil {
		return nil, sealed.Err
	}
	return sealed, nil
}

// close gives up what was not delivered.
func (s *rangeScan) close() {
	s.cancel()
	if s.assembler != nil {
		s.assembler.Release()
	}
	s.reader.Release()
	_ = s.reader.Close()
}
