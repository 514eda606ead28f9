// Package listener measures the listener on records from memory: framing, decoding, metadata and ranges, without a broker.
package listener

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// flat is the flat record of bench/decode under one of two names.
func flat(name string) string {
	return `{"type": "record", "name": "` + name + `", "fields": [
	{"name": "flag", "type": "boolean"}, {"name": "count", "type": "int"}, {"name": "id", "type": "long"},
	{"name": "ratio", "type": "float"}, {"name": "price", "type": "double"}, {"name": "symbol", "type": "string"}]}`
}

// fetches is a source of the same chunk for ever, in pieces as large as librdkafka's.
type fetches struct {
	source.Source
	records []source.Record
	at      int
	offset  int64
	chunk   [1]source.Chunk
	handler source.Handler
}

const fetchMax = 8192

func (f *fetches) ServeEvents() error {
	if f.handler != nil {
		f.handler.Assigned([]source.Position{{Topic: "t"}}, nil)
		f.handler = nil
	}
	return nil
}
func (f *fetches) Ready() (bool, string)                           { return true, "" }
func (f *fetches) Release()                                        {}
func (f *fetches) Close() error                                    { return nil }
func (f *fetches) LastConnectError() error                         { return nil }
func (f *fetches) UnavailableTopics() map[string]error             { return nil }
func (f *fetches) Store([]source.Position) error                   { return nil }
func (f *fetches) Commit(context.Context, []source.Position) error { return nil }

func (f *fetches) Fetch(limit int, _ time.Duration) ([]source.Chunk, error) {
	if f.at == len(f.records) {
		f.at = 0
	}
	n := min(limit, fetchMax, len(f.records)-f.at)
	records := f.records[f.at : f.at+n]
	for i := range records {
		records[i].Offset = f.offset
		f.offset++
	}
	f.at += n
	f.chunk[0] = source.Chunk{Topic: "t", Records: records}
	return f.chunk[:], nil
}

// framed encodes n flat records, whose schema ids are those of the list in turn.
func framed(b *testing.B, n int, ids ...uint32) []source.Record {
	b.Helper()
	codec, err := goavro.NewCodec(flat("x"))
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]source.Record, n)
	for i := range out {
		value := binary.BigEndian.AppendUint32([]byte{0}, ids[i%len(ids)])
		if value, err = codec.BinaryFromNative(value, map[string]any{
			"flag": r.IntN(2) == 1, "count": int32(r.Uint32() >> (1 + r.IntN(30))), "id": int64(r.Uint64() >> (1 + r.IntN(62))),
			"ratio": r.Float32(), "price": r.Float64(), "symbol": fmt.Sprintf("sym-%0*d", 4+r.IntN(9), r.IntN(10000)),
		}); err != nil {
			b.Fatal(err)
		}
		out[i] = source.Record{Value: unsafe.Pointer(&value[0]), ValueLen: int32(len(value)), KeyLen: -1, Timestamp: int64(i), TimestampType: 1}
	}
	return out
}

const rows = 100_000

func benchmark(b *testing.B, cfg kafarr.Config, ids ...uint32) {
	b.Helper()
	benchmarkOf(b, cfg, framed(b, rows, ids...))
}

// deletions are rows each of which is followed by a tombstone with its key.
func deletions(b *testing.B) []source.Record {
	b.Helper()
	out := framed(b, rows, 1)
	for i := range out {
		key := fmt.Appendf(nil, "key-%07d", i/2)
		out[i].Key, out[i].KeyLen = unsafe.Pointer(&key[0]), int32(len(key))
		if i%2 == 1 {
			out[i].Value, out[i].ValueLen = nil, -1
		}
	}
	return out
}

func benchmarkOf(b *testing.B, cfg kafarr.Config, records []source.Record) {
	b.Helper()
	f := &fetches{records: records}
	cfg.Registry.Client = registry.Static{1: {Text: flat("a.Flat")}, 2: {Text: flat("b.Flat")}}
	cfg.Source = func(h source.Handler) (source.Source, error) { f.handler = h; return f, nil }
	l, err := kafarr.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	poll := func(n int) {
		for n > 0 {
			batch, err := l.Poll(context.Background(), n, time.Minute)
			if err != nil {
				b.Fatal(err)
			}
			n -= int(batch.NumRows())
			batch.Release()
		}
	}
	poll(rows)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		poll(rows)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/msg")
}

func metadata(list ...kafarr.MetadataColumn) []kafarr.Metadata {
	out := make([]kafarr.Metadata, len(list))
	for i, c := range list {
		out[i].Column = c
	}
	return out
}

func BenchmarkNoMetadata(b *testing.B) {
	benchmark(b, kafarr.Config{Messages: kafarr.Messages{Metadata: metadata()}}, 1)
}

func BenchmarkOffset(b *testing.B) { benchmark(b, kafarr.Config{}, 1) }

func BenchmarkAllMetadata(b *testing.B) {
	benchmark(b, kafarr.Config{Messages: kafarr.Messages{Metadata: metadata(kafarr.Offset, kafarr.Partition, kafarr.Topic, kafarr.Timestamp, kafarr.TimestampType, kafarr.SchemaID, kafarr.LeaderEpoch, kafarr.Tombstone)}}, 1)
}

func BenchmarkGroupedAlike(b *testing.B) {
	benchmark(b, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, 1)
}

func BenchmarkGroupedAlternating(b *testing.B) {
	benchmark(b, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, 1, 2)
}

func BenchmarkNullKeys(b *testing.B) {
	benchmark(b, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: metadata(kafarr.Offset, kafarr.Key)}}, 1)
}

func BenchmarkTombstonesBetweenRows(b *testing.B) { benchmarkOf(b, kafarr.Config{}, deletions(b)) }

func BenchmarkTombstonesBetweenRowsGrouped(b *testing.B) {
	benchmarkOf(b, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, deletions(b))
}
