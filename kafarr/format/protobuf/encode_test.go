package protobuf_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// batchOf decodes bodies, each of which has to be read, into a record batch that the test releases.
func batchOf(t *testing.T, p *protobuf.Plan, bodies ...string) arrow.RecordBatch {
	t.Helper()
	var arrays []arrow.Array
	for _, d := range columnsOf(t, p, bodies).Finish() {
		arrays = append(arrays, array.MakeFromData(d))
		d.Release()
	}
	batch := array.NewRecordBatch(arrow.NewSchema(p.Fields(), nil), arrays, int64(len(bodies)))
	for _, a := range arrays {
		a.Release()
	}
	t.Cleanup(batch.Release)
	return batch
}

// encodeBatch writes all rows of a batch. The room for each grows until it suffices, as a builder's does.
func encodeBatch(s format.Schema, batch arrow.RecordBatch, options format.EncodeOptions) ([]string, error) {
	e, err := protobuf.Format{}.CompileEncoding(s, batch.Schema().Fields(), options)
	if err != nil {
		return nil, err
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		return nil, err
	}
	rows := make([]string, batch.NumRows())
	for i := range rows {
		rows[i] = encodeRow(encoder, i)
	}
	return rows, nil
}

func encodeRow(e format.Encoder, row int) string {
	for size := 1; ; size++ {
		dst := make([]byte, size)
		if n, ok := e.Encode(dst, row); ok {
			return string(dst[:n])
		}
		if size > 4096 {
			size *= 2
		}
	}
}

func TestEachTypeIsWrittenAsItWasRead(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			closeBooks(t)
			s, err := parse(t, schemaOf(k.field)).Named("t.T")
			if err != nil {
				t.Fatal(err)
			}
			for _, options := range []format.Options{{}, {Enums: format.NumberedEnums}, {Timestamps: format.NanosecondTimestamps}} {
				p := compileSchema(t, s, options)
				for _, r := range k.rows {
					if options.Timestamps == format.NanosecondTimestamps && strings.Contains(r[1], "0001-") {
						continue // no moment of nanoseconds
					}
					batch := batchOf(t, p, r[0])
					written, err := encodeBatch(s, batch, format.EncodeOptions{})
					if strings.Contains(r[1], "null]") || k.name == "enum" && r[1] == "∅" {
						if options.Enums != format.NumberedEnums && (err == nil || !strings.Contains(err.Error(), "null")) {
							t.Errorf("body %x: a number without a name was written, or refused for another reason: %v", r[0], err)
						}
						if options.Enums != format.NumberedEnums {
							continue
						}
					}
					if err != nil {
						t.Errorf("body %x: %v", r[0], err)
						continue
					}
					if again := decode(t, p, written[0]); again[0] != decode(t, p, r[0])[0] {
						t.Errorf("body %x, which is %s, was written as %x, which is %s", r[0], decode(t, p, r[0])[0], written[0], again[0])
					}
				}
			}
		})
	}
}

// TestRandomFramesAreWrittenAsDynamicpbReadsThem is the oracle of writing: what was read is written, and dynamicpb finds in it what it found in the first body. PYKAFARR_ORACLE_SEEDS are
// how many schemas.
func TestRandomFramesAreWrittenAsDynamicpbReadsThem(t *testing.T) {
	closeBooks(t)
	seeds, _ := strconv.Atoi(os.Getenv("PYKAFARR_ORACLE_SEEDS"))
	written := 0
	for seed := range max(seeds, hostile.Rounds(400)) {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(seed), 2))}
		file, raw, d := m.linked(t, seed%2 == 0)
		s := parse(t, raw)
		p := compileSchema(t, s, format.Options{Enums: format.NumberedEnums})
		var bodies []string
		var read []protoreflect.Message
		for range 20 {
			b := m.body(d, 0)
			theirs := dynamicpb.NewMessage(d)
			if wrong, crashed := unmarshal(b, theirs); crashed || wrong != nil || closedAmong(theirs, seed%2 != 0) {
				continue
			}
			bodies, read = append(bodies, string(b)), append(read, theirs)
		}
		out, err := encodeBatch(s, batchOf(t, p, bodies...), format.EncodeOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, file)
		}
		for row, msg := range read {
			again := dynamicpb.NewMessage(d)
			if err := proto.Unmarshal([]byte(out[row]), again); err != nil {
				t.Fatalf("seed %d, row %d: dynamicpb does not read %x: %v", seed, row, out[row], err)
			}
			for i := range d.Fields().Len() {
				f := d.Fields().Get(i)
				if got, want := theirs(again, f), theirs(msg, f); got != want {
					t.Fatalf("seed %d, row %d, %s: %x was written for %x: got %s, want %s\n%v", seed, row, f.Name(), out[row], bodies[row], got, want, file)
				}
			}
			if len(again.GetUnknown()) > 0 {
				t.Fatalf("seed %d, row %d: %x has fields that the schema has not", seed, row, out[row])
			}
			written++
		}
	}
	if written < 100 {
		t.Errorf("only %d rows were written", written)
	}
}

