package avro_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// oneColumn is a batch of a column "value", whose values are written in JSON.
func oneColumn(t *testing.T, dtype arrow.DataType, values string) arrow.RecordBatch {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, dtype, strings.NewReader(values))
	if err != nil {
		t.Fatalf("%s of %s: %v", values, dtype, err)
	}
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "value", Type: dtype, Nullable: true}}, nil), []arrow.Array{a}, int64(a.Len()))
}

var (
	seconds  = &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
	millis   = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Berlin"}
	nanos    = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	noZone   = &arrow.TimestampType{Unit: arrow.Microsecond}
	withNull = arrow.DenseUnionOf([]arrow.Field{{Name: "string", Type: arrow.BinaryTypes.String}, {Name: "long", Type: arrow.PrimitiveTypes.Int64}, {Name: "null", Type: arrow.Null}}, []arrow.UnionTypeCode{0, 1, 2})
	optional = func(of string) string { return `["null",` + of + `]` }
)

const (
	dateText    = `{"type":"int","logicalType":"date"}`
	microsText  = `{"type":"long","logicalType":"timestamp-micros"}`
	localText   = `{"type":"long","logicalType":"local-timestamp-millis"}`
	clockText   = `{"type":"long","logicalType":"time-micros"}`
	moneyText   = `{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`
	fixedMoney  = `{"type":"fixed","name":"M","size":4,"logicalType":"decimal","precision":6,"scale":2}`
	hugeText    = `{"type":"bytes","logicalType":"decimal","precision":90,"scale":3}`
	bigText     = `{"type":"bytes","logicalType":"big-decimal"}`
	uuidText    = `{"type":"string","logicalType":"uuid"}`
	uuidFixed   = `{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`
	spanText    = `{"type":"fixed","name":"D","size":12,"logicalType":"duration"}`
	sideText    = `{"type":"enum","name":"Side","symbols":["BUY","SELL"]}`
	pairText    = `{"type":"record","name":"Pair","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":"none"}]}`
	uuidExample = "123e4567-e89b-12d3-a456-426614174000"
)

