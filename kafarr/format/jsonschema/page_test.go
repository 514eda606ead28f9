package jsonschema_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// cells are those of each line of the table of docs/json-schema.md: what stands between backticks.
func cells(t *testing.T) (out [][][]string) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/json-schema.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		var row [][]string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), " | ") {
			var codes []string
			for _, found := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cell, -1) {
				codes = append(codes, found[1])
			}
			row = append(row, codes)
		}
		out = append(out, row)
	}
	return out
}

// columnText is how the page writes a type.
func columnText(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.StructType:
		parts := make([]string, len(t.Fields()))
		for i, f := range t.Fields() {
			parts[i] = f.Name + ": " + columnText(f.Type)
		}
		return "struct<" + strings.Join(parts, ", ") + ">"
	case *arrow.ListType:
		return "list<item: " + columnText(t.Elem()) + ">"
	case *arrow.MapType:
		return "map<" + columnText(t.KeyType()) + ", " + columnText(t.ItemType()) + ">"
	}
	return strings.NewReplacer("decimal128", "decimal", "date32[day]", "date32").Replace(t.String())
}

func TestThePageSaysWhatEachSchemaBecomes(t *testing.T) {
	rows := cells(t)
	if len(rows) < 30 {
		t.Fatalf("%d lines", len(rows))
	}
	for _, row := range rows {
		for _, schema := range row[0] {
			if !strings.HasPrefix(schema, "{") && schema != "true" {
				continue
			}
			plan := compile(t, `{"properties": {"v": `+schema+`}, "required": ["v"]}`, format.Options{})
			if got := columnText(plan.Fields()[0].Type); got != row[1][0] {
				t.Errorf("%s\nis   %s\nnot  %s", schema, got, row[1][0])
			}
			got, err := read(t, plan, `{"v": `+row[2][0]+`}`)
			if want := "v=" + row[3][0]; err != nil || got != want {
				t.Errorf("%s: %s is read as %s, not %s (%v)", schema, row[2][0], got, want, err)
			}
		}
	}
}
