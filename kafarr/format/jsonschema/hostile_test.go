package jsonschema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// definitions makes a schema of n definitions; the root refers to the first.
func definitions(n int, text func(i int) string) string {
	var b strings.Builder
	b.WriteString(`{"$ref": "#/definitions/d0", "definitions": {`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d": %s,`, i, text(i))
	}
	fmt.Fprintf(&b, `"d%d": {"type": "string"}}}`, n)
	return b.String()
}

func ref(i int) string { return fmt.Sprintf(`{"$ref": "#/definitions/d%d"}`, i) }

// bombs are short schemas that stand for much.
var bombs = map[string]string{
	"depth":             strings.Repeat(`{"items":`, 100_000) + `{}` + strings.Repeat("}", 100_000),
	"arrays":            strings.Repeat(`[`, 1_000_000),
	"a chain of $refs":  definitions(5000, func(i int) string { return ref(i + 1) }),
	"members, doubling": definitions(60, func(i int) string { return fmt.Sprintf(`{"properties": {"a": %s, "b": %s}}`, ref(i+1), ref(i+1)) }),
	"items, deep":       definitions(2000, func(i int) string { return fmt.Sprintf(`{"type": "array", "items": %s}`, ref(i+1)) }),
	"members, deep":     definitions(2000, func(i int) string { return fmt.Sprintf(`{"properties": {"a": %s}}`, ref(i+1)) }),
	"allOf, doubling":   definitions(180, func(i int) string { return fmt.Sprintf(`{"allOf": [%s, %s]}`, ref(i+1), ref(i+1)) }),
	"anyOf, doubling":   definitions(60, func(i int) string { return fmt.Sprintf(`{"anyOf": [%s, %s]}`, ref(i+1), ref(i+1)) }),
	"anyOf, doubling, with members": definitions(60, func(i int) string {
		return fmt.Sprintf(`{"properties": {"p%d": {"type": "string"}}, "anyOf": [%s, {"properties": {"q%d": %s}}]}`, i, ref(i+1), i, ref(i+1))
	}),
	"choices that all count": `{"allOf": [` + strings.Repeat(`{"anyOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]},`, 40) + `{}]}`,
	"unions of arrays and maps": definitions(60, func(i int) string {
		return fmt.Sprintf(`{"anyOf": [{"type": "array", "items": %s}, {"type": "object", "additionalProperties": %s}]}`, ref(i+1), ref(i+1))
	}),
	"sets of definitions": definitions(60, func(i int) string {
		return fmt.Sprintf(`{"properties": {"a": {"allOf": [%s, %s]}, "b": {"allOf": [%s, %s]}}}`, ref((i+1)%59), ref((i*7+3)%59), ref((i*5+1)%59), ref((i*3+2)%59))
	}),
	"members, many times": `{"definitions": {"d": {"properties": {` + list(1000, func(i int) string { return fmt.Sprintf(`"m%d": {"type": "string"}`, i) }) + `}}}, "properties": {` +
		list(5000, func(i int) string {
			return fmt.Sprintf(`"p%d": {"allOf": [{"$ref": "#/definitions/d"}, {"required": ["m%d"]}]}`, i, i)
		}) + `}}`,
	"a list of values, many times": `{"definitions": {"e": {"enum": [` + list(20_000, func(i int) string { return fmt.Sprintf(`"symbol %d"`, i) }) + `]}}, "properties": {` +
		list(5000, func(i int) string { return fmt.Sprintf(`"p%d": {"$ref": "#/definitions/e"}`, i) }) + `}}`,
	"lists of values that all count": `{"allOf": [` + list(200, func(int) string { return `{"enum": [` + list(500, func(i int) string { return fmt.Sprint(i) }) + `]}` }) + `], "anyOf": [` + list(500, func(i int) string { return fmt.Sprintf(`{"enum": [%d]}`, i) }) + `]}`,
	"a pointer of many parts":        `{"$ref": "#` + strings.Repeat("/items", 100_000) + `"}`,
	"many branches":                  `{"anyOf": [` + list(5_000, func(i int) string { return fmt.Sprintf(`{"properties": {"a%d": {"type": "string"}}}`, i) }) + `]}`,
	"a circle of many": definitions(100, func(i int) string {
		return fmt.Sprintf(`{"properties": {"a": %s, "b": %s}}`, ref((i+1)%100), ref((i+37)%100))
	}),
}

func list(n int, text func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = text(i)
	}
	return strings.Join(parts, ",")
}

// TestShortSchemasThatStandForMuchComeToAnEnd allows each what a loaded machine may take; without bounds, most would take years.
func TestShortSchemasThatStandForMuchComeToAnEnd(t *testing.T) {
	hostile.Unwatched(t)
	for about, text := range bombs {
		began := time.Now()
		s, err := jsonschema.Format{}.Parse(text, nil, format.Limits{})
		if err == nil {
			for _, options := range []format.Options{{}, {Recursion: format.JSON}} {
				_, compiled := jsonschema.Format{}.Compile(s, options)
				if err == nil {
					err = compiled
				}
			}
		}
		if coded := status.Wrap(err); err != nil && coded.Code != status.SchemaError {
			t.Errorf("%s: %.300v", about, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%s: it took %v (%.200v)", about, took, err)
		}
	}
}

func TestASchemaThatExceedsALimitSaysWhich(t *testing.T) {
	for _, c := range []struct{ bomb, says string }{
		{"depth", "nests deeper than 600 levels"},
		{"a chain of $refs", "or nests deeper than 200 levels"},
		{"anyOf, doubling", "the schema is composed of its parts in too many ways"},
		{"choices that all count", "the schema is composed of its parts in too many ways"},
	} {
		_, err := jsonschema.Parse(bombs[c.bomb], nil, format.Limits{})
		var e *jsonschema.SchemaError
		if !errors.As(err, &e) || !strings.Contains(e.Msg, c.says) {
			t.Errorf("%s: %v", c.bomb, err)
		}
	}
	if _, err := jsonschema.Parse(`{"items": {"items": {}}}`, nil, format.Limits{SchemaDepth: -1}); err == nil || !strings.Contains(err.Error(), "schema_depth") {
		t.Error(err)
	}
}

func TestALargeSchemaIsNoBomb(t *testing.T) {
	text := `{"definitions": {` + list(300, func(i int) string {
		return fmt.Sprintf(`"d%d": {"title": "T%d", "properties": {"a": {"type": "string"}, "b": {"type": ["null", "integer"]}}}`, i, i)
	}) + `}, "properties": {` + list(3000, func(i int) string {
		return fmt.Sprintf(`"p%d": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/d%d"}]}`, i, i%300)
	}) + `}}`
	s := parse(t, text)
	if n := len(s.Root().Type.Fields); n != 3000 {
		t.Error(n)
	}
	plan, err := jsonschema.Format{}.Compile(s, format.Options{})
	if err != nil || len(plan.Fields()) != 3000 {
		t.Error(err)
	}
}
