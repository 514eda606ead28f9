package kafarr_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// mistakes are options under which schemas 1 and 2 cannot be read, though they can be read without them.
var mistakes = map[string]kafarr.Config{
	"columns: record x.A has no field": {Messages: kafarr.Messages{Columns: []string{"N"}}},
	"the reader no default":            {Messages: kafarr.Messages{Readers: []string{`{"type":"record","name":"x.A","fields":[{"name":"other","type":"int"}]}`}}},
	"has the name of a field":          {Messages: kafarr.Messages{Metadata: []kafarr.Metadata{{Column: kafarr.Offset, As: "n"}}}},
	"more than 1 columns":              {Messages: kafarr.Messages{Limits: format.Limits{Columns: 1}}, Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: twoFields}}}},
	"nests deeper":                     {Messages: kafarr.Messages{Limits: format.Limits{SchemaDepth: 1}}, Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: nested}}}},
}

const (
	twoFields = `{"type":"record","name":"x.A","fields":[{"name":"n","type":"int"},{"name":"m","type":"null"}]}`
	nested    = `{"type":"record","name":"x.A","fields":[{"name":"n","type":{"type":"array","items":{"type":"array","items":"int"}}}]}`
)

func TestAnOptionThatIsWrongIsRaisedAtEveryPollAndPassesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, mistake := range mistakes {
			for _, mode := range []kafarr.ErrorMode{kafarr.Raise, kafarr.Skip, kafarr.Collect} {
				for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
					cfg := mistake
					cfg.Messages.Errors, cfg.Messages.Mixed = mode, mixed
					l, src := open(t, cfg, message(0, 7, 1, 0), message(0, 8, 1, 1))
					for range 3 {
						if got := poll(t, l, 10); !strings.HasPrefix(got, "t[0]@7: schema 1: ") || !strings.Contains(got, text) {
							t.Errorf("errors %d, mixed %d: got %q, want %q in it", mode, mixed, got, text)
						}
					}
					if s := l.Stats(); s.Skipped+s.Rejected+s.DeadLetters != 0 {
						t.Errorf("errors %d, %s: %+v", mode, text, s)
					}
					if err := l.Close(); err != nil {
						t.Fatal(err)
					}
					if at := src.Committed("t", 0); at > 7 {
						t.Errorf("errors %d, %s: committed %d", mode, text, at)
					}
				}
			}
		}
	})
}

func TestAScanRaisesAnOptionThatIsWrongWhateverErrorsSays(t *testing.T) {
	for text, mistake := range mistakes {
		cfg := scanConfig(t, &cluster{messages: []replay.Message{message(0, 0, 1, 0)}})
		cfg.Messages.Errors, cfg.Messages.Columns, cfg.Messages.Readers, cfg.Messages.Limits = kafarr.Skip, mistake.Messages.Columns, mistake.Messages.Readers, mistake.Messages.Limits
		if mistake.Messages.Metadata != nil {
			cfg.Messages.Metadata = mistake.Messages.Metadata
		}
		if mistake.Registry.Client != nil {
			cfg.Registry.Client = mistake.Registry.Client
		}
		s := plan(t, cfg).Read()
		if _, err := readAll(t, s); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q in it", err, text)
		}
		if r := s.Report()[0]; r.Skipped != 0 {
			t.Errorf("%s: report %+v", text, r)
		}
	}
}

func TestASchemaThatNoOptionIsToBlameForIsTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recursive := `{"type":"record","name":"x.A","fields":[{"name":"n","type":["null","x.A"]}]}`
		wide := `{"type":"record","name":"x.A","fields":[` + manyFields(20_001) + `]}`
		for text, cfg := range map[string]kafarr.Config{
			"invalid":                   {Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: `not json`}}}, Messages: kafarr.Messages{Columns: []string{"n"}}},
			"recursive":                 {Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: recursive}}}},
			"beyond the default limits": {Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: wide}}}},
			"beyond limits lower, too":  {Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: wide}}}, Messages: kafarr.Messages{Limits: format.Limits{Columns: 10}}},
			"beyond limits that are higher than the defaults": {Registry: kafarr.Registry{Client: registry.Static{1: {ID: 1, Text: manyColumns}}}, Messages: kafarr.Messages{Limits: format.Limits{Columns: 20_001}}},
		} {
			cfg.Messages.Errors = kafarr.Skip
			l, _ := open(t, cfg, message(0, 0, 1, 0))
			if got := poll(t, l, 10); got != "" || l.Stats().Skipped != 1 {
				t.Errorf("%s: got %q, %+v", text, got, l.Stats())
			}
		}
	})
}

func TestOneVersionThatLacksAColumnIsRaisedAndAReaderSchemaWithADefaultReadsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		versions := registry.Static{
			1: {ID: 1, Text: `{"type":"record","name":"x.A","fields":[{"name":"n","type":"int"}]}`},
			2: {ID: 2, Text: `{"type":"record","name":"x.A","fields":[{"name":"m","type":"int"}]}`},
		}
		messages := []replay.Message{message(0, 0, 1, 4), message(0, 1, 2, 5)}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: versions}, Messages: kafarr.Messages{Columns: []string{"m"}, Errors: kafarr.Skip}}, messages...)
		for range 2 {
			if got := poll(t, l, 10); !strings.Contains(got, `has no field "m": it has n`) || !strings.Contains(got, "reader_schema") {
				t.Errorf("got %q", got)
			}
		}
		reader := `{"type":"record","name":"x.A","fields":[{"name":"m","type":"int","default":-1}]}`
		l, _ = open(t, kafarr.Config{Registry: kafarr.Registry{Client: versions}, Messages: kafarr.Messages{Columns: []string{"m"}, Readers: []string{reader}, Errors: kafarr.Skip}}, messages...)
		wantPolls(t, l, 10, "x.A -1 5")
	})
}

var manyColumns = `{"type":"record","name":"x.A","fields":[` + manyFields(20_002) + `]}`

func manyFields(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"f%d","type":"null"}`, i)
	}
	return strings.Join(fields, ",")
}

// TestATypeThatTwoReferencesDefineIsNamedWithBoth has a diamond whose sides lead to two versions of one type, each of them good.
func TestATypeThatTwoReferencesDefineIsNamedWithBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		money := func(field string) string {
			return `{"type":"record","name":"x.Money","fields":[{"name":"` + field + `","type":"int"}]}`
		}
		diamond := registry.Schema{
			Text: `{"type":"record","name":"x.A","fields":[{"name":"n","type":"x.Money"}]}`,
			References: []registry.Referenced{
				{Name: "x.Money", Text: money("a"), Source: "subject money, version 1"},
				{Name: "x.Money", Text: money("b"), Source: "subject money, version 2"},
			},
		}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: registry.Static{1: diamond}}}, message(0, 0, 1, 0))
		got := poll(t, l, 10)
		for _, want := range []string{"schema 1", "x.Money is defined twice", "in subject money, version 1, and in subject money, version 2"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q does not say %q", got, want)
			}
		}
		diamond.References = diamond.References[:1]
		diamond.Text = money("c")
		l, _ = open(t, kafarr.Config{Registry: kafarr.Registry{Client: registry.Static{1: diamond}}}, message(0, 0, 1, 0))
		if got := poll(t, l, 10); !strings.Contains(got, "in subject money, version 1, and in the schema itself") {
			t.Error(got)
		}
	})
}
