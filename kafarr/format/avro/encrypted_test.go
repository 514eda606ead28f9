package avro

import (
	"fmt"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// TestWhatSerializersEncryptIsMarked has a rule for the fields with a tag and one for a record's.
func TestWhatSerializersEncryptIsMarked(t *testing.T) {
	s, err := Parse(`{"type":"record","name":"x.A","fields":[
		{"name":"plain","type":"string"},
		{"name":"s","type":"string","confluent:tags":["T"]},
		{"name":"u","type":["null","int",{"type":"map","values":["null","bytes"]}],"confluent:tags":["S","T"]},
		{"name":"r","type":{"type":"record","name":"B","fields":[{"name":"own","type":"string"},{"name":"n","type":"long"}]},"confluent:tags":["T"]},
		{"name":"again","type":"B","confluent:tags":"T"},
		{"name":"tree","type":{"type":"record","name":"Tree","fields":[{"name":"kids","type":{"type":"array","items":"Tree"}},{"name":"s","type":"string","confluent:tags":["T",7]}]}}
	]}`)
	if err != nil {
		t.Fatal(err)
	}
	s.MarkEncrypted(2, func(rule int, field string, tags []string) bool {
		if rule == 1 {
			return field == "x.B.own"
		}
		for _, tag := range tags {
			if tag == "T" {
				return true
			}
		}
		return false
	})
	plan := func(columns ...string) string {
		p, err := Compile(s, format.Options{Recursion: format.JSON, Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(p.Encrypted)
	}
	if got, want := plan(), "[{s [0]} {u.value [0]} {r.own [1]} {again.own [1]} {tree.kids [0]} {tree.s [0]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := plan("plain", "r.n"); got != "[]" {
		t.Errorf("without them: %s", got)
	}
}
