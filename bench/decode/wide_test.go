package decode

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

const wideSchema = `{"type": "record", "name": "bench.Wide", "fields": [
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

func wideRecord(r *rand.Rand) map[string]any {
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

const deepSchema = `{"type": "record", "name": "bench.Deep", "fields": [{"name": "orders", "type": {"type": "array", "items":
	{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}, {"name": "lines", "type": {"type": "array", "items":
		{"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}, {"name": "count", "type": ["null", "int"]}]}}}]}}}]}`

func deepRecord(r *rand.Rand) map[string]any {
	orders := make([]any, 3)
	for i := range orders {
		lines := make([]any, 4)
		for k := range lines {
			lines[k] = map[string]any{"sku": "sku-1234567", "count": goavro.Union("int", r.Int32N(9))}
		}
		orders[i] = map[string]any{"id": r.Int64N(1e9), "lines": lines}
	}
	return map[string]any{"orders": orders}
}

func BenchmarkWide(b *testing.B) { benchmark(b, wideSchema, format.Options{}, wideRecord) }

// BenchmarkWideProjected reads 3 of the 25 fields.
func BenchmarkWideProjected(b *testing.B) {
	benchmark(b, wideSchema, format.Options{Columns: []string{"id", "price", "sequence"}}, wideRecord)
}

func BenchmarkDeep(b *testing.B) { benchmark(b, deepSchema, format.Options{}, deepRecord) }

func BenchmarkText1KB(b *testing.B) {
	text := strings.Repeat("0123456789abcdef", 64)
	benchmark(b, `{"type": "record", "name": "bench.Text", "fields": [{"name": "text", "type": "string"}]}`, format.Options{},
		func(*rand.Rand) map[string]any { return map[string]any{"text": text} })
}
