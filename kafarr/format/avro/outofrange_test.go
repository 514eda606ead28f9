package avro_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// beyond are values that their Arrow types cannot hold, each with one that they can.
var beyond = []struct{ name, schema, outside, within string }{
	{"time-millis of 24:00", `{"type":"int","logicalType":"time-millis"}`, "\x80\xf0\xb2\x52", "\x02"},
	{"a negative time-millis", `{"type":"int","logicalType":"time-millis"}`, "\x01", "\x02"},
	{"time-micros of 24:00", `{"type":"long","logicalType":"time-micros"}`, "\x80\x80\xbb\xdd\x83\x05", "\x02"},
	{"decimal", `{"type":"bytes","logicalType":"decimal","precision":2}`, "\x02\x64", "\x02\x63"},
	{"decimal of 40 bytes", `{"type":"bytes","logicalType":"decimal","precision":2}`, "\x50" + strings.Repeat("\x01", 40), "\x02\x63"},
	{"decimal on fixed", `{"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":2}`, "\x64", "\x63"},
	{"decimal of 77 digits", `{"type":"bytes","logicalType":"decimal","precision":77}`, "\x46" + strings.Repeat("\x7f", 35), "\x02\x63"},
	{"duration", `{"type":"fixed","name":"F","size":12,"logicalType":"duration"}`, "\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00", "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	{"big-decimal of a huge scale", `{"type":"bytes","logicalType":"big-decimal"}`, "\x0a\x02\x01\x80\xb5\x18", "\x06\x02\x01\x02"},
}

func compileWith(t *testing.T, schema string, options format.Options) *avro.Plan {
	t.Helper()
	s, err := avro.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	p, err := avro.Compile(s, options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAValueOutOfRangeIsItsRowsErrorByDefault(t *testing.T) {
	closeBooks(t)
	for _, c := range beyond {
		p := compile(t, c.schema)
		if p.Fields[0].Nullable {
			t.Errorf("%s: its column is nullable", c.name)
		}
		_, err := decode(t, p, []byte(c.outside))
		var fault *avro.DecodeError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), `(out_of_range="null" reads such values as nulls)`) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestAValueOutOfRangeMayBeANull reads such values wherever a value may lie: they are nulls of nullable columns, and all around them stays.
func TestAValueOutOfRangeMayBeANull(t *testing.T) {
	closeBooks(t)
	for _, c := range beyond {
		both := "\x04" + c.outside + c.within + "\x00"
		for _, in := range []struct{ name, schema, body, want string }{
			{"alone", c.schema, c.outside, "(null)"},
			{"in a field", `{"type":"record","name":"R","fields":[{"name":"x","type":` + c.schema + `},{"name":"n","type":"int"}]}`, c.outside + "\x0e", "(null)"},
			{"in an array", `{"type":"array","items":` + c.schema + `}`, both, "[null,"},
			{"in a map", `{"type":"map","values":` + c.schema + `}`, "\x02\x02a" + c.outside + "\x00", `"value":null`},
			{"in an optional", `["null",` + c.schema + `]`, "\x02" + c.outside, "(null)"},
			{"in a union", `["boolean",` + c.schema + `,"string"]`, "\x02" + c.outside, `"boolean":null`},
			{"in a record", `{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"x","type":` + c.schema + `}]}}`, both, `{"x":null}`},
		} {
			for _, unions := range []format.Unions{format.StructUnions, format.DenseUnions} {
				p := compileWith(t, in.schema, format.Options{OutOfRange: format.NullOutOfRange, Unions: unions})
				columns := p.NewColumns()
				a := p.Bind(columns)
				n, err := a.Append([]format.Body{body([]byte(in.body)), body([]byte(in.body))})
				if n != 2 || err != nil || a.Counts(2).OutOfRange != 2 || a.Counts(1).OutOfRange != 1 {
					t.Errorf("%s %s: %d rows, %d and %d nulls, %v", c.name, in.name, n, a.Counts(1).OutOfRange, a.Counts(2).OutOfRange, err)
				}
				columns.Release()
				if unions == format.DenseUnions {
					continue
				}
				arrays, err := decode(t, p, []byte(in.body))
				if err != nil || !strings.Contains(arrays[0].ValueStr(0), in.want) {
					t.Errorf("%s %s: %v, %v", c.name, in.name, arrays, err)
				}
				if top := in.want == "(null)"; top && !p.Fields[0].Nullable {
					t.Errorf("%s %s: %v is not nullable", c.name, in.name, p.Fields[0])
				}
			}
		}
	}
}

func TestNullsOfARowThatFailsAreNotCounted(t *testing.T) {
	closeBooks(t)
	p := compileWith(t, `{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"int","logicalType":"time-millis"}},{"name":"b","type":"boolean"}]}`, format.Options{OutOfRange: format.NullOutOfRange})
	columns := p.NewColumns()
	defer columns.Release()
	a := p.Bind(columns)
	good, bad := body([]byte("\x01\x01")), body([]byte("\x01\x07"))
	if n, err := a.Append([]format.Body{good, bad}); n != 1 || err == nil || a.Counts(n).OutOfRange != 1 {
		t.Errorf("%d rows, %d nulls, %v", n, a.Counts(n).OutOfRange, err)
	}
	if n, err := a.Append([]format.Body{body([]byte("\x02\x01"))}); n != 1 || err != nil || a.Counts(n).OutOfRange != 0 {
		t.Errorf("%d rows, %d nulls, %v", n, a.Counts(n).OutOfRange, err)
	}
}

func TestTheGreatestTimesAreWithinADay(t *testing.T) {
	closeBooks(t)
	for schema, last := range map[string]uint64{`{"type":"int","logicalType":"time-millis"}`: 86_399_999, `{"type":"long","logicalType":"time-micros"}`: 86_399_999_999} {
		p := compileWith(t, schema, format.Options{OutOfRange: format.NullOutOfRange})
		arrays, err := decode(t, p, binary.AppendUvarint(nil, last*2))
		if err != nil || arrays[0].IsNull(0) {
			t.Error(schema, arrays, err)
		}
	}
}

// TestALogicalTypeThatIsNotValidIsNamed has the type beneath it read, as the specification says, and says so.
func TestALogicalTypeThatIsNotValidIsNamed(t *testing.T) {
	for logical, want := range map[string]string{
		`"type":"bytes","logicalType":"decimal","precision":2,"scale":3`:             "its scale 3 exceeds its precision 2",
		`"type":"bytes","logicalType":"decimal"`:                                     "its precision is missing",
		`"type":"bytes","logicalType":"decimal","precision":2,"scale":-1`:            "its scale is no whole number",
		`"type":"bytes","logicalType":"decimal","precision":100001`:                  "its precision 100001 exceeds 100000",
		`"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":3`:   "a fixed of 1 bytes does not hold its precision of 3 digits",
		`"type":"int","logicalType":"decimal","precision":3`:                         "it is not valid on int",
		`"type":"long","logicalType":"date"`:                                         "it is not valid on long",
		`"type":"bytes","logicalType":"uuid"`:                                        "it is not valid on bytes",
		`"type":"bytes","logicalType":"decimal","precision":3,"scale":3`:             "",
		`"type":"long","logicalType":"io.debezium.time.Timestamp"`:                   "", // none of ours
		`"type":"fixed","name":"F","size":12,"logicalType":"duration"`:               "",
		`"type":"fixed","name":"F","size":15,"logicalType":"duration"`:               "it is not valid on fixed",
		`"type":"string","logicalType":"timestamp-millis"`:                           "it is not valid on string",
		`"type":"bytes","logicalType":"decimal","precision":1.5`:                     "its precision is missing, or no whole number",
		`"type":"bytes","logicalType":"decimal","precision":77,"scale":78,"a":"lot"`: "its scale 78 exceeds its precision 77",
	} {
		p := compile(t, fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"array","items":{%s}}}]}`, logical))
		got := strings.Join(p.Ignored, "|")
		if want == "" && got != "" || want != "" && (!strings.HasPrefix(got, "x.item: its logical type ") || !strings.HasSuffix(got, want) && !strings.Contains(got, want)) {
			t.Errorf("%s: %q", logical, got)
		}
	}
}