// closedAmong tells whether a message has a number that its closed enum has not, which is refused.
func closedAmong(msg protoreflect.Message, closed bool) bool {
	if !closed {
		return false
	}
	found := false
	value := func(v protoreflect.Value, f protoreflect.FieldDescriptor) {
		switch {
		case f.Enum() != nil:
			found = found || f.Enum().Values().ByNumber(v.Enum()) == nil
		case f.Message() != nil:
			found = found || closedAmong(v.Message(), closed)
		}
	}
	msg.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				value(v, f.MapValue())
				return true
			})
		case f.IsList():
			for i := range v.List().Len() {
				value(v.List().Get(i), f)
			}
		default:
			value(v, f)
		}
		return true
	})
	return found
}

// frameOf is a record batch of JSON rows.
func frameOf(t *testing.T, rows string, fields ...arrow.Field) arrow.RecordBatch {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(batch.Release)
	return batch
}

func column(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func TestWhatDoesNotFitIsRefusedWithItsRowColumnAndValue(t *testing.T) {
	long, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	for name, c := range map[string]struct {
		field string
		x     arrow.DataType
		rows  string
		want  []string
	}{
		"a number that is too large":         {`int32 x = 1;`, long, `[{"x":1},{"x":2147483648}]`, []string{"row 1", "x:", "2147483648", "int32"}},
		"a negative number":                  {`uint64 x = 1;`, long, `[{"x":-1}]`, []string{"row 0", "x:", "-1", "uint64"}},
		"a fraction":                         {`sint64 x = 1;`, arrow.PrimitiveTypes.Float64, `[{"x":1.5}]`, []string{"row 0", "1.5"}},
		"a double that is no float":          {`float x = 1;`, arrow.PrimitiveTypes.Float64, `[{"x":0.1}]`, []string{"row 0", "0.1", "float"}},
		"a null without presence":            {`int32 x = 1;`, long, `[{"x":0},{"x":null}]`, []string{"row 1", "x:", "null", "presence", "optional"}},
		"a null list":                        {`repeated int32 x = 1;`, arrow.ListOf(long), `[{"x":null}]`, []string{"row 0", "null", "empty list"}},
		"a null item":                        {`repeated int32 x = 1;`, arrow.ListOf(long), `[{"x":[]},{"x":[1,null]}]`, []string{"row 1", "x.item", "null"}},
		"a name that the enum has not":       {`E x = 1;`, text, `[{"x":"ZERO"},{"x":"NONE"}]`, []string{"row 1", `"NONE"`, "t.E", "MANY"}},
		"a number of an item that is large":  {`repeated M x = 1;`, arrow.ListOf(arrow.StructOf(column("a", long), column("b", arrow.ListOf(text)))), `[{"x":[]},{"x":[{"a":1,"b":[]},{"a":4294967296,"b":[]}]}]`, []string{"row 1", "x.item.a", "4294967296"}},
		"a JSON text that is none":           {`google.protobuf.Struct x = 1;`, text, `[{"x":"[1]"}]`, []string{"row 0", "Struct", "object"}},
		"a member that comes twice":          {`google.protobuf.Struct x = 1;`, text, `[{"x":"{\"a\":1,\"a\":2}"}]`, []string{"row 0", "twice"}},
		"half of a surrogate pair":           {`google.protobuf.Struct x = 1;`, text, `[{"x":"{\"a\":\"\\ud800\"}"}]`, []string{"row 0", "surrogate"}},
		"a text that is no decimal":          {`confluent.type.Decimal x = 1;`, text, `[{"x":"1,5"}]`, []string{"row 0", `"1,5"`, "decimal"}},
		"a moment without a time zone":       {`google.protobuf.Timestamp x = 1;`, &arrow.TimestampType{Unit: arrow.Microsecond}, `[]`, []string{"x", "time zone"}},
		"a column of another type":           {`int32 x = 1;`, text, `[]`, []string{"x", "utf8", "int32"}},
		"a list of a single field":           {`int32 x = 1;`, arrow.ListOf(long), `[]`, []string{"x", "int32"}},
		"a column that is missing in a list": {`repeated M x = 1;`, arrow.ListOf(arrow.StructOf(column("a", long))), `[]`, []string{"x.item.b", "missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(t, schemaOf(c.field)).Named("t.T")
			if err != nil {
				t.Fatal(err)
			}
			_, err = encodeBatch(s, frameOf(t, c.rows, column("x", c.x)), format.EncodeOptions{})
			if err == nil {
				t.Fatal("it was written")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error()+" "+pathOf(err), want) {
					t.Errorf("%v %s does not say %s", err, pathOf(err), want)
				}
			}
		})
	}
}

