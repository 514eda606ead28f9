package jsonschema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// encrypted are the paths that a schema's plan reads as ciphertext, where a rule is for these full names and for the tag PII.
func encrypted(t *testing.T, s *json.Schema, options format.Options, names ...string) string {
	t.Helper()
	s.MarkEncrypted(1, func(_ int, field string, tags []string) bool {
		return slices.Contains(names, field) || slices.Contains(tags, "PII")
	})
	return encryptedOf(t, s, options)
}

func encryptedOf(t *testing.T, s *json.Schema, options format.Options) string {
	t.Helper()
	p, err := json.Compile(s, options)
	if err != nil {
		t.Fatal(err)
	}
	paths := make([]string, len(p.Encrypted()))
	for i, v := range p.Encrypted() {
		paths[i] = v.Path
	}
	return strings.Join(paths, " ")
}

func TestTextsThatSerializersEncryptAreNamedWhereverTheyStand(t *testing.T) {
	const tagged = `"confluent:tags": ["PII"]`
	for _, test := range []struct{ name, members, names, want string }{
		{"a text", `"a": {"type": "string", ` + tagged + `}, "b": {"type": "string"}`, "", "a"},
		{"a text that may be null", `"a": {"type": ["string", "null"], ` + tagged + `}`, "", "a"},
		{"texts in an array", `"a": {"type": "array", "items": {"type": "string"}, ` + tagged + `}`, "", "a"},
		{"texts in arrays of arrays", `"a": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}, ` + tagged + `}`, "", "a"},
		{"texts in a map", `"a": {"type": "object", "additionalProperties": {"type": "string"}, ` + tagged + `}`, "", "a"},
		{"a text or a number", `"a": {"anyOf": [{"type": "string"}, {"type": "integer"}], ` + tagged + `}`, "", "a"},
		{"what is any value", `"a": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}], ` + tagged + `}`, "", "a"},
		{"texts of a format", `"a": {"type": "string", "format": "date-time", ` + tagged + `}`, "", "a"},
		{"bytes and decimals", `"a": {"type": "string", "connect.type": "bytes", ` + tagged + `}, "b": {"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", ` + tagged + `}`, "", "a b"},
		{"keys and values of Connect's maps", `"a": {"type": "array", "connect.type": "map", "items": {"properties": {"key": {"type": "string", ` + tagged + `}, "value": {"type": "string", ` + tagged + `}}}}`, "", "a.key a.value"},
		{"numbers and enums", `"a": {"type": "integer", ` + tagged + `}, "b": {"enum": ["x"], ` + tagged + `}, "c": {"type": "boolean", ` + tagged + `}`, "", ""},
		{"a pattern of full names", `"a": {"type": "string"}, "b": {"properties": {"c": {"type": "string"}}}`, "$.b.c", "b.c"},
		{"a name within an array", `"a": {"type": "array", "items": {"properties": {"c": {"type": "string"}}}}`, "$.a.c", "a.item.c"},
		{"a name within one of several objects", `"a": {"oneOf": [{"title": "X", "properties": {"c": {"type": "string"}}, "required": ["c"]}, {"title": "Y", "properties": {"d": {"type": "string"}}}]}`, "$.a.c", "a.X.c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := parse(t, `{"title": "T", "properties": {`+test.members+`}}`)
			if got := encrypted(t, s, format.Options{}, test.names); got != test.want {
				t.Errorf("%q, not %q", got, test.want)
			}
		})
	}
}

func TestATypeThatStandsInTwoPlacesHasTheNamesOfBoth(t *testing.T) {
	s := parse(t, `{"title": "T", "properties": {"a": {"$ref": "#/$defs/P"}, "b": {"$ref": "#/$defs/P"}}, "$defs": {"P": {"properties": {"c": {"type": "string"}}}}}`)
	if got := encrypted(t, s, format.Options{}, "$.b.c"); got != "a.c b.c" { // more than are, as both are one type
		t.Error(got)
	}
}

func TestARecursiveTypeThatIsReadAsTextIsEncryptedWhereSomethingInItIs(t *testing.T) {
	s := parse(t, `{"title": "T", "properties": {"n": {"type": "integer"}, "below": {"$ref": "#"}, "list": {"type": "array", "items": {"$ref": "#"}}, "s": {"type": "string", "confluent:tags": ["PII"]}}}`)
	if got := encrypted(t, s, format.Options{Recursion: format.JSON}); got != "below list s" {
		t.Error(got)
	}
	if got := encryptedOf(t, s, format.Options{Recursion: format.JSON, Columns: []string{"n"}}); got != "" {
		t.Error(got)
	}
}

func TestAReaderReadsCiphertextWhereTheWriterHasEncrypted(t *testing.T) {
	const tagged = `"confluent:tags": ["PII"]`
	writer := `{"title": "T", "properties": {"a": {"type": "string", ` + tagged + `}, "b": {"type": "array", "items": {"properties": {"c": {"type": "string", ` + tagged + `}, "d": {"type": "string"}}}},
		"u": {"anyOf": [{"type": "integer"}, {"properties": {"e": {"type": "string", ` + tagged + `}}}]}, "m": {"type": "object", "additionalProperties": {"properties": {"f": {"type": "string", ` + tagged + `}}}}}}`
	for reader, want := range map[string]string{
		`"a": {"type": "string"}`: "a",
		`"a": {}`:                 "a",
		`"b": {"type": "array", "items": {"properties": {"c": {"type": "string"}}}}`: "b.item.c",
		`"b": {"type": "array", "items": {"properties": {"d": {"type": "string"}}}}`: "",
		`"b": {}`: "b",
		`"u": {"anyOf": [{"type": "integer"}, {"properties": {"e": {"type": "string"}}}]}`:           "u",
		`"m": {"type": "object", "additionalProperties": {"properties": {"f": {"type": "string"}}}}`: "m.value.f",
		`"new": {"type": "string"}`: "",
	} {
		w := parse(t, writer)
		w.MarkEncrypted(1, func(_ int, _ string, tags []string) bool { return len(tags) > 0 })
		if got := encryptedOf(t, w, format.Options{Reader: parse(t, `{"title": "T", "properties": {`+reader+`}}`)}); got != want {
			t.Errorf("%s: %q, not %q", reader, got, want)
		}
	}
}