// TestValuesOfOtherArrowTypesAreWrittenWhereNothingIsLost writes a column, and reads it as the reader does.
func TestValuesOfOtherArrowTypesAreWrittenWhereNothingIsLost(t *testing.T) {
	i64, f64 := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		schema string
		dtype  arrow.DataType
		values string
		want   string
	}{
		{`"int"`, i64, `[1, -2147483648, 2147483647]`, "[1 -2147483648 2147483647]"},
		{`"int"`, arrow.PrimitiveTypes.Int8, `[-128, 127]`, "[-128 127]"},
		{`"int"`, arrow.PrimitiveTypes.Uint16, `[65535, 0]`, "[65535 0]"},
		{`"int"`, arrow.PrimitiveTypes.Uint32, `[2147483647]`, "[2147483647]"},
		{`"int"`, f64, `[3, -7]`, "[3 -7]"},
		{`"long"`, arrow.PrimitiveTypes.Uint64, `[9223372036854775807]`, "[9223372036854775807]"},
		{`"long"`, arrow.PrimitiveTypes.Int32, `[-5, 5]`, "[-5 5]"},
		{optional(`"long"`), f64, `[3, null]`, "[3 (null)]"},
		{`"float"`, f64, `[0.5, 16777216]`, "[0.5 1.6777216e+07]"},
		{`"float"`, arrow.FixedWidthTypes.Float16, `[0.5, -2]`, "[0.5 -2]"},
		{`"double"`, arrow.PrimitiveTypes.Float32, `[0.25]`, "[0.25]"},
		{`"double"`, i64, `[9007199254740992, -3]`, "[9.007199254740992e+15 -3]"},
		{`"double"`, arrow.PrimitiveTypes.Uint8, `[255]`, "[255]"},
		{`"boolean"`, extensions.NewBool8Type(), `[true, false]`, "[true false]"},
		{dateText, arrow.FixedWidthTypes.Date64, `["2024-02-29"]`, "[2024-02-29]"},
		{microsText, seconds, `[1709208001]`, "[1709208001000000]"},
		{microsText, millis, `[1500, -1]`, "[1500000 -1000]"},
		{microsText, nanos, `[-3000, 1000]`, "[-3 1]"},
		{localText, noZone, `["2024-02-29 12:00:01.250"]`, "[1709208001250]"},
		{clockText, arrow.FixedWidthTypes.Time32s, `["23:59:59"]`, "[86399000000]"},
		{clockText, arrow.FixedWidthTypes.Time64ns, `["00:00:00.000001"]`, "[1]"},
		{`"string"`, arrow.BinaryTypes.Binary, `["Z3LDvMOfZQ=="]`, `["grüße"]`},
		{`"bytes"`, text, `["abc"]`, `["abc"]`},
		{`"bytes"`, &arrow.FixedSizeBinaryType{ByteWidth: 2}, `["YWI="]`, `["ab"]`},
		{`{"type":"fixed","name":"F","size":2}`, arrow.BinaryTypes.Binary, `["YWI="]`, `["ab"]`},
		{uuidText, extensions.NewUUIDType(), `["` + uuidExample + `"]`, `["` + uuidExample + `"]`},
		{uuidFixed, text, `["123E4567-e89b-12d3-a456-426614174000", "` + uuidExample + `"]`, `["` + uuidExample + `" "` + uuidExample + `"]`},
		{moneyText, &arrow.Decimal128Type{Precision: 4, Scale: 1}, `["12.5", "-0.1"]`, `[12.5 -0.1]`},
		{moneyText, &arrow.Decimal128Type{Precision: 9, Scale: 4}, `["12.5000"]`, `[12.5]`},
		{moneyText, &arrow.Decimal32Type{Precision: 6, Scale: 2}, `["1234.56", "-1234.56"]`, `[1234.56 -1234.56]`},
		{moneyText, &arrow.Decimal64Type{Precision: 10, Scale: 2}, `["-0.01"]`, `[-0.01]`},
		{moneyText, &arrow.Decimal256Type{Precision: 50, Scale: 2}, `["9999.99", "-9999.99", "0"]`, `[9999.99 -9999.99 0]`},
		{fixedMoney, &arrow.Decimal32Type{Precision: 6, Scale: 2}, `["1234.56", "-1234.56"]`, `[1234.56 -1234.56]`},
		{fixedMoney, &arrow.Decimal128Type{Precision: 6, Scale: 0}, `["-12"]`, `[-12]`},
		{moneyText, i64, `[12, -3]`, `[12 -3]`},
		{moneyText, text, `["12.5", "-1E+2", "0.00"]`, `[12.5 -100 0]`},
		{moneyText, arrow.BinaryTypes.Binary, `["/w=="]`, `[-0.01]`},
		{fixedMoney, &arrow.FixedSizeBinaryType{ByteWidth: 4}, `["AAAAZA=="]`, `[1]`},
		{hugeText, text, `["-12.5", "1"]`, `["-12.500" "1.000"]`},
		{hugeText, &arrow.Decimal128Type{Precision: 9, Scale: 3}, `["-12.5"]`, `["-12.500"]`},
		{bigText, text, `["-12.50", "1e3"]`, `["-12.50" "1000"]`},
		{bigText, &arrow.Decimal128Type{Precision: 9, Scale: 3}, `["-12.5"]`, `["-12.500"]`},
		{bigText, arrow.PrimitiveTypes.Uint64, `[18446744073709551615]`, `["18446744073709551615"]`},
		{spanText, arrow.FixedWidthTypes.Duration_ns, `[1000000, 4294967295000000]`, "[{0 0 1000000} {0 0 4294967295000000}]"},
		{spanText, arrow.FixedWidthTypes.Duration_s, `[3]`, "[{0 0 3000000000}]"},
		{spanText, arrow.FixedWidthTypes.DayTimeInterval, `[{"days": 2, "milliseconds": 5}]`, "[{0 2 5000000}]"},
		{spanText, arrow.FixedWidthTypes.MonthInterval, `[{"months": 7}]`, "[{7 0 0}]"},
		{sideText, text, `["SELL", "BUY"]`, "{ dictionary: [\"BUY\" \"SELL\"]\n  indices: [1 0] }"},
		{optional(sideText), arrow.BinaryTypes.LargeString, `["SELL", null]`, "{ dictionary: [\"BUY\" \"SELL\"]\n  indices: [1 (null)] }"},
		{`["null","int"]`, arrow.Null, `[null, null]`, "[(null) (null)]"},
		{`["int"]`, i64, `[1]`, "[1]"},
		{`{"type":"array","items":["null","int"]}`, arrow.FixedSizeListOf(2, i64), `[[1, null], [3, 4]]`, "[[1 (null)] [3 4]]"},
		{`{"type":"map","values":"int"}`, arrow.ListOf(arrow.StructOf(arrow.Field{Name: "key", Type: text}, arrow.Field{Name: "value", Type: i64})), `[[{"key": "a", "value": 1}], []]`, `[{["a"] [1]} {[] []}]`},
		{`["null","long","string"]`, text, `["a", null]`, `{[(null) (null)] ["a" (null)]}`},
		{`["string","long"]`, i64, `[5]`, `{[(null)] [5]}`},
		{`["string","long"]`, withNull, `[[1, 5], [0, "a"]]`, `{[(null) "a"] [5 (null)]}`},
		{`"null"`, i64, `[null]`, `[(null)]`},
	} {
		t.Run(c.schema+" of "+c.dtype.String(), func(t *testing.T) {
			bodies, err := encodeBatch(parse(t, c.schema), oneColumn(t, c.dtype, c.values), format.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			columns, err := decode(t, compile(t, c.schema), bodies...)
			if err != nil {
				t.Fatal(err)
			}
			if got := columns[0].String(); got != c.want {
				t.Errorf("%s is written as %s, want %s", c.values, got, c.want)
			}
		})
	}
}

