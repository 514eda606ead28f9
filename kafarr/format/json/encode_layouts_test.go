//go:build unix

package json_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// foreign makes a random frame of a schema of every kind and of a union, laid out in random ways, and what its rows are written as.
func foreign(t *testing.T, seed uint64, damages int) (s *json.Schema, want []string, batch arrow.RecordBatch) {
	t.Helper()
	m := maker{rand.New(rand.NewPCG(seed, 5))}
	var texts []string
	if seed%2 == 0 {
		var text string
		s, text = everyKind(t)
		texts = []string{text, strings.Replace(text, `"e":"B"`, `"e":null`, 1), strings.Replace(text, `"x":"aGk="`, `"x":"`+strings.Repeat("aGk0", 1+m.IntN(9))+`"`, 1), strings.Replace(text, "sym-1", strings.Repeat("ü", m.IntN(30)), 1)}
	} else {
		root := json.Field{Type: &json.Type{Kind: json.Object}}
		for i := range 1 + m.IntN(6) {
			f := m.field(2)
			f.Name, f.Optional = m.name(i), f.Nullable && m.IntN(2) == 0
			root.Type.Fields = append(root.Type.Fields, f)
		}
		union := &json.Type{Kind: json.Union, Fields: []json.Field{{Name: "text", Type: &json.Type{Kind: json.Text}}, {Name: "whole", Type: &json.Type{Kind: json.Integer}}, {Name: "list", Type: &json.Type{Kind: json.Array, Items: &json.Field{Type: &json.Type{Kind: json.Number}}}}}}
		root.Type.Fields = append(root.Type.Fields, json.Field{Name: "union", Type: union, Nullable: true})
		s = json.NewSchema("", root, 0)
		for range 5 {
			text, _ := m.value(json.Field{Type: &json.Type{Kind: json.Object, Fields: root.Type.Fields[:len(root.Type.Fields)-1]}})
			value := []string{`"a"`, "7", "[1.5,2]", "null"}[m.IntN(4)]
			comma := ","
			if strings.TrimSpace(text[1:]) == "}" {
				comma = ""
			}
			texts = append(texts, `{"union":`+value+comma+text[1:])
		}
	}
	plain := batchOf(t, compile(t, s, format.Options{}), texts...)
	want, err := encode(t, s, plain, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s, want, frametest.Foreign(t, m.Rand, plain, damages)
}

func TestOtherLayoutsOfTheSameValuesAreWrittenAlike(t *testing.T) {
	seen := map[arrow.Type]int{}
	for seed := range uint64(hostile.Rounds(200)) {
		s, want, batch := foreign(t, seed, 0)
		if batch == nil {
			t.Fatalf("seed %d: the columns are not made", seed)
		}
		for _, c := range batch.Columns() {
			frametest.CountTypes(c.Data(), seen)
		}
		got, err := encode(t, s, batch, format.EncodeOptions{})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v: %v\nis written as\n%s\nand not as\n%s", seed, err, batch.Schema(), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	frametest.WantLayouts(t, seen)
}

// damagedFrames writes what a foreign program hands over with damages.
var damagedFrames frametest.Damaged = func(t *testing.T, seed uint64, damages int) (bool, error) {
	s, _, batch := foreign(t, seed, damages)
	if batch == nil {
		return false, nil
	}
	_, err := encode(t, s, batch, format.EncodeOptions{})
	return true, err
}

func TestColumnsThatAreDamagedAreRefusedOrWritten(t *testing.T) {
	damagedFrames.Test(t, hostile.Rounds(400))
}

func FuzzColumnsOfForeignPrograms(f *testing.F) { damagedFrames.Fuzz(f) }
