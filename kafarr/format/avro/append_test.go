package avro_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// closeBooks fails a test that leaves column memory behind.
func closeBooks(t *testing.T) {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes of column memory were not released", after-before)
		}
	})
}

func compile(t *testing.T, schema string) *avro.Plan {
	t.Helper()
	s, err := avro.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	p, err := avro.Compile(s, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func body(b []byte) format.Body {
	return format.Body{Data: unsafe.Pointer(unsafe.SliceData(b)), Len: len(b)}
}

// decode appends bodies and returns the columns as arrays, or the error with what came before it.
func decode(t *testing.T, p *avro.Plan, bodies ...[]byte) ([]arrow.Array, error) {
	t.Helper()
	columns := p.NewColumns()
	list := make([]format.Body, len(bodies))
	for i, b := range bodies {
		list[i] = body(b)
	}
	_, err := p.Bind(columns).Append(list)
	var out []arrow.Array
	for _, d := range columns.Finish() {
		a := array.MakeFromData(d)
		d.Release()
		out = append(out, a)
		t.Cleanup(a.Release)
	}
	return out, err
}

func encode(t *testing.T, schema string, native any) []byte {
	t.Helper()
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		t.Fatal(err)
	}
	b, err := codec.BinaryFromNative(nil, native)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryTypeReadsWhatGoavroWrote has goavro write values and compares what comes out, as text, with what was put in.
func TestEveryTypeReadsWhatGoavroWrote(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name, schema string
		values       []any
		want         string
		dtype        string
	}{
		{"null", `"null"`, []any{nil, nil}, "[(null) (null)]", "null"},
		{"boolean", `"boolean"`, []any{true, false, true}, "[true false true]", "bool"},
		{"int", `"int"`, []any{int32(0), int32(-1), int32(math.MaxInt32), int32(math.MinInt32), int32(64), int32(-65)}, "[0 -1 2147483647 -2147483648 64 -65]", "int32"},
		{"long", `"long"`, []any{int64(0), int64(math.MaxInt64), int64(math.MinInt64), int64(1)<<53 + 1, int64(-129)}, "[0 9223372036854775807 -9223372036854775808 9007199254740993 -129]", "int64"},
		{"float", `"float"`, []any{float32(1.5), float32(math.Inf(-1))}, "[1.5 -Inf]", "float32"},
		{"double", `"double"`, []any{1e300, math.NaN(), math.Inf(1)}, "[1e+300 NaN +Inf]", "float64"},
		{"bytes", `"bytes"`, []any{[]byte{0, 255}, []byte{}}, `["\x00\xff" ""]`, "binary"},
		{"strings of all lengths", `"string"`, []any{"", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopq", "grüße", "日本語日本語", long}, `["" "abc" "abcd" "abcdefg" "abcdefgh" "abcdefghijklmnop" "abcdefghijklmnopq" "grüße" "日本語日本語" "` + long + `"]`, "utf8"},
		{"fixed", `{"type":"fixed","name":"F","size":3}`, []any{[]byte("abc"), []byte("xyz")}, `["abc" "xyz"]`, "fixed_size_binary[3]"},
		{"enum", `{"type":"enum","name":"E","symbols":["A","B"]}`, []any{"B", "A", "B"}, "{ dictionary: [\"A\" \"B\"]\n  indices: [1 0 1] }", "dictionary<values=utf8, indices=int32, ordered=false>"},
		{"null first", `["null","long"]`, []any{nil, goavro.Union("long", int64(7)), nil}, "[(null) 7 (null)]", "int64"},
		{"null last", `["long","null"]`, []any{goavro.Union("long", int64(7)), nil}, "[7 (null)]", "int64"},
		{"optional string", `["null","string"]`, []any{goavro.Union("string", "a"), nil, goavro.Union("string", "")}, `["a" (null) ""]`, "utf8"},
		{"optional boolean", `["null","boolean"]`, []any{goavro.Union("boolean", true), nil}, `[true (null)]`, "bool"},
		{"optional enum", `["null",{"type":"enum","name":"E","symbols":["A","B"]}]`, []any{goavro.Union("E", "B"), nil}, "{ dictionary: [\"A\" \"B\"]\n  indices: [1 (null)] }", "dictionary<values=utf8, indices=int32, ordered=false>"},
		{"optional fixed", `[{"type":"fixed","name":"F","size":2},"null"]`, []any{goavro.Union("F", []byte("ab")), nil}, `["ab" (null)]`, "fixed_size_binary[2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			bodies := make([][]byte, len(c.values))
			for i, v := range c.values {
				bodies[i] = encode(t, c.schema, v)
			}
			columns, err := decode(t, compile(t, c.schema), bodies...)
			if err != nil {
				t.Fatal(err)
			}
			if got := columns[0].String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := columns[0].DataType().String(); got != c.dtype {
				t.Errorf("the Arrow type is %s, want %s", got, c.dtype)
			}
		})
	}
}

const twoFields = `{"type":"record","name":"R","fields":[{"name":"s","type":["null","string"]},{"name":"n","type":"int"}]}`

// TestBadRowLeavesTheOthersWhole has each kind of damage between two good rows.
func TestBadRowLeavesTheOthersWhole(t *testing.T) {
	good := []byte{2, 6, 'a', 'b', 'c', 4}
	for _, c := range []struct {
		name string
		bad  []byte
		want string
	}{
		{"an empty body", []byte{}, "s: the body ends within the value (0 bytes)"},
		{"a body that ends within a string", []byte{2, 6, 'a'}, "s: length 3 is beyond the body (3 bytes)"},
		{"a negative length", []byte{2, 5, 'a'}, "s: length -3 is beyond the body (3 bytes)"},
		{"a body without its last field", []byte{0}, "n: the body ends within the value (1 bytes)"},
		{"a union index that is too large", []byte{4, 2}, "s: union index 2 is out of range"},
		{"a negative union index", []byte{1, 2}, "s: union index -1 is out of range"},
		{"invalid UTF-8", []byte{2, 6, 'a', 0xff, 'c', 4}, "s: string is not valid UTF-8"},
		{"invalid UTF-8 in a long string", append(append([]byte{2, 24}, "abcdefghij\xc3\x28"...), 4), "s: string is not valid UTF-8"},
		{"an int outside 32 bits", []byte{0, 0x80, 0x80, 0x80, 0x80, 0x10}, "n: int is outside 32 bits"},
		{"a varint of eleven bytes", []byte{0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, "n: varint is longer than 10 bytes"},
		{"a varint without an end", []byte{0, 0x80}, "n: the body ends within the value (2 bytes)"},
		{"bytes left over", []byte{0, 4, 4}, "1 bytes are left over after the last field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			p := compile(t, twoFields)
			columns := p.NewColumns()
			a := p.Bind(columns)
			n, err := a.Append([]format.Body{body(good), body(c.bad), body(good)})
			var d *avro.DecodeError
			if n != 1 || !errors.As(err, &d) || d.Error() != c.want {
				t.Errorf("%d rows and %q, want 1 row and %q", n, err, c.want)
			}
			if n, err := a.Append([]format.Body{body(good)}); n != 1 || err != nil {
				t.Errorf("after the bad row: %d rows and %v", n, err)
			}
			for i, data := range columns.Finish() {
				column := array.MakeFromData(data)
				if want := []string{`["abc" "abc"]`, `[2 2]`}[i]; column.String() != want {
					t.Errorf("column %d is %s, want %s", i, column, want)
				}
				column.Release()
				data.Release()
			}
		})
	}
}
