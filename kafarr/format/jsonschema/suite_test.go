package jsonschema_test

import (
	"compress/gzip"
	stdjson "encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// suite is JSON-Schema-Test-Suite (testdata/suite.license), drafts 4 to 2020-12, without what is optional.
type suite struct {
	Cases []struct {
		Draft, File, About, Schema string
		Tests                      [][2]any // a message, and whether it is valid
	}
	Remotes map[string]string // by their URIs
}

func readSuite(t *testing.T) (s suite) {
	t.Helper()
	f, err := os.Open("testdata/suite.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := stdjson.NewDecoder(text).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheSuiteOfJSONSchemaIsCompiledOrRefused compiles each schema, finds each $ref in it, and reads the valid messages that are objects, where it becomes columns.
func TestTheSuiteOfJSONSchemaIsCompiledOrRefused(t *testing.T) {
	s := readSuite(t)
	var remotes []format.Reference
	for uri, text := range s.Remotes {
		remotes = append(remotes, format.Reference{Name: uri, Text: text})
	}
	compiled, refused, messages := 0, 0, 0
	for _, c := range s.Cases {
		about := c.Draft + "/" + c.File + ": " + c.About + ": " + c.Schema
		var references []format.Reference
		if strings.Contains(c.Schema, "localhost:1234") {
			references = remotes
		}
		parsed, err := jsonschema.Format{}.Parse(c.Schema, references, format.Limits{})
		if err != nil {
			refused++
			metaschema := strings.Contains(err.Error(), `schema" leads nowhere`) || strings.Contains(err.Error(), `schema#" leads nowhere`)
			nothing := strings.Contains(c.About, "all false") && strings.Contains(err.Error(), "contradicts itself")
			if status.Wrap(err).Code != status.SchemaError || !metaschema && !nothing { // every other $ref is found
				t.Errorf("%s: %v", about, err)
			}
			continue
		}
		plan, err := jsonschema.Format{}.Compile(parsed, format.Options{Recursion: format.JSON})
		if err != nil {
			t.Errorf("%s: %v", about, err)
			continue
		}
		compiled++
		if parsed.(*json.Schema).Root().Type.Kind != json.Object {
			continue
		}
		for _, test := range c.Tests {
			message := test[0].(string)
			if !strings.HasPrefix(message, "{") || !test[1].(bool) {
				continue
			}
			messages++
			if _, err := read(t, plan, message); err != nil {
				t.Errorf("%s: %s: %v", about, message, err)
			}
		}
	}
	if compiled < 1355 || messages < 370 {
		t.Errorf("of %d schemas, %d were compiled and %d refused, and %d messages read", len(s.Cases), compiled, refused, messages)
	}
}
