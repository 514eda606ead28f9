package jsonschema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
)

// TestADerivedSchemaIsAsDocumented has a column of each type, compares the table of docs/encoding.md, and reads the schema.
func TestADerivedSchemaIsAsDocumented(t *testing.T) {
	listed := frametest.Documented(t, "JSON Schema")
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		dtype arrow.DataType
		want  string
	}{
		{arrow.Null, `"type":"null"`},
		{arrow.FixedWidthTypes.Boolean, `"type":"boolean"`},
		{arrow.PrimitiveTypes.Int8, `"type":"integer","connect.type":"int8"`},
		{arrow.PrimitiveTypes.Int16, `"type":"integer","connect.type":"int16"`},
		{arrow.PrimitiveTypes.Int32, `"type":"integer","connect.type":"int32"`},
		{arrow.PrimitiveTypes.Int64, `"type":"integer","connect.type":"int64"`},
		{arrow.PrimitiveTypes.Uint8, `"type":"integer","connect.type":"int16"`},
		{arrow.PrimitiveTypes.Uint16, `"type":"integer","connect.type":"int32"`},
		{arrow.PrimitiveTypes.Uint32, `"type":"integer","connect.type":"int64"`},
		{arrow.PrimitiveTypes.Uint64, `"type":"integer","connect.type":"int64"`},
		{arrow.FixedWidthTypes.Float16, `"type":"number","connect.type":"float32"`},
		{arrow.PrimitiveTypes.Float32, `"type":"number","connect.type":"float32"`},
		{arrow.PrimitiveTypes.Float64, `"type":"number","connect.type":"float64"`},
		{text, `"type":"string"`},
		{extensions.NewUUIDType(), `"type":"string"`},
		{arrow.BinaryTypes.Binary, `"type":"string","connect.type":"bytes"`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, `"type":"string","connect.type":"bytes"`},
		{arrow.FixedWidthTypes.Date32, `"type":"string","format":"date"`},
		{arrow.FixedWidthTypes.Time64us, `"type":"string","format":"time"`},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, `"type":"string","format":"date-time"`},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.parameters":{"scale":"2","connect.decimal.precision":"9"}`},
		{arrow.ListOf(text), `"type":"array","items":{"oneOf":[{"type":"null"},{"type":"string"}]}`},
		{arrow.MapOf(text, arrow.FixedWidthTypes.Boolean), `"type":"object","connect.type":"map","additionalProperties":{"oneOf":[{"type":"null"},{"type":"boolean"}]}`},
		{arrow.StructOf(arrow.Field{Name: "y", Type: text}), `"type":"object","properties":{"y":{"type":"string","connect.index":0}},"required":["y"]`},
	} {
		got, err := jsonschema.Derive("F", []arrow.Field{{Name: "x", Type: c.dtype}}, format.DeriveOptions{})
		want := `{"$schema":"http://json-schema.org/draft-07/schema#","title":"F","type":"object","properties":{"x":{` + c.want + `,"connect.index":0}}`
		if c.dtype.ID() != arrow.NULL {
			want += `,"required":["x"]`
		}
		if want += "}"; err != nil || got != want {
			t.Errorf("%s: the schema is\n%s (%v), want\n%s", c.dtype, got, err, want)
		}
		if _, err := jsonschema.Parse(got, nil, format.Limits{}); err != nil {
			t.Errorf("%s: %v", got, err)
		}
		listed = slices.DeleteFunc(listed, func(line string) bool { return line == "| `"+c.dtype.String()+"` | `"+c.want+"` |" })
	}
	if len(listed) > 0 {
		t.Errorf("docs/encoding.md lists what is not so, or is not tested here:\n%s", strings.Join(listed, "\n"))
	}
}

func TestColumnsThatJSONSchemaHasNoTypeForAreNamed(t *testing.T) {
	for _, c := range []struct {
		column arrow.Field
		enums  map[string][]string
		want   string
	}{
		{arrow.Field{Name: "a", Type: &arrow.TimestampType{Unit: arrow.Microsecond}}, nil, "a: the column has no time zone"},
		{arrow.Field{Name: "a", Type: arrow.FixedWidthTypes.Duration_ms}, nil, "a: a column of the Arrow type duration[ms] has no type in JSON Schema"},
		{arrow.Field{Name: "a", Type: arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)}, nil, "a: the keys of a map are texts in JSON"},
		{arrow.Field{Name: "a", Type: arrow.BinaryTypes.String}, map[string][]string{"b": {"x"}}, "b: the frame has no column of texts here"},
	} {
		if _, err := jsonschema.Derive("F", []arrow.Field{c.column}, format.DeriveOptions{Enums: c.enums}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the error is\n%v, want\n%s", err, c.want)
		}
	}
	got, err := jsonschema.Derive("F", []arrow.Field{{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}}, format.DeriveOptions{Enums: map[string][]string{"a": {"x", "y z"}}})
	if want := `"a":{"oneOf":[{"type":"null"},{"enum":["x","y z"]}],"connect.index":0}`; err != nil || !strings.Contains(got, want) {
		t.Errorf("%s (%v) has not %s", got, err, want)
	}
}
