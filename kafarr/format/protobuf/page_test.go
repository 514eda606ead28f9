package protobuf_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// TestThePageSaysWhatTypesBecome compares the table of docs/protobuf.md with the types of the table of kinds, and with an empty body.
func TestThePageSaysWhatTypesBecome(t *testing.T) {
	page, err := os.ReadFile("../../../docs/protobuf.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "|---|---|---|\n")
	if !found {
		t.Fatal("the page has no table")
	}
	var want strings.Builder
	for _, k := range kinds {
		s, err := parse(t, schemaOf(k.field)).Named("t.T")
		if err != nil {
			t.Fatal(err)
		}
		p := compileSchema(t, s, format.Options{})
		absent, _, _ := strings.Cut(strings.TrimPrefix(decode(t, p, "")[0], "x="), " y=")
		switch absent {
		case "∅":
			absent = "null"
		case "":
			absent = "empty"
		default:
			absent = "`" + absent + "`"
		}
		fmt.Fprintf(&want, "| `%s` | `%s` | %s |\n", strings.TrimSuffix(strings.ReplaceAll(k.field, "x = 1", "x"), ";"), p.Fields()[0].Type, absent)
	}
	if table != want.String() {
		t.Errorf("the table is\n%s", want.String())
	}
}
