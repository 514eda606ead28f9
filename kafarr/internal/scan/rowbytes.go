package scan

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// sampled is the number of offsets that are read to estimate the size of a partition's rows.
const sampled = 1000

// RowBytes estimates the mean bytes of values, keys and headers per offset of each range, from a sample in the middle; 0 where the sample has no record.
func RowBytes(ctx context.Context, cluster Cluster, ranges []Range) ([]float64, error) {
	out := make([]float64, len(ranges))
	for i, r := range ranges {
		part := r
		part.Start = r.Start + max(r.End-r.Start-sampled, 0)/2
		part.End = min(part.Start+sampled, r.End)
		if part.Start >= part.End {
			continue
		}
		bytes := int64(0)
		err := EachRecord(ctx, cluster.Read(part), func(_ *source.Chunk, r *source.Record) {
			bytes += int64(max(r.ValueLen, 0)) + int64(max(r.KeyLen, 0))
			for _, h := range r.HeaderList() {
				bytes += int64(h.NameLen) + int64(max(h.ValueLen, 0))
			}
		})
		if err != nil {
			return nil, err
		}
		out[i] = float64(bytes) / float64(part.End-part.Start)
	}
	return out, nil
}