// TestAValueThatDoesNotFitIsNamedBeforeAnythingIsWritten has one value that its field does not take among others.
func TestAValueThatDoesNotFitIsNamedBeforeAnythingIsWritten(t *testing.T) {
	i64, f64, text := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String
	pair := arrow.StructOf(arrow.Field{Name: "a", Type: i64, Nullable: true}, arrow.Field{Name: "b", Type: text, Nullable: true})
	union := arrow.StructOf(arrow.Field{Name: "int", Type: i64, Nullable: true}, arrow.Field{Name: "string", Type: text, Nullable: true})
	for _, c := range []struct {
		schema string
		dtype  arrow.DataType
		values string
		want   string
	}{
		{`"int"`, i64, `[1, 2147483648]`, "row 1: value: 2147483648 cannot be written as int without loss: it must be from -2147483648 to 2147483647"},
		{`"long"`, arrow.PrimitiveTypes.Uint64, `[1, 9223372036854775808]`, "row 1: value: 9223372036854775808 cannot be written as long without loss"},
		{`"int"`, i64, `[1, null]`, "row 1: value: null is not allowed by the schema, where int is not nullable: fill it, or make the field a union with null"},
		{`"int"`, f64, `[1, 1.5]`, "row 1: value: 1.5 cannot be written as int without loss: it must be a whole number"},
		{`"int"`, f64, `[1, -0.0]`, "row 1: value: -0 cannot be written as int without loss: it is a negative zero, which only floats have: add 0 to the column"},
		{`"float"`, f64, `[1, 0.1]`, "row 1: value: 0.1 cannot be written as float without loss"},
		{`"double"`, i64, `[1, 9007199254740993]`, "row 1: value: 9007199254740993 cannot be written as double without loss"},
		{dateText, arrow.FixedWidthTypes.Date64, `[0, 86400001]`, `row 1: value: 1970-01-02 00:00:00.001 cannot be written as int (date) without loss: it is finer than the field's unit (D): round the column, as dt.floor("D") of pandas does`},
		{microsText, nanos, `[0, 1]`, `row 1: value: 1970-01-01 00:00:00.000000001 cannot be written as long (timestamp-micros) without loss: it is finer than the field's unit (us): round the column, as dt.floor("us")`},
		{microsText, seconds, `[0, 9223372036854775807]`, "row 1: value: 9223372036854775807 s cannot be written as long (timestamp-micros) without loss: it is too far from 1970 for the field's unit (us)"},
		{clockText, arrow.FixedWidthTypes.Time64us, `[0, 86400000000]`, "row 1: value: 86400000000 us cannot be written as long (time-micros) without loss: a time of day is from 00:00 to just before 24:00"},
		{clockText, arrow.FixedWidthTypes.Time64ns, `[0, 1]`, "row 1: value: 1 ns cannot be written as long (time-micros) without loss: it is finer than the field's unit (us): round it"},
		{`"string"`, arrow.BinaryTypes.Binary, `["YQ==", "/w=="]`, `row 1: value: "\xff" is not UTF-8`},
		{`{"type":"fixed","name":"F","size":2}`, arrow.BinaryTypes.Binary, `["YWI=", "YQ=="]`, "row 1: value: a value of 1 bytes does not fit fixed F, which takes 2"},
		{uuidFixed, text, `["` + uuidExample + `", "x"]`, `row 1: value: "x" cannot be written as fixed U (uuid): it must be a UUID`},
		{moneyText, &arrow.Decimal128Type{Precision: 9, Scale: 2}, `["1", "12345.67"]`, "row 1: value: 12345.67 has more digits than bytes (decimal), whose precision is 6"},
		{moneyText, &arrow.Decimal128Type{Precision: 9, Scale: 3}, `["1", "0.001"]`, "row 1: value: 0.001 cannot be written as bytes (decimal): its scale is 2, and the value has more digits after the point: round it"},
		{moneyText, i64, `[1, 10000]`, "row 1: value: 10000 cannot be written as bytes (decimal): it has more digits than the precision of 6"},
		{moneyText, text, `["1", "1,5"]`, `row 1: value: "1,5" cannot be written as bytes (decimal): it must be a number, such as -12.50`},
		{bigText, text, `["1", "NaN"]`, `row 1: value: "NaN" cannot be written`},
		{bigText, text, `["1", "1e999999999"]`, `row 1: value: "1e999999999" cannot be written as bytes (big-decimal): it has more than 100000 digits`},
		{spanText, arrow.FixedWidthTypes.MonthDayNanoInterval, `[{"months": 1, "days": 1, "nanoseconds": 0}, {"months": -1, "days": 0, "nanoseconds": 0}]`, "row 1: value: -1 months, 0 days, 0 ns cannot be written"},
		{spanText, arrow.FixedWidthTypes.Duration_us, `[0, 999]`, "row 1: value: 999 x 1000 ns cannot be written"},
		{sideText, text, `["BUY", "HOLD"]`, `row 1: value: "HOLD" is no symbol of enum Side, which has BUY, SELL`},
		{sideText, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `["BUY", "HOLD"]`, `row 1: value: "HOLD" is no symbol of enum Side`},
		{`"null"`, i64, `[null, 1]`, "row 1: value: the value cannot be written: the type of the field is null"},
		{`"int"`, arrow.Null, `[null]`, "row 0: value: null is not allowed"},
		{`{"type":"array","items":"int"}`, arrow.ListOf(i64), `[[1], [2, null]]`, "row 1: value.item: null is not allowed"},
		{`{"type":"array","items":{"type":"array","items":"int"}}`, arrow.ListOf(arrow.ListOf(i64)), `[[[1]], [[], [4000000000]]]`, "row 1: value.item.item: 4000000000 cannot be written"},
		{`{"type":"map","values":"int"}`, arrow.MapOf(text, i64), `[[{"key": "a", "value": 1}], [{"key": "b", "value": 4000000000}]]`, "row 1: value.value: 4000000000 cannot be written"},
		{optional(pairText), pair, `[null, {"a": null, "b": null}]`, "row 1: value.a: null is not allowed"},
		{`["int","string"]`, union, `[{"int": 1, "string": null}, {"int": 1, "string": "a"}]`, "row 1: value: the value has 2 members that are not null"},
		{`["int","string"]`, union, `[{"int": 1, "string": null}, {"int": null, "string": null}]`, "row 1: value: the value has no member that is not null, and the union has no null"},
		{`["int","string"]`, text, `["a", null]`, "row 1: value: null is not allowed"},
		{`["string","long"]`, withNull, `[[1, 5], [2, null]]`, "row 1: value: null is not allowed"},
		{`["int","string"]`, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `["a", null]`, "row 1: value: null is not allowed"},
	} {
		t.Run(c.schema+" of "+c.dtype.String(), func(t *testing.T) {
			_, err := encodeBatch(parse(t, c.schema), oneColumn(t, c.dtype, c.values), format.EncodeOptions{})
			var v *format.ValueError
			if !errors.As(err, &v) || !strings.HasPrefix(v.Error(), c.want) {
				t.Errorf("%s: the error is\n%v, want\n%s", c.values, err, c.want)
			}
		})
	}
}

