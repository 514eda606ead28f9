package jsonschema_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
)

// parse reads a schema, or fails the test.
func parse(t *testing.T, text string, references ...format.Reference) *json.Schema {
	t.Helper()
	s, err := jsonschema.Parse(text, references, format.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// refused returns the error of a schema, which must be a SchemaError.
func refused(t *testing.T, text string, references ...format.Reference) *jsonschema.SchemaError {
	t.Helper()
	s, err := jsonschema.Parse(text, references, format.Limits{})
	var e *jsonschema.SchemaError
	if !errors.As(err, &e) {
		shown := ""
		if s != nil {
			shown = show(s)
		}
		t.Fatalf("%.500s: no SchemaError but %v %s", text, err, shown)
	}
	return e
}

// show renders a type, short: {a: int64, b: utf8?}, where ? is "may be null". An object within itself is "…".
func show(s *json.Schema) string {
	return showField(s.Root(), nil)
}

func showField(f json.Field, open []*json.Type) string {
	text := showType(f.Type, open)
	if f.Nullable {
		text += "?"
	}
	if len(f.Tags) > 0 {
		text += fmt.Sprint(" #", strings.Join(f.Tags, "#"))
	}
	return text
}

func showType(t *json.Type, open []*json.Type) string {
	if slices.Contains(open, t) {
		return "…"
	}
	open = append(open, t)
	list := func() string {
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + ": " + showField(f, open)
		}
		return strings.Join(parts, ", ")
	}
	of := func(name string) string {
		if t.Arrow != nil {
			return name + "(" + t.Arrow.String() + ")"
		}
		return name
	}
	switch t.Kind {
	case json.Any:
		return "any"
	case json.Null:
		return "null"
	case json.Boolean:
		return "bool"
	case json.Integer:
		return of("integer")
	case json.Number:
		return of("number")
	case json.Text:
		return "text"
	case json.Base64:
		return "base64"
	case json.Enum:
		return "enum[" + strings.Join(t.Symbols, " ") + "]"
	case json.UnscaledDecimal:
		return of("decimal")
	case json.DateTime:
		return "date-time"
	case json.Date:
		return "date"
	case json.Time:
		return "time"
	case json.Epoch:
		return of("epoch")
	case json.Object:
		return "{" + list() + "}"
	case json.Array:
		return "[" + showField(*t.Items, open) + "]"
	case json.Map:
		return "map[" + showField(*t.Items, open) + "]"
	case json.Entries:
		return "entries[" + list() + "]"
	case json.Union:
		return "union(" + list() + ")"
	}
	return t.Kind.String()
}

// types are what schemas become.
var types = []struct{ about, schema, want string }{
	{"plain types", `{"properties": {"a": {"type": "boolean"}, "b": {"type": "integer"}, "c": {"type": "number"}, "d": {"type": "string"}, "e": {"type": "null"}},
		"required": ["a", "b", "c", "d", "e"]}`, "{a: bool, b: integer, c: number, d: text, e: null?}"},
	{"members that are not required", `{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["b"]}`, "{a: integer?, b: integer}"},
	{"the order of the text", `{"properties": {"z": {"type": "string"}, "a": {"type": "string"}, "m": {"type": "string"}}}`, "{z: text?, a: text?, m: text?}"},
	{"connect.index", `{"properties": {"z": {"type": "string", "connect.index": 2}, "x": {"type": "string"}, "a": {"type": "string", "connect.index": 0}, "m": {"oneOf": [{"type": "null"}, {"type": "string"}], "connect.index": 1}}}`,
		"{a: text?, m: text?, z: text?, x: text?}"},
	{"formats", `{"properties": {"a": {"type": "string", "format": "date-time"}, "b": {"type": "string", "format": "date"}, "c": {"type": "string", "format": "time"},
		"d": {"type": "string", "format": "uuid"}, "e": {"type": "string", "format": "email"}, "f": {"type": "integer", "format": "utc-millisec"}}}`,
		"{a: date-time?, b: date?, c: time?, d: text?, e: text?, f: integer?}"},
	{"a format alone", `{"properties": {"a": {"format": "date-time"}}, "required": ["a"]}`, "{a: any?}"},

	{"an enum of strings", `{"enum": ["a", "b"]}`, "enum[a b]"},
	{"an enum that is typed", `{"type": "string", "enum": ["a", "b", "a", 1]}`, "enum[a b]"},
	{"an enum with null", `{"enum": ["a", null]}`, "enum[a]?"},
	{"an enum whose type refuses its null", `{"type": "string", "enum": ["a", null]}`, "enum[a]"},
	{"a const", `{"const": "a"}`, "enum[a]"},
	{"constants as branches", `{"oneOf": [{"const": "a", "title": "First"}, {"const": "b"}, {"type": "null"}]}`, "enum[a b]?"},
	{"an enum of numbers", `{"enum": [1, 2.0, 1e3]}`, "integer"},
	{"an enum of other numbers", `{"enum": [1, 2.5]}`, "number"},
	{"an enum of booleans", `{"enum": [true]}`, "bool"},
	{"a mixed enum", `{"enum": ["a", 1]}`, "any"},
	{"an enum of objects", `{"enum": [{"a": 1}]}`, "any"},
	{"enums that both count", `{"allOf": [{"enum": ["a", "b", "c"]}, {"enum": ["c", "b", "x"]}]}`, "enum[c b]"},
	{"null alone", `{"const": null}`, "null?"},

	{"null as a branch", `{"oneOf": [{"type": "null", "title": "Not included"}, {"type": "integer"}]}`, "integer?"},
	{"null in a list", `{"type": ["null", "string"]}`, "text?"},
	{"nullable", `{"type": "string", "nullable": true}`, "text?"},
	{"nullable beside allOf", `{"allOf": [{"type": "string"}], "nullable": true}`, "text?"},
	{"required and nullable", `{"properties": {"a": {"type": ["integer", "null"]}}, "required": ["a"]}`, "{a: integer?}"},

	{"a list of types", `{"type": ["string", "integer", "null"]}`, "union(integer: integer?, string: text?)?"},
	{"a list of numbers", `{"type": ["integer", "number"]}`, "number"},
	{"every type", `{"type": ["null", "boolean", "integer", "number", "string", "array", "object"]}`, "any?"},
	{"a list with an array of anything", `{"type": ["string", "array"]}`, "any"},
	{"a list with an array", `{"type": ["string", "array"], "items": {"type": "string"}}`, "union(string: text?, array: [text]?)"},
	{"branches of JSON types", `{"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "array", "items": {"type": "integer"}}, {"properties": {"a": {"type": "string"}}}]}`,
		"union(string: text?, number: number?, boolean: bool?, array: [integer]?, object: {a: text?}?)"},
	{"branches of numbers", `{"anyOf": [{"type": "integer"}, {"type": "number"}]}`, "number"},
	{"branches of widths", `{"anyOf": [{"type": "integer", "connect.type": "int8"}, {"type": "integer", "connect.type": "int16"}]}`, "integer"},
	{"branches of strings", `{"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]}`, "text"},
	{"branches of enums", `{"anyOf": [{"enum": ["a"]}, {"enum": ["b", "a"]}]}`, "enum[a b]"},
	{"branches of an enum and strings", `{"anyOf": [{"enum": ["a"]}, {"type": "string"}]}`, "text"},
	{"branches of arrays", `{"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]}`, "any"},
	{"a branch of anything", `{"anyOf": [{"type": "string"}, {}]}`, "any?"},
	{"a branch that cannot be", `{"anyOf": [{"type": "string"}, false]}`, "text"},
	{"branches that contradict what is common", `{"type": "string", "anyOf": [{"type": "string"}, {"type": "integer"}]}`, "text"},
	{"branches within branches", `{"anyOf": [{"anyOf": [{"type": "string"}, {"type": "null"}]}, {"oneOf": [{"type": "boolean"}]}]}`, "union(string: text?, boolean: bool?)?"},
	{"choices that both count", `{"allOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}]}`, "integer"},
	{"branches of the same schema", `{"definitions": {"a": {"properties": {"x": {"type": "string"}}}}, "oneOf": [{"$ref": "#/definitions/a"}, {"type": "null"}, {"$ref": "#/definitions/a"}]}`, "{x: text?}?"},

	{"branches of required members only", `{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}`, "{a: text?, b: text?}"},
	{"branches with members beside others", `{"properties": {"kind": {"enum": ["x", "y"]}}, "required": ["kind"], "oneOf": [
		{"properties": {"kind": {"const": "x"}, "a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a"]},
		{"properties": {"kind": {"const": "y"}, "b": {"type": "integer"}, "c": {"type": "integer"}}}]}`,
		"{kind: enum[x y], a: text?, c: union(string: text?, integer: integer?)?, b: integer?}"},
	{"if, then and else", `{"properties": {"a": {"type": "string"}}, "if": {}, "then": {"properties": {"b": {"type": "string"}}, "required": ["b"]}, "else": {"properties": {"c": {"type": "string"}}}}`, "{a: text?, b: text?, c: text?}"},
	{"dependent schemas", `{"properties": {"a": {"type": "string"}}, "dependentSchemas": {"a": {"properties": {"b": {"type": "string"}}}}, "dependencies": {"a": ["b"], "x": {"properties": {"c": {"type": "string"}}}}}`, "{a: text?, b: text?, c: text?}"},

	{"allOf", `{"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}, "a": {"type": ["string", "null"]}}}]}`, "{a: text, b: text?}"},
	{"allOf before its own members", `{"allOf": [{"properties": {"a": {"type": "string"}}}], "properties": {"b": {"type": "string"}}}`, "{a: text?, b: text?}"},
	{"allOf after its own members", `{"properties": {"b": {"type": "string"}}, "allOf": [{"properties": {"a": {"type": "string"}}}]}`, "{b: text?, a: text?}"},
	{"members of members that both count", `{"allOf": [{"properties": {"o": {"properties": {"a": {"type": "string"}}}}}, {"properties": {"o": {"properties": {"b": {"type": "string"}}, "required": ["a"]}}}]}`, "{o: {a: text, b: text?}?}"},
	{"a whole number of numbers", `{"allOf": [{"type": "number"}, {"type": "integer"}]}`, "integer"},

	{"a map", `{"type": "object", "additionalProperties": {"type": "integer"}}`, "map[integer]"},
	{"a map of values that may be null", `{"type": "object", "additionalProperties": {"type": ["integer", "null"]}}`, "map[integer?]"},
	{"a map of patterns", `{"type": "object", "patternProperties": {"^a": {"type": "integer"}, "^b": {"type": "number"}}, "additionalProperties": false}`, "map[number]"},
	{"patterns among others", `{"type": "object", "patternProperties": {"^a": {"type": "integer"}}}`, "any"},
	{"members and others", `{"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}`, "{a: text?}"},
	{"an object of anything", `{"properties": {"a": {"type": "object"}, "b": {"type": "object", "additionalProperties": true}, "c": {"type": "object", "properties": {}}}, "required": ["a", "b", "c"]}`, "{a: any, b: any, c: any}"},
	{"anything", `{"properties": {"a": {}, "b": true, "c": {"description": "text"}}, "required": ["a", "b", "c"]}`, "{a: any?, b: any?, c: any?}"},
	{"a member that must not be there", `{"properties": {"a": false, "b": {"type": "string"}}}`, "{a: null?, b: text?}"},
	{"an array", `{"type": "array", "items": {"type": ["string", "null"]}}`, "[text?]"},
	{"an array of anything", `{"properties": {"a": {"type": "array"}, "b": {"type": "array", "items": {}}, "c": {"type": "array", "items": true}}, "required": ["a", "b", "c"]}`, "{a: any, b: any, c: any}"},
	{"a tuple", `{"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}`, "any"},
	{"a tuple of 2020-12", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}}`, "any"},
	{"an array of arrays", `{"type": "array", "items": {"type": "array", "items": {"properties": {"a": {"type": "string"}}}}}`, "[[{a: text?}]]"},

	{"Connect's numbers", `{"properties": {"a": {"type": "integer", "connect.type": "int8"}, "b": {"type": "integer", "connect.type": "int16"}, "c": {"type": "integer", "connect.type": "int32"},
		"d": {"type": "integer", "connect.type": "int64"}, "e": {"type": "number", "connect.type": "float32"}, "f": {"type": "number", "connect.type": "float64"}, "g": {"type": "number", "connect.type": "int32"}}}`,
		"{a: integer(int8)?, b: integer(int16)?, c: integer(int32)?, d: integer(int64)?, e: number(float32)?, f: number(float64)?, g: integer(int32)?}"},
	{"Connect's bytes", `{"type": "string", "connect.type": "bytes"}`, "base64"},
	{"Connect's map", `{"type": "object", "connect.type": "map", "additionalProperties": {"type": "integer", "connect.type": "int32"}}`, "map[integer(int32)]"},
	{"Connect's map of entries", `{"type": "array", "connect.type": "map", "items": {"type": "object", "properties": {"value": {"oneOf": [{"type": "null"}, {"type": "string"}], "connect.index": 1}, "key": {"type": "integer", "connect.type": "int32", "connect.index": 0}}}}`,
		"entries[key: integer(int32)?, value: text?]"},
	{"a map of entries that has no keys", `{"type": "array", "connect.type": "map", "items": {"type": "object", "properties": {"value": {"type": "string"}}}}`, "[{value: text?}]"},
	{"Connect's dates", `{"properties": {
		"a": {"type": "integer", "title": "org.apache.kafka.connect.data.Date", "connect.version": 1, "connect.type": "int32"},
		"b": {"type": "integer", "title": "org.apache.kafka.connect.data.Time", "connect.version": 1, "connect.type": "int32"},
		"c": {"oneOf": [{"type": "null"}, {"type": "integer", "title": "org.apache.kafka.connect.data.Timestamp", "connect.version": 1, "connect.type": "int64"}]}}}`,
		"{a: epoch(date32)?, b: epoch(time32[ms])?, c: epoch(timestamp[ms, tz=UTC])?}"},
	{"Connect's decimals", `{"properties": {
		"a": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.version": 1, "connect.type": "bytes", "connect.parameters": {"scale": "2", "connect.decimal.precision": "9"}},
		"b": {"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.version": 1, "connect.type": "bytes", "connect.parameters": {"scale": "2"}},
		"c": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "20", "connect.decimal.precision": "60"}}}}`,
		"{a: decimal(decimal(9, 2))?, b: decimal(decimal(38, 2))?, c: decimal(decimal256(60, 20))?}"},
	{"a decimal without a scale", `{"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes"}`, "base64"},
	{"a title that is for people", `{"properties": {"a": {"type": "integer", "title": "Age"}, "b": {"type": "string", "title": "org.example.Name"}}}`, "{a: integer?, b: text?}"},

	{"tags", `{"properties": {"a": {"type": "string", "confluent:tags": ["PII", "x"]}}}`, "{a: text? #PII#x}"},

	{"a $ref to a definition", `{"definitions": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/x"}}}`, "{a: text?}"},
	{"a $ref to a definition of 2019-09", `{"$defs": {"x y/z~": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x%20y~1z~0"}}}`, "{a: text?}"},
	{"a $ref to a member", `{"properties": {"a": {"type": "string"}, "b": {"$ref": "#/properties/a"}}, "required": ["a"]}`, "{a: text, b: text?}"},
	{"a $ref into a list", `{"anyOf": [{"type": "string"}, {"$ref": "#/anyOf/0"}]}`, "text"},
	{"a $ref to an anchor", `{"$defs": {"x": {"$anchor": "text", "type": "string"}}, "properties": {"a": {"$ref": "#text"}}}`, "{a: text?}"},
	{"a $ref to an anchor of draft 7", `{"definitions": {"x": {"$id": "#text", "type": "string"}}, "properties": {"a": {"$ref": "#text"}}}`, "{a: text?}"},
	{"a $ref to an anchor of draft 4", `{"$schema": "http://json-schema.org/draft-04/schema#", "definitions": {"x": {"id": "#text", "type": "string"}}, "properties": {"a": {"$ref": "#text"}}}`, "{a: text?}"},
	{"a $ref to an $id", `{"$id": "http://example.com/root.json", "definitions": {"x": {"$id": "sub/x.json", "type": "string", "definitions": {"y": {"type": "integer"}}}}, "properties": {"a": {"$ref": "sub/x.json"}, "b": {"$ref": "http://example.com/sub/x.json#/definitions/y"}, "c": {"$ref": "root.json#/properties/a"}}}`,
		"{a: text?, b: integer?, c: text?}"},
	{"a $ref within a part that has an $id", `{"$id": "http://example.com/root.json", "definitions": {"x": {"$id": "sub/x.json", "properties": {"d": {"$ref": "y.json"}, "e": {"$ref": "#/properties/d"}}}, "y": {"$id": "http://example.com/sub/y.json", "type": "boolean"}}, "$ref": "#/definitions/x"}`, "{d: bool?, e: bool?}"},
	{"an $id that is a value", `{"definitions": {"e": {"enum": [{"$id": "x.json", "type": "null"}]}, "x": {"$id": "x.json", "type": "string"}}, "properties": {"a": {"$ref": "x.json"}}}`, "{a: text?}"},
	{"what stands beside a $ref, in draft 7", `{"definitions": {"x": {"properties": {"a": {"type": "string"}}}}, "properties": {"o": {"$ref": "#/definitions/x", "properties": {"b": {"type": "string"}}, "connect.index": 3}}}`, "{o: {a: text?}?}"},
	{"what stands beside a $ref, in 2019-09", `{"$schema": "https://json-schema.org/draft/2019-09/schema", "$defs": {"x": {"properties": {"a": {"type": "string"}}}}, "properties": {"o": {"$ref": "#/$defs/x", "properties": {"b": {"type": "string"}}}}}`, "{o: {a: text?, b: text?}?}"},
	{"a $dynamicRef", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"x": {"$dynamicAnchor": "n", "type": "string"}}, "properties": {"a": {"$dynamicRef": "#n"}}}`, "{a: text?}"},
	{"a $dynamicRef that may lead to several", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"x": {"$dynamicAnchor": "n", "type": "string"}, "y": {"$id": "y", "$dynamicAnchor": "n", "type": "integer"}}, "properties": {"a": {"$dynamicRef": "#n"}}}`, "{a: any?}"},

	{"a circle", `{"properties": {"name": {"type": "string"}, "next": {"$ref": "#"}}}`, "{name: text?, next: …?}"},
	{"a circle through branches", `{"$defs": {"Node": {"properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}, "parent": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": null}}, "required": ["children"]}}, "$ref": "#/$defs/Node"}`,
		"{children: [… ], parent: …?}"},
	{"a circle through a map", `{"additionalProperties": {"$ref": "#"}}`, "map[…]"},
	{"a circle through a union", `{"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]}`, "union(string: text?, array: [union(string: text?, array: …?)]?)"},
	{"true", `true`, "any?"},
}

