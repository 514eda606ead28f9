package scan

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// InferredSchemas infers a schema for the values of each topic, of the first messages of its ranges. A topic whose messages have no values there has none.
func (i *Inference) InferredSchemas(ctx context.Context, cluster Cluster, ranges []Range) ([]LatestSchema, error) {
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
		s := sample{bytes: schema.SampleBytes}
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
			return nil, schema.NothingToInfer(topic, fmt.Sprintf("its first messages have more than %d bytes each", schema.SampleBytes))
		}
		text, err := schema.InferText(i.Value, topic, s.bodies)
		if err != nil {
			return nil, schema.NothingToInfer(topic, err.Error())
		}
		out = append(out, LatestSchema{topic, registry.Schema{Text: text}})
	}
	return out, nil
}

// sample gathers the bodies that a schema is inferred of.
type sample struct {
	bodies []format.Body
	bytes  int  // that may still come
	large  bool // a value was passed over, as there was no room for it
}

// read takes so many values of a range, or fewer, and closes the reader.
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
				r := &chunks[i].Records[j]
				if n := int(r.ValueLen); n >= 0 && most > 0 && s.add(unsafe.Slice((*byte)(r.Value), n)) {
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
