package protobuf_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
)

func TestAFrameThatIsSentWithItsOwnSchemaIsReadAgain(t *testing.T) {
	closeBooks(t)
	fields := []arrow.Field{
		column("id", arrow.PrimitiveTypes.Int64), {Name: "small", Type: arrow.PrimitiveTypes.Uint8}, column("text", arrow.BinaryTypes.LargeString),
		column("price", &arrow.Decimal128Type{Precision: 9, Scale: 2}), column("at", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}),
		column("legs", arrow.ListOf(arrow.StructOf(column("n", arrow.PrimitiveTypes.Float64), column("day", arrow.FixedWidthTypes.Date32)))),
		column("by_name", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32)),
		column("side", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}),
		column("ok", arrow.FixedWidthTypes.Boolean),
	}
	batch := frameOf(t, `[
		{"id":1,"small":255,"text":"é","price":"-1.25","at":"2024-02-29T00:00:00.000001Z","legs":[{"n":0.5,"day":"2024-01-02"},{"n":null,"day":null}],"by_name":[{"key":"a","value":1}],"side":"SELL","ok":true},
		{"id":null,"small":0,"text":null,"price":null,"at":null,"legs":[],"by_name":[],"side":null,"ok":null}]`, fields...)
	symbols, err := protobuf.Format{}.Symbols(batch, "side")
	if err != nil {
		t.Fatal(err)
	}
	text, err := protobuf.Derive("shop.Price", fields, format.DeriveOptions{Enums: map[string][]string{"side": symbols}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `syntax = "proto3";
package shop;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";

message Price {
  message Legs {
    optional double n = 1;
    optional google.type.Date day = 2;
  }
  enum Side {
    SELL = 0;
  }
  optional int64 id = 1;
  uint32 small = 2;
  optional string text = 3;
  optional confluent.type.Decimal price = 4 [(confluent.field_meta) = { params: [ { key: "precision", value: "9" }, { key: "scale", value: "2" } ] }];
  optional google.protobuf.Timestamp at = 5;
  repeated Legs legs = 6;
  map<string, int32> by_name = 7;
  optional Side side = 8;
  optional bool ok = 9;
}
`
	if text != want {
		t.Errorf("got %s", text)
	}
	s := parse(t, text)
	bodies, err := encodeBatch(s, batch, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again := batchOf(t, compileSchema(t, s, format.Options{}), bodies...)
	for i, f := range fields {
		for row := range 2 {
			got, want := again.Column(i), batch.Column(i)
			if got.IsNull(row) != want.IsNull(row) || !want.IsNull(row) && textOf(got, row) != textOf(want, row) {
				t.Errorf("%s, row %d: got %s, want %s", f.Name, row, textOf(got, row), textOf(want, row))
			}
		}
	}
}

func textOf(a arrow.Array, row int) string {
	if d, ok := a.(*array.Dictionary); ok {
		return d.Dictionary().ValueStr(d.GetValueIndex(row))
	}
	return a.ValueStr(row)
}

func TestColumnsWithoutATypeOfProtobufAreRefused(t *testing.T) {
	text := arrow.BinaryTypes.String
	for name, c := range map[string]struct {
		columns []arrow.Field
		want    string
	}{
		"a list of lists":              {[]arrow.Field{column("x", arrow.ListOf(arrow.ListOf(text)))}, "put them into a struct"},
		"a moment without a time zone": {[]arrow.Field{column("x", &arrow.TimestampType{Unit: arrow.Second})}, "time zone"},
		"a column of nulls":            {[]arrow.Field{column("x", arrow.Null)}, "no type of Protobuf"},
		"a name that is none":          {[]arrow.Field{column("a b", text)}, "rename"},
		"two names that JSON has once": {[]arrow.Field{column("a_b", text), column("aB", text)}, "JSON"},
		"two columns of one name":      {[]arrow.Field{column("a", text), column("a", text)}, "twice"},
		"a map with floats as keys":    {[]arrow.Field{column("a", arrow.MapOf(arrow.PrimitiveTypes.Float64, text))}, "keys"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := protobuf.Derive("T", c.columns, format.DeriveOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// TestADerivedFileIsAsDocumented has a column of each type, and compares the table of docs/encoding.md.
func TestADerivedFileIsAsDocumented(t *testing.T) {
	listed := frametest.Documented(t, "Protobuf")
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		dtype arrow.DataType
		want  string
	}{
		{arrow.FixedWidthTypes.Boolean, "bool"},
		{arrow.PrimitiveTypes.Int8, "int32"},
		{arrow.PrimitiveTypes.Int16, "int32"},
		{arrow.PrimitiveTypes.Int32, "int32"},
		{arrow.PrimitiveTypes.Int64, "int64"},
		{arrow.PrimitiveTypes.Uint8, "uint32"},
		{arrow.PrimitiveTypes.Uint16, "uint32"},
		{arrow.PrimitiveTypes.Uint32, "uint32"},
		{arrow.PrimitiveTypes.Uint64, "uint64"},
		{arrow.FixedWidthTypes.Float16, "float"},
		{arrow.PrimitiveTypes.Float32, "float"},
		{arrow.PrimitiveTypes.Float64, "double"},
		{text, "string"},
		{arrow.BinaryTypes.Binary, "bytes"},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, "bytes"},
		{arrow.FixedWidthTypes.Date32, "google.type.Date"},
		{arrow.FixedWidthTypes.Time64us, "google.type.TimeOfDay"},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, "google.protobuf.Timestamp"},
		{arrow.FixedWidthTypes.Duration_ns, "google.protobuf.Duration"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, "confluent.type.Decimal"},
		{arrow.ListOf(text), "repeated string"},
		{arrow.MapOf(text, arrow.FixedWidthTypes.Boolean), "map<string, bool>"},
	} {
		got, err := protobuf.Derive("F", []arrow.Field{{Name: "x", Type: c.dtype}}, format.DeriveOptions{})
		if err != nil || !strings.Contains(got, "\n  "+c.want+" x = 1") {
			t.Errorf("%s: the file is\n%s (%v), want %s", c.dtype, got, err, c.want)
			continue
		}
		parse(t, got)
		listed = slices.DeleteFunc(listed, func(line string) bool { return line == "| `"+c.dtype.String()+"` | `"+c.want+"` |" })
	}
	if len(listed) > 0 {
		t.Errorf("docs/encoding.md lists what is not so, or is not tested here:\n%s", strings.Join(listed, "\n"))
	}
}
