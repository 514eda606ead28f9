package scan

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// InferredSchemas infers a schema for the values of each topic, or for the keys, of the first messages of its ranges. A topic whose messages have none there has no schema.
func (i *Inference) InferredSchemas(ctx context.Context, cluster Cluster, ranges []Range, isKey bool) ([]LatestSchema, error) {
	content := i.Value
	if isKey {
		content = i.Key
	}
	var topics []string
	of := map[string][]Range{}
	for _, r := range ranges {
		if of[r.Topic] == nil {
			topics = append(topics, r.Topic)
		}
		of[r.Topic] = append(of[r.Topic], r)
	}
	var out []LatestSchema
	for _, topic := range topics {
		s := sample{isKey: isKey, bytes: schema.SampleBytes}
		for _, r := range of[topic] {
			if r.Start == r.End {
				continue
			}
			if err := s.read(ctx, cluster.Read(r), max(schema.SampleMessages/len(of[topic]), 1)); err != nil {
				return nil, err
			}
		}
		if len(s.bodies) == 0 && !s.large {
			continue
		}
		if len(s.bodies) == 0 {
			return nil, schema.NothingToInfer(topic, isKey, fmt.Sprintf("its first messages have more than %d bytes each", schema.SampleBytes))
		}
		text, err := schema.InferText(content, topic, s.bodies)
		if err != nil {
			return nil, schema.NothingToInfer(topic, isKey, err.Error())
		}
		out = append(out, LatestSchema{topic, isKey, registry.Schema{Text: text}})
	}
	return out, nil
}

// sample gathers the bodies that a schema is inferred of.
type sample struct {
	isKey  bool // it is keys, and not values
	bodies []format.Body
	bytes  int  // that may still come
	large  bool // one was passed over, as there was no room for it
}

// read takes so many values, or keys, of a range, or fewer, and closes the reader.
func (s *sample) read(ctx context.Context, reader RangeReader, most int) error {
	defer func() { _ = reader.Close() }()
	for seen := 0; most > 0 && seen < farthestPeek && !reader.Ended(); {
		if ctx.Err() != nil {
			return NotInTime(ctx)
		}
		chunks, err := reader.Fetch(assemble.RunRecords, maxWait)
		for i := range chunks {
			seen += len(chunks[i].Records)
			for j := range chunks[i].Records {
				data, n := s.payload(&chunks[i].Records[j])
				if n >= 0 && most > 0 && s.add(unsafe.Slice((*byte)(data), int(n))) {
					most--
				}
			}
		}
		reader.Release()
		if err != nil {
			return status.Wrap(err)
		}
	}
	return nil
}

// payload is a record's key or value.
func (s *sample) payload(r *source.Record) (unsafe.Pointer, int32) {
	if s.isKey {
		return r.Key, r.KeyLen
	}
	return r.Value, r.ValueLen
}

// add copies a value, if there is room.
func (s *sample) add(value []byte) bool {
	if len(value) > s.bytes {
		s.large = true
		return false
	}
	s.bytes -= len(value)
	own := append(make([]byte, 0, len(value)+1), value...) // whose address there is, if it is empty, too
	s.bodies = append(s.bodies, format.Body{Data: unsafe.Pointer(unsafe.SliceData(own)), Len: len(own)})
	return true
}
