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
