package avro_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
)

// dictionariesOf are the paths of columns that are dictionaries.
func dictionariesOf(fields []arrow.Field, path string) (paths []string) {
	for _, f := range fields {
		below := strings.TrimPrefix(path+"."+f.Name, ".")
		switch t := f.Type.(type) {
		case *arrow.DictionaryType:
			paths = append(paths, below)
		case *arrow.StructType:
			paths = append(paths, dictionariesOf(t.Fields(), below)...)
		case *arrow.MapType:
			paths = append(paths, dictionariesOf([]arrow.Field{t.ItemField()}, below)...)
		case *arrow.ListType:
			paths = append(paths, dictionariesOf([]arrow.Field{t.ElemField()}, below)...)
		}
	}
	return paths
}

// TestAFrameThatIsSentWithItsDerivedSchemaIsReadBackEqual derives schemas of random frames, as the reader makes them.
func TestAFrameThatIsSentWithItsDerivedSchemaIsReadBackEqual(t *testing.T) {
	closeBooks(t)
	for seed := range uint64(cases / 3) {
		s := newSubject(t, seed)
		var bodies [][]byte
		for range rows {
			bodies = append(bodies, s.encode(t))
		}
		batch := batchOf(t, s.plan(t, format.StructUnions), bodies)
		fields := batch.Schema().Fields()
		options := format.DeriveOptions{Enums: map[string][]string{}}
		for _, path := range dictionariesOf(fields, "") {
			symbols, err := avro.Format{}.Symbols(batch, path)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			options.Enums[path] = symbols
		}
		text, err := avro.Derive("x.Frame", fields, options)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, batch.Schema(), err)
		}
		if again, _ := avro.Derive("x.Frame", fields, options); again != text {
			t.Fatalf("seed %d: the schema is once %s, and once %s", seed, text, again)
		}
		derived := parse(t, text)
		written, err := encodeBatch(derived, batch, format.EncodeOptions{Extra: format.RaiseExtra})
		if err != nil {
			t.Fatalf("seed %d: %s as %s: %v", seed, batch.Schema(), text, err)
		}
		plan, err := avro.Compile(derived, format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := batchOf(t, plan, written); !array.RecordApproxEqual(got, batch, array.WithNaNsEqual(true), array.WithAbsTolerance(0)) || !got.Schema().Equal(batch.Schema()) {
			t.Fatalf("seed %d: the frame is read as\n%v, and was\n%v", seed, got, batch)
		}
	}
}

