package json_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// closeBooks fails a test that leaves column memory behind.
func closeBooks(t *testing.T) {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes of column memory were not released", after-before)
		}
	})
}

func parse(t testing.TB, fields string) *json.Schema {
	t.Helper()
	s, err := json.Parse(`{"arrow":{"type":"struct","fields":[`+fields+`]}}`, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compile(t testing.TB, s *json.Schema, options format.Options) *json.Plan {
	t.Helper()
	p, err := json.Compile(s, options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func plan(t testing.TB, fields string) *json.Plan {
	t.Helper()
	return compile(t, parse(t, fields), format.Options{})
}

func body(text string) format.Body {
	return format.Body{Data: unsafe.Pointer(unsafe.StringData(text)), Len: len(text)}
}

func bodies(texts ...string) []format.Body {
	out := make([]format.Body, len(texts))
	for i, text := range texts {
		out[i] = body(text)
	}
	return out
}

// rows appends bodies, one by one, and returns the columns as text, and the errors of the bodies that failed.
func rows(t testing.TB, p format.Plan, texts ...string) (columns []string, failed []error) {
	t.Helper()
	c := p.NewColumns()
	a := p.Bind(c)
	for _, text := range texts {
		if n, err := a.Append(bodies(text)); err != nil {
			failed = append(failed, err)
		} else if n != 1 {
			t.Fatalf("%d rows of one body", n)
		}
	}
	for i, d := range c.Finish() {
		arr := array.MakeFromData(d)
		columns = append(columns, p.Fields()[i].Name+"="+fmt.Sprint(arr))
		if !arrow.TypeEqual(arr.DataType(), p.Fields()[i].Type) {
			t.Errorf("the column %s is a %s, and its field a %s", p.Fields()[i].Name, arr.DataType(), p.Fields()[i].Type)
		}
		arr.Release()
		d.Release()
	}
	return columns, failed
}

// check fails a test whose bodies are not read as these columns.
func check(t *testing.T, p format.Plan, texts []string, want ...string) {
	t.Helper()
	got, failed := rows(t, p, texts...)
	if len(failed) > 0 {
		t.Errorf("%q: %v", texts, failed)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q is read as\n%s\nand not as\n%s", texts, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const (
	flatFields = `{"name":"flag","type":"bool","nullable":false},{"name":"count","type":"int32","nullable":false},{"name":"id","type":"int64","nullable":false},` +
		`{"name":"ratio","type":"float","nullable":false},{"name":"price","type":"double","nullable":false},{"name":"symbol","type":"string","nullable":false}`
	flatBody = `{"flag":true,"count":-7,"id":9007199254740993,"ratio":0.5,"price":1.25e-3,"symbol":"sym-1"}`
)

var flatWant = []string{"flag=[true]", "count=[-7]", "id=[9007199254740993]", "ratio=[0.5]", "price=[0.00125]", `symbol=["sym-1"]`}

func TestMembersAreReadInAnyOrder(t *testing.T) {
	closeBooks(t)
	p := plan(t, flatFields)
	check(t, p, []string{flatBody}, flatWant...)
	check(t, p, []string{`{"symbol":"sym-1","price":1.25e-3,"ratio":0.5,"id":9007199254740993,"count":-7,"flag":true}`}, flatWant...)
	check(t, p, []string{" {\n\t\"flag\" : true ,\r\n \"count\":-7,\"id\" :9007199254740993, \"ratio\": 0.5,\"price\":1.25e-3, \"symbol\":\"sym-1\" } \n"}, flatWant...)
	check(t, p, []string{"\xef\xbb\xbf" + flatBody}, flatWant...)
}

func TestTheLastOfEqualMembersCounts(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"a","type":"int64"},{"name":"t","type":"string"},{"name":"s","type":"struct","fields":[{"name":"x","type":"int64"},{"name":"y","type":"string"}]},`+
		`{"name":"l","type":"list","items":{"type":"string"}},{"name":"m","type":"map","items":{"type":"int64"}}`)
	check(t, p, []string{
		`{"a":1,"t":"one","s":{"x":1,"y":"one"},"l":["a","b"],"m":{"k":1,"q":2,"k":3},"a":2,"t":"two","s":{"y":"two"},"l":["c"],"m":{"z":9}}`,
		`{"a":1,"a":null,"t":"x","t":null,"s":{"x":1},"s":null,"l":[],"l":null,"m":{},"m":null}`,
		`{"\u0061":5,"m":{"k":1,"q":2,"\u006b":3}}`,
	}, "a=[2 (null) 5]", `t=["two" (null) (null)]`, `s={[(null) (null) (null)] ["two" (null) (null)]}`, `l=[["c"] (null) (null)]`, `m=[{["z"] [9]} (null) {["q" "k"] [2 3]}]`)
}

// TestAMapOfManyKeysHasEachOnce has more keys than are compared with one another.
func TestAMapOfManyKeysHasEachOnce(t *testing.T) {
	closeBooks(t)
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, `"k%d":{"v":%d},`, i%100, i)
	}
	p := plan(t, `{"name":"m","type":"map","items":{"type":"struct","fields":[{"name":"v","type":"int64"}]}}`)
	c := p.NewColumns()
	if n, err := p.Bind(c).Append(bodies(`{"m":{`+strings.TrimSuffix(b.String(), ",")+`}}`, `{"m":{"a":{"v":1}}}`)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	data := c.Finish()[0]
	defer data.Release()
	m := array.NewMapData(data)
	defer m.Release()
	values := m.Items().(*array.Struct).Field(0).(*array.Int64)
	if m.Keys().Len() != 101 || values.Value(0) != 200 || values.Value(99) != 299 || values.Value(100) != 1 {
		t.Errorf("%d keys, %v", m.Keys().Len(), m)
	}
}

func TestAMemberThatIsMissingIsANullOrAnError(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"a","type":"int64"},{"name":"b","type":"int64","nullable":false},{"name":"s","type":"struct","fields":[{"name":"x","type":"int64","nullable":false}]}`)
	check(t, p, []string{`{"b":1}`, `{"b":2,"a":null,"s":null}`, `{"a":3,"b":3,"s":{"x":3}}`}, "a=[(null) (null) 3]", "b=[1 2 3]", "s={[(null) (null) 3]}")
	for text, want := range map[string]string{
		`{}`:                     "b: the member is missing, and the schema says that it never is, at byte 1",
		`{"b":null}`:             "b: the value is null, and the schema says that it never is, at byte 5",
		`{"b":1,"s":{}}`:         "s.x: the member is missing, and the schema says that it never is, at byte 12",
		`{"b":1,"s":{"x":null}}`: "s.x: the value is null, and the schema says that it never is, at byte 16",
	} {
		if _, failed := rows(t, p, text); len(failed) != 1 || failed[0].Error() != want {
			t.Errorf("%s: %v", text, failed)
		}
	}
}

// TestObjectsOfManyMembersAreReadAsOthers has more members than a word has bits.
func TestObjectsOfManyMembersAreReadAsOthers(t *testing.T) {
	closeBooks(t)
	var fields, body, want []string
	for i := range 200 {
		nullable := i%3 == 0
		fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":"int64","nullable":%t}`, i, nullable))
		if !nullable {
			body = append(body, fmt.Sprintf(`"f%d":%d`, i, i))
			want = append(want, fmt.Sprintf("f%d=[%d]", i, i))
		} else {
			want = append(want, fmt.Sprintf("f%d=[(null)]", i))
		}
	}
	p := plan(t, strings.Join(fields, ","))
	check(t, p, []string{"{" + strings.Join(body, ",") + "}"}, want...)
	check(t, p, []string{`{"f199":7,` + strings.Join(body, ",") + "}"}, want...)
	if _, failed := rows(t, p, "{"+strings.Join(body[:100], ",")+"}"); len(failed) != 1 || !strings.HasPrefix(failed[0].Error(), "f151: the member is missing") {
		t.Errorf("%v", failed)
	}
}

func TestABodyThatFailsLeavesTheOthersAsTheyAre(t *testing.T) {
	closeBooks(t)
	p := plan(t, flatFields+`,{"name":"l","type":"list","items":{"type":"struct","fields":[{"name":"t","type":"string"},{"name":"m","type":"map","items":{"type":"string"}}]}}`)
	with := func(list string) string { return strings.TrimSuffix(flatBody, "}") + `,"l":` + list + "}" }
	got, failed := rows(t, p, with(`[{"t":"one","m":{"a":"b"}}]`), with(`[{"t":"two","m":{"c":"d","e":"f"}},{"t":"three","m":{"g":5}}]`), with(`[{"t":"four","m":{}},null]`))
	if len(failed) != 1 || failed[0].Error() != "l.item.m.value: a string is expected, and this is a number, at byte 152" {
		t.Errorf("%v", failed)
	}
	want := `l=[{["one"] [{["a"] ["b"]}]} {["four" (null)] [{[] []} (null)]}]`
	if got[len(got)-1] != want || got[0] != "flag=[true true]" || got[5] != `symbol=["sym-1" "sym-1"]` {
		t.Errorf("%q", got)
	}
}

func TestErrorsNameThePathAndTheByte(t *testing.T) {
	p := plan(t, `{"name":"i","type":"int8"},{"name":"u","type":"uint64"},{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"b","type":"bool"},`+
		`{"name":"x","type":"binary"},{"name":"e","type":"dictionary","symbols":["A","B"]},{"name":"n","type":"decimal128(5, 2)"},{"name":"t","type":"timestamp[us, tz=UTC]"},`+
		`{"name":"l","type":"timestamp[ns]"},{"name":"y","type":"date32[day]"},{"name":"c","type":"time32[ms]"},{"name":"r","type":"list","items":{"type":"int64"}},{"name":"o","type":"struct","fields":[]}`)
	for text, want := range map[string]string{
		``:                                 "the body is empty, which is no JSON: a record without a value has null, and not an empty value",
		` `:                                "the body ends within the value (1 bytes)",
		`[]`:                               "an object is expected, and this is an array, at byte 0",
		`null`:                             "the value is null, and the schema says that it never is, at byte 0",
		`{"i":1} {`:                        "something follows the value: an object, at byte 8",
		`{"i":1,}`:                         "the name of a member is expected, in double quotes, and this is the byte 0x7d, at byte 7",
		`{i:1}`:                            "the name of a member is expected, in double quotes, and this is the byte 0x69, at byte 1",
		`{"i" 1}`:                          "a colon is expected after the name, and this is a number, at byte 5",
		`{"i":1 "u":1}`:                    "a comma or the closing bracket is expected, and this is a string, at byte 7",
		`{"i":128}`:                        "i: the number does not fit into int8, at byte 5",
		`{"i":-129}`:                       "i: the number does not fit into int8, at byte 5",
		`{"i":1.5}`:                        "i: the number is no whole number, and the column holds those only, at byte 5",
		`{"i":"1"}`:                        "i: a number is expected, as JSON writes it, and this is a string, at byte 5",
		`{"i":01}`:                         "i: a number is expected, as JSON writes it, and this is a number, at byte 5",
		`{"u":-1}`:                         "u: the number does not fit into uint64, at byte 5",
		`{"u":18446744073709551616}`:       "u: the number does not fit into uint64, at byte 5",
		`{"f":1e39}`:                       "f: the number does not fit into float32, at byte 5",
		`{"d":1e999}`:                      "d: the number does not fit into float64, at byte 5",
		`{"s":1}`:                          "s: a string is expected, and this is a number, at byte 5",
		`{"s":"\ud800"}`:                   "s: a string holds half of a surrogate pair, which is no character, at byte 6",
		"{\"s\":\"\xff\"}":                 "s: a string is not valid UTF-8, at byte 6",
		"{\"s\":\"\n\"}":                   "s: a string holds a control character, which JSON writes as an escape, at byte 6",
		`{"s":"\x"}`:                       "s: a string holds an escape that JSON does not have, at byte 6",
		`{"s":"`:                           "s: the body ends within the value (6 bytes)",
		`{"b":1}`:                          "b: true or false is expected, and this is a number, at byte 5",
		`{"x":"?"}`:                        "x: the string is not base64, at byte 5",
		`{"e":"C"}`:                        "e: the string is none of the schema's symbols, at byte 5",
		`{"n":1000}`:                       `n: the number has more digits than decimal(5, 2) (out_of_range="null" reads such values as nulls), at byte 5`,
		`{"n":1.234}`:                      `n: the number has more digits after its point than decimal(5, 2) (out_of_range="null" reads such values as nulls), at byte 5`,
		`{"t":"2023-02-29T00:00:00Z"}`:     "t: the string is no date and time, such as 2023-11-14T22:13:20Z, at byte 5",
		`{"t":"2023-02-28T00:00:00"}`:      "t: the date and time lacks its offset from UTC, such as Z or +01:00, at byte 5",
		`{"t":1700000000}`:                 `t: a string is expected, and this is a number (a number of microseconds since 1970 is read as such by json="epoch" in the field's metadata), at byte 5`,
		`{"l":"2023-02-28T00:00:00Z"}`:     "l: the date and time has an offset from UTC, and the column has no time zone, at byte 5",
		`{"l":"2300-02-28T00:00:00"}`:      `l: the date and time lies outside of 1677 to 2262, which is what nanoseconds reach (out_of_range="null" reads such values as nulls), at byte 5`,
		`{"y":"2023-13-01"}`:               "y: the string is no date, such as 2023-11-14, at byte 5",
		`{"c":"24:00:00"}`:                 `c: the string is no time of day, such as 22:13:20 or 22:13:20Z; one with another offset, or of a leap second, has no value in the column (formats="string" reads those of JSON Schema as texts), at byte 5`,
		`{"r":[1,2,"x"]}`:                  "r.item: a number is expected, as JSON writes it, and this is a string, at byte 10",
		`{"r":[1,2,]}`:                     "r.item: a number is expected, as JSON writes it, and this is the byte 0x5d, at byte 10",
		`{"r":{}}`:                         "r: an array is expected, and this is an object, at byte 5",
		`{"o":[]}`:                         "o: an object is expected, and this is an array, at byte 5",
		`{"z":[1,{"a":nul}]}`:              "a JSON value is expected, and this is null, at byte 13",
		`{"z":` + strings.Repeat("[", 300): "the value nests deeper than 256 levels, at byte 262",
	} {
		_, failed := rows(t, p, text)
		var e *status.Error
		if len(failed) != 1 || failed[0].Error() != want || !errors.As(failed[0], &e) || e.Code != status.DecodeError {
			t.Errorf("%s: %v", text, failed)
		}
	}
}

func TestNumbersAreWhatTheirTextSays(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"a","type":"int8"},{"name":"b","type":"int16"},{"name":"c","type":"int32"},{"name":"d","type":"int64"},{"name":"e","type":"uint8"},{"name":"f","type":"uint16"},`+
		`{"name":"g","type":"uint32"},{"name":"h","type":"uint64"},{"name":"n","type":"decimal128(38, 2)"},{"name":"w","type":"decimal256(76, 0)"}`)
	check(t, p, []string{
		`{"a":-128,"b":-32768,"c":-2147483648,"d":-9223372036854775808,"e":0,"f":-0,"g":0.0,"h":0e5,"n":-0.01,"w":-1e75}`,
		`{"a":127,"b":32767,"c":2147483647,"d":9223372036854775807,"e":255,"f":65535,"g":4294967295,"h":18446744073709551615,"n":"123456789012345678901234567890123456.78","w":9999999999999999999999999999999999999999999999999999999999999999999999999999}`,
		`{"a":1.0,"b":1e3,"c":1500e-2,"d":922337203685477580700e-2,"e":2.550e2,"f":0.1E1,"g":10E-1,"h":18446744073709551615.000,"n":1e3,"w":0.0}`,
	}, "a=[-128 127 1]", "b=[-32768 32767 1000]", "c=[-2147483648 2147483647 15]", "d=[-9223372036854775808 9223372036854775807 9223372036854775807]", "e=[0 255 255]", "f=[0 65535 1]",
		"g=[0 4294967295 1]", "h=[0 18446744073709551615 18446744073709551615]", "n=[-0.01 123456789012345678901234567890123456.78 1000]",
		"w=[-1"+strings.Repeat("0", 75)+" "+strings.Repeat("9", 76)+" 0]")
}

func TestTextsTimesAndBytesAreWhatTheyStandFor(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"s","type":"string"},{"name":"x","type":"binary"},{"name":"e","type":"dictionary","symbols":["B\"","ä"]},{"name":"t","type":"timestamp[us, tz=UTC]"},{"name":"l","type":"timestamp[ns]"},`+
		`{"name":"y","type":"date32[day]"},{"name":"c","type":"time64[us]"},{"name":"j","type":"json"},{"name":"p","type":"timestamp[ms, tz=UTC]","json":"epoch"},{"name":"u","type":"duration[s]"}`)
	check(t, p, []string{
		`{"s":"\"\\\/\b\f\n\r\t\u00e4\ud834\udd1e ä𝄞","x":"aGk=","e":"B\"","t":"1969-12-31T23:59:59.9999999+00:30","l":"2262-04-11T23:47:16.854775806","y":"0000-01-01","c":"23:59:59.999999","j":{"a": [1, null]},"p":-1,"u":90}`,
		`{"s":"","x":"","e":"ä","t":"9999-12-31 00:00:00z","l":"1970-01-01t00:00:00.000000001","y":"2024-02-29","c":"00:00:00Z","j":"\u0041","p":0,"u":-90}`,
	}, `s=["\"\\/\b\f\n\r\tä𝄞 ä𝄞" ""]`, `x=["hi" ""]`, `e={ dictionary: ["B\"" "ä"]`+"\n  indices: [0 1] }", "t=[-1800000001 253402214400000000]", "l=[9223372036854775806 1]",
		"y=[0000-01-01 2024-02-29]", "c=[86399999999 0]", `j=["{\"a\": [1, null]}" "\"\\u0041\""]`, "p=[-1 0]", "u=[90 -90]")
}

// TestTextsOfAnyLengthAreCopied has a quote, an escape and a letter of two bytes in each place of texts of each length.
func TestTextsOfAnyLengthAreCopied(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"s","type":"string","nullable":false}`)
	c := p.NewColumns()
	a := p.Bind(c)
	var want []string
	for n := range 200 {
		for _, in := range []struct{ json, text string }{{"x", "x"}, {`\n`, "\n"}, {"ä", "ä"}, {`\u00e4`, "ä"}} {
			for _, k := range []int{0, n / 3, n / 2, n - 1} {
				if k < 0 || k > n {
					continue
				}
				plain := strings.Repeat("0123456789", 20)[:n]
				text := `{"s":"` + plain[:k] + in.json + plain[k:] + `"}`
				if taken, err := a.Append(bodies(text)); taken != 1 || err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				want = append(want, plain[:k]+in.text+plain[k:])
			}
		}
	}
	data := c.Finish()[0]
	defer data.Release()
	got := array.NewStringData(data)
	defer got.Release()
	for i, text := range want {
		if got.Value(i) != text {
			t.Fatalf("row %d is %q and not %q", i, got.Value(i), text)
		}
	}
}

func TestMembersThatTheSchemaDoesNotNameAreNeverDroppedInSilence(t *testing.T) {
	closeBooks(t)
	s := parse(t, `{"name":"a","type":"int64"},{"name":"s","type":"struct","fields":[{"name":"x","type":"int64"}]}`)
	text := `{"q": [1, {"b": "}"}],"a":1,"s":{"x":2,"y":3},"\u0071":null}`
	p := compile(t, s, format.Options{})
	c := p.NewColumns()
	a := p.Bind(c)
	if n, err := a.Append(bodies(text, `{"a":1}`, text, `{"q":}`)); n != 3 || err == nil || a.Counts(1).UnknownMembers != 3 || a.Counts(3).UnknownMembers != 6 {
		t.Errorf("%d, %v, %+v, %+v", n, err, a.Counts(1), a.Counts(3))
	}
	c.Release()
	check(t, compile(t, s, format.Options{UnknownMembers: format.KeepUnknown}), []string{text, `{"a":1}`},
		"a=[1 1]", "s={[2 (null)]}", `_extra=["{\"q\":[1, {\"b\": \"}\"}],\"\\u0071\":null}" (null)]`)
	_, failed := rows(t, compile(t, s, format.Options{UnknownMembers: format.RaiseUnknown}), text, `{"s":{"x":1,"why":2}}`, `{"a":1}`)
	if len(failed) != 2 || !strings.HasPrefix(failed[0].Error(), "q: the schema does not name the member") || !strings.HasPrefix(failed[1].Error(), "s.why: the schema does not name the member") {
		t.Errorf("%v", failed)
	}
	if _, err := json.Compile(parse(t, `{"name":"_extra","type":"string"}`), format.Options{UnknownMembers: format.KeepUnknown}); err == nil {
		t.Error("two columns would have one name")
	}
}

func TestColumnsThatAreNotWantedAreSkippedAndNotUnknown(t *testing.T) {
	closeBooks(t)
	s := parse(t, flatFields+`,{"name":"o","type":"struct","fields":[{"name":"x","type":"int64"},{"name":"y","type":"list","items":{"type":"struct","fields":[{"name":"z","type":"int64"},{"name":"w","type":"string"}]}}]}`)
	text := strings.TrimSuffix(flatBody, "}") + `,"o":{"x":5,"y":[{"z":1,"w":"a"},{"w":"b","z":2}]}}`
	p := compile(t, s, format.Options{Columns: []string{"price", "o.y.z"}})
	check(t, p, []string{text}, "price=[0.00125]", "o={[{[1 2]}]}")
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	if n, err := a.Append(bodies(text)); n != 1 || err != nil || a.Counts(1) != (format.Counts{}) {
		t.Errorf("%d, %v, %+v", n, err, a.Counts(1))
	}
	for _, path := range []string{"prise", "o.q", "price.x"} {
		if _, err := json.Compile(s, format.Options{Columns: []string{path}}); err == nil || !strings.Contains(err.Error(), "columns: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAReaderSchemaReadsByName(t *testing.T) {
	closeBooks(t)
	writer, reader := parse(t, flatFields), parse(t, `{"name":"symbol","type":"string"},{"name":"added","type":"int64"},{"name":"id","type":"double"}`)
	p := compile(t, writer, format.Options{Reader: reader})
	check(t, p, []string{flatBody}, `symbol=["sym-1"]`, "added=[(null)]", "id=[9.007199254740992e+15]")
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	if n, err := a.Append(bodies(flatBody, `{"new":1}`)); n != 2 || err != nil || a.Counts(1).UnknownMembers != 0 || a.Counts(2).UnknownMembers != 1 {
		t.Errorf("%d, %v, %+v", n, err, a.Counts(2))
	}
}

func TestBodiesMayBeNullWherePlansAreNullable(t *testing.T) {
	closeBooks(t)
	for _, options := range []format.Options{{Nullable: true}, {Nullable: true, Whole: true}} {
		p := compile(t, parse(t, `{"name":"a","type":"int64","nullable":false},{"name":"t","type":"list","items":{"type":"string"}}`), options)
		c := p.NewColumns()
		list := bodies(`{"a":1,"t":["x"]}`, "", `{"a":2}`)
		list[1].Len = -1
		if n, err := p.Bind(c).Append(list); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		for _, d := range c.Finish() {
			if arr := array.MakeFromData(d); arr.Len() != 3 || !arr.IsNull(1) || arr.IsNull(0) {
				t.Errorf("%v", arr)
			} else {
				arr.Release()
			}
			d.Release()
		}
	}
}

func TestValuesThatAreNoObjectsAreOneColumn(t *testing.T) {
	closeBooks(t)
	for schema, c := range map[string][2]string{
		`{"type":"int64","nullable":false}`:                                              {"17", "value=[17]"},
		`{"type":"list","items":{"type":"string"}}`:                                      {`["a",null]`, `value=[["a" (null)]]`},
		`{"type":"map","items":{"type":"struct","fields":[{"name":"x","type":"bool"}]}}`: {`{"a":{"x":true}}`, `value=[{["a"] {[true]}}]`},
		`{"type":"json"}`: {`[1,{}]`, `value=["[1,{}]"]`},
		`{"type":"null"}`: {`null`, `value=[(null)]`},
	} {
		s, err := json.Parse(`{"arrow":`+schema+`}`, format.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		check(t, compile(t, s, format.Options{}), []string{c[0]}, c[1])
	}
}

func TestRecursiveTypesAreTextsOrAnError(t *testing.T) {
	closeBooks(t)
	node := &json.Type{Kind: json.Object, Name: "Node"}
	node.Fields = []json.Field{{Name: "v", Type: &json.Type{Kind: json.Integer}}, {Name: "kids", Nullable: true, Type: &json.Type{Kind: json.Array, Items: &json.Field{Type: node}}}}
	s := json.NewSchema("Node", json.Field{Type: node}, 0)
	if _, err := json.Compile(s, format.Options{}); err == nil || !strings.Contains(err.Error(), `recursion="json"`) {
		t.Errorf("%v", err)
	}
	check(t, compile(t, s, format.Options{Recursion: format.JSON}), []string{`{"v":1,"kids":[{"v":2,"kids":null}]}`, `{"v":3}`}, "v=[1 3]", `kids=["[{\"v\":2,\"kids\":null}]" (null)]`)
}

func TestBranchesOfAUnionAreToldApartByWhatStandsThere(t *testing.T) {
	closeBooks(t)
	branches := []json.Field{
		{Name: "object", Type: &json.Type{Kind: json.Object, Fields: []json.Field{{Name: "x", Type: &json.Type{Kind: json.Integer}}}}},
		{Name: "array", Type: &json.Type{Kind: json.Array, Items: &json.Field{Type: &json.Type{Kind: json.Text}}}},
		{Name: "text", Type: &json.Type{Kind: json.Text}}, {Name: "whole", Type: &json.Type{Kind: json.Integer}}, {Name: "number", Type: &json.Type{Kind: json.Number}},
		{Name: "truth", Type: &json.Type{Kind: json.Boolean}},
	}
	s := json.NewSchema("", json.Field{Type: &json.Type{Kind: json.Object, Fields: []json.Field{{Name: "u", Nullable: true, Type: &json.Type{Kind: json.Union, Fields: branches}}}}}, 0)
	p := compile(t, s, format.Options{})
	check(t, p, []string{`{"u":{"x":1}}`, `{"u":["a"]}`, `{"u":"b"}`, `{"u":-2}`, `{"u":3.0}`, `{"u":true}`, `{"u":null}`, `{"u":"c","u":4}`},
		`u={{[1 (null) (null) (null) (null) (null) (null) (null)]} [(null) ["a"] (null) (null) (null) (null) (null) (null)] [(null) (null) "b" (null) (null) (null) (null) (null)] `+
			`[(null) (null) (null) -2 (null) (null) (null) 4] [(null) (null) (null) (null) 3 (null) (null) (null)] [(null) (null) (null) (null) (null) true (null) (null)]}`)
}

func TestValuesOutOfRangeMayBeNulls(t *testing.T) {
	closeBooks(t)
	p := compile(t, parse(t, `{"name":"n","type":"decimal128(3, 1)","nullable":false},{"name":"t","type":"timestamp[ns]","nullable":false},{"name":"c","type":"time32[s]","json":"epoch","nullable":false}`), format.Options{OutOfRange: format.NullOutOfRange})
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	if n, err := a.Append(bodies(`{"n":1000,"t":"3000-01-01T00:00:00","c":86400}`, `{"n":1,"t":"2000-01-01T00:00:00","c":86399}`)); n != 2 || err != nil || a.Counts(1).OutOfRange != 3 || a.Counts(2).OutOfRange != 3 {
		t.Errorf("%d, %v, %+v", n, err, a.Counts(2))
	}
}

// TestARowThatTakesLongIsGivenUpAndStartsAgain reads a long message in slices.
func TestARowThatTakesLongIsGivenUpAndStartsAgain(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"a","type":"list","items":{"type":"double"}}`)
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	long := `{"a":[` + strings.Repeat("0.5,", 1<<19) + `1]}`
	asked := 0
	a.SetContinue(func() bool { asked++; return asked < 3 })
	if n, err := a.Append(bodies(`{"a":[1]}`, long)); n != 1 || !errors.Is(err, format.ErrLong) || c.Rows() != 1 {
		t.Fatal(n, err, c.Rows())
	}
	a.SetContinue(nil)
	a.SetRowTimeout(time.Nanosecond)
	if n, err := a.Append(bodies(long)); n != 0 || !errors.Is(err, format.ErrLong) {
		t.Fatal(n, err)
	}
	a.SetRowTimeout(0)
	if n, err := a.Append(bodies(long)); n != 1 || err != nil || c.Rows() != 2 {
		t.Fatal(n, err)
	}
}

