package messages

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// FlatArrow and WideArrow are the schemas of FlatRecord and WideRecord as texts of Arrow schemas.
const (
	FlatArrow = `{"arrow": {"type": "struct", "fields": [
	{"name": "flag", "type": "bool", "nullable": false}, {"name": "count", "type": "int32", "nullable": false}, {"name": "id", "type": "int64", "nullable": false},
	{"name": "ratio", "type": "float", "nullable": false}, {"name": "price", "type": "double", "nullable": false}, {"name": "symbol", "type": "string", "nullable": false}]}}`
	WideArrow = `{"arrow": {"type": "struct", "fields": [
	{"name": "id", "type": "int64", "nullable": false}, {"name": "version", "type": "int32", "nullable": false}, {"name": "active", "type": "bool", "nullable": false},
	{"name": "name", "type": "string", "nullable": false}, {"name": "city", "type": "string"}, {"name": "score", "type": "double", "nullable": false},
	{"name": "ratio", "type": "float", "nullable": false}, {"name": "parent", "type": "int64"}, {"name": "weight", "type": "double"}, {"name": "flag", "type": "bool"}, {"name": "level", "type": "int32"},
	{"name": "created", "type": "timestamp[ms, tz=UTC]", "nullable": false}, {"name": "updated", "type": "timestamp[us, tz=UTC]"}, {"name": "day", "type": "date32[day]", "nullable": false},
	{"name": "price", "type": "decimal128(18, 4)", "nullable": false}, {"name": "total", "type": "decimal128(30, 2)"}, {"name": "side", "type": "dictionary", "symbols": ["BUY", "SELL", "NONE"], "nullable": false},
	{"name": "uuid", "type": "string", "nullable": false}, {"name": "hash", "type": "binary", "nullable": false}, {"name": "payload", "type": "binary", "nullable": false},
	{"name": "samples", "type": "list", "items": {"type": "double", "nullable": false}, "nullable": false}, {"name": "tags", "type": "map", "items": {"type": "string", "nullable": false}, "nullable": false},
	{"name": "address", "type": "struct", "nullable": false, "fields": [{"name": "number", "type": "int32", "nullable": false}, {"name": "street", "type": "string", "nullable": false}, {"name": "zip", "type": "string"}]},
	{"name": "note", "type": "string"}, {"name": "sequence", "type": "int64", "nullable": false}]}}`
)

// JSONBodies writes n records as JSON, one behind the other, with their members in the order of the Avro schema, or in any order.
func JSONBodies(tb testing.TB, avroSchema string, n int, record func(*rand.Rand) map[string]any, shuffled bool) []format.Body {
	tb.Helper()
	var schema struct{ Fields []struct{ Name string } }
	if err := json.Unmarshal([]byte(avroSchema), &schema); err != nil {
		tb.Fatal(err)
	}
	r, order := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4))
	var all bytes.Buffer
	ends := make([]int, n)
	for i := range n {
		values := record(r)
		if shuffled {
			order.Shuffle(len(schema.Fields), func(i, k int) { schema.Fields[i], schema.Fields[k] = schema.Fields[k], schema.Fields[i] })
		}
		for k, f := range schema.Fields {
			all.WriteByte("{,"[min(k, 1)])
			text, err := json.Marshal(jsonValue(f.Name, values[f.Name]))
			if err != nil {
				tb.Fatal(err)
			}
			all.WriteString(`"` + f.Name + `":`)
			all.Write(text)
		}
		all.WriteByte('}')
		ends[i] = all.Len()
	}
	out := make([]format.Body, n)
	start := 0
	for i, end := range ends {
		out[i] = format.Body{Data: unsafe.Pointer(&all.Bytes()[start]), Len: end - start}
		start = end
	}
	return out
}

// jsonValue is a value as encoding/json writes it.
func jsonValue(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if name != "tags" && name != "address" { // a branch of a union
			for _, branch := range v {
				return jsonValue(name, branch)
			}
		}
		out := map[string]any{}
		for k, item := range v {
			out[k] = jsonValue(k, item)
		}
		return out
	case *big.Rat:
		digits := 4
		if name == "total" {
			digits = 2
		}
		return json.Number(v.FloatString(digits))
	case time.Time:
		if name == "day" {
			return v.Format(time.DateOnly)
		}
	}
	return v
}