// TestAColumnOfAnotherKindIsRefusedWhenTheEncodingIsCompiled names columns whose values would have to be guessed at.
func TestAColumnOfAnotherKindIsRefusedWhenTheEncodingIsCompiled(t *testing.T) {
	i64, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	for _, c := range []struct {
		schema string
		dtype  arrow.DataType
		want   string
	}{
		{`"string"`, i64, "value: a column of the Arrow type int64 cannot be written as string: cast the column to utf8"},
		{`"int"`, text, "value: a column of the Arrow type utf8 cannot be written as int: cast the column to int32"},
		{microsText, i64, "cast the column to timestamp[us, tz=UTC]"},
		{`"long"`, nanos, "cast the column to int64"},
		{microsText, noZone, "it has no time zone, and the field is a point in time: say which zone it is in"},
		{localText, nanos, "it is a point in time, and the field is the time on a clock"},
		{`"boolean"`, i64, "cast the column to bool"},
		{`"bytes"`, i64, "cast the column to binary"},
		{`{"type":"fixed","name":"F","size":2}`, &arrow.FixedSizeBinaryType{ByteWidth: 3}, "cast the column to fixed_size_binary[2]"},
		{sideText, i64, "cannot be written as enum Side"},
		{pairText, i64, "the frame has no column for this field of the schema"},
		{optional(pairText), i64, "value: a column of the Arrow type int64 cannot be written as record Pair: it must be a struct"},
		{`{"type":"array","items":"int"}`, i64, "it must be a list"},
		{`{"type":"map","values":"int"}`, arrow.ListOf(i64), "its items must be structs of key and value"},
		{`["null","int","string"]`, arrow.FixedWidthTypes.Boolean, "can be written as no branch of union: null, int, string"},
		{`["int","float"]`, arrow.PrimitiveTypes.Int16, "can be written as several branches: int, float"},
		{`["int","string"]`, arrow.DenseUnionOf([]arrow.Field{{Name: "number", Type: i64}}, []arrow.UnionTypeCode{0}), "value.number: the union's member is none of the branches of the schema: int, string"},
	} {
		t.Run(c.schema+" of "+c.dtype.String(), func(t *testing.T) {
			_, err := avro.CompileEncoding(parse(t, c.schema), []arrow.Field{{Name: "value", Type: c.dtype, Nullable: true}}, format.EncodeOptions{})
			var s *avro.SchemaError
			if !errors.As(err, &s) || !strings.Contains(s.Error(), c.want) {
				t.Errorf("the error is\n%v, want\n%s", err, c.want)
			}
		})
	}
}

