package avro_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// TestShortMessagesCannotAskForMuch has messages of some bytes that claim to hold far more.
func TestShortMessagesCannotAskForMuch(t *testing.T) {
	huge := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0} // a count of 2^61
	for _, c := range []struct {
		name, schema string
		body         []byte
		want         string
	}{
		{"an array of nulls", `{"type":"array","items":"null"}`, huge, "more than 65536 items that take no bytes"},
		{"nulls in many blocks", `{"type":"array","items":"null"}`, []byte(strings.Repeat("\xfe\xff\x07", 100) + "\x00"), "more than 65536 items that take no bytes"},
		{"an array of empty records", `{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, huge, "more than 65536 items that take no bytes"},
		{"a map of nulls", `{"type":"map","values":"null"}`, huge, "is beyond the body"},
		{"an array of ints", `{"type":"array","items":"int"}`, huge, "is beyond the body"},
		{"an array of doubles", `{"type":"array","items":"double"}`, []byte{4, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "is beyond the body"},
		{"the least count there is", `{"type":"array","items":"int"}`, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0}, "a block's size of"},
		{"a block's size that lies", `{"type":"array","items":"int"}`, []byte{1, 6, 2, 0}, "a block's size of 3 bytes"},
		{"a block that is longer than its size", `{"type":"array","items":"int"}`, []byte{1, 2, 0x80, 1, 0}, "a block's size of 1 bytes"},
		{"a time past midnight", `{"type":"int","logicalType":"time-millis"}`, []byte{0x80, 0xf0, 0xb2, 0x52}, "outside of 24 hours"},
		{"a decimal over its precision", `{"type":"bytes","logicalType":"decimal","precision":2}`, []byte{2, 100}, "more than its 2 digits"},
		{"nulls of a fixed of 256 MiB", `{"type":"array","items":["null",{"type":"fixed","name":"F","size":268435455}]}`, []byte{10, 0, 0, 0, 0, 0, 0}, "the columns are full"},
		{"a null of a record of fixeds of 256 MiB", `["null",{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":268435455}},{"name":"b","type":"F"},{"name":"c","type":"F"},{"name":"d","type":"F"},{"name":"e","type":"F"}]}]`, []byte{0}, "the columns are full"},
		{"ints of a union with a fixed of a MiB", `{"type":"array","items":["int","string",{"type":"fixed","name":"F","size":1048576}]}`, append([]byte{0x80, 0x10}, make([]byte, 2050)...), "the columns are full"},
		{"records of a thousand nulls", `{"type":"array","items":` + nulls(1000, "n") + `}`, []byte{0x80, 0x80, 0x02, 0}, "more than 65536 items that take no bytes"},
		{"a big-decimal with a scale of a billion", `{"type":"bytes","logicalType":"big-decimal"}`, []byte{14, 2, 1, 0xff, 0xff, 0xff, 0xff, 0x07}, "big-decimal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			p := compile(t, c.schema)
			before, began := cmem.Live(), time.Now()
			_, err := decode(t, p, c.body)
			var d *avro.DecodeError
			if !errors.As(err, &d) && !errors.Is(err, format.ErrFull) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if grown := cmem.Live() - before; grown > 4<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
			if took := time.Since(began); took > 5*time.Second { // milliseconds, with a margin for a busy machine
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestLimitsCanBeSet has for each limit what it allows and what it refuses.
func TestLimitsCanBeSet(t *testing.T) {
	items := `{"type":"array","items":"int"}`
	for _, c := range []struct {
		name, schema string
		limits       format.Limits
		good, bad    []byte
		want         string
	}{
		{"items of a block", items, format.Limits{BlockItems: 2}, []byte{4, 0, 0, 0}, []byte{6, 0, 0, 0, 0}, "a block holds 3 items, more than 2"},
		{"items without bytes", `{"type":"array","items":"null"}`, format.Limits{EmptyItems: 2}, []byte{4, 0}, []byte{2, 4, 0}, "more than 2 items that take no bytes"},
		{"levels of a value", list, format.Limits{ValueDepth: 4}, []byte{2, 2, 4, 0}, []byte(strings.Repeat("\x02\x02", 8) + "\x02\x00"), "nests deeper than 4 levels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			p, err := avro.Compile(parse(t, c.schema), format.Options{Recursion: format.JSON, Limits: c.limits})
			if err != nil {
				t.Fatal(err)
			}
			var d *avro.DecodeError
			if _, err := decode(t, p, c.good, c.bad, c.good); !errors.As(err, &d) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if _, err := decode(t, p, c.good); err != nil {
				t.Error(err)
			}
		})
	}
	var e *avro.SchemaError
	if _, err := avro.ParseWithin(format.Limits{SchemaDepth: 2}, `{"type":"array","items":{"type":"array","items":"int"}}`); !errors.As(err, &e) {
		t.Errorf("levels of a schema: %v", err)
	}
	if _, err := avro.Compile(parse(t, record(`{"name":"a","type":"int"},{"name":"b","type":"int"}`)), format.Options{Limits: format.Limits{Columns: 1}}); !errors.As(err, &e) {
		t.Errorf("columns: %v", err)
	}
	if _, err := (format.Limits{ValueDepth: 1 << 20}).Resolved(); err == nil || !strings.Contains(err.Error(), "value_depth must be from 1 to 1000") {
		t.Errorf("a limit that is no limit: %v", err)
	}
}

// bomb is a schema in which each of n records holds the one before it twice: 2^n columns.
func bomb(n int) string {
	fields := `{"name":"r0","type":{"type":"record","name":"R0","fields":[{"name":"x","type":"int"}]}}`
	for i := 1; i <= n; i++ {
		fields += fmt.Sprintf(`,{"name":"r%d","type":{"type":"record","name":"R%d","fields":[{"name":"a","type":"R%d"},{"name":"b","type":"R%d"}]}}`, i, i, i-1, i-1)
	}
	return record(fields)
}

func TestSchemaBombsAreRefused(t *testing.T) {
	began := time.Now()
	for name, text := range map[string]string{
		"columns": bomb(60),
		"depth":   strings.Repeat(`{"type":"array","items":`, 100_000) + `"int"` + strings.Repeat("}", 100_000),
		"nesting": strings.Repeat(`{"type":`, 1000) + `"int"` + strings.Repeat("}", 1000),
	} {
		s, err := avro.Parse(text)
		if err == nil {
			_, err = avro.Compile(s, format.Options{})
		}
		var e *avro.SchemaError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestADefaultWithoutAnEndIsRefused(t *testing.T) {
	endless := `{"type":"record","name":"R","fields":[{"name":"r","type":{"type":"record","name":"S","fields":[{"name":"s","type":["S","null"],"default":{}}]},"default":{}}]}`
	_, err := avro.Compile(parse(t, record(``)), format.Options{Reader: parse(t, endless), Recursion: format.JSON})
	var e *avro.SchemaError
	if !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
	doubling := record(``)
	fields := `{"name":"x","type":{"type":"record","name":"R0","fields":[]},"default":{}}`
	for i := 1; i < 40; i++ {
		fields = fmt.Sprintf(`{"name":"x","type":{"type":"record","name":"R%d","fields":[%s,{"name":"y","type":"R%d","default":{}}]},"default":{}}`, i, fields, i-1)
	}
	if _, err := avro.Compile(parse(t, doubling), format.Options{Reader: parse(t, record(fields))}); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

const list = `{"type":"record","name":"List","fields":[{"name":"value","type":"int"},{"name":"next","type":["null","List"]}]}`

func TestARecursiveTypeIsRefusedOrRead(t *testing.T) {
	closeBooks(t)
	s := parse(t, list)
	_, err := avro.Compile(s, format.Options{})
	if err == nil || !strings.Contains(err.Error(), "next: union is recursive") {
		t.Errorf("got %v", err)
	}
	p, err := avro.Compile(s, format.Options{Recursion: format.JSON})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := decode(t, p, []byte{2, 2, 4, 2, 6, 0}, []byte{8, 0})
	if err != nil {
		t.Fatal(err)
	}
	if got := columns[1].ValueStr(0); got != `{"List":{"value":2,"next":{"List":{"value":3,"next":null}}}}` || !columns[1].IsNull(1) {
		t.Errorf("got %s and %s", got, columns[1].ValueStr(1))
	}
	deep := []byte(strings.Repeat("\x02\x02", 100_000) + "\x02\x00")
	var d *avro.DecodeError
	if _, err := decode(t, p, deep); !errors.As(err, &d) || !strings.Contains(err.Error(), "nests deeper") {
		t.Errorf("got %v", err)
	}
}

func TestDenseUnionsAreBoundedAndTakeRowsBack(t *testing.T) {
	closeBooks(t)
	p, err := avro.Compile(parse(t, record(`{"name":"u","type":["null","int","string"]},{"name":"n","type":"int"}`)), format.Options{Unions: format.DenseUnions})
	if err != nil {
		t.Fatal(err)
	}
	columns := p.NewColumns()
	a := p.Bind(columns)
	good := [][]byte{{2, 6, 2}, {0, 2}, {4, 2, 'a', 2}}
	for _, b := range good {
		if n, err := a.Append([]format.Body{body(b), body([]byte{4, 2, 'x'}), body([]byte{2, 8})}); n != 1 || err == nil {
			t.Fatal(n, err)
		}
	}
	for _, d := range columns.Finish() {
		if d.Len() != 3 {
			t.Errorf("%d rows", d.Len())
		}
		d.Release()
	}
	branches := make([]string, 129)
	for i := range branches {
		branches[i] = fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, i)
	}
	wide := parse(t, "["+strings.Join(branches, ",")+"]")
	if _, err := avro.Compile(wide, format.Options{Unions: format.DenseUnions}); err == nil || !strings.Contains(err.Error(), `use unions="struct"`) {
		t.Errorf("got %v", err)
	}
	if _, err := avro.Compile(wide, format.Options{}); err != nil {
		t.Error(err)
	}
}

// TestTheFirstOfSeveralUnknownColumnsIsNamed asks often: in the order of a map, the answer would be another one now and then.
func TestTheFirstOfSeveralUnknownColumnsIsNamed(t *testing.T) {
	schema, err := avro.Parse(`{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		_, err := avro.Compile(schema, format.Options{Columns: []string{"z", "y", "x", "a"}})
		if err == nil || !strings.Contains(err.Error(), "x") || strings.Contains(err.Error(), "y") || strings.Contains(err.Error(), "z") {
			t.Fatalf("of x, y and z, x is named, and not: %v", err)
		}
	}
}
