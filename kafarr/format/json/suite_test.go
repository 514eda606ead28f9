package json_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// TestTheJSONTestSuiteIsReadAsItSays has each case as the body, as a member that is kept as text, and as one that the schema does not name.
func TestTheJSONTestSuiteIsReadAsItSays(t *testing.T) {
	closeBooks(t)
	text, err := os.ReadFile("testdata/jsontestsuite/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Parse(`{"arrow":{"type":"json"}}`, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	body, member, other := compile(t, whole, format.Options{}), plan(t, `{"name":"v","type":"json"}`), plan(t, `{"name":"w","type":"json"}`)
	cases := 0
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		times, err := strconv.Atoi(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		content, err := strconv.Unquote(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		content = strings.Repeat(content, times)
		cases++
		for _, in := range []struct {
			plan *json.Plan
			text string
		}{{body, content}, {member, `{"v": ` + content + "}"}, {other, `{"v": ` + content + "}"}} {
			if in.plan != body && strings.Contains(content, "\uFEFF") {
				continue // a byte order mark may stand before the body only
			}
			_, failed := rows(t, in.plan, in.text)
			must := in.plan == body || !closes(content)
			if read := len(failed) == 0; parts[0][0] == 'y' && !read || parts[0][0] == 'n' && read && must {
				t.Errorf("%s: %.60q: %v", parts[0], in.text, failed)
			}
		}
	}
	if cases != 318 {
		t.Errorf("%d cases", cases)
	}
}

// closes reports whether a content that is no JSON may make some where something stands around it.
func closes(content string) bool {
	return strings.Contains(content, "}") || strings.Contains(content, ",")
}
