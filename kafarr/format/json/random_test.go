package json_test

import (
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// everyKind is a schema with every type, and a body of it.
func everyKind(t testing.TB) (*json.Schema, string) {
	t.Helper()
	s := parse(t, flatFields+`,{"name":"i8","type":"int8"},{"name":"u16","type":"uint16"},{"name":"u64","type":"uint64"},{"name":"n","type":"decimal128(18, 4)"},{"name":"w","type":"decimal256(40, 0)","json":"unscaled"},`+
		`{"name":"t","type":"timestamp[us, tz=UTC]"},{"name":"l","type":"timestamp[ns]"},{"name":"y","type":"date32[day]"},{"name":"c","type":"time32[ms]"},{"name":"p","type":"time64[us]","json":"epoch"},`+
		`{"name":"e","type":"dictionary","symbols":["A","B"]},{"name":"x","type":"binary"},{"name":"j","type":"json"},{"name":"z","type":"null"},{"name":"a_name_of_more_than_a_word","type":"list","items":{"type":"double"}},`+
		`{"name":"m","type":"map","items":{"type":"struct","fields":[{"name":"k","type":"list","items":{"type":"string"}}]}}`)
	return s, strings.TrimSuffix(flatBody, "}") + `,"i8":-8,"u16":16,"u64":18446744073709551615,"n":-12.5,"w":"AP8=","t":"2023-11-14T22:13:20.5+01:00","l":"2023-11-14T22:13:20.000000001","y":"2023-11-14","c":"22:13:20.5",` +
		`"p":86399999999,"e":"B","x":"aGk=","j":{"a":[1,"\ud834\udd1e"]},"z":null,"a_name_of_more_than_a_word":[1.5,null,12345678901234567890e-5],"m":{"a":{"k":["ä",null,"\""]},"b":null,"a":{}}}`
}

// sameEnds checks that the first and the last row of columns are equal, and releases them.
func sameEnds(t *testing.T, columns []arrow.ArrayData, rows int) {
	t.Helper()
	for i, d := range columns {
		c := array.MakeFromData(d)
		if c.Len() != rows || !array.SliceEqual(c, 0, 1, c, int64(rows-1), int64(rows)) {
			t.Errorf("column %d: %v", i, c)
		}
		if d.NullN() > d.Len() {
			t.Errorf("column %d has %d nulls of %d", i, d.NullN(), d.Len())
		}
		c.Release()
		d.Release()
	}
}

// maker draws schemas and values.
type maker struct{ *rand.Rand }

func (m maker) field(depth int) json.Field {
	return json.Field{Type: m.kind(depth), Nullable: m.IntN(2) == 0}
}

func (m maker) kind(depth int) *json.Type {
	n := 6
	if depth > 0 {
		n = 9
	}
	switch m.IntN(n) {
	case 0:
		return &json.Type{Kind: json.Boolean}
	case 1:
		return &json.Type{Kind: json.Integer}
	case 2:
		return &json.Type{Kind: json.Number}
	case 3:
		return &json.Type{Kind: json.Any}
	case 6:
		t := &json.Type{Kind: json.Object}
		for i := range m.IntN(12) {
			f := m.field(depth - 1)
			f.Name = m.name(i)
			t.Fields = append(t.Fields, f)
		}
		return t
	case 7:
		f := m.field(depth - 1)
		return &json.Type{Kind: json.Array, Items: &f}
	case 8:
		f := m.field(depth - 1)
		return &json.Type{Kind: json.Map, Items: &f}
	}
	return &json.Type{Kind: json.Text}
}

func (m maker) name(i int) string {
	return fmt.Sprintf("%s%d", []string{"", "short", "a name that is longer than a word", "ä", "q\"", "tab\t", "\\"}[m.IntN(7)], i)
}

func (m maker) text() string {
	var b strings.Builder
	for range m.IntN(1 + []int{8, 40, 200}[m.IntN(3)]) {
		b.WriteRune([]rune{'a', 'z', '0', ' ', '"', '\\', '\n', 0, 'ä', '€', '𝄞', '/', 0x7f}[m.IntN(13)])
	}
	return b.String()
}

func (m maker) blank() string {
	if m.IntN(4) > 0 {
		return ""
	}
	return []string{" ", "\n", "\t\r ", "  "}[m.IntN(4)]
}

// quoted writes a string in one of the ways that JSON has for it.
func (m maker) quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case m.IntN(10) == 0 && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '"' || r == '\\' || r < ' ':
			quoted, _ := stdjson.Marshal(string(r))
			b.Write(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// value writes a value, and returns it as it comes back from the columns.
func (m maker) value(f json.Field) (text string, want any) {
	if f.Nullable && m.IntN(5) == 0 {
		return "null", nil
	}
	switch f.Type.Kind {
	case json.Boolean:
		v := m.IntN(2) == 0
		return strconv.FormatBool(v), v
	case json.Integer:
		v := int64(m.Uint64()) >> m.IntN(64)
		return strconv.FormatInt(v, 10), stdjson.Number(strconv.FormatInt(v, 10))
	case json.Number:
		v := m.NormFloat64() * float64(int64(1)<<m.IntN(60))
		text := strconv.FormatFloat(v, "eg"[m.IntN(2)], -1, 64)
		return text, v
	case json.Text:
		v := m.text()
		return m.quoted(v), v
	case json.Any:
		text, _ := m.value(json.Field{Type: m.kind(1)})
		return text, text
	case json.Array:
		var parts []string
		list := []any{}
		for range m.IntN(5) {
			part, item := m.value(*f.Type.Items)
			parts, list = append(parts, m.blank()+part+m.blank()), append(list, item)
		}
		return "[" + strings.Join(parts, ",") + m.blank() + "]", list
	case json.Map:
		var parts []string
		all := map[string]any{}
		for range m.IntN(20) {
			key := m.text()
			if m.IntN(2) == 0 {
				key = strconv.Itoa(m.IntN(5)) // comes more than once
			}
			part, item := m.value(*f.Type.Items)
			parts, all[key] = append(parts, m.blank()+m.quoted(key)+m.blank()+":"+m.blank()+part+m.blank()), item
		}
		return "{" + strings.Join(parts, ",") + m.blank() + "}", all
	}
	var parts []string
	all, again := map[string]any{}, false
	for _, k := range f.Type.Fields {
		all[k.Name] = nil
		if k.Nullable && m.IntN(6) == 0 {
			continue
		}
		times := 1 + m.IntN(8)/7
		again = again || times > 1
		for range times {
			part, v := m.value(k)
			parts, all[k.Name] = append(parts, m.blank()+m.quoted(k.Name)+m.blank()+":"+m.blank()+part+m.blank()), v
		}
	}
	if m.IntN(4) == 0 && !again {
		m.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
	}
	if m.IntN(5) == 0 {
		text, _ := m.value(json.Field{Type: m.kind(1)})
		parts = append(parts, `"nobody knows":`+text)
	}
	return "{" + strings.Join(parts, ",") + m.blank() + "}", all
}

// read returns a value of a column as value does.
func read(arr arrow.Array, i int, t *json.Type) any {
	if arr.IsNull(i) {
		return nil
	}
	switch t.Kind {
	case json.Array:
		l := arr.(*array.List)
		from, to := l.ValueOffsets(i)
		list := []any{}
		for k := from; k < to; k++ {
			list = append(list, read(l.ListValues(), int(k), t.Items.Type))
		}
		return list
	case json.Map:
		l := arr.(*array.Map)
		from, to := l.ValueOffsets(i)
		all := map[string]any{}
		for k := from; k < to; k++ {
			all[l.Keys().(*array.String).Value(int(k))] = read(l.Items(), int(k), t.Items.Type)
		}
		if len(all) != int(to-from) {
			return "a key comes twice"
		}
		return all
	case json.Object:
		all := map[string]any{}
		for k, f := range t.Fields {
			all[f.Name] = read(arr.(*array.Struct).Field(k), i, f.Type)
		}
		return all
	case json.Boolean:
		return arr.(*array.Boolean).Value(i)
	case json.Integer:
		return stdjson.Number(strconv.FormatInt(arr.(*array.Int64).Value(i), 10))
	case json.Number:
		return arr.(*array.Float64).Value(i)
	}
	return arr.(*array.String).Value(i)
}

// TestRandomValuesOfRandomSchemasAreReadAsEncodingJSONReadsThem checks the values that were written, and that encoding/json takes the bodies for the same. PYKAFARR_JSON_SEEDS are how many schemas.
func TestRandomValuesOfRandomSchemasAreReadAsEncodingJSONReadsThem(t *testing.T) {
	closeBooks(t)
	seeds, _ := strconv.Atoi(os.Getenv("PYKAFARR_JSON_SEEDS"))
	for seed := range max(seeds, hostile.Rounds(100)) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 7))}
		root := json.Field{Type: &json.Type{Kind: json.Object}}
		for i := range 1 + m.IntN(15) {
			f := m.field(3)
			f.Name = m.name(i)
			root.Type.Fields = append(root.Type.Fields, f)
		}
		p := compile(t, json.NewSchema("", root, 0), format.Options{Whole: true})
		c := p.NewColumns()
		a := p.Bind(c)
		var want []any
		for range 20 {
			text, v := m.value(root)
			text = m.blank() + text + m.blank()
			for range 3 { // rows that fail between the others
				_, err := a.Append(bodies(string(damaged(m.Rand, text))))
				if err == nil {
					c.Truncate(len(want))
				}
			}
			if !stdjson.Valid([]byte(text)) {
				t.Fatalf("seed %d: %s", seed, text)
			}
			if n, err := a.Append(bodies(text)); n != 1 || err != nil {
				t.Fatalf("seed %d: %s: %v", seed, text, err)
			}
			want = append(want, v)
		}
		d := c.Finish()[0]
		arr := array.MakeFromData(d)
		if err := array.ValidateFull(arr); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range want {
			if got := read(arr, i, root.Type); !reflect.DeepEqual(got, want[i]) {
				t.Fatalf("seed %d: %v and not %v", seed, got, want[i])
			}
		}
		arr.Release()
		d.Release()
	}
}

// TestWhatEncodingJSONTakesIsTaken damages bodies: what is JSON to encoding/json is JSON here, and the other way round, but for lone surrogates and bytes that are no UTF-8, which encoding/json repairs.
func TestWhatEncodingJSONTakesIsTaken(t *testing.T) {
	closeBooks(t)
	s, err := json.Parse(`{"arrow":{"type":"json"}}`, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, s, format.Options{})
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	_, good := everyKind(t)
	r := rand.New(rand.NewPCG(5, 6))
	taken := 0
	for range 20_000 {
		text := damaged(r, good)
		_, err := a.Append(bodies(string(text)))
		if err == nil {
			taken++
		}
		if valid := stdjson.Valid(text); valid != (err == nil) {
			if valid && (strings.Contains(err.Error(), "UTF-8") || strings.Contains(err.Error(), "surrogate")) {
				continue
			}
			t.Fatalf("%s: %v", text, err)
		}
	}
	if taken < 400 {
		t.Errorf("%d were taken", taken)
	}
}
