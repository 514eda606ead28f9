// Package encode measures Arrow columns to bodies, without a broker: go test -bench . -benchmem ./bench/encode.
package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
)

const rows = 100_000

// frame is the columns of random records, as Avro's decoder makes them.
func frame(b *testing.B, text string, record func(*rand.Rand) map[string]any) (arrow.RecordBatch, format.Encoding) {
	b.Helper()
	return frameOf(b, avro.Format{}, text, messages.Bodies(b, text, rows, record))
}

// frameOf is the columns of bodies, as a format's decoder makes them.
func frameOf(b *testing.B, f format.Writing, text string, bodies []format.Body) (arrow.RecordBatch, format.Encoding) {
	b.Helper()
	s, err := f.Parse(text, nil, format.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := f.Compile(s, format.Options{})
	if err != nil {
		b.Fatal(err)
	}
	columns := plan.NewColumns()
	appender := plan.Bind(columns)
	for left := bodies; len(left) > 0; {
		n, err := appender.Append(left)
		if err != nil {
			b.Fatal(err)
		}
		left = left[n:]
	}
	var arrays []arrow.Array
	for _, data := range columns.Finish() {
		arrays = append(arrays, array.MakeFromData(data))
		data.Release()
	}
	batch := array.NewRecordBatch(arrow.NewSchema(plan.Fields(), nil), arrays, rows)
	for _, a := range arrays {
		a.Release()
	}
	b.Cleanup(batch.Release)
	encoding, err := f.CompileEncoding(s, plan.Fields(), format.EncodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return batch, encoding
}

// encode writes all rows back to back into a buffer of a MB, again from its beginning when it is full.
func encode(b *testing.B, batch arrow.RecordBatch, encoding format.Encoding) {
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
func check(b *testing.B, batch arrow.RecordBatch, encoding format.Encoding) {
	b.ResetTimer()
	for range b.N {
		if _, err := encoding.Bind(batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

func flat(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frame(b, messages.FlatSchema, messages.FlatRecord)
}

func wide(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frame(b, messages.WideSchema, messages.WideRecord)
}

func flatJSON(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frameOf(b, json.Format{}, messages.FlatArrow, messages.JSONBodies(b, messages.FlatSchema, rows, messages.FlatRecord, false))
}

func wideJSON(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frameOf(b, json.Format{}, messages.WideArrow, messages.JSONBodies(b, messages.WideSchema, rows, messages.WideRecord, false))
}

func flatProtobuf(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frameOf(b, protobuf.Format{}, messages.FlatProto, messages.ProtobufBodies(rows, messages.FlatMessage))
}

func wideProtobuf(b *testing.B) (arrow.RecordBatch, format.Encoding) {
	return frameOf(b, protobuf.Format{}, messages.WideProto, messages.ProtobufBodies(rows, messages.WideMessage))
}

func BenchmarkFlat(b *testing.B)          { batch, encoding := flat(b); encode(b, batch, encoding) }
func BenchmarkWide(b *testing.B)          { batch, encoding := wide(b); encode(b, batch, encoding) }
func BenchmarkFlatCheck(b *testing.B)     { batch, encoding := flat(b); check(b, batch, encoding) }
func BenchmarkWideCheck(b *testing.B)     { batch, encoding := wide(b); check(b, batch, encoding) }
func BenchmarkJSONFlat(b *testing.B)      { batch, encoding := flatJSON(b); encode(b, batch, encoding) }
func BenchmarkJSONWide(b *testing.B)      { batch, encoding := wideJSON(b); encode(b, batch, encoding) }
func BenchmarkJSONFlatCheck(b *testing.B) { batch, encoding := flatJSON(b); check(b, batch, encoding) }
func BenchmarkJSONWideCheck(b *testing.B) { batch, encoding := wideJSON(b); check(b, batch, encoding) }
func BenchmarkProtobufFlat(b *testing.B) {
	batch, encoding := flatProtobuf(b)
	encode(b, batch, encoding)
}
func BenchmarkProtobufWide(b *testing.B) {
	batch, encoding := wideProtobuf(b)
	encode(b, batch, encoding)
}
func BenchmarkProtobufFlatCheck(b *testing.B) {
	batch, encoding := flatProtobuf(b)
	check(b, batch, encoding)
}
func BenchmarkProtobufWideCheck(b *testing.B) {
	batch, encoding := wideProtobuf(b)
	check(b, batch, encoding)
}
