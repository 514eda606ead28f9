package jsonschema_test

import (
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// FuzzJSONSchema parses and compiles any text, with a reference of any text: a SchemaError or a plan, never a crash.
func FuzzJSONSchema(f *testing.F) {
	for _, c := range types {
		f.Add(c.schema, `{"$id": "http://example.com/x", "definitions": {"x": {"type": "string"}}}`)
	}
	for _, c := range refusals {
		f.Add(c.schema, c.schema)
	}
	f.Add(`{"$ref": "other.json#/definitions/x"}`, `{"definitions": {"x": {"$ref": "#"}}}`)
	f.Fuzz(func(t *testing.T, text, other string) {
		limits := format.Limits{Columns: 2000} // so that an input takes little time
		s, err := jsonschema.Format{}.Parse(text, []format.Reference{{Name: "other.json", Text: other}}, limits)
		if err != nil {
			if status.Wrap(err).Code != status.SchemaError {
				t.Fatal(err)
			}
			return
		}
		before := cmem.Live()
		for _, o := range []format.Options{{Limits: limits}, {Limits: limits, Recursion: format.JSON, UnknownMembers: format.KeepUnknown, Formats: format.TextFormats}} {
			p, err := jsonschema.Format{}.Compile(s, o)
			if err != nil {
				if status.Wrap(err).Code != status.SchemaError {
					t.Fatal(err)
				}
				continue
			}
			c := p.NewColumns()
			for _, body := range []string{text, other, `{"a": 1, "b": "x"}`} {
				_, _ = p.Bind(c).Append([]format.Body{bodyOf(strings.TrimSpace(body))})
			}
			c.Release()
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}
