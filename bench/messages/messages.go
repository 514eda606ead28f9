// Package messages makes the Avro messages that benchmarks of decoding and of encoding have in common.
package messages

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// FlatSchema is a record of six fields of the commonest types.
const FlatSchema = `{"type": "record", "name": "bench.Flat", "fields": [
	{"name": "flag", "type": "boolean"}, {"name": "count", "type": "int"}, {"name": "id", "type": "long"},
	{"name": "ratio", "type": "float"}, {"name": "price", "type": "double"}, {"name": "symbol", "type": "string"}]}`

// FlatRecord draws a record whose numbers take all varint lengths and whose string has 8 to 16 characters.
func FlatRecord(r *rand.Rand) map[string]any {
	return map[string]any{
		"flag":   r.IntN(2) == 1,
		"count":  int32(r.Uint32() >> (1 + r.IntN(30))),
		"id":     int64(r.Uint64() >> (1 + r.IntN(62))),
		"ratio":  r.Float32(),
		"price":  r.Float64(),
		"symbol": fmt.Sprintf("sym-%0*d", 4+r.IntN(9), r.IntN(10000)),
	}
}

// Bodies encodes n records, one behind the other as in a fetched message set.
func Bodies(tb testing.TB, schema string, n int, record func(*rand.Rand) map[string]any) []format.Body {
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

// WideSchema is a record of 25 fields of most types.
const WideSchema = `{"type": "record", "name": "bench.Wide", "fields": [
	{"name": "id", "type": "long"}, {"name": "version", "type": "int"}, {"name": "active", "type": "boolean"},
	{"name": "name", "type": "string"}, {"name": "city", "type": ["null", "string"]}, {"name": "score", "type": "double"},
	{"name": "ratio", "type": "float"}, {"name": "parent", "type": ["null", "long"]}, {"name": "weight", "type": ["null", "double"]},
	{"name": "flag", "type": ["null", "boolean"]}, {"name": "level", "type": ["null", "int"]},
	{"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "updated", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
	{"name": "day", "type": {"type": "int", "logicalType": "date"}},
	{"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}},
	{"name": "total", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}]},
	{"name": "side", "type": {"type": "enum", "name": "Side", "symbols": ["BUY", "SELL", "NONE"]}},
	{"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}},
	{"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 16}},
	{"name": "payload", "type": "bytes"},
	{"name": "samples", "type": {"type": "array", "items": "double"}},
	{"name": "tags", "type": {"type": "map", "values": "string"}},
	{"name": "address", "type": {"type": "record", "name": "Address", "fields": [
		{"name": "street", "type": "string"}, {"name": "number", "type": "int"}, {"name": "zip", "type": ["null", "string"]}]}},
	{"name": "note", "type": ["null", "string"]}, {"name": "sequence", "type": "long"}]}`

// WideRecord draws a record whose optional fields are null one time in five.
func WideRecord(r *rand.Rand) map[string]any {
	maybe := func(name string, v any) any {
		if r.IntN(5) == 0 {
			return nil
		}
		return goavro.Union(name, v)
	}
	at := time.UnixMilli(1_700_000_000_000 + r.Int64N(1e10)).UTC()
	samples := make([]any, 8)
	for i := range samples {
		samples[i] = r.Float64()
	}
	return map[string]any{
		"id": r.Int64N(1 << 40), "version": r.Int32N(100), "active": r.IntN(2) == 0, "name": fmt.Sprintf("customer-%d", r.IntN(1e6)),
		"city": maybe("string", "Springfield"), "score": r.Float64(), "ratio": r.Float32(), "parent": maybe("long", r.Int64N(1<<30)),
		"weight": maybe("double", r.Float64()), "flag": maybe("boolean", true), "level": maybe("int", r.Int32N(50)),
		"created": at, "updated": maybe("long.timestamp-micros", at), "day": at.Truncate(24 * time.Hour),
		"price": big.NewRat(r.Int64N(1e9), 10000), "total": maybe("bytes.decimal", big.NewRat(r.Int64N(1e12), 100)),
		"side": []string{"BUY", "SELL", "NONE"}[r.IntN(3)], "uuid": "123e4567-e89b-12d3-a456-426614174000",
		"hash": []byte("0123456789abcdef"), "payload": []byte(strings.Repeat("p", r.IntN(40))), "samples": samples,
		"tags":    map[string]any{"a": "one", "bb": "two", "ccc": "three"},
		"address": map[string]any{"street": "Main Street", "number": r.Int32N(200), "zip": maybe("string", "12345")},
		"note":    maybe("string", "a note of some length"), "sequence": r.Int64N(1e6),
	}
}
