package fetch

import (
	"fmt"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// BenchmarkRecords reads batches of a million bytes, checked, of values as small as those of six flat fields.
func BenchmarkRecords(b *testing.B) {
	for _, c := range []codec{codecNone, codecGzip, codecSnappy, codecLZ4, codecZstd} {
		b.Run(c.String(), func(b *testing.B) {
			of := batchOf{codec: c}
			for i := range 20_000 {
				of.records = append(of.records, rec{delta: int64(i), value: fmt.Appendf(nil, "\x00\x00\x00\x00\x07%d,%d,some text %d", i, i*i*7919, i%97)})
			}
			raw := of.bytes()
			out := make([]source.Record, 0, chunkMax)
			d := decompressor{bound: defaultExpandedBytes}
			var r records
			var buf []byte
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				got, _, err := nextBatch(raw, true)
				body := got.records
				if err == nil && c != codecNone {
					body, err = d.expand(c, body, buf)
					buf = body
				}
				if err != nil {
					b.Fatal(err)
				}
				r.begin(got, body)
				for more := true; more; {
					if _, more, err = r.take(out, 0, 1<<62, false); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*20_000/b.Elapsed().Seconds()/1e6, "Mrecords/s")
		})
	}
}