func TestSchemasBecomeTheirTypes(t *testing.T) {
	for _, c := range types {
		if got, want := show(parse(t, c.schema)), strings.ReplaceAll(c.want, "… ", "…"); got != want {
			t.Errorf("%s: %s\nis   %s\nnot  %s", c.about, c.schema, got, want)
		}
	}
}

func TestTheMessageTypeIsTheTitle(t *testing.T) {
	for schema, want := range map[string]string{
		`{"title": "com.acme.Order", "type": "object", "properties": {"a": {"type": "string", "title": "A"}}}`:       "com.acme.Order",
		`{"$defs": {"Order": {"title": "Order", "properties": {"a": {"type": "string"}}}}, "$ref": "#/$defs/Order"}`: "Order",
	} {
		if got := parse(t, schema).TypeName(); got != want {
			t.Errorf("%s: %q", schema, got)
		}
	}
}

func TestReferencesAreFoundByTheirNames(t *testing.T) {
	customer := format.Reference{Name: "customer.json", Text: `{"title": "Customer", "properties": {"address": {"$ref": "address.json#/definitions/address"}}}`}
	address := format.Reference{Name: "address.json", Text: `{"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://example.com/a.json", "definitions": {"address": {"properties": {"zip": {"$ref": "#/definitions/zip"}}}, "zip": {"type": "string"}}}`}
	const want = "{customer: {address: {zip: text?}?}?}"
	for about, ref := range map[string]string{
		"the name":                     `{"properties": {"customer": {"$ref": "customer.json"}}}`,
		"a name beside an $id":         `{"$id": "http://example.com/order.json", "properties": {"customer": {"$ref": "customer.json"}}}`,
		"a name with an empty pointer": `{"properties": {"customer": {"$ref": "customer.json#"}}}`,
		"a name within a definition":   `{"definitions": {"c": {"$ref": "./customer.json"}}, "properties": {"customer": {"$ref": "#/definitions/c"}}}`,
	} {
		if got := show(parse(t, ref, address, customer)); got != want {
			t.Errorf("%s: %s", about, got)
		}
	}
	uri := format.Reference{Name: "http://example.com/customer.json", Text: `{"properties": {"address": {"$ref": "http://example.com/a.json#/definitions/address"}}}`}
	if got := show(parse(t, `{"$id": "http://example.com/order.json", "properties": {"customer": {"$ref": "customer.json"}}}`, address, uri)); got != want {
		t.Error(got)
	}
	if got := show(parse(t, `{"properties": {"customer": {"$ref": "c"}}}`, address, customer, format.Reference{Name: "c", Text: customer.Text})); got != want {
		t.Errorf("a text of two names: %s", got)
	}
}

