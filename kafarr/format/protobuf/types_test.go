package protobuf_test

import (
	"math"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

const imports = `import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
	import "google/protobuf/any.proto"; import "google/protobuf/empty.proto"; import "google/type/date.proto"; import "google/type/timeofday.proto"; import "google/type/money.proto";
	import "confluent/meta.proto"; import "confluent/type/decimal.proto"; `

// kinds is the table of types: what stands in a file, the Arrow type, and bodies with what they become.
var kinds = []struct {
	name, field, arrow string
	nullable           bool
	rows               [][2]string // a body and the value
}{
	{"bool", `bool x = 1;`, "bool", false, [][2]string{{"", "false"}, {wire(1, 1), "true"}, {wire(1, math.MinInt), "true"}, {wire(1, 1, 1, 0), "false"}}},
	{"int32", `int32 x = 1;`, "int32", false, [][2]string{{"", "0"}, {wire(1, -1), "-1"}, {wire(1, 1<<33+5), "5"}}},
	{"sint32", `sint32 x = 1;`, "int32", false, [][2]string{{wire(1, 1), "-1"}, {wire(1, 1<<32-1), "-2147483648"}}},
	{"sfixed32", `sfixed32 x = 1;`, "int32", false, [][2]string{{wire(1, uint32(math.MaxUint32)), "-1"}}},
	{"uint32", `uint32 x = 1;`, "uint32", false, [][2]string{{wire(1, math.MaxUint32), "4294967295"}}},
	{"fixed32", `fixed32 x = 1;`, "uint32", false, [][2]string{{wire(1, uint32(math.MaxUint32)), "4294967295"}}},
	{"int64", `int64 x = 1;`, "int64", false, [][2]string{{wire(1, math.MinInt64), "-9223372036854775808"}}},
	{"sint64", `sint64 x = 1;`, "int64", false, [][2]string{{wire(1, -1), "-9223372036854775808"}}},
	{"sfixed64", `sfixed64 x = 1;`, "int64", false, [][2]string{{wire(1, uint64(math.MaxUint64)), "-1"}}},
	{"uint64", `uint64 x = 1;`, "uint64", false, [][2]string{{wire(1, -1), "18446744073709551615"}}},
	{"fixed64", `fixed64 x = 1;`, "uint64", false, [][2]string{{wire(1, uint64(7)), "7"}}},
	{"float", `float x = 1;`, "float32", false, [][2]string{{wire(1, math.Float32bits(1.5)), "1.5"}}},
	{"double", `double x = 1;`, "float64", false, [][2]string{{wire(1, math.Float64bits(-2.25)), "-2.25"}}},
	{"string", `string x = 1;`, "utf8", false, [][2]string{{"", ""}, {wire(1, "ü"), "ü"}, {wire(1, "long enough for words", 1, "b"), "b"}, {wire(1, "b", 1, ""), ""}, {wire(1, "12345678"), "12345678"}}},
	{"bytes", `bytes x = 1;`, "binary", false, [][2]string{{wire(1, "\xff\x00"), "/wA="}, {"", ""}}},
	{"optional", `optional int32 x = 1;`, "int32", true, [][2]string{{"", "∅"}, {wire(1, 0), "0"}}},
	{"optional string", `optional string x = 1;`, "utf8", true, [][2]string{{"", "∅"}, {wire(1, ""), ""}}},
	{"enum", `E x = 1;`, "dictionary<values=utf8, indices=int32, ordered=false>", true, [][2]string{{"", "ZERO"}, {wire(1, 300), "MANY"}, {wire(1, -1), "LESS"}, {wire(1, 9), "∅"}, {wire(1, 9, 1, 300), "MANY"}}},
	{"oneof", `oneof o { int32 x = 1; string y = 2; }`, "int32", true, [][2]string{{"", "∅"}, {wire(1, 5), "5"}, {wire(1, 5, 2, "a"), "∅"}, {wire(2, "a", 1, 5), "5"}}},
	{"message", `M x = 1;`, "struct<a: int32, b: list<item: utf8>>", true, [][2]string{{"", "∅"}, {wire(1, ""), `{"a":0,"b":[]}`}, {wire(1, wire(1, 2, 2, "p"), 1, wire(2, "q")), `{"a":2,"b":["p","q"]}`}}},
	{"repeated", `repeated int32 x = 1;`, "list<item: int32>", false, [][2]string{{"", "[]"}, {wire(1, 1, 1, 2), "[1,2]"}, {wire(1, "\x01\x02", 1, 3, 1, ""), "[1,2,3]"}}},
	{"repeated double", `repeated double x = 1;`, "list<item: float64>", false, [][2]string{{wire(1, "\x00\x00\x00\x00\x00\x00\xf0\x3f", 1, math.Float64bits(2)), "[1,2]"}}},
	{"repeated string", `repeated string x = 1;`, "list<item: utf8>", false, [][2]string{{wire(1, "a", 1, "", 1, "c"), `["a","","c"]`}}},
	{"repeated enum", `repeated E x = 1;`, "list<item: dictionary<values=utf8, indices=int32, ordered=false>, nullable>", false, [][2]string{{wire(1, "\x00\x09"), `["ZERO",null]`}}},
	{"repeated message", `repeated M x = 1;`, "list<item: struct<a: int32, b: list<item: utf8>>>", false, [][2]string{{wire(1, wire(1, 1), 1, ""), `[{"a":1,"b":[]},{"a":0,"b":[]}]`}}},
	{"map", `map<string, int64> x = 1;`, "map<utf8, int64, items_non_nullable>", false, [][2]string{
		{"", "[]"}, {wire(1, wire(1, "a", 2, 1), 1, wire(2, 2), 1, wire(1, "a", 2, 3)), `[{"key":"","value":2},{"key":"a","value":3}]`}, {wire(1, ""), `[{"key":"","value":0}]`},
	}},
	{"map of messages", `map<int32, M> x = 1;`, "map<int32, struct<a: int32, b: list<item: utf8>>, items_non_nullable>", false, [][2]string{
		{wire(1, wire(1, 1, 2, wire(2, "p")), 1, wire(1, 2), 1, wire(1, 1, 2, wire(2, "q"))), `[{"key":2,"value":{"a":0,"b":[]}},{"key":1,"value":{"a":0,"b":["q"]}}]`},
	}},
	{"Timestamp", `google.protobuf.Timestamp x = 1;`, "timestamp[us, tz=UTC]", true, [][2]string{
		{"", "∅"}, {wire(1, ""), "1970-01-01T00:00:00Z"}, {wire(1, wire(1, -62135596800)), "0001-01-01T00:00:00Z"}, {wire(1, wire(1, -1, 2, 999_999_999)), "1969-12-31T23:59:59.999999Z"},
		{wire(1, wire(1, 5), 1, wire(2, 7000)), "1970-01-01T00:00:05.000007Z"},
	}},
	{"Duration", `google.protobuf.Duration x = 1;`, "duration[us]", true, [][2]string{{wire(1, wire(1, -1, 2, -500_000_900)), "-1500000us"}}},
	{"Int64Value", `google.protobuf.Int64Value x = 1;`, "int64", true, [][2]string{{"", "∅"}, {wire(1, ""), "0"}, {wire(1, wire(1, 5), 1, ""), "5"}}},
	{"StringValue", `google.protobuf.StringValue x = 1;`, "utf8", true, [][2]string{{"", "∅"}, {wire(1, ""), ""}, {wire(1, wire(1, "a")), "a"}}},
	{"Struct", `google.protobuf.Struct x = 1;`, "utf8", true, [][2]string{{"", "∅"}, {wire(1, ""), "{}"}, {
		wire(1, wire(1, wire(1, "a", 2, wire(6, wire(1, wire(1, 0), 1, wire(2, math.Float64bits(1.5)), 1, wire(3, "s\""), 1, wire(4, 1), 1, wire(5, "")))))), `{"a":[null,1.5,"s\"",true,{}]}`,
	}}},
	{"Any", `google.protobuf.Any x = 1;`, "struct<type_url: utf8, value: binary>", true, [][2]string{{wire(1, wire(1, "t")), `{"type_url":"t","value":""}`}}},
	{"Empty", `google.protobuf.Empty x = 1;`, "struct<>", true, [][2]string{{"", "∅"}, {wire(1, ""), "{}"}}},
	{"google.type.Date", `google.type.Date x = 1;`, "date32", true, [][2]string{{wire(1, wire(1, 2024, 2, 2, 3, 29)), "2024-02-29"}}},
	{"google.type.TimeOfDay", `google.type.TimeOfDay x = 1;`, "time64[ns]", true, [][2]string{{wire(1, wire(1, 23, 4, 1)), "23:00:00.000000001"}}},
	{"google.type.Money", `google.type.Money x = 1;`, "struct<currency_code: utf8, units: int64, nanos: int32>", true, [][2]string{{wire(1, wire(1, "EUR", 2, 5)), `{"currency_code":"EUR","nanos":0,"units":5}`}}},
	{"confluent.type.Decimal", `confluent.type.Decimal x = 1;`, "utf8", true, [][2]string{{wire(1, wire(1, "\xff\x85", 3, 2)), "-1.23"}, {wire(1, ""), "0"}}},
	{"confluent.type.Decimal, with its precision and scale", `confluent.type.Decimal x = 1 [(confluent.field_meta) = { params: [ { key: "precision", value: "9" }, { key: "scale", value: "3" } ] }];`,
		"decimal(9, 3)", true, [][2]string{{wire(1, wire(1, "\xff\x85", 3, 2)), "-1.23"}, {wire(1, wire(1, "\x0c", 3, -1)), "120"}}},
}

// schemaOf is a file of one message with a field.
func schemaOf(field string) string {
	return `syntax = "proto3"; package t; ` + imports + `
		enum E { ZERO = 0; MANY = 300; LESS = -1; } message M { int32 a = 1; repeated string b = 2; }
		message T { ` + field + ` }`
}

func TestEachTypeBecomesItsArrowType(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			closeBooks(t)
			s, err := parse(t, schemaOf(k.field)).Named("t.T")
			if err != nil {
				t.Fatal(err)
			}
			p := compileSchema(t, s, format.Options{})
			f := p.Fields()[0]
			if got := f.Type.String(); got != k.arrow || f.Nullable != k.nullable {
				t.Errorf("got %s, nullable %t", got, f.Nullable)
			}
			bodies := make([]string, len(k.rows))
			for i, r := range k.rows {
				bodies[i] = r[0]
			}
			for i, got := range decode(t, p, bodies...) {
				if got, _, _ = strings.Cut(got, " y="); got != "x="+k.rows[i][1] {
					t.Errorf("body %x: got %s, want %s", bodies[i], got, k.rows[i][1])
				}
			}
		})
	}
}
