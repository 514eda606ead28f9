package json_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestTheSchemaOfMessagesIsInferred(t *testing.T) {
	var wide []string
	for i := range 1001 {
		wide = append(wide, fmt.Sprintf(`"k%d":1`, i))
	}
	for _, c := range []struct {
		texts []string
		want  string // the fields
	}{
		{[]string{`{"b":1,"a":"x","c":true,"d":1.5,"e":null}`}, `"b":int64,"a":string,"c":bool,"d":float64,"e":json`},
		{[]string{`{"a":1}`, `{"a":2.5}`, `{"b":1e3}`, `{"b":1}`}, `"a":float64,"b":float64`},
		{[]string{`{"a":null}`, `{"a":1}`, `{}`}, `"a":int64`},
		{[]string{`{"a":1}`, `{"a":"x"}`, `{"b":{}}`, `{"b":[]}`}, `"a":json,"b":json`},
		{[]string{`{"a":9223372036854775807,"b":9223372036854775808,"c":1e999}`}, `"a":int64,"b":json,"c":json`},
		{[]string{`{"a":[1,null]}`, `{"a":[2.5]}`, `{"a":[]}`}, `"a":list<float64>`},
		{[]string{`{"a":[[],["x"]],"b":[],"c":[null],"d":[1,"x"]}`}, `"a":list<list<string>>,"b":list<json>,"c":list<json>,"d":list<json>`},
		{[]string{`{"a":{"x":1}}`, `{"a":{"y":{"z":"t"},"x":null}}`, `{"a":{}}`}, `"a":struct<"x":int64,"y":struct<"z":string>>`},
		{[]string{`{"a":{},"b":"2024-01-01","a":5}`}, `"a":json,"b":string`},
		{[]string{"\xef\xbb\xbf" + `{"a":1}`, `nonsense`, `{"b":1} x`, `7`, `null`}, `"a":int64`},
		{[]string{`{"a":{` + strings.Join(wide, ",") + `}}`}, `"a":json`},
	} {
		s, err := json.Infer("", bodies(c.texts...))
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(s.Root().Type); got != "struct<"+c.want+">" {
			t.Errorf("%q: %s and not %s", c.texts, got, c.want)
		}
		again, err := json.Parse(s.Text(), format.Limits{})
		if err != nil || again.Text() != s.Text() {
			t.Errorf("%s: %v", s.Text(), err)
		}
	}
}

// describe writes an inferred type, short. All of it is nullable.
func describe(t *json.Type) string {
	switch t.Kind {
	case json.Object:
		var parts []string
		for _, f := range t.Fields {
			if !f.Nullable {
				return f.Name + " is not nullable"
			}
			parts = append(parts, `"`+f.Name+`":`+describe(f.Type))
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case json.Array:
		return "list<" + describe(t.Items.Type) + ">"
	case json.Any:
		return "json"
	case json.Text:
		return "string"
	case json.Boolean:
		return "bool"
	}
	return t.Arrow.String()
}

func TestMessagesThatAreNoObjectsAreInferredAsOneValue(t *testing.T) {
	closeBooks(t)
	for text, want := range map[string]string{`[1,2]`: `value=[[1 2]]`, `"x"`: `value=["x"]`, `null`: `value=[(null)]`, `{}`: `value=["{}"]`} {
		s, err := json.Infer("", bodies(text))
		if err != nil {
			t.Fatal(err)
		}
		check(t, compile(t, s, format.Options{}), []string{text}, want)
	}
}

func TestWithoutAMessageThatIsJSONThereIsNoSchema(t *testing.T) {
	null := bodies("")
	null[0].Len = -1
	for _, list := range [][]format.Body{nil, null, bodies("nonsense", ""), bodies(strings.Repeat("[", 1<<24))} {
		var e *status.Error
		if s, err := json.Infer("", list); !errors.As(err, &e) || e.Code != status.SchemaError {
			t.Errorf("%v, %v", s, err)
		}
	}
}

// TestWhatWasInferredIsRead reads the messages by the schema that they gave.
func TestWhatWasInferredIsRead(t *testing.T) {
	closeBooks(t)
	_, every := everyKind(t)
	texts := []string{every, flatBody, `{"flag":null}`, `{"m":{"a":{"k":[]}},"j":{"a":[{"deep":[[[1]]]}]}}`}
	s, err := json.Infer("", bodies(texts...))
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, s, format.Options{UnknownMembers: format.RaiseUnknown})
	if _, failed := rows(t, p, texts...); len(failed) > 0 {
		t.Error(failed)
	}
}

// FuzzInfer infers a schema of any bytes, and reads them by it.
func FuzzInfer(f *testing.F) {
	_, good := everyKind(f)
	f.Add([]byte(good), []byte(flatBody))
	f.Add([]byte(`{"a":[{}],"a":null}`), []byte(`[[1],[1.5]]`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		s, err := json.Infer("", bodies(string(one), string(other)))
		if err != nil {
			return
		}
		again, err := json.Parse(s.Text(), format.Limits{})
		if err != nil || again.Text() != s.Text() {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		p, err := json.Compile(s, format.Options{})
		if err != nil {
			return // of too many columns
		}
		c := p.NewColumns()
		defer c.Release()
		a := p.Bind(c)
		_, _ = a.Append(bodies(string(one)))
		_, _ = a.Append(bodies(string(other)))
	})
}
