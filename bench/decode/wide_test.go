package decode

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

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

func BenchmarkWide(b *testing.B) {
	benchmark(b, messages.WideSchema, format.Options{}, messages.WideRecord)
}

// BenchmarkWideProjected reads 3 of the 25 fields.
func BenchmarkWideProjected(b *testing.B) {
	benchmark(b, messages.WideSchema, format.Options{Columns: []string{"id", "price", "sequence"}}, messages.WideRecord)
}

func BenchmarkDeep(b *testing.B) { benchmark(b, deepSchema, format.Options{}, deepRecord) }

func BenchmarkText1KB(b *testing.B) {
	text := strings.Repeat("0123456789abcdef", 64)
	benchmark(b, `{"type": "record", "name": "bench.Text", "fields": [{"name": "text", "type": "string"}]}`, format.Options{},
		func(*rand.Rand) map[string]any { return map[string]any{"text": text} })
}
