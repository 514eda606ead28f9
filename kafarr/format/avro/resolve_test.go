package avro_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

func parse(t *testing.T, text string) *avro.Schema {
	t.Helper()
	s, err := avro.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// record is a schema of a record R with these fields.
func record(fields string) string {
	return `{"type":"record","name":"R","fields":[` + fields + `]}`
}

// TestReadersResolveByTheSpecification writes with one schema and reads as another.
func TestReadersResolveByTheSpecification(t *testing.T) {
	for _, c := range []struct {
		name, writer, reader string
		body                 []byte
		want                 string // of the first column
	}{
		{"int as long", `"int"`, `"long"`, []byte{5}, "[-3]"},
		{"int as float", `"int"`, `"float"`, []byte{6}, "[3]"},
		{"long as double", `"long"`, `"double"`, []byte{6}, "[3]"},
		{"float as double", `"float"`, `"double"`, []byte{0, 0, 0xc0, 0x3f}, "[1.5]"},
		{"bytes as string", `"bytes"`, `"string"`, []byte{2, 'a'}, `["a"]`},
		{"string as bytes", `"string"`, `"bytes"`, []byte{2, 'a'}, `["a"]`},
		{"a type as an optional", `"int"`, `["null","int"]`, []byte{6}, "[3]"},
		{"an optional as the other order", `["null","int"]`, `["int","null"]`, []byte{2, 6}, "[3]"},
		{"an optional promoted", `["null","int"]`, `["null","long"]`, []byte{2, 6}, "[3]"},
		{"an optional as its type", `["null","int"]`, `"int"`, []byte{2, 6}, "[3]"},
		{"a union as one of its types", `["string","int"]`, `"long"`, []byte{2, 6}, "[3]"},
		{"a type as a union", `"int"`, `["string","long"]`, []byte{6}, "{[(null)] [3]}"},
		{"a union as another", `["int","string"]`, `["null","string","long"]`, []byte{0, 6}, "{[(null)] [3]}"},
		{"a type as the first branch that it can be promoted to", `"int"`, `["double","int"]`, []byte{6}, "{[3] [(null)]}"},
		{"a union as one of the same types", `["double","long"]`, `["double","long"]`, []byte{2, 6}, "{[(null)] [3]}"},
		{"a union as one of more types", `["string","long"]`, `["double","long","string"]`, []byte{2, 6}, "{[3] [(null)] [(null)]}"},
		{"the record of the same full name", two(`b`, ``), `[` + two(`a`, ``) + `,` + two(`b`, ``) + `]`, []byte{6}, "{{[(null)]} {[3]}}"},
		{"a record of the same unqualified name", two(`b`, ``), `["null","string",` + two(`a`, ``) + `]`, []byte{6}, "{[(null)] {[3]}}"},
		{"a field that is left out", record(`{"name":"x","type":{"type":"array","items":"string"}},{"name":"n","type":"int"}`), record(`{"name":"n","type":"int"}`), []byte{4, 2, 'a', 2, 'b', 0, 6}, "[3]"},
		{"a block that is jumped over", record(`{"name":"x","type":{"type":"map","values":"int"}},{"name":"n","type":"int"}`), record(`{"name":"n","type":"int"}`), []byte{1, 6, 2, 'a', 2, 0, 6}, "[3]"},
		{"fields in another order", record(`{"name":"a","type":"int"},{"name":"b","type":"int"}`), record(`{"name":"b","type":"int"},{"name":"a","type":"int"}`), []byte{2, 4}, "[2]"},
		{"a field by its alias", record(`{"name":"old","type":"int"}`), record(`{"name":"new","type":"int","aliases":["old"]}`), []byte{6}, "[3]"},
		{"a record by its alias", `{"type":"record","name":"Old","fields":[{"name":"n","type":"int"}]}`, `{"type":"record","name":"R","aliases":["Old"],"fields":[{"name":"n","type":"int"}]}`, []byte{6}, "[3]"},
		{"a default number", record(``), record(`{"name":"n","type":"int","default":7}`), []byte{}, "[7]"},
		{"a default string", record(``), record(`{"name":"n","type":"string","default":"grün"}`), []byte{}, `["grün"]`},
		{"default bytes", record(``), record(`{"name":"n","type":"bytes","default":"\u00ff"}`), []byte{}, `["\xff"]`},
		{"a default null", record(``), record(`{"name":"n","type":["null","int"],"default":null}`), []byte{}, `[(null)]`},
		{"a default of any branch", record(``), record(`{"name":"n","type":["null","int"],"default":4}`), []byte{}, `[4]`},
		{"a default array", record(``), record(`{"name":"n","type":{"type":"array","items":"int"},"default":[1,2]}`), []byte{}, `[[1 2]]`},
		{"a default map", record(``), record(`{"name":"n","type":{"type":"map","values":"int"},"default":{"b":2,"a":1}}`), []byte{}, `[{["a" "b"] [1 2]}]`},
		{"a default enum", record(``), record(`{"name":"n","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"B"}`), []byte{}, "{ dictionary: [\"A\" \"B\"]\n  indices: [1] }"},
		{"an enum's symbols in another order", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B","A"]}`, []byte{0}, "{ dictionary: [\"B\" \"A\"]\n  indices: [1] }"},
		{"an enum's default", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["X","A"],"default":"X"}`, []byte{2}, "{ dictionary: [\"X\" \"A\"]\n  indices: [0] }"},
		{"an optional record as the record", `["null",` + record(`{"name":"n","type":"int"}`) + `]`, record(`{"name":"n","type":"long"}`), []byte{2, 6}, "[3]"},
		{"a record of defaults only", `["null",` + record(``) + `]`, record(`{"name":"n","type":"long","default":1}`), []byte{2}, "[1]"},
		{"a decimal in a fixed as one in bytes", `{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, []byte{0, 0x7b}, "[123]"},
		{"a long as a timestamp", `"long"`, `{"type":"long","logicalType":"timestamp-millis"}`, []byte{2}, "[1]"},
		{"a decimal of more digits", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}`, []byte{2, 0x7b}, "[123]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			p, err := avro.Compile(parse(t, c.writer), format.Options{Reader: parse(t, c.reader)})
			if err != nil {
				t.Fatal(err)
			}
			columns, err := decode(t, p, c.body)
			if err != nil {
				t.Fatal(err)
			}
			got := columns[0].String()
			if strings.Contains(c.name, "timestamp") || strings.Contains(c.name, "decimal") {
				return // rendered in their own ways; that they decode is the point
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// two is a schema of a record N in some namespace, for unions of several records.
func two(namespace, more string) string {
	return `{"type":"record","name":"N","namespace":"` + namespace + `","fields":[{"name":"n","type":"int"}` + more + `]}`
}

// TestADefaultIsCheckedWhereAWriterLacksItsField has defaults that are no values of their fields' types: they hurt only who needs them, since real registries
// hold such schemas.
func TestADefaultIsCheckedWhereAWriterLacksItsField(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`{"name":"n","type":"int","default":"0"}`, `n: the default "0" is no int`},
		{`{"name":"n","type":["null","string"],"default":1}`, "n: the default 1 is no union"},
		{`{"name":"n","type":"string","default":null}`, "n: the default null is no string"},
		{`{"name":"n","type":"bytes","default":"€"}`, `n: the default "€" is no bytes`},
		{`{"name":"n","type":{"type":"fixed","name":"F","size":2},"default":""}`, `n: the default "" is no fixed F`},
		{`{"name":"n","type":{"type":"enum","name":"E","symbols":["A"]},"default":""}`, `n: the default "" is no enum E`},
	} {
		s := parse(t, record(c.field))
		if _, err := avro.Compile(s, format.Options{Reader: parse(t, record(c.field))}); err != nil {
			t.Errorf("%s: read as itself: %v", c.field, err)
		}
		var e *avro.SchemaError
		if _, err := avro.Compile(parse(t, record(``)), format.Options{Reader: s}); !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.field, err, c.want)
		}
	}
}

func TestAnEnumsDefaultIsCheckedWhereASymbolIsMissing(t *testing.T) {
	for reader, want := range map[string]string{
		`{"type":"enum","name":"E","symbols":["A"],"default":""}`:   `its default "" is none of its symbols`,
		`{"type":"enum","name":"E","symbols":["A"],"default":7}`:    "its default 7 is none of its symbols",
		`{"type":"enum","name":"E","symbols":["A"],"default":null}`: "nor a default",
	} {
		p, err := avro.Compile(parse(t, `{"type":"enum","name":"E","symbols":["A","B"]}`), format.Options{Reader: parse(t, reader)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(t, p, []byte{0}); err != nil {
			t.Errorf("%s: a symbol that it has: %v", reader, err)
		}
		var e *avro.IncompatibleError
		if _, err := decode(t, p, []byte{2}); !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", reader, err, want)
		}
	}
}

func TestAUnionOfOneTypeIsThatType(t *testing.T) {
	for _, c := range []struct {
		writer, reader string
		body           []byte
		want           string
	}{
		{`["int"]`, `["int"]`, []byte{0, 6}, "[3]"},
		{`["int"]`, `"long"`, []byte{0, 6}, "[3]"},
		{`"int"`, `["long"]`, []byte{6}, "[3]"},
		{`["int"]`, `["null","long"]`, []byte{0, 6}, "[3]"},
		{`["null","int"]`, `["int"]`, []byte{2, 6}, "[3]"},
		{`["null"]`, `["null"]`, []byte{0}, "[(null)]"},
		{`{"type":"array","items":["int"]}`, `{"type":"array","items":["long"]}`, []byte{4, 0, 6, 0, 8, 0}, "[[3 4]]"},
		{`[` + record(`{"name":"n","type":["int"]}`) + `]`, record(`{"name":"n","type":["int"]}`), []byte{0, 0, 6}, "[3]"},
		{record(``), record(`{"name":"n","type":["int"],"default":3}`), []byte{}, "[3]"},
	} {
		for _, unions := range []format.Unions{format.StructUnions, format.DenseUnions} {
			p, err := avro.Compile(parse(t, c.writer), format.Options{Reader: parse(t, c.reader), Unions: unions})
			if err != nil {
				t.Fatalf("%s as %s: %v", c.writer, c.reader, err)
			}
			columns, err := decode(t, p, c.body)
			if err != nil || columns[0].String() != c.want {
				t.Errorf("%s as %s: %v, %v, want %s", c.writer, c.reader, columns[0], err, c.want)
			}
			if nullable := p.Fields[0].Nullable; nullable != strings.Contains(c.reader, "null") {
				t.Errorf("%s as %s: nullable is %t", c.writer, c.reader, nullable)
			}
		}
	}
	if name := compile(t, `[`+record(``)+`]`).MessageType; name != "R" {
		t.Errorf("the message type of a union of one record is %s", name)
	}
}

func TestADecimalBeyondArrowsDigitsIsText(t *testing.T) {
	wide := `{"type":"bytes","logicalType":"decimal","precision":77,"scale":38}`
	for _, c := range []struct {
		writer, reader string
		body           []byte
		want           string
	}{
		{wide, wide, []byte{2, 0x85}, `["-0.00000000000000000000000000000000000123"]`},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":80,"scale":2}`, []byte{4, 0x30, 0x39}, `["123.45"]`},
		{`{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4}`, `{"type":"bytes","logicalType":"decimal","precision":80}`, []byte{0xff, 0xff}, `["-1"]`},
		{`{"type":"bytes","logicalType":"decimal","precision":4}`, `{"type":"fixed","name":"F","size":40,"logicalType":"decimal","precision":90}`, []byte{2, 7}, `["7"]`},
	} {
		p, err := avro.Compile(parse(t, c.writer), format.Options{Reader: parse(t, c.reader)})
		if err != nil {
			t.Fatal(err)
		}
		columns, err := decode(t, p, c.body)
		if err != nil || columns[0].String() != c.want {
			t.Errorf("%s as %s: %v, %v, want %s", c.writer, c.reader, columns[0], err, c.want)
		}
	}
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(77), nil)
	p := compile(t, wide)
	body := func(n *big.Int) []byte {
		return append(binary.AppendVarint(nil, 33), append([]byte{0}, n.FillBytes(make([]byte, 32))...)...)
	}
	if _, err := decode(t, p, body(new(big.Int).Sub(most, big.NewInt(1)))); err != nil {
		t.Errorf("77 digits: %v", err)
	}
	if _, err := decode(t, p, body(most)); err == nil || !strings.Contains(err.Error(), "more than its 77 digits") {
		t.Errorf("78 digits: %v", err)
	}
}

func TestNamesAreThoseThatJavaTakes(t *testing.T) {
	for name, valid := range map[string]bool{
		"größe": true, "_x9": true, "名前": true, "Ärger": true, "x٣": true, "ª": true,
		"9x": false, "a-b": false, "a b": false, "٣x": false, "": false, "a€": false, "\u0301a": false, "a\"b": false,
	} {
		quoted, _ := json.Marshal(name)
		for _, text := range []string{
			fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":%s,"type":"int"}]}`, quoted),
			fmt.Sprintf(`{"type":"record","name":%s,"fields":[]}`, quoted),
			fmt.Sprintf(`{"type":"enum","name":"E","symbols":[%s]}`, quoted),
			fmt.Sprintf(`{"type":"fixed","name":"F","namespace":%s,"size":1}`, quoted),
		} {
			if strings.Contains(text, `"namespace":""`) { // there is none
				continue
			}
			if _, err := avro.Parse(text); (err == nil) != valid {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

func TestWhatDoesNotResolveNamesBothSidesAndThePath(t *testing.T) {
	for _, c := range []struct{ writer, reader, want string }{
		{`"long"`, `"int"`, "written as long, read as int: the types do not match"},
		{record(`{"name":"n","type":"string"}`), record(`{"name":"n","type":"int"}`), "n: written as string, read as int: the types do not match"},
		{record(``), record(`{"name":"n","type":"int"}`), "n: written as record R, read as record R: the writer has no such field, and the reader no default"},
		{`{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":3}`, "the sizes 2 and 3 do not match"},
		{`{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"G","size":2}`, "the names do not match"},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `{"type":"long","logicalType":"timestamp-micros"}`, "the logical types do not match, and values are not converted"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":4,"scale":3}`, "decimal(4, 2) cannot be read as decimal(4, 3)"},
		{`["string","boolean"]`, `"int"`, "written as string, read as int"},
		{`"boolean"`, `["string","int"]`, "it is none of the reader's types"},
		{`"null"`, `"int"`, "null is none of the reader's types"},
	} {
		_, err := avro.Compile(parse(t, c.writer), format.Options{Reader: parse(t, c.reader)})
		var e *avro.IncompatibleError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s as %s: got %v, want %s", c.writer, c.reader, err, c.want)
		}
	}
}

func TestABranchThatCannotBeReadIsAnErrorOfItsRow(t *testing.T) {
	p, err := avro.Compile(parse(t, `["int","string"]`), format.Options{Reader: parse(t, `"int"`)})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := decode(t, p, []byte{0, 6}, []byte{2, 2, 'a'})
	var e *avro.IncompatibleError
	if !errors.As(err, &e) || columns[0].String() != "[3]" {
		t.Errorf("%v, %v", columns[0], err)
	}
	enum, err := avro.Compile(parse(t, `{"type":"enum","name":"E","symbols":["A","B"]}`), format.Options{Reader: parse(t, `{"type":"enum","name":"E","symbols":["A"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(t, enum, []byte{2}); !errors.As(err, &e) {
		t.Errorf("a symbol that the reader lacks: %v", err)
	}
}

func TestVersionsOfATypeShareTheReadersShape(t *testing.T) {
	reader := parse(t, record(`{"name":"n","type":"long"},{"name":"s","type":"string","default":""}`))
	var shapes []string
	for _, w := range []string{record(`{"name":"n","type":"int"}`), record(`{"name":"s","type":"string"},{"name":"n","type":"long"}`)} {
		p, err := avro.Compile(parse(t, w), format.Options{Reader: reader})
		if err != nil {
			t.Fatal(err)
		}
		shapes = append(shapes, p.Shape)
	}
	if shapes[0] != shapes[1] {
		t.Errorf("%q and %q", shapes[0], shapes[1])
	}
}

func TestProjectionBuildsOnlyWhatIsAskedFor(t *testing.T) {
	closeBooks(t)
	s := parse(t, record(`{"name":"a","type":"string"},{"name":"b","type":["null",{"type":"record","name":"B","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]}]},{"name":"c","type":"long"}`))
	p, err := avro.Compile(s, format.Options{Columns: []string{"c", "b.y"}})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := decode(t, p, []byte{2, 'a', 2, 2, 4, 6}, []byte{0, 0, 8})
	if err != nil {
		t.Fatal(err)
	}
	if got := columns[0].String() + " " + columns[1].String(); len(columns) != 2 || got != "{[2 (null)]} [3 4]" && !strings.HasSuffix(got, "[3 4]") {
		t.Errorf("got %s", got)
	}
	if _, err := avro.Compile(s, format.Options{Columns: []string{"nosuch"}}); err == nil || !strings.Contains(err.Error(), `record R has no field "nosuch"`) {
		t.Errorf("an unknown column: %v", err)
	}
}
