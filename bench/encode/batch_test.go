package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

// seal makes record batches of all rows, with their framing; each with a key of its own where keyed.
func seal(b *testing.B, text string, record func(*rand.Rand) map[string]any, codec produce.Codec, keyed bool) {
	batch, encoding := frame(b, text, record)
	encoder, err := encoding.Bind(batch, nil)
	if err != nil {
		b.Fatal(err)
	}
	builder := produce.NewBuilder(produce.Bounds{Batch: 1_000_000, Message: 1_000_000}, produce.Compression{Codec: codec, Level: produce.DefaultLevel})
	prefix := []byte{0, 0, 0, 0, 1}
	var key [4]byte
	done := func() {
		bytes, _, _ := builder.Seal()
		produce.Stamp(bytes, 1, 0, 0, false)
		produce.Recycle(bytes)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for next := 0; next < rows; {
			if keyed {
				key[0], key[1] = byte(next), byte(next>>8)
				r := produce.Record{Value: encoder, Row: next, Prefix: prefix, Key: key[:], Timestamp: 1}
				if builder.Append(&r) == produce.Added {
					next++
					continue
				}
			} else if next, _ = builder.AppendRows(encoder, next, rows, prefix, 1); next == rows {
				break
			}
			done()
		}
		done()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

func batches(b *testing.B, text string, record func(*rand.Rand) map[string]any) {
	b.Run("keyed", func(b *testing.B) { seal(b, text, record, produce.None, true) })
	for codec := produce.None; codec <= produce.Zstd; codec++ {
		b.Run(codec.String(), func(b *testing.B) { seal(b, text, record, codec, false) })
	}
}

func BenchmarkFlatBatch(b *testing.B) { batches(b, messages.FlatSchema, messages.FlatRecord) }
func BenchmarkWideBatch(b *testing.B) { batches(b, messages.WideSchema, messages.WideRecord) }