func TestNothingIsAllocatedForAMessage(t *testing.T) {
	closeBooks(t)
	p := plan(t, flatFields+`,{"name":"l","type":"list","items":{"type":"double"}},{"name":"m","type":"map","items":{"type":"string"}},{"name":"t","type":"timestamp[us, tz=UTC]"},{"name":"e","type":"dictionary","symbols":["A","B"]},{"name":"n","type":"decimal128(18, 4)"}`)
	text := strings.TrimSuffix(flatBody, "}") + `,"l":[1.5,2.5],"m":{"a":"b","c":"d"},"t":"2023-11-14T22:13:20.5Z","e":"B","n":12.5,"unknown":[{"a":"\u00e4"}],"\u0074":null}`
	c := p.NewColumns()
	a := p.Bind(c)
	list := bodies(text)
	for range 2000 { // room for all that follow
		if n, err := a.Append(list); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	for _, d := range c.Finish() {
		d.Release()
	}
	if _, err := a.Append(list); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = a.Append(list) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	c.Release()
}

func TestTheShapeIsThatOfTheColumns(t *testing.T) {
	same := [][2]string{{`{"name":"a","type":"timestamp[ms, tz=UTC]"}`, `{"name":"a","type":"timestamp[ms, tz=UTC]","json":"epoch"}`}}
	for _, c := range same {
		if plan(t, c[0]).Shape() != plan(t, c[1]).Shape() {
			t.Errorf("%s and %s differ", c[0], c[1])
		}
	}
	seen := map[string]string{}
	for _, fields := range []string{
		`{"name":"a","type":"int64"}`, `{"name":"b","type":"int64"}`, `{"name":"a","type":"int32"}`, `{"name":"a","type":"int64","nullable":false}`, `{"name":"a","type":"dictionary","symbols":["A"]}`,
		`{"name":"a","type":"dictionary","symbols":["B"]}`, `{"name":"a","type":"struct","fields":[{"name":"b","type":"int64"}]}`, `{"name":"a","type":"struct","fields":[{"name":"c","type":"int64"}]}`,
		`{"name":"a","type":"list","items":{"type":"int64"}}`, `{"name":"a","type":"list","items":{"type":"int64","nullable":false}}`, `{"name":"a","type":"map","items":{"type":"int64"}}`,
		`{"name":"a","type":"decimal128(5, 2)"}`, `{"name":"a","type":"decimal128(5, 3)"}`, `{"name":"a","type":"timestamp[us]"}`, `{"name":"a","type":"timestamp[us, tz=UTC]"}`,
	} {
		shape := plan(t, fields).Shape()
		if other, twice := seen[shape]; twice {
			t.Errorf("%s and %s have one shape", fields, other)
		}
		seen[shape] = fields
	}
}

func TestTheTextOfASchemaGivesTheSchema(t *testing.T) {
	text := `{"arrow":{"name":"orders","type":"struct","nullable":false,"fields":[{"name":"a","type":"int8"},{"name":"b","type":"uint64","nullable":false},{"name":"c","type":"float"},{"name":"d","type":"double"},` +
		`{"name":"e","type":"string"},{"name":"f","type":"binary"},{"name":"g","type":"bool"},{"name":"h","type":"null"},{"name":"i","type":"date32[day]"},{"name":"j","type":"date32[day]","json":"epoch"},` +
		`{"name":"k","type":"time32[s]"},{"name":"l","type":"time64[ns]","json":"epoch"},{"name":"m","type":"timestamp[ms, tz=Europe/Berlin]"},{"name":"n","type":"timestamp[ns]","json":"epoch"},` +
		`{"name":"o","type":"duration[us]"},{"name":"p","type":"decimal128(10, 2)"},{"name":"q","type":"decimal256(50, 0)","json":"unscaled"},{"name":"r","type":"dictionary","symbols":["<A>","B"]},` +
		`{"name":"s","type":"struct","fields":[{"name":"x","type":"int16"}]},{"name":"t","type":"list","items":{"type":"int32","nullable":false}},{"name":"u","type":"map","items":{"type":"json"}}]}}`
	s, err := json.Parse(text, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Text() != text || s.TypeName() != "orders" {
		t.Errorf("%s becomes\n%s", text, s.Text())
	}
}

func TestASchemaThatCannotBeReadIsASchemaError(t *testing.T) {
	deep := strings.Repeat(`{"type":"list","items":`, 300) + `{"type":"int64"}` + strings.Repeat("}", 300)
	for _, text := range []string{
		``, `{}`, `[]`, `{"arrow":null}`, `{"arrow":{"type":"int65"}}`, `{"arrow":{"type":"list"}}`, `{"arrow":{"type":"dictionary"}}`, `{"arrow":{"type":"int64","json":"epoch"}}`, `{"arrow":{"type":"int64"}} x`,
		`{"arrow":{"type":"decimal128(39, 0)"}}`, `{"arrow":{"type":"decimal256(77, 0)"}}`, `{"arrow":{"type":"decimal128(5, 6)"}}`, `{"arrow":{"type":"decimal128(5)"}}`, `{"arrow":{"type":"timestamp[m]"}}`,
		`{"arrow":{"type":"large_string"}}`, `{"arrow":` + deep + `}`, `{"type":"object"}`,
	} {
		var e *status.Error
		if _, err := json.Parse(text, format.Limits{}); !errors.As(err, &e) || e.Code != status.SchemaError {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, fields := range []string{`{"name":"a","type":"int64"},{"name":"a","type":"string"}`, `{"name":"a","type":"dictionary","symbols":["A","A"]}`} {
		var e *status.Error
		if _, err := json.Compile(parse(t, fields), format.Options{}); !errors.As(err, &e) || e.Code != status.SchemaError {
			t.Errorf("%s: %v", fields, err)
		}
	}
}

func TestMarkedFieldsAreReportedAsEncrypted(t *testing.T) {
	s := json.NewSchema("R", json.Field{Type: &json.Type{Kind: json.Object, Fields: []json.Field{{Name: "ssn", Type: &json.Type{Kind: json.Text}, Tags: []string{"PII"}}, {Name: "id", Type: &json.Type{Kind: json.Integer}}}}}, 0)
	s.MarkEncrypted(2, func(rule int, field string, tags []string) bool {
		return rule == 1 && field == "$.ssn" && len(tags) == 1
	})
	got := compile(t, s, format.Options{}).Encrypted()
	if len(got) != 1 || got[0].Path != "ssn" || len(got[0].Rules) != 1 || got[0].Rules[0] != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAFloatIsRoundedOnce(t *testing.T) {
	closeBooks(t)
	p := plan(t, `{"name":"f","type":"float"}`)
	// Rounded to a double first, it lies in the middle between two floats.
	c := p.NewColumns()
	if n, err := p.Bind(c).Append(bodies(`{"f":1.000000059604644775390626}`, `{"f":-0.0}`)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	d := c.Finish()[0]
	defer d.Release()
	f := array.NewFloat32Data(d)
	defer f.Release()
	if f.Value(0) != math.Nextafter32(1, 2) || math.Float32bits(f.Value(1)) != 1<<31 {
		t.Errorf("%v", f)
	}
}
