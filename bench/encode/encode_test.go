// Package encode measures Arrow columns to Avro bodies, without a broker: go test -bench . -benchmem ./bench/encode.
package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

const rows = 100_000

// frame is the columns of random records, as the decoder makes them.
func frame(b *testing.B, text string, record func(*rand.Rand) map[string]any) (arrow.RecordBatch, format.Encoding) {
	b.Helper()
	s, err := avro.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := avro.Compile(s, format.Options{})
	if err != nil {
		b.Fatal(err)
	}
	columns := plan.NewColumns()
	if _, err := plan.Bind(columns).Append(messages.Bodies(b, text, rows, record)); err != nil {
		b.Fatal(err)
	}
	var arrays []arrow.Array
	for _, data := range columns.Finish() {
		arrays = append(arrays, array.MakeFromData(data))
		data.Release()
	}
	batch := array.NewRecordBatch(arrow.NewSchema(plan.Fields, nil), arrays, rows)
	for _, a := range arrays {
		a.Release()
	}
	b.Cleanup(batch.Release)
	encoding, err := avro.CompileEncoding(s, plan.Fields, format.EncodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return batch, encoding
}

// encode writes all rows back to back into a buffer of a MB, again from its beginning when it is full.
func encode(b *testing.B, text string, record func(*rand.Rand) map[string]any) {
	batch, encoding := frame(b, text, record)
	encoder, err := encoding.Bind(batch, nil)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 1<<20)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		at := 0
		for row := range rows {
			n, ok := encoder.Encode(dst[at:], row)
			if !ok {
				at = 0
				n, _ = encoder.Encode(dst, row)
			}
			at += n
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

// check binds the batch, which looks at all values.
func check(b *testing.B, text string, record func(*rand.Rand) map[string]any) {
	batch, encoding := frame(b, text, record)
	b.ResetTimer()
	for range b.N {
		if _, err := encoding.Bind(batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

func BenchmarkFlat(b *testing.B)      { encode(b, messages.FlatSchema, messages.FlatRecord) }
func BenchmarkWide(b *testing.B)      { encode(b, messages.WideSchema, messages.WideRecord) }
func BenchmarkFlatCheck(b *testing.B) { check(b, messages.FlatSchema, messages.FlatRecord) }
func BenchmarkWideCheck(b *testing.B) { check(b, messages.WideSchema, messages.WideRecord) }
