package kafarr

import (
	"context"
	"errors"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// decode makes a row of a message, as the reading would, and returns its columns, which are empty again.
func (s *schemaSearch) decode(ctx context.Context, m *replay.Message) (*columnSet, error) {
	record := m.Record()
	chunk := &source.Chunk{Topic: m.Topic, Partition: m.Partition, Records: []source.Record{record}}
	set, err := s.decodeRecord(ctx, chunk)
	if err != nil {
		return nil, err.Hint(s.schemas.Looks(&record, err)).At(m.Topic, m.Partition, m.Offset)
	}
	return set, nil
}

// decodeRecord makes a row of the one record of a chunk.
func (s *schemaSearch) decodeRecord(ctx context.Context, chunk *source.Chunk) (*columnSet, *Error) {
	record := &chunk.Records[0]
	value, body, err := s.schemas.Values.Frame(chunk.Topic, record)
	if err != nil {
		return nil, err
	}
	if s.plan.cfg.wants(Headers) {
		if err := headersFault(record); err != nil {
			return nil, err
		}
	}
	var key schema.Ref
	var keyBody avro.Body
	if s.schemas.Keys != nil {
		if key, keyBody, err = s.schemas.Keys.Frame(chunk.Topic, record); err != nil {
			return nil, err
		}
		if key == schema.Null {
			key = s.schemas.Keys.SchemaForNull(chunk.Topic, chunk.Records)
		}
	}
	for {
		pair, err := s.await(ctx, chunk, value, key)
		if err != nil {
			return nil, err
		}
		set := newColumnSet(pair, &s.plan.cfg.Config)
		f := filling{set: set, values: pair.Value.Plan.Bind(set.values)}
		if pair.Value.Keyrings != nil {
			f.values.Keys(pair.Value.Keyrings.Of(chunk.Topic))
		}
		if pair.Key != nil {
			f.keys = pair.Key.Plan.Bind(set.keys)
		}
		_, _, rowErr := f.decode([]avro.Body{body}, []avro.Body{keyBody}, func() bool { return ctx.Err() == nil })
		set.release()
		switch {
		case rowErr == nil:
			return set, nil
		case pair.Value.Keyrings != nil && pair.Value.Keyrings.Asks(chunk, record.Offset, rowErr): // the key is looked up now
		case errors.Is(rowErr, avro.ErrLong):
			return nil, notInTime(ctx)
		default:
			err := rowFault(rowErr)
			if id, ok := value.ID(); ok && err.Code != KeyDecodeError {
				err.SchemaID = int64(id)
			}
			return nil, err
		}
	}
}

// await waits for the schemas of a chunk's one record.
func (s *schemaSearch) await(ctx context.Context, chunk *source.Chunk, value, key schema.Ref) (schema.Pair, *Error) {
	for {
		resolved := s.schemas.Resolve(chunk, chunk.Records, value, key)
		if resolved.Wait == nil {
			return resolved.Pair, resolved.Err
		}
		if ctx.Err() != nil {
			return schema.Pair{}, resolved.Wait.Outage(chunk.TopicPartition().At(chunk.Records[0].Offset))
		}
		resolved.Wait.Wait(maxSlice)
	}
}
