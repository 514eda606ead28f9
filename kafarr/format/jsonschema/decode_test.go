package jsonschema_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func bodyOf(text string) format.Body {
	return format.Body{Data: unsafe.Pointer(unsafe.StringData(text)), Len: len(text)}
}

// compile makes the plan of a schema, or fails the test.
func compile(t *testing.T, text string, options format.Options, references ...format.Reference) format.Plan {
	t.Helper()
	plan, err := jsonschema.Format{}.Compile(parse(t, text, references...), options)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return plan
}

// read decodes bodies and renders the columns: a=[1 2] b=["x" (null)].
func read(t *testing.T, plan format.Plan, bodies ...string) (string, error) {
	t.Helper()
	columns := plan.NewColumns()
	defer columns.Release()
	a := plan.Bind(columns)
	for _, b := range bodies {
		if _, err := a.Append([]format.Body{bodyOf(b)}); err != nil {
			return "", err
		}
	}
	var parts []string
	for i, d := range columns.Finish() {
		c := array.MakeFromData(d)
		values := make([]string, c.Len())
		for row := range values {
			values[row] = c.ValueStr(row)
		}
		parts = append(parts, plan.Fields()[i].Name+"="+strings.Join(values, "|"))
		c.Release()
		d.Release()
	}
	return strings.Join(parts, " "), nil
}