// TestADerivedSchemaIsAsDocumented has a column of each type, and compares the table of docs/encoding.md.
func TestADerivedSchemaIsAsDocumented(t *testing.T) {
	text := arrow.BinaryTypes.String
	listed := frametest.Documented(t, "Avro")
	for _, c := range []struct {
		dtype arrow.DataType
		want  string
	}{
		{arrow.Null, `"null"`},
		{arrow.FixedWidthTypes.Boolean, `"boolean"`},
		{extensions.NewBool8Type(), `"boolean"`},
		{arrow.PrimitiveTypes.Uint8, `"int"`},
		{arrow.ListOf(text), `{"type":"array","items":["null","string"]}`},
		{arrow.FixedWidthTypes.Date32, `{"type":"int","logicalType":"date"}`},
		{arrow.BinaryTypes.Binary, `"bytes"`},
		{text, `"string"`},
		{arrow.PrimitiveTypes.Float32, `"float"`},
		{arrow.PrimitiveTypes.Int64, `"long"`},
		{arrow.PrimitiveTypes.Uint16, `"int"`},
		{arrow.PrimitiveTypes.Int32, `"int"`},
		{arrow.PrimitiveTypes.Int8, `"int"`},
		{arrow.PrimitiveTypes.Uint32, `"long"`},
		{arrow.PrimitiveTypes.Uint64, `{"type":"bytes","logicalType":"decimal","precision":20,"scale":0}`},
		{arrow.FixedWidthTypes.Float16, `"float"`},
		{arrow.PrimitiveTypes.Float64, `"double"`},
		{arrow.BinaryTypes.StringView, `"string"`},
		{arrow.BinaryTypes.LargeBinary, `"bytes"`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, `{"type":"fixed","name":"F_x","size":3}`},
		{extensions.NewUUIDType(), `{"type":"fixed","name":"F_x","size":16,"logicalType":"uuid"}`},
		{arrow.FixedWidthTypes.Date64, `{"type":"int","logicalType":"date"}`},
		{arrow.FixedWidthTypes.Time32s, `{"type":"int","logicalType":"time-millis"}`},
		{arrow.FixedWidthTypes.Time64ns, `{"type":"long","logicalType":"time-micros"}`},
		{seconds, `{"type":"long","logicalType":"timestamp-millis"}`},
		{nanos, `{"type":"long","logicalType":"timestamp-nanos"}`},
		{noZone, `{"type":"long","logicalType":"local-timestamp-micros"}`},
		{arrow.FixedWidthTypes.MonthDayNanoInterval, `{"type":"fixed","name":"F_x","size":12,"logicalType":"duration"}`},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`},
		{&arrow.Decimal256Type{Precision: 3, Scale: -2}, `{"type":"bytes","logicalType":"decimal","precision":5,"scale":0}`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `"string"`},
		{arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, text), `"string"`},
		{arrow.ListOfNonNullable(text), `{"type":"array","items":"string"}`},
		{arrow.FixedSizeListOf(2, text), `{"type":"array","items":["null","string"]}`},
		{arrow.MapOf(text, text), `{"type":"map","values":["null","string"]}`},
		{arrow.StructOf(arrow.Field{Name: "y", Type: arrow.StructOf(arrow.Field{Name: "z", Type: text, Nullable: true})}), `{"type":"record","name":"F_x","fields":[{"name":"y","type":{"type":"record","name":"F_x_y","fields":[{"name":"z","type":["null","string"],"default":null}]}}]}`},
		{arrow.DenseUnionOf([]arrow.Field{{Name: "int", Type: arrow.PrimitiveTypes.Int32}, {Name: "Cat", Type: arrow.StructOf()}}, []arrow.UnionTypeCode{0, 1}), `["int",{"type":"record","name":"Cat","fields":[]}]`},
	} {
		got, err := avro.Derive("n.F", []arrow.Field{{Name: "x", Type: c.dtype}}, format.DeriveOptions{})
		if want := `{"type":"record","name":"F","namespace":"n","fields":[{"name":"x","type":` + c.want + `}]}`; err != nil || got != want {
			t.Errorf("%s: the schema is\n%s (%v), want\n%s", c.dtype, got, err, want)
		}
		if _, err := avro.Parse(got); err != nil {
			t.Errorf("%s: %v", got, err)
		}
		listed = slices.DeleteFunc(listed, func(line string) bool { return line == "| `"+c.dtype.String()+"` | `"+c.want+"` |" })
	}
	if len(listed) > 0 {
		t.Errorf("docs/encoding.md lists what is not so, or is not tested here:\n%s", strings.Join(listed, "\n"))
	}
}

// TestAFrameWithoutASchemaIsRefusedByItsColumn names the column, and says what to do.
func TestAFrameWithoutASchemaIsRefusedByItsColumn(t *testing.T) {
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		name    string
		columns []arrow.Field
		enums   map[string][]string
		want    string
	}{
		{"a b", nil, nil, `"a b" is no valid name for a type`},
		{"F", []arrow.Field{{Name: "a b", Type: text}}, nil, `"a b" is no valid name for a field: rename the column`},
		{"F", []arrow.Field{{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "", Type: text})}}, nil, `s: "" is no valid name for a field`},
		{"F", []arrow.Field{{Name: "a", Type: text}, {Name: "a", Type: text}}, nil, "a: there are two columns of this name"},
		{"F", []arrow.Field{{Name: "a", Type: arrow.FixedWidthTypes.Duration_ms}}, nil, "a: a span of time of the Arrow type duration[ms] has no Avro type: cast the column to int64"},
		{"F", []arrow.Field{{Name: "a", Type: arrow.MapOf(arrow.PrimitiveTypes.Int32, text)}}, nil, "a: the keys of the map are of the type int32"},
		{"F", []arrow.Field{{Name: "a", Type: text}}, map[string][]string{"a": {"x", "1"}}, `a: "1" is no valid symbol of an enum`},
		{"F", []arrow.Field{{Name: "a", Type: text}}, map[string][]string{"a": {"x", "x"}}, `a: the symbol "x" is there twice`},
		{"F", []arrow.Field{{Name: "a", Type: text}}, map[string][]string{"b": {"x"}}, "b: the frame has no column of texts here"},
		{"F", []arrow.Field{{Name: "a", Type: arrow.DenseUnionOf([]arrow.Field{{Name: "number", Type: arrow.PrimitiveTypes.Int32}}, []arrow.UnionTypeCode{0})}}, nil, "a.number: the member of the union becomes a value of the type int, and must have that name"},
	} {
		if _, err := avro.Derive(c.name, c.columns, format.DeriveOptions{Enums: c.enums}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the error is\n%v, want\n%s", err, c.want)
		}
	}
}
