package avro_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// nulls is a record of n nulls, whose names begin with the prefix: no byte, and n columns.
func nulls(n int, prefix string) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"%s%d","type":"null"}`, prefix, i)
	}
	return `{"type":"record","name":"Nulls","fields":[` + strings.Join(fields, ",") + `]}`
}

// TestValuesOfNoBytesArePassedOverAtOnce has records that hold the next one twice, down to two nulls: no bytes, and 2^60 values.
func TestValuesOfNoBytesArePassedOverAtOnce(t *testing.T) {
	closeBooks(t)
	doubled := `"null"`
	for k := 60; k > 0; k-- {
		again := `"null"`
		if k < 60 {
			again = fmt.Sprintf(`"D%d"`, k+1)
		}
		doubled = fmt.Sprintf(`{"type":"record","name":"D%d","fields":[{"name":"a","type":%s},{"name":"b","type":%s}]}`, k, doubled, again)
	}
	schema := func(x string) string {
		return record(`{"name":"x","type":` + x + `},{"name":"y","type":"int"}`)
	}
	for _, c := range []struct {
		name, x string
		body    []byte
	}{
		{"a field", doubled, []byte{6}},
		{"a branch of a union", `["int",` + doubled + `]`, []byte{2, 6}},
		{"items", `{"type":"array","items":` + doubled + `}`, []byte{0x80, 0x20, 0, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := avro.Compile(parse(t, schema(c.x)), format.Options{Columns: []string{"y"}})
			if err != nil {
				t.Fatal(err)
			}
			arrays, err := decode(t, p, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if got := arrays[0].(*array.Int32).Value(0); got != 3 {
				t.Errorf("y is %d", got)
			}
		})
	}
}

// TestTheTextOfAValueIsBounded repeats a field's name of 100 KB for each of a message's items.
func TestTheTextOfAValueIsBounded(t *testing.T) {
	closeBooks(t)
	items := `{"type":"array","items":` + nulls(1, strings.Repeat("n", 100<<10)) + `}`
	p, err := avro.Compile(
		parse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":`+items+`},{"name":"next","type":["null","R"]}]}`),
		format.Options{Recursion: format.JSON},
	)
	if err != nil {
		t.Fatal(err)
	}
	var d *avro.DecodeError
	if _, err := decode(t, p, []byte{0, 2, 0xd0, 0x0f, 0, 0}); !errors.As(err, &d) || d.Path != "next" || !strings.Contains(err.Error(), "JSON is longer than 1 MiB") {
		t.Errorf("got %v", err)
	}
	arrays, err := decode(t, p, []byte{0, 2, 4, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	if n := arrays[1].(*array.String).ValueLen(0); n < 200<<10 {
		t.Errorf("two names of 100 KB are %d bytes", n)
	}
}

// TestABatchEndsBeforeItsNullsFillTheMemory has rows of a byte that take 16 MiB each.
func TestABatchEndsBeforeItsNullsFillTheMemory(t *testing.T) {
	closeBooks(t)
	p := compile(t, `["null",{"type":"fixed","name":"F","size":16777216}]`)
	c := p.NewColumns()
	defer c.Release()
	bodies := make([]format.Body, 100)
	for i := range bodies {
		bodies[i] = body([]byte{0})
	}
	n, err := p.Bind(c).Append(bodies)
	if n != 64 || !errors.Is(err, format.ErrFull) {
		t.Errorf("%d rows of 16 MiB, %v", n, err)
	}
	if live := cmem.Live(); live > 2<<30 {
		t.Errorf("%d bytes are allocated", live)
	}
	if n, err := p.Bind(c).Append(bodies[:1]); n != 0 || !errors.Is(err, format.ErrFull) {
		t.Errorf("another row: %d, %v", n, err)
	}
}

// TestResolvingTakesNoLongerThanSchemasAreLong has pairs of schemas that a search without a bound would follow for years.
func TestResolvingTakesNoLongerThanSchemasAreLong(t *testing.T) {
	const depth = 30 // of two levels in Arrow each
	named := func(namespace, of string, k int) string {
		return fmt.Sprintf(`{"type":"record","name":"%sR%d","fields":[{"name":"f","type":%s}]}`, namespace, k, of)
	}
	nested := func(bottom string, level func(of string, k int) string) string {
		s := bottom
		for k := depth - 1; k >= 0; k-- {
			s = level(s, k)
		}
		return s
	}
	one := func(of string, k int) string { return named("", of, k) }
	for _, c := range []struct {
		name, writer, reader, want string
	}{
		{
			"two records that are both read as one, again and again",
			nested(`"int"`, func(of string, k int) string {
				again := `"int"`
				if k < depth-1 {
					again = fmt.Sprintf(`["a.R%d","b.R%d"]`, k+1, k+1)
				}
				return "[" + named("a.", of, k) + "," + named("b.", again, k) + "]"
			}),
			nested(`"int"`, one),
			"ways of reading",
		},
		{
			"a branch that fits by its name and does not fit at the bottom",
			nested(`"string"`, one),
			nested(`"int"`, func(of string, k int) string { return "[" + one(of, k) + `,"null","string"]` }),
			"written as string, read as int",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := avro.Compile(parse(t, c.writer), format.Options{Reader: parse(t, c.reader)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestEnumsOfManySymbolsAreResolved reads a hundred thousand symbols as the same ones in another order: comparing each with each would take a minute.
func TestEnumsOfManySymbolsAreResolved(t *testing.T) {
	closeBooks(t)
	const n = 100_000
	symbols := func(code func(i int) int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`"s%d"`, code(i))
		}
		return `{"type":"enum","name":"E","symbols":[` + strings.Join(list, ",") + `]}`
	}
	writer := symbols(func(i int) int { return i })
	p, err := avro.Compile(parse(t, writer), format.Options{Reader: parse(t, symbols(func(i int) int { return n - 1 - i }))})
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := decode(t, p, []byte{2})
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays[0].(*array.Dictionary).GetValueIndex(0); got != n-2 {
		t.Errorf("s1 is number %d, want %d", got, n-2)
	}
}

// TestBigDecimalsKeepTheZerosBehindThePoint has a small number with the greatest scale.
func TestBigDecimalsKeepTheZerosBehindThePoint(t *testing.T) {
	closeBooks(t)
	p := compile(t, `{"type":"bytes","logicalType":"big-decimal"}`)
	arrays, err := decode(t, p, []byte{10, 2, 0xf4, 0xc0, 0x9a, 0x0c}, []byte{6, 2, 123, 4}, []byte{6, 2, 123, 6}) // -12 with scale 100,000, -62 with 2 and 3
	if err != nil {
		t.Fatal(err)
	}
	text := arrays[0].(*array.String)
	for i, want := range []string{"-0." + strings.Repeat("0", 99_998) + "12", "1.23", "0.123"} {
		if got := text.Value(i); got != want {
			t.Errorf("got %d bytes that end in %s, want %d", len(got), got[max(0, len(got)-20):], len(want))
		}
	}
}

// TestAFixedBeyondArrowsWidthIsRefused names the field: pyarrow would take the column for one of a negative size.
func TestAFixedBeyondArrowsWidthIsRefused(t *testing.T) {
	_, err := avro.Compile(parse(t, record(`{"name":"f","type":{"type":"fixed","name":"F","size":268435456}}`)), format.Options{})
	var s *avro.SchemaError
	if !errors.As(err, &s) || s.Path != "f" || !strings.Contains(s.Msg, "at most 268435455") {
		t.Errorf("got %v", err)
	}
}