// TestColumnsAreTheFieldsOfTheirNames has columns that are too many, too few, twice, and in another order.
func TestColumnsAreTheFieldsOfTheirNames(t *testing.T) {
	s := parse(t, `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":"none"},{"name":"c","type":`+pairText+`}]}`)
	i32, text := arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String
	pair := arrow.StructOf(arrow.Field{Name: "x", Type: i32}, arrow.Field{Name: "b", Type: text, Nullable: true}, arrow.Field{Name: "a", Type: i32})
	field := func(name string, t arrow.DataType) arrow.Field { return arrow.Field{Name: name, Type: t} }
	whole := []arrow.Field{field("c", pair), field("b", text), field("extra", i32), field("a", i32)}
	for _, c := range []struct {
		columns []arrow.Field
		options format.EncodeOptions
		want    string // of the error
		ignored string
	}{
		{whole, format.EncodeOptions{}, "", "[extra]"},
		{whole, format.EncodeOptions{Extra: format.RaiseExtra}, `c.x: record Pair has no such field; drop the column, or ignore it with extra="ignore"`, ""},
		{whole[:3], format.EncodeOptions{}, `a: the frame has no column for this field of the schema; the schema has no default for it`, ""},
		{whole[:3], format.EncodeOptions{Missing: format.DefaultMissing}, `a: the frame has no column for this field, and the schema no default`, ""},
		{[]arrow.Field{whole[0], whole[3]}, format.EncodeOptions{}, `b: the frame has no column for this field of the schema; missing="default" writes its default`, ""},
		{[]arrow.Field{whole[0], whole[3]}, format.EncodeOptions{Missing: format.DefaultMissing}, "", "[]"},
		{append([]arrow.Field{whole[1]}, whole...), format.EncodeOptions{}, "b: there are two columns of this name: rename one", ""},
	} {
		e, err := avro.CompileEncoding(s, c.columns, c.options)
		if c.want != "" {
			if err == nil || err.Error() != c.want {
				t.Errorf("the error is\n%v, want\n%s", err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(e.Ignored()); got != c.ignored {
			t.Errorf("%s are ignored, want %s", got, c.ignored)
		}
	}
}

// TestAFieldWithoutAColumnIsWrittenAsItsDefault reads the default back.
func TestAFieldWithoutAColumnIsWrittenAsItsDefault(t *testing.T) {
	schema := `{"type":"record","name":"R","fields":[{"name":"b","type":"string","default":"none"},{"name":"value","type":"long"},{"name":"n","type":["null","int"],"default":null}]}`
	bodies, err := encodeBatch(parse(t, schema), oneColumn(t, arrow.PrimitiveTypes.Int64, "[1, 2]"), format.EncodeOptions{Missing: format.DefaultMissing})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := decode(t, compile(t, schema), bodies...)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(columns); got != `[["none" "none"] [1 2] [(null) (null)]]` {
		t.Errorf("got %s", got)
	}
}

// TestOneColumnCanBeTheWholeValue is how keys are written: a text, a number, a record of a struct.
func TestOneColumnCanBeTheWholeValue(t *testing.T) {
	pair := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true})
	for _, c := range []struct {
		schema string
		dtype  arrow.DataType
		values string
		want   string
	}{
		{`"string"`, arrow.BinaryTypes.String, `["ab"]`, "046162"},
		{`"long"`, arrow.PrimitiveTypes.Int64, `[-1]`, "01"},
		{`"bytes"`, arrow.BinaryTypes.Binary, `["YWI="]`, "046162"},
		{sideText, arrow.BinaryTypes.String, `["SELL"]`, "02"},
		{pairText, pair, `[{"a": 1, "b": "x"}]`, "02020278"},
		{`["null","string"]`, arrow.BinaryTypes.String, `[null]`, "00"},
	} {
		bodies, err := encodeBatch(parse(t, c.schema), oneColumn(t, c.dtype, c.values), format.EncodeOptions{Column: "value"})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", bodies[0]); got != c.want {
			t.Errorf("%s as %s is written as %s, want %s", c.values, c.schema, got, c.want)
		}
	}
	if _, err := encodeBatch(parse(t, `"string"`), oneColumn(t, arrow.BinaryTypes.String, `["a"]`), format.EncodeOptions{Column: "valu"}); err == nil || !strings.Contains(err.Error(), `the frame has no column "valu" for values of the type string`) {
		t.Errorf("the error is %v", err)
	}
}

