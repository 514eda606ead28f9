package json_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// tables are those of docs/json.md, by the title of their first column: the cells of each line, without the heading.
func tables(t *testing.T) (out [][][]string) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	within := false
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			within = false
		case !within:
			within = true
			out = append(out, nil)
		case !strings.HasPrefix(line, "|---"):
			var cells []string
			for cell := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			out[len(out)-1] = append(out[len(out)-1], cells)
		}
	}
	return out
}

// codes are what stands in a cell between backticks.
func codes(cell string) (out []string) {
	for _, found := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cell, -1) {
		out = append(out, found[1])
	}
	return out
}

// arrowTexts are the types that the first cell of the page's first table names.
func arrowTexts(cell string) []string {
	names := codes(cell)
	switch {
	case strings.Contains(cell, ", json "):
		return []string{fmt.Sprintf(`{"type":%q,"json":%q}`, names[0], names[1])}
	case names[0] == "dictionary":
		return []string{fmt.Sprintf(`{"type":"dictionary","symbols":[%q,%q]}`, names[1], names[2])}
	case names[0] == "list" || names[0] == "map":
		return []string{fmt.Sprintf(`{"type":%q,"items":{"type":%q}}`, names[0], names[1])}
	case names[0] == "struct":
		name, of, _ := strings.Cut(names[1], ": ")
		return []string{fmt.Sprintf(`{"type":"struct","fields":[{"name":%q,"type":%q}]}`, name, of)}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf(`{"type":%q}`, name)
	}
	return names
}

func TestThePagesTypesAreWhatIsRead(t *testing.T) {
	closeBooks(t)
	lines := 0
	for _, cells := range tables(t)[0] {
		for _, text := range arrowTexts(cells[0]) {
			s, err := json.Parse(`{"arrow":`+text+`}`, format.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			p := compile(t, s, format.Options{Whole: true})
			for _, in := range codes(cells[1]) {
				c := p.NewColumns()
				if n, err := p.Bind(c).Append(bodies(in)); n != 1 || err != nil {
					t.Fatalf("%s: %s: %v", text, in, err)
				}
				d := c.Finish()[0]
				arr := array.MakeFromData(d)
				if got, want := arr.ValueStr(0), codes(cells[2])[0]; got != want {
					t.Errorf("%s: %s is read as %s and not as %s", text, in, got, want)
				}
				arr.Release()
				d.Release()
				lines++
			}
		}
	}
	if lines < 40 {
		t.Errorf("%d values", lines)
	}
}

func TestThePagesMessagesGiveItsTypes(t *testing.T) {
	for _, cells := range tables(t)[1] {
		var texts []string
		for _, value := range codes(cells[0]) {
			texts = append(texts, `{"v":`+value+`}`)
		}
		s, err := json.Infer("", bodies(texts...))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("double", "float64", "x: ", `"x":`, "y: ", `"y":`, ", ", ",").Replace(codes(cells[1])[0])
		if got := describe(s.Root().Type.Fields[0].Type); got != want {
			t.Errorf("%s: %s and not %s", cells[0], got, want)
		}
	}
}

func TestThePagesTypesOfConnectAreTheirs(t *testing.T) {
	for _, cells := range tables(t)[2] {
		for k, connect := range codes(cells[0]) {
			name := strings.Trim(cells[1], "`")
			s, err := json.ParseConnect(fmt.Sprintf(`{"type":%q,"name":%q,"parameters":{"scale":"2","allowed":"a,b"}}`, connect, name), format.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want := connect
			if len(codes(cells[2])) > 0 {
				want = codes(cells[2])[k]
			}
			if got := compile(t, s, format.Options{}).Fields()[0].Type.String(); got != want {
				t.Errorf("%s %s: %s and not %s", connect, name, got, want)
			}
		}
	}
}