func TestObjectsAreOfTheBranchThatTheirMembersFit(t *testing.T) {
	plan := compile(t, `{"properties": {"v": {"oneOf": [
		{"title": "A", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "B", "properties": {"kind": {"const": "b"}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "C", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}, "z": {"type": "integer"}}, "required": ["x"]},
		{"title": "D", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}, "w": {"type": "integer"}}, "required": ["x", "y"]},
		{"type": "string"}, {"type": "null"}]}}}`, format.Options{})
	for body, want := range map[string]string{
		`{"kind": "b", "x": 1}`:                "B",
		`{"x": 1, "k\\u0069nd": "\\u0061"}`:    "A",
		`{"x": 1}`:                             "C",
		`{"y": 2, "x": 1}`:                     "C", // as D, and the first
		`{"y": 2, "x": 1, "w": {"a": [1]}}`:    "",  // D, whose w is no integer
		`{"y": 2, "x": 1, "w": 3}`:             "D",
		`{"y": 2, "x": 1, "z": 3, "other": 0}`: "C",
		`{"kind": "b", "x": 1, "y": 2}`:        "B",
		`{"kind": "c", "x": 1, "y": 2}`:        "C",
		`{"kind": "c"}`:                        "",
		`{}`:                                   "",
		`{"x"`:                                 "",
		`{"x": 1,}`:                            "",
		`{"x": 1 "y": 2}`:                      "",
	} {
		got, err := read(t, plan, `{"v": `+strings.ReplaceAll(body, `\\`, `\`)+`}`)
		if want == "" {
			if status.Wrap(err) == nil || status.Wrap(err).Code != status.DecodeError {
				t.Errorf("%s: %s %v", body, got, err)
			}
			continue
		}
		if err != nil || !strings.Contains(got, `"`+want+`":{`) || strings.Count(got, ":null") < 4 {
			t.Errorf("%s: %s %v", body, got, err)
		}
	}
	if got, err := read(t, plan, `{"v": "text"}`, `{"v": {"kind": "a"}}`, `{}`); err != nil || got != `v={"A":null,"B":null,"C":null,"D":null,"string":"text"}|{"A":{"kind":"a","x":null},"B":null,"C":null,"D":null,"string":null}|(null)` {
		t.Error(got, err)
	}
}

func TestAColumnOfJSONTextsTakesWhatItsSchemaDoes(t *testing.T) {
	for _, c := range []struct{ schema, body, want string }{
		{`{"type": "object"}`, `{"a":1}`, `v={"a":1}`},
		{`{"type": "object"}`, `null`, "never is"},
		{`{"type": "object"}`, `5`, "an object is expected, and this is a number"},
		{`{"type": "object"}`, `nul`, "expected"},
		{`{"type": ["object", "null"]}`, `null`, "v=(null)"},
		{`{"type": "array"}`, `[1,"a"]`, `v=[1,"a"]`},
		{`{"type": "array"}`, `{}`, "an array is expected, and this is an object"},
		{`{"type": "array"}`, `null`, "never is"},
		{`{"enum": [1, "a"]}`, `"a"`, `v="a"`},
		{`{"enum": [1, "a"]}`, `true`, "a string or a number is expected, and this is a boolean"},
		{`{"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]}`, `null`, "never is"},
		{`{}`, `null`, "v=(null)"},
		{`{}`, `true`, "v=true"},
	} {
		got, err := read(t, compile(t, `{"properties": {"v": `+c.schema+`}, "required": ["v"]}`, format.Options{}), `{"v": `+c.body+`}`)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s of %s: %s, %q is wanted", c.body, c.schema, got, c.want)
		}
	}
}

func TestTheLastOfTwoEntriesOfAMapCounts(t *testing.T) {
	entries := func(key string) format.Plan {
		return compile(t, `{"properties": {"m": {"type": "array", "connect.type": "map", "items": {"type": "object",
			"properties": {"key": {"type": "`+key+`"}, "value": {"type": "string"}}, "required": ["key"]}}}}`, format.Options{})
	}
	for _, c := range []struct{ key, body, want string }{
		{"integer", `[{"key":1,"value":"x"},{"key":2},{"value":"y","key":1}]`, `m=[{"key":2,"value":null},{"key":1,"value":"y"}]`},
		{"string", `[{"key":"a","value":"x"}, {"key":"\u0061", "value":null} ]`, `m=[{"key":"a","value":null}]`},
		{"number", `[{"key":1.5,"value":"{]"},{"key":15e-1,"value":"y"},{"key":1.5,"value":"z"}]`, `m=[{"key":1.5,"value":"z"}]`},
	} {
		if got, err := read(t, entries(c.key), `{"m": `+c.body+`}`); err != nil || got != c.want {
			t.Errorf("%s: %s %v, %s is wanted", c.body, got, err, c.want)
		}
	}
}

func TestObjectsAreToldApartByNumbersAndBooleans(t *testing.T) {
	plan := compile(t, `{"properties": {"v": {"oneOf": [
		{"title": "One", "properties": {"kind": {"const": 1}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "Few", "properties": {"kind": {"type": "integer", "enum": [2, -3, -9223372036854775808]}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "Both", "properties": {"kind": {"anyOf": [{"const": 4}, {"enum": [5, 6]}]}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "Yes", "properties": {"on": {"const": true}, "x": {"type": "integer"}}, "required": ["on"]},
		{"title": "No", "properties": {"on": {"type": "boolean", "enum": [false]}, "x": {"type": "integer"}}, "required": ["on"]},
		{"title": "Number", "properties": {"n": {"type": "number", "const": 7}}, "required": ["n"]},
		{"title": "Any", "properties": {"n": {"anyOf": [{"const": 8}, {"type": "integer"}]}, "x": {"type": "integer"}}, "required": ["n"]}]}}}`, format.Options{})
	for body, want := range map[string]string{
		`{"kind": 1, "x": 1}`:                    "One",
		`{"kind": 2, "x": 1}`:                    "Few",
		`{"x": 1, "kind": -3}`:                   "Few",
		`{"x": 1, "kind": -9223372036854775808}`: "Few",
		`{"kind": 4}`:                            "Both",
		`{"kind": 6}`:                            "Both",
		`{"on": true}`:                           "Yes",
		`{"on": false, "x": 1}`:                  "No",
		`{"n": 7}`:                               "Number",
		`{"n": 9}`:                               "Any",
		`{"kind": 3}`:                            "",
		`{"kind": 9223372036854775808}`:          "",
		`{"x": 1}`:                               "",
	} {
		got, err := read(t, plan, `{"v": `+body+`}`)
		if want == "" && err == nil || want != "" && (err != nil || !strings.Contains(got, `"`+want+`":{`)) {
			t.Errorf("%s: %s, %v", body, got, err)
		}
	}
	merged := compile(t, `{"properties": {"v": {"oneOf": [
		{"title": "A", "properties": {"k": {"oneOf": [{"const": 1}, {"type": "integer"}]}}, "required": ["k"]}, {"title": "B", "properties": {"k": {"const": 2}, "b": {"type": "string"}}, "required": ["k"]}]}}}`, format.Options{})
	if got, err := read(t, merged, `{"v": {"k": 5, "b": "x"}}`); err != nil || !strings.Contains(got, `"A":{`) {
		t.Error(got, err)
	}
}

func TestBranchesAreToldApartByMembersThatNoColumnTakes(t *testing.T) {
	text := `{"properties": {"v": {"oneOf": [
		{"title": "A", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind"]},
		{"title": "B", "properties": {"x": {"type": "integer"}, "kind": {"const": "b"}}},
		{"title": "C", "properties": {"n": {"const": 1}, "x": {"type": "integer"}}},
		{"title": "D", "properties": {"n": {"const": 2}, "x": {"type": "integer"}, "must": {"type": "string"}}, "required": ["must"]}]}}}`
	plan := compile(t, text, format.Options{Columns: []string{"v.x"}})
	for body, want := range map[string]string{
		`{"kind": "a", "x": 1}`:         "A",
		`{"kind": "b", "x": 1}`:         "B",
		`{"x": 1, "n": 1}`:              "C",
		`{"x": 1, "n": 2, "must": "y"}`: "D",
	} {
		if got, err := read(t, plan, `{"v": `+body+`}`); err != nil || !strings.Contains(got, `"`+want+`":{"x":1}`) {
			t.Errorf("%s: %s, %v", body, got, err)
		}
	}
	if got, err := read(t, plan, `{"v": {"kind": "c", "n": 2, "x": 1}}`); err == nil || !strings.Contains(err.Error(), "none of the union's branches") {
		t.Error(got, err)
	}
}

func TestAnObjectOfNoBranchIsNamedAsOne(t *testing.T) {
	plan := compile(t, `{"properties": {"v": {"oneOf": [
		{"title": "A", "properties": {"kind": {"const": "a"}}, "required": ["kind"]},
		{"title": "B", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}]}}}`, format.Options{})
	if _, err := read(t, plan, `{"v": {"kind": "c"}}`); err == nil || !strings.Contains(err.Error(), "the object is none of the union's branches") {
		t.Error(err)
	}
}

func TestANumberThatIsADecimalOfNoScaleIsRefused(t *testing.T) {
	for _, parameters := range []string{`{}`, `{"scale": "x"}`, `{"scale": "-2"}`, `{"scale": "80"}`} {
		text := `{"properties": {"v": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": ` + parameters + `}}}`
		if e := refused(t, text); !strings.Contains(e.Error(), "scale") {
			t.Error(e)
		}
	}
}

// TestChoosingABranchCostsNoMoreThanItsBudget has a body that ends in the middle, which is found out only by who has read as far.
func TestChoosingABranchCostsNoMoreThanItsBudget(t *testing.T) {
	branches := make([]string, 600)
	for i := range branches {
		branches[i] = fmt.Sprintf(`{"title": "B%[1]d", "properties": {"b%[1]d": {"type": "integer"}}, "required": ["b%[1]d"]}`, i)
	}
	plan := compile(t, `{"properties": {"v": {"oneOf": [`+strings.Join(branches, ",")+`]}}}`, format.Options{Limits: format.Limits{MessageSteps: 1}})
	_, err := read(t, plan, `{"v": {`+strings.Repeat(`"m":1,`, 5000))
	if err == nil || !strings.Contains(err.Error(), "the message has more values than its limit") {
		t.Error(err)
	}
}
