package kafarr

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// sampled is the number of offsets that are read to estimate the size of a partition's rows.
const sampled = 1000

// RowBytes estimates the mean bytes of values, keys and headers per offset of each partition of the plan, from a sample in the middle; 0 where the sample has no record.
func (p *Plan) RowBytes(ctx context.Context) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	cluster, err := p.cfg.dial()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	out := make([]float64, len(p.Partitions))
	for i, r := range p.Partitions {
		part := r
		part.Start = r.Start + max(r.End-r.Start-sampled, 0)/2
		part.End = min(part.Start+sampled, r.End)
		if part.Start >= part.End {
			continue
		}
		bytes := int64(0)
		err := scan.EachRecord(ctx, cluster.Read(part), func(_ *source.Chunk, r *source.Record) {
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