func TestTwoMembersOfAOneofAreRefused(t *testing.T) {
	s, err := parse(t, schemaOf(`oneof o { int32 x = 1; string y = 2; }`)).Named("t.T")
	if err != nil {
		t.Fatal(err)
	}
	columns := []arrow.Field{column("x", arrow.PrimitiveTypes.Int32), column("y", arrow.BinaryTypes.String)}
	if _, err := encodeBatch(s, frameOf(t, `[{"x":1},{"y":"a"},{},{"x":0,"y":""}]`, columns...), format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "row 3") || !strings.Contains(err.Error(), "x and y are both set") {
		t.Errorf("got %v", err)
	}
	got, err := encodeBatch(s, frameOf(t, `[{"x":0},{"y":""},{}]`, columns...), format.EncodeOptions{})
	if want := []string{wire(1, 0), wire(2, ""), ""}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %x, %v", got, err)
	}
}

func TestARequiredFieldMustHaveAColumnAndNoNull(t *testing.T) {
	s := parse(t, `syntax = "proto2"; message T { required int32 x = 1; optional int32 y = 2; }`)
	y := column("y", arrow.PrimitiveTypes.Int32)
	if _, err := encodeBatch(s, frameOf(t, `[]`, y), format.EncodeOptions{Missing: format.DefaultMissing}); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("got %v", err)
	}
	if _, err := encodeBatch(s, frameOf(t, `[{"x":null}]`, column("x", arrow.PrimitiveTypes.Int32), y), format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("got %v", err)
	}
}

func TestRecursiveMessagesAreWrittenFromTheirJSON(t *testing.T) {
	closeBooks(t)
	s := parse(t, `syntax = "proto3"; message T { int64 n = 1; T next = 2; repeated T all = 3; map<string, T> by = 4; bytes raw = 5; repeated sint32 p = 6; oneof o { float f = 7; bool b = 8; } }`)
	p := compileSchema(t, s, format.Options{Recursion: format.JSON})
	inner := wire(1, 7, 3, wire(1, 1), 3, "", 4, wire(1, "k", 2, wire(8, 1)), 5, "\xff", 6, "\x01\x02", 7, uint32(0))
	body := wire(1, 5, 2, inner)
	written, err := encodeBatch(s, batchOf(t, p, body, ""), format.EncodeOptions{})
	if err != nil || written[0] != body || written[1] != "" {
		t.Errorf("got %x, %v, want %x", written, err, body)
	}
}

func TestRowsAreEncodedWithoutAllocations(t *testing.T) {
	s := parse(t, `syntax = "proto3"; message M { string a = 1; repeated int32 b = 2; } message T { int64 n = 1; string s = 2; M m = 3; repeated M all = 4; map<string, double> by = 5; }`)
	s2, err := s.Named("T")
	if err != nil {
		t.Fatal(err)
	}
	p := compileSchema(t, s2, format.Options{})
	m := wire(1, strings.Repeat("x", 200), 2, "\x01\x02")
	batch := batchOf(t, p, wire(1, 5, 2, "text", 3, m, 4, m, 4, m, 5, wire(1, "k")))
	e, err := protobuf.Format{}.CompileEncoding(s2, batch.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 4096)
	if n := testing.AllocsPerRun(100, func() { encoder.Encode(dst, 0) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func pathOf(err error) string {
	var s *status.Error
	if errors.As(err, &s) {
		return s.Path
	}
	return ""
}

func TestDecimalsOfAnEndlessScaleAreRefusedAtOnce(t *testing.T) {
	s, err := parse(t, schemaOf(`confluent.type.Decimal x = 1 [(confluent.field_meta) = { params: [ { key: "precision", value: "9" }, { key: "scale", value: "3" } ] }];`)).Named("t.T")
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []int32{1 << 30, -1 << 30} {
		x := column("x", &arrow.Decimal128Type{Precision: 38, Scale: scale})
		if _, err := (protobuf.Format{}).CompileEncoding(s, []arrow.Field{x}, format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "scale") {
			t.Errorf("scale %d: %v", scale, err)
		}
	}
	for _, text := range []string{"1e-100000", "1e100000", "1e2147483647", "-1e-2147483648"} {
		if _, err := encodeBatch(s, frameOf(t, `[{"x":"`+text+`"}]`, column("x", arrow.BinaryTypes.String)), format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "row 0") {
			t.Errorf("%s: %v", text, err)
		}
	}
	got, err := encodeBatch(s, frameOf(t, `[{"x":"0e-5"},{"x":"1500e-2"}]`, column("x", arrow.BinaryTypes.String)), format.EncodeOptions{})
	if err != nil || decode(t, compileSchema(t, s, format.Options{}), got...)[1] != "x=15" {
		t.Errorf("got %x, %v", got, err)
	}
}
