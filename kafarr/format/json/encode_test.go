package json_test

import (
	stdjson "encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// batchOf reads bodies, and returns the columns as a batch.
func batchOf(t testing.TB, p *json.Plan, texts ...string) arrow.RecordBatch {
	t.Helper()
	c := p.NewColumns()
	a := p.Bind(c)
	for _, text := range texts {
		if n, err := a.Append(bodies(text)); n != 1 || err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	var columns []arrow.Array
	for _, d := range c.Finish() {
		columns = append(columns, array.MakeFromData(d))
		d.Release()
	}
	b := array.NewRecordBatch(arrow.NewSchema(p.Fields(), nil), columns, int64(len(texts)))
	for _, c := range columns {
		c.Release()
	}
	t.Cleanup(b.Release)
	return b
}

// encode writes all rows of a batch.
func encode(t testing.TB, s *json.Schema, b arrow.RecordBatch, options format.EncodeOptions) ([]string, error) {
	t.Helper()
	e, err := json.CompileEncoding(s, b.Schema().Fields(), options)
	if err != nil {
		return nil, err
	}
	bound, err := e.Bind(b, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	for row := range int(b.NumRows()) {
		room := format.EncodeMargin
		for {
			dst := make([]byte, room)
			n, ok := bound.Encode(dst, row)
			if ok {
				out = append(out, string(dst[:n]))
				break
			}
			if room > 100<<20 {
				t.Fatalf("row %d finds no room in %d bytes", row, room)
			}
			room += 1 + room/2
		}
		if last := out[len(out)-1]; room > 2*(len(last)+format.EncodeMargin)+format.EncodeMargin {
			t.Errorf("row %d of %d bytes was given %d", row, len(last), room)
		}
	}
	return out, nil
}

// reads checks that texts are written again as JSON of the same value, and that they are read as the same columns.
func readsBack(t *testing.T, s *json.Schema, texts ...string) []string {
	t.Helper()
	p := compile(t, s, format.Options{})
	b := batchOf(t, p, texts...)
	out, err := encode(t, s, b, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range out {
		if !stdjson.Valid([]byte(text)) {
			t.Fatalf("%s is written as %s, which is no JSON", texts[i], text)
		}
	}
	again := batchOf(t, p, out...)
	if !array.RecordEqual(b, again) {
		t.Fatalf("%v\nis written as\n%s\nand read as\n%v", b, strings.Join(out, "\n"), again)
	}
	return out
}

func TestEveryKindIsWrittenAsItIsRead(t *testing.T) {
	closeBooks(t)
	s, text := everyKind(t)
	readsBack(t, s, text, strings.Replace(text, `"n":-12.5`, `"n":0.0001`, 1), strings.Replace(text, `"w":"AP8="`, `"w":-1234567890123456789012345678901234567890`, 1))
}

func TestRandomValuesAreWrittenAsTheyAreRead(t *testing.T) {
	closeBooks(t)
	for seed := range hostile.Rounds(100) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 11))}
		root := json.Field{Type: &json.Type{Kind: json.Object}}
		for i := range 1 + m.IntN(15) {
			f := m.field(3)
			f.Name = m.name(i)
			f.Optional = f.Nullable && m.IntN(2) == 0
			root.Type.Fields = append(root.Type.Fields, f)
		}
		var texts []string
		for range 10 {
			text, _ := m.value(root)
			texts = append(texts, text)
		}
		readsBack(t, json.NewSchema("", root, 0), texts...)
	}
}

func TestValuesThatJSONHasNotAreErrorsThatNameThem(t *testing.T) {
	closeBooks(t)
	s := parse(t, `{"name":"x","type":"double"},{"name":"i","type":"int8"},{"name":"t","type":"string"},{"name":"d","type":"decimal128(4, 2)"}`)
	for _, c := range []struct {
		column, fault string
		values        any
	}{
		{"x", "row 1: x: NaN is no number that JSON has", []float64{1, nan()}},
		{"i", "row 1: i: 128 does not fit int8", []int64{-128, 128}},
		{"i", "row 0: i: 1.5 is no whole number", []float64{1.5, 1}},
		{"t", `row 1: t: "\xff" is not UTF-8`, []string{"ä", "\xff"}},
	} {
		b := oneColumn(t, c.column, c.values)
		_, err := encode(t, s, b, format.EncodeOptions{Missing: format.DefaultMissing})
		if err == nil || !strings.HasPrefix(err.Error(), c.fault) {
			t.Errorf("%v: %v, and not %s", c.values, err, c.fault)
		}
	}
}

func TestMissingMembersAreNullOrLeftOutByWhatTheSchemaRequires(t *testing.T) {
	closeBooks(t)
	of := func(optional bool) *json.Schema {
		return json.NewSchema("", json.Field{Type: &json.Type{Kind: json.Object, Fields: []json.Field{
			{Name: "a", Type: &json.Type{Kind: json.Integer}, Nullable: true, Optional: optional}, {Name: "b", Type: &json.Type{Kind: json.Integer}},
		}}}, 0)
	}
	b := oneColumn(t, "b", []int64{7})
	for optional, want := range map[bool]string{true: `{"b":7}`, false: `{"a":null,"b":7}`} {
		got, err := encode(t, of(optional), b, format.EncodeOptions{Missing: format.DefaultMissing})
		if err != nil || !reflect.DeepEqual(got, []string{want}) {
			t.Errorf("%v, %v, and not %s", got, err, want)
		}
	}
	if _, err := encode(t, of(true), b, format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "no column for this field") {
		t.Errorf("a missing column: %v", err)
	}
}