func TestAReferenceOfTwoTextsIsNamed(t *testing.T) {
	e := refused(t, `{"properties": {"a": {"$ref": "x"}}}`, format.Reference{Name: "x", Text: `{"type": "string"}`}, format.Reference{Name: "y", Text: `{"type": "null"}`}, format.Reference{Name: "x", Text: `{"type": "integer"}`})
	if !slices.Equal(e.Duplicates(), []int{0, 2}) || e.Path != "a" {
		t.Errorf("%v %v %q", e, e.Duplicates(), e.Path)
	}
}

// refusals are schemas that have no type, and what their errors say.
var refusals = []struct{ about, schema, path, says string }{
	{"no JSON", `{"type": `, "", "the schema is not JSON"},
	{"an empty text", ``, "", "the schema is not JSON"},
	{"two texts", `{} {}`, "", "text after its end"},
	{"no schema", `[]`, "", "a schema is an object, true or false, not []"},
	{"a member that is there twice", `{"properties": {"a": {"type": "string"}, "b": {}, "a": {"type": "integer"}}}`, "", `the member "a" is there twice in the object at /properties/`},
	{"an unknown type", `{"properties": {"a": {"type": "int"}}}`, "a", `the type "int" is unknown`},
	{"a type that is no word", `{"type": 5}`, "", "the type 5 is unknown"},
	{"a $ref that leads nowhere", `{"properties": {"a": {"$ref": "#/definitions/x"}}}`, "a", `$ref "#/definitions/x" leads nowhere: there is no /definitions/x in its schema`},
	{"an anchor that is nowhere", `{"properties": {"a": {"$ref": "#x"}}}`, "a", `has no anchor "x"`},
	{"a $ref to another host", `{"properties": {"a": {"properties": {"b": {"$ref": "http://127.0.0.1:1/x.json"}}}}}`, "a.b", "nothing is fetched from a network"},
	{"a $ref to no schema", `{"properties": {"a": {"$ref": "#/title"}}, "title": "x"}`, "a", "which is no schema"},
	{"a $ref that is no text", `{"$ref": 1}`, "", "$ref is 1, and no string"},
	{"a $ref to itself", `{"$ref": "#"}`, "", "composed of itself"},
	{"two that refer to each other", `{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}, "properties": {"x": {"$ref": "#/definitions/a"}}}`, "x", "composed of itself"},
	{"allOf of itself", `{"allOf": [{"$ref": "#"}]}`, "", "composed of itself"},
	{"anyOf of itself", `{"anyOf": [{"$ref": "#"}, {"type": "null"}]}`, "", "composed of itself"},
	{"a contradiction", `{"properties": {"a": {"allOf": [{"type": "string"}, {"type": "integer"}]}}}`, "a", "contradicts itself"},
	{"no branch", `{"oneOf": []}`, "", "oneOf is [], and no array of schemas"},
	{"a list that is none", `{"allOf": {}}`, "", "allOf is {}, and no array of schemas"},
	{"properties that are none", `{"properties": []}`, "", "properties is [], and no object"},
	{"an enum that is none", `{"enum": "a"}`, "", `enum is "a", and no array`},
}

func TestASchemaWithoutATypeIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range refusals {
		e := refused(t, c.schema)
		if e.Path != c.path || !strings.Contains(e.Msg, c.says) {
			t.Errorf("%s: at %q: %s", c.about, e.Path, e.Msg)
		}
	}
	e := refused(t, `{"properties": {"a": {"$ref": "custmer.json"}}}`, format.Reference{Name: "customer.json", Text: `{}`})
	if !strings.Contains(e.Msg, "the schema's references are customer.json") {
		t.Error(e)
	}
	if _, err := jsonschema.Parse(`{}`, []format.Reference{{Name: "x.json", Text: `{`}}, format.Limits{}); err == nil || !strings.Contains(err.Error(), `referenced schema "x.json"`) {
		t.Error(err)
	}
}
