package avro_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// avroFormat is Avro to the oracle.
type avroFormat struct{ options format.Options }

type avroColumns struct {
	*format.Columns
	appender *avro.Appender
}

func (f avroFormat) Compile(schema string) (hostile.Columns, error) {
	s, err := avro.Parse(schema)
	if err != nil {
		return nil, err
	}
	p, err := avro.Compile(s, f.options)
	if err != nil {
		return nil, err
	}
	c := p.NewColumns()
	return avroColumns{c, p.Bind(c)}, nil
}

func (c avroColumns) Append(b []byte) error {
	_, err := c.appender.Append([]format.Body{body(b)})
	return err
}

func items(of string) string { return `{"type":"array","items":` + of + `}` }

// ones is a body of an array of n items that are a byte each.
func ones(n int, item byte) []byte {
	out := zigzag(int64(n))
	for range n {
		out = append(out, item)
	}
	return append(out, 0)
}

func fieldsOf(n int, of string) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"f%d","type":%s}`, i, of)
	}
	return strings.Join(fields, ",")
}

// TestAMessageCostsNoMoreThanItsBudget has messages of 60 KB that took gigabytes, or seconds.
func TestAMessageCostsNoMoreThanItsBudget(t *testing.T) {
	hostile.Unwatched(t)
	const n = 60_000
	fixeds := make([]string, 1000)
	for i := range fixeds {
		fixeds[i] = fmt.Sprintf(`{"type":"fixed","name":"F%d","size":64}`, i)
	}
	long := strings.Repeat("n", 100<<10)
	bigDecimals := zigzag(n / 6)
	for range n / 6 {
		bigDecimals = append(bigDecimals, 10, 2, 1, 0xc0, 0x9a, 0x0c)
	}
	for _, c := range []struct {
		name, schema string
		body         []byte
		reader       string
		want         string
	}{
		{"a union of a boolean and many fixeds", items(`["boolean",` + strings.Join(fixeds, ",") + `]`), append(zigzag(n/2), make([]byte, n+1)...), "", "more memory"},
		{"big-decimals of a great scale", items(`{"type":"bytes","logicalType":"big-decimal"}`), append(bigDecimals, 0), "", "more "},
		{"a long default for each item", items(record(`{"name":"x","type":"boolean"}`)), ones(n, 1),
			items(record(`{"name":"x","type":"boolean"},{"name":"y","type":"string","default":"` + long + `"}`)), "more "},
		{"nulls of a wide record", items(`["null",` + record(fieldsOf(1000, `"long"`)) + `]`), ones(n, 0), "", "more "},
		{"records of a boolean and many nulls", items(record(`{"name":"b","type":"boolean"},` + fieldsOf(19_000, `"null"`))), ones(n, 1), "", "more values"},
		{"texts of recursive values", items(`{"type":"record","name":"L","fields":[{"name":"` + long + `","type":"null"},{"name":"next","type":["null","L"]}]}`), append(zigzag(600), []byte(strings.Repeat("\x02\x00", 600)+"\x00")...), "", "more "},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := avroFormat{format.Options{Recursion: format.JSON}}
			if c.reader != "" {
				f.options.Reader = parse(t, c.reader)
			}
			err := hostile.Check(t, f, c.schema, c.body)
			var d *avro.DecodeError
			if !errors.As(err, &d) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestNullsThatNobodyReadsAreNotWalked has a field of records of a boolean and 19,000 nulls, which is not selected.
func TestNullsThatNobodyReadsAreNotWalked(t *testing.T) {
	schema := record(`{"name":"x","type":` + items(`{"type":"record","name":"N","fields":[{"name":"b","type":"boolean"},`+fieldsOf(19_000, `"null"`)+`]}`) + `},{"name":"y","type":"int"}`)
	if err := hostile.Check(t, avroFormat{format.Options{Columns: []string{"y"}}}, schema, append(ones(60_000, 1), 6)); err != nil {
		t.Error(err)
	}
}

// TestARowBeyondItsBudgetLeavesTheOthers has the row between two others, and the limit raised.
func TestARowBeyondItsBudgetLeavesTheOthers(t *testing.T) {
	hostile.Unwatched(t)
	closeBooks(t)
	s := parse(t, items(`["null",`+record(fieldsOf(1000, `"long"`))+`]`))
	good, bad := ones(2, 0), ones(20_000, 0)
	for _, c := range []struct {
		limit, want int
	}{{0, 2}, {1 << 30, 3}} {
		p, err := avro.Compile(s, format.Options{Limits: format.Limits{MessageBytes: c.limit, MessageSteps: 1 << 30}})
		if err != nil {
			t.Fatal(err)
		}
		columns := p.NewColumns()
		a := p.Bind(columns)
		n := 0
		for _, b := range [][]byte{good, bad, good} {
			taken, err := a.Append([]format.Body{body(b)})
			if n += taken; err != nil && taken != 0 {
				t.Error(err)
			}
		}
		if n != c.want || columns.Rows() != n {
			t.Errorf("%d rows with a limit of %d, want %d", n, c.limit, c.want)
		}
		for _, d := range columns.Finish() {
			if d.Len() != n {
				t.Errorf("%d values of %d rows", d.Len(), n)
			}
			d.Release()
		}
	}
}

// TestABatchEndsWhereItsColumnsAreFull bounds the columns of many small messages: with the room for as much again they have twice the bound.
func TestABatchEndsWhereItsColumnsAreFull(t *testing.T) {
	closeBooks(t)
	p := compile(t, items(`["null",`+record(fieldsOf(1000, `"long"`))+`]`))
	columns := p.NewColumns()
	defer columns.Release()
	columns.SetMost(16 << 20)
	bodies := make([]format.Body, 10_000)
	for i := range bodies {
		bodies[i] = body(ones(1, 0))
	}
	a, n := p.Bind(columns), 0
	var err error
	for err == nil && n < len(bodies) {
		var more int
		more, err = a.Append(bodies[n:])
		n += more
	}
	if !errors.Is(err, format.ErrFull) || n < 500 || n > 4200 {
		t.Errorf("%d rows of 8 KB, %v", n, err)
	}
}

// TestAppendReturnsBetweenMessagesThatTakeLong lets its caller look at the clock.
func TestAppendReturnsBetweenMessagesThatTakeLong(t *testing.T) {
	closeBooks(t)
	p := compile(t, items(record(`{"name":"b","type":"boolean"},`+fieldsOf(10_000, `"null"`))))
	columns := p.NewColumns()
	defer columns.Release()
	bodies := make([]format.Body, 100)
	for i := range bodies {
		bodies[i] = body(ones(100, 1))
	}
	if n, err := p.Bind(columns).Append(bodies); err != nil || n < 1 || n > 10 {
		t.Errorf("%d of 100 messages of a million steps, %v", n, err)
	}
}

// TestTheOracleHoldsForRandomSchemas damages bodies of random schemas. PYKAFARR_HOSTILE_SEEDS are how many.
func TestTheOracleHoldsForRandomSchemas(t *testing.T) {
	seeds, _ := strconv.Atoi(os.Getenv("PYKAFARR_HOSTILE_SEEDS"))
	for seed := range max(seeds, hostile.Rounds(200)) {
		m := newMaker(uint64(seed))
		schema := schemaText(m.schema(4, "", false))
		unions := pick(m, format.StructUnions, format.DenseUnions)
		for range 5 {
			b := m.random(m.IntN(1 + pick(m, 64, 4096, hostile.MaxBody)))
			for i := range b { // small numbers, as counts and indexes are
				if m.IntN(2) == 0 {
					b[i] &= 7
				}
			}
			_ = hostile.Check(t, avroFormat{format.Options{Recursion: format.JSON, Unions: unions}}, schema, b)
		}
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, schema)
		}
	}
}

// enum is an enum of n symbols.
func enum(n int) string {
	symbols := make([]string, n)
	for i := range symbols {
		symbols[i] = fmt.Sprintf(`"s%d"`, i)
	}
	return `{"type":"enum","name":"E","symbols":[` + strings.Join(symbols, ",") + `]}`
}

// TestAnEnumOfManyFieldsIsOneDictionary has 1,000 fields of an enum of 1,000 symbols, whose 23 MB would else be in each batch.
func TestAnEnumOfManyFieldsIsOneDictionary(t *testing.T) {
	closeBooks(t)
	schema := record(`{"name":"e","type":` + enum(1000) + `},` + fieldsOf(1000, `"E"`))
	p := compile(t, schema)
	columns := p.NewColumns()
	if n, err := p.Bind(columns).Append([]format.Body{body(make([]byte, 1001)), body(make([]byte, 1001))}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	before := cmem.Live()
	arrays := columns.Finish()
	if grown := cmem.Live() - before; grown > 1<<20 {
		t.Errorf("handing over takes %d bytes more", grown)
	}
	for _, d := range arrays {
		if d.Dictionary().(*array.Data).Buffers()[2] != arrays[0].Dictionary().(*array.Data).Buffers()[2] {
			t.Fatal("the columns have dictionaries of their own")
		}
	}
	for _, d := range arrays {
		d.Release()
	}
	if len(p.Shape) > 100 {
		t.Errorf("the shape has %d bytes", len(p.Shape))
	}
}

// TestTheSymbolsOfAllColumnsAreBounded has so many of both that pandas, which has categories of its own for each column, would take gigabytes.
func TestTheSymbolsOfAllColumnsAreBounded(t *testing.T) {
	var e *avro.SchemaError
	if err := hostile.Check(t, avroFormat{}, record(`{"name":"e","type":`+enum(20_000)+`},`+fieldsOf(15_000, `"E"`)), nil); !errors.As(err, &e) || !strings.Contains(err.Error(), "symbols") {
		t.Errorf("got %v", err)
	}
}

// TestPathsOfLongNamesAreCut nests records of names of 10 KB, with 2,000 fields at the bottom: their paths would be a gigabyte.
func TestPathsOfLongNamesAreCut(t *testing.T) {
	schema := record(fieldsOf(2000, `"int"`))
	for i := range 50 {
		schema = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"%s","type":%s}]}`, i, strings.Repeat("n", 10_000), schema)
	}
	err := hostile.Check(t, avroFormat{}, schema, []byte{2})
	var d *avro.DecodeError
	if !errors.As(err, &d) || len(d.Path) > 2500 || !strings.HasSuffix(d.Path, "…") {
		t.Errorf("got a path of %d bytes in %T", len(d.Path), err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := parse(t, schema)
	p, err := avro.Compile(s, format.Options{})
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err != nil || p == nil || grown > 100<<20 {
		t.Errorf("compiling allocates %d bytes, %v", grown, err)
	}
}

// FuzzOracle decodes any bytes by any schema, within the oracle's bounds.
func FuzzOracle(f *testing.F) {
	for _, k := range kinds {
		f.Add(items(k.schema), []byte("\x04"+k.body+k.body+"\x00"))
	}
	f.Add(everyNestedType, []byte{8, 0, 2})
	f.Fuzz(func(t *testing.T, schema string, data []byte) {
		if len(schema) > hostile.MaxSchema || len(data) > hostile.MaxBody {
			return
		}
		for _, o := range []format.Options{{}, {Unions: format.DenseUnions, Recursion: format.JSON}} {
			_ = hostile.Check(t, avroFormat{o}, schema, data)
		}
	})
}
