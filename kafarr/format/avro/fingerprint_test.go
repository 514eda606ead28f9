package avro_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// What Java gives for the primitive types, signed as Java prints it (share/test/data/schema-tests.txt of Apache Avro).
func TestThePrimitiveTypesHaveJavasFingerprints(t *testing.T) {
	for name, want := range map[string]int64{
		"null":    7195948357588979594,
		"boolean": -6970731678124411036,
		"int":     8247732601305521295,
		"long":    -3434872931120570953,
		"float":   5583340709985441680,
		"double":  -8181574048448539266,
		"bytes":   5746618253357095269,
		"string":  -8142146995180207161,
	} {
		for _, text := range []string{name, `"` + name + `"`, `{"type":"` + name + `","logicalType":"x"}`} {
			if got := int64(parse(t, text).Fingerprint()); got != want {
				t.Errorf("%s: %d, want %d", text, got, want)
			}
		}
	}
}

// testdata/fingerprints.py made the cases.
func TestCanonicalFormsAndFingerprintsAreFastavros(t *testing.T) {
	text, err := os.ReadFile("testdata/fingerprints.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Schema, Canonical, Fingerprint string }
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 300 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		s := parse(t, c.Schema)
		if got := s.Canonical(); got != c.Canonical {
			t.Errorf("%s:\n got %s\nwant %s", c.Schema, got, c.Canonical)
		}
		if got := fmt.Sprintf("%016x", s.Fingerprint()); got != c.Fingerprint {
			t.Errorf("%s: %s, want %s", c.Schema, got, c.Fingerprint)
		}
		sameInGoavro(t, s)
	}
}

// sameInGoavro compares with goavro's reading of the canonical form: its own way to that form knows neither logical
// types nor a namespace within another.
func sameInGoavro(t *testing.T, s *avro.Schema) {
	t.Helper()
	form := s.Canonical()
	codec, err := goavro.NewCodec(form)
	switch {
	case err != nil:
		t.Errorf("goavro: %v", err)
	case codec.CanonicalSchema() != form || codec.Rabin != s.Fingerprint():
		t.Errorf("goavro: %x of %s, want %x of %s", codec.Rabin, codec.CanonicalSchema(), s.Fingerprint(), form)
	}
}

func TestTypesOfReferencedSchemasAreSpelledOutWhereTheyAreFirstMet(t *testing.T) {
	money := `{"type":"record","namespace":"a","name":"Money","fields":[{"name":"currency","type":{"type":"enum","name":"Currency","symbols":["EUR"]}}]}`
	s, err := avro.Parse(`{"type":"record","namespace":"b","name":"Order","fields":[{"name":"in","type":"a.Currency"},{"name":"net","type":"a.Money"},{"name":"tax","type":"a.Money"}]}`, money)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"b.Order","type":"record","fields":[{"name":"in","type":{"name":"a.Currency","type":"enum","symbols":["EUR"]}},` +
		`{"name":"net","type":{"name":"a.Money","type":"record","fields":[{"name":"currency","type":"a.Currency"}]}},{"name":"tax","type":"a.Money"}]}`
	if got := s.Canonical(); got != want {
		t.Errorf("got %s", got)
	}
	sameInGoavro(t, s)
}

func TestRecursiveSchemasHaveAFingerprint(t *testing.T) {
	s := parse(t, list)
	if got := s.Canonical(); got != `{"name":"List","type":"record","fields":[{"name":"value","type":"int"},{"name":"next","type":["null","List"]}]}` {
		t.Errorf("got %s", got)
	}
	sameInGoavro(t, s)
	mutual := parse(t, `{"type":"record","name":"n.A","fields":[{"name":"b","type":["null",{"type":"record","name":"B","fields":[{"name":"a","type":"A"},{"name":"b","type":{"type":"array","items":"B"}}]}]}]}`)
	want := `{"name":"n.A","type":"record","fields":[{"name":"b","type":["null",{"name":"n.B","type":"record","fields":[{"name":"a","type":"n.A"},{"name":"b","type":{"type":"array","items":"n.B"}}]}]}]}`
	if got := mutual.Canonical(); got != want {
		t.Errorf("got %s", got)
	}
}

// A schema that stands for 2^1000 columns has a form as short as its text.
func TestSchemaBombsHaveShortCanonicalForms(t *testing.T) {
	text := bomb(1000)
	form := parse(t, text).Canonical()
	if form != parse(t, form).Canonical() || len(form) > len(text) {
		t.Errorf("%d bytes of %d", len(form), len(text))
	}
	if n := strings.Count(form, `{"name":"R1000","type":"record"`); n != 1 {
		t.Errorf("R1000 is spelled out %d times", n)
	}
}

// FuzzCanonical finds schemas whose canonical form is another schema, or one that goavro gives another fingerprint.
func FuzzCanonical(f *testing.F) {
	every, _ := everyKind()
	for _, s := range []string{every, list, `int`, `["null",{"type":"map","values":{"type":"int","logicalType":"date"}}]`, `{"type":"error","name":"a.E","fields":[{"name":"x","type":{"type":"fixed","name":".F","size":0}}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := avro.Parse(text)
		if err != nil {
			return
		}
		form := s.Canonical()
		// The form cannot say that a name within a namespace is in none: read again, it may be another schema.
		if !strings.Contains(form, ".") {
			if again, err := avro.Parse(form); err != nil || again.Canonical() != form {
				t.Errorf("%s: %s: %v", text, form, err)
			}
		}
		if codec, err := goavro.NewCodec(form); err == nil && codec.Rabin != s.Fingerprint() {
			t.Errorf("%s: %x, goavro: %x", form, s.Fingerprint(), codec.Rabin)
		}
	})
}
