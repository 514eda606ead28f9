// Package decode measures Avro bodies to Arrow columns, without a broker: go test -bench . -benchmem ./bench/decode.
package decode

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

const flatSchema = `{"type": "record", "name": "bench.Flat", "fields": [
	{"name": "flag", "type": "boolean"}, {"name": "count", "type": "int"}, {"name": "id", "type": "long"},
	{"name": "ratio", "type": "float"}, {"name": "price", "type": "double"}, {"name": "symbol", "type": "string"}]}`

// flatRecord draws a record whose numbers take all varint lengths and whose string has 8 to 16 characters.
func flatRecord(r *rand.Rand) map[string]any {
	return map[string]any{
		"flag":   r.IntN(2) == 1,
		"count":  int32(r.Uint32() >> (1 + r.IntN(30))),
		"id":     int64(r.Uint64() >> (1 + r.IntN(62))),
		"ratio":  r.Float32(),
		"price":  r.Float64(),
		"symbol": fmt.Sprintf("sym-%0*d", 4+r.IntN(9), r.IntN(10000)),
	}
}

// bodies encodes n records, one behind the other as in a fetched message set.
func bodies(tb testing.TB, schema string, n int, record func(*rand.Rand) map[string]any) []format.Body {
	tb.Helper()
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var all []byte
	ends := make([]int, n)
	for i := range n {
		if all, err = codec.BinaryFromNative(all, record(r)); err != nil {
			tb.Fatal(err)
		}
		ends[i] = len(all)
	}
	out := make([]format.Body, n)
	start := 0
	for i, end := range ends {
		out[i] = format.Body{Data: unsafe.Pointer(&all[start]), Len: end - start}
		start = end
	}
	return out
}

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
	messages := bodies(b, schema, rows, record)
	// As in a listener, the columns are used again batch after batch.
	columns := plan.NewColumns()
	appender := plan.Bind(columns)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for start := 0; start < rows; start += 8192 {
			if _, err := appender.Append(messages[start:min(start+8192, rows)]); err != nil {
				b.Fatal(err)
			}
		}
		for _, data := range columns.Finish() {
			data.Release()
		}
	}
	b.ReportMetric(float64(testing.AllocsPerRun(1, func() { _, _ = appender.Append(messages[:8192]) }))/8192, "allocs/msg")
	columns.Release()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/msg")
}

func BenchmarkFlat(b *testing.B) { benchmark(b, flatSchema, format.Options{}, flatRecord) }
