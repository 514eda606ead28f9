package scan

import (
	"context"
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// decode decodes a message as a scan would, and returns the columns that it has, without the row.
func (s *schemaSearch) decode(ctx context.Context, m *replay.Message) (*assemble.Columns, error) {
	record := m.Record()
	chunk := &source.Chunk{Topic: m.Topic, Partition: m.Partition, Records: []source.Record{record}}
	columns, err := s.decodeRecord(ctx, chunk)
	if err != nil {
		return nil, err.Hint(s.schemas.Looks(&record, err)).At(m.Topic, m.Partition, m.Offset)
	}
	return columns, nil
}

// decodeRecord does that with the one record of a chunk.
func (s *schemaSearch) decodeRecord(ctx context.Context, chunk *source.Chunk) (*assemble.Columns, *status.Error) {
	router := assemble.NewRouter(s.schemas, assemble.SplitMixed, assemble.SplitTombstones, s.Headers)
	for {
		to := router.Next(chunk, chunk.Records, chunk.Records)
		switch {
		case to.Fault != nil:
			return nil, to.Fault
		case to.Wait != nil && ctx.Err() != nil:
			return nil, to.Wait.Outage(chunk.TopicPartition().At(chunk.Records[0].Offset))
		case to.Wait != nil:
			to.Wait.Wait(maxWait)
			continue
		case to.N == 0:
			continue
		}
		run := &to.Runs[0]
		columns, out := assemble.Sample(run, s.Columns, func() bool { return ctx.Err() == nil })
		rings := run.Schema.Value.Keyrings
		switch {
		case out.Err == nil:
			return columns, nil
		case rings != nil && rings.Asks(chunk, chunk.Records[0].Offset, out.Err): // the key is looked up now
		case errors.Is(out.Err, format.ErrLong):
			return nil, NotInTime(ctx)
		default:
			return nil, assemble.RowFault(run.Refs, out)
		}
	}
}