func TestARowIsWrittenWithoutAnAllocation(t *testing.T) {
	s, text := everyKind(t)
	s2 := compile(t, s, format.Options{})
	b := batchOf(t, s2, strings.Replace(text, `"w":"AP8="`, `"w":12345`, 1))
	e, err := json.CompileEncoding(s, b.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := e.Bind(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 1<<16)
	if n := testing.AllocsPerRun(100, func() { bound.Encode(dst, 0) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func nan() float64 { return math.NaN() }

// oneColumn is a batch of a column.
func oneColumn(t *testing.T, name string, values any) arrow.RecordBatch {
	t.Helper()
	var c arrow.Array
	switch v := values.(type) {
	case []float64:
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.AppendValues(v, nil)
		c = b.NewArray()
	case []int64:
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.AppendValues(v, nil)
		c = b.NewArray()
	case []string:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(v, nil)
		c = b.NewArray()
	}
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: name, Type: c.DataType(), Nullable: true}}, nil), []arrow.Array{c}, int64(c.Len()))
}

// decimals is a batch of a column "d" of decimals of any scale.
func decimals(scale int32, values ...int64) arrow.RecordBatch {
	b := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 38, Scale: scale})
	for _, v := range values {
		b.Append(decimal128.FromI64(v))
	}
	c := b.NewArray()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "d", Type: c.DataType()}}, nil), []arrow.Array{c}, int64(c.Len()))
}

func TestDecimalsOfAnyScaleAreWrittenOrRefused(t *testing.T) {
	s := parse(t, `{"name":"d","type":"decimal128(6, 2)"}`)
	for _, c := range []struct {
		scale int32
		value int64
		want  string
	}{
		{2, -1250, `{"d":-12.50}`},
		{4, 125000, `{"d":12.5000}`},
		{-2, 12, `{"d":1200}`},
		{3, 1, "row 0: d: 0.001 has more digits after the point than the 2 of the schema: round the column"},
		{2, 1_000_000, "row 0: d: 10000.00 has more than the 4 digits before the point"},
		{math.MaxInt32, 0, `{"d":0}`},
		{math.MinInt32, 0, `{"d":0}`},
		{math.MaxInt32, 5, "row 0: d: 5E-2147483647 has more digits after the point"},
		{math.MinInt32, 5, "row 0: d: 5E2147483648 has more than the 4 digits before the point"},
	} {
		got, err := encode(t, s, decimals(c.scale, c.value), format.EncodeOptions{})
		if err != nil {
			got = []string{err.Error()}
		}
		if !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%d of scale %d: %s, and not %s", c.value, c.scale, got[0], c.want)
		}
	}
}

func TestAKeyThatComesTwiceIsNamed(t *testing.T) {
	s := parse(t, `{"name":"m","type":"map","items":{"type":"int64"}}`)
	for _, keys := range []int{2, 40} {
		b := array.NewMapBuilder(memory.DefaultAllocator, arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64, false)
		for row := range 2 {
			b.Append(true)
			for k := range keys {
				b.KeyBuilder().(*array.StringBuilder).Append(strconv.Itoa(k % (keys - row)))
				b.ItemBuilder().(*array.Int64Builder).Append(1)
			}
		}
		c := b.NewArray()
		batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "m", Type: c.DataType()}}, nil), []arrow.Array{c}, 2)
		_, err := encode(t, s, batch, format.EncodeOptions{})
		if err == nil || !strings.HasPrefix(err.Error(), `row 1: m: "0" is the key of two entries of the map`) {
			t.Errorf("%d keys: %v", keys, err)
		}
	}
}

func TestAnObjectThatWouldBeTakenForAnotherBranchIsRefused(t *testing.T) {
	object := func(name string, fields ...json.Field) json.Field {
		return json.Field{Name: name, Nullable: true, Type: &json.Type{Kind: json.Object, Fields: fields}}
	}
	whole := &json.Type{Kind: json.Integer}
	a, b, c := json.Field{Name: "a", Type: whole}, json.Field{Name: "b", Type: whole, Nullable: true, Optional: true}, json.Field{Name: "c", Type: whole}
	s := json.NewSchema("", json.Field{Type: &json.Type{Kind: json.Object, Fields: []json.Field{{Name: "u", Nullable: true, Type: &json.Type{Kind: json.Union, Fields: []json.Field{
		object("first", a), object("second", a, b), object("third", c),
	}}}}}}, 0)
	readsBack(t, s, `{"u":{"a":1}}`, `{"u":{"a":1,"b":2}}`, `{"u":{"c":3}}`, `{"u":null}`)
	batch := batchOf(t, compile(t, s, format.Options{}), `{"u":{"a":1,"b":2}}`)
	second := batch.Column(0).(*array.Struct).Field(1).(*array.Struct)
	nulls := array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int64, 1)
	without, err := array.NewStructArrayWithFields([]arrow.Array{second.Field(0), nulls}, second.DataType().(*arrow.StructType).Fields())
	if err != nil {
		t.Fatal(err)
	}
	union := array.NewData(arrow.StructOf(arrow.Field{Name: "second", Type: without.DataType(), Nullable: true}), 1, []*memory.Buffer{nil}, []arrow.ArrayData{without.Data()}, 0, 0)
	column := array.MakeFromData(union)
	odd := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "u", Type: column.DataType()}}, nil), []arrow.Array{column}, 1)
	if _, err := encode(t, s, odd, format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "would be read as the branch first of the union") {
		t.Errorf("the error is %v", err)
	}
}
