// Package decode measures Avro bodies to Arrow columns, without a broker: go test -bench . -benchmem ./bench/decode.
package decode

import (
	"math/rand/v2"
	"testing"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

func benchmark(b *testing.B, schema string, options format.Options, record func(*rand.Rand) map[string]any) {
	const rows = 100_000
	s, err := avro.Parse(schema)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := avro.Compile(s, options)
	if err != nil {
		b.Fatal(err)
	}
	list := messages.Bodies(b, schema, rows, record)
	// As in a listener, the columns are used again batch after batch.
	columns := plan.NewColumns()
	appender := plan.Bind(columns)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for start := 0; start < rows; start += 8192 {
			if _, err := appender.Append(list[start:min(start+8192, rows)]); err != nil {
				b.Fatal(err)
			}
		}
		for _, data := range columns.Finish() {
			data.Release()
		}
	}
	b.ReportMetric(float64(testing.AllocsPerRun(1, func() { _, _ = appender.Append(list[:8192]) }))/8192, "allocs/msg")
	columns.Release()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/msg")
}

func BenchmarkFlat(b *testing.B) {
	benchmark(b, messages.FlatSchema, format.Options{}, messages.FlatRecord)
}