// TestRowsThatAreSkippedAreNotChecked has nulls where the schema has none, in rows that have no value.
func TestRowsThatAreSkippedAreNotChecked(t *testing.T) {
	schema := `{"type":"array","items":"int"}`
	batch := oneColumn(t, arrow.ListOf(arrow.PrimitiveTypes.Int64), `[null, [1], [4000000000, null]]`)
	e, err := avro.CompileEncoding(parse(t, schema), batch.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := e.Bind(batch, []bool{true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", encodeRow(encoder, 1)); got != "020200" {
		t.Errorf("got %s", got)
	}
	if _, err := e.Bind(batch, []bool{true, false, false}); err == nil {
		t.Error("a row that is not skipped is not checked")
	}
}

// TestRecursiveValuesAreWrittenFromTheirJSON reads recursive values as text, and writes the text.
func TestRecursiveValuesAreWrittenFromTheirJSON(t *testing.T) {
	schema := `{"type":"record","name":"Node","fields":[{"name":"n","type":["int","double","null"]},{"name":"next","type":["null","string","Node"]},
		{"name":"kids","type":{"type":"array","items":"Node"}},{"name":"by","type":{"type":"map","values":["null","Node"]}},{"name":"b","type":"bytes"}]}`
	s := parse(t, schema)
	p, err := avro.Compile(s, format.Options{Recursion: format.JSON})
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(n, next, by string) string { return n + next + "00" + by + "0400ff" }
	var bodies [][]byte
	for _, text := range []string{
		leaf("0002", "00", "00"),
		leaf("02000000000000f87f", "02026a", "00"),
		leaf("04", "04"+leaf("0004", "02023c", "00"), "06026102"+leaf("0008", "00", "00")+"026100"+"026100"+"00"),
	} {
		var b []byte
		if _, err := fmt.Sscanf(text, "%x", &b); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, b)
	}
	batch := batchOf(t, p, bodies)
	written, err := encodeBatch(s, batch, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range bodies {
		if string(written[i]) != string(bodies[i]) {
			t.Errorf("row %d is written as %x, and was %x", i, written[i], bodies[i])
		}
	}
	for _, wrong := range []string{`{`, `{"Node":{}}`, `{"Node":{"n":null}}`, `"a"`, `{"string":"a"} x`, `{"string":"a","x":1}`, strings.Repeat(`{"Node":{"next":`, 100_000)} {
		fields := p.Fields
		texts := array.NewStringBuilder(memory.DefaultAllocator)
		texts.AppendNull()
		texts.Append(wrong)
		columns := []arrow.Array{array.NewSlice(batch.Column(0), 0, 2), texts.NewStringArray(), array.NewSlice(batch.Column(2), 0, 2), array.NewSlice(batch.Column(3), 0, 2), array.NewSlice(batch.Column(4), 0, 2)}
		_, err := encodeBatch(s, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 2), format.EncodeOptions{})
		if err == nil || !strings.HasPrefix(err.Error(), "row 1: next: ") {
			t.Errorf("%.60s: the error is %v", wrong, err)
		}
	}
}

// TestAnExtensionTypeIsWrittenAsItsStorage has text of JSON, and a type that nobody knows.
func TestAnExtensionTypeIsWrittenAsItsStorage(t *testing.T) {
	text, err := extensions.NewJSONType(arrow.BinaryTypes.LargeString)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		schema string
		dtype  arrow.ExtensionType
		values string
		want   string
	}{
		{`"string"`, text, `["{}"]`, "047b7d"},
		{`"long"`, extensions.NewOpaqueType(arrow.PrimitiveTypes.Int16, "secret", "x"), `[-1]`, "01"},
	} {
		stored := oneColumn(t, c.dtype.StorageType(), c.values).Column(0)
		column := array.NewExtensionArrayWithStorage(c.dtype, stored)
		batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "value", Type: c.dtype}}, nil), []arrow.Array{column}, 1)
		bodies, err := encodeBatch(parse(t, c.schema), batch, format.EncodeOptions{})
		if err != nil || fmt.Sprintf("%x", bodies[0]) != c.want {
			t.Errorf("%s is written as %x (%v), want %s", c.dtype, bodies, err, c.want)
		}
	}
}
