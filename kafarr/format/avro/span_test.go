package avro_test

import (
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// TestAValueOfNoBytesAtTheEndMakesNoPointerBehindTheBody has bodies that fill their allocation. The judge is checkptr, which -race turns on.
func TestAValueOfNoBytesAtTheEndMakesNoPointerBehindTheBody(t *testing.T) {
	for _, c := range []struct {
		name   string
		before int // bytes of a fixed in front, so that the body has 8
		last   string
		body   string
		reads  bool
	}{
		{"string", 7, `"string"`, "\x00", true},
		{"bytes", 7, `"bytes"`, "\x00", true},
		{"optional bytes", 6, `["null","bytes"]`, "\x02\x00", true},
		{"fixed", 8, `{"type":"fixed","name":"E","size":0}`, "", true},
		{"decimal", 7, `{"type":"bytes","logicalType":"decimal","precision":3}`, "\x00", true},
		{"big-decimal", 6, `{"type":"bytes","logicalType":"big-decimal"}`, "\x02\x00", false},
		{"array", 7, `{"type":"array","items":"double"}`, "\x00", true},
		{"string within JSON", 6, `{"type":"record","name":"N","fields":[{"name":"n","type":["null","N","string"]}]}`, "\x04\x00", true},
		{"fixed within JSON", 7, `{"type":"record","name":"N","fields":[{"name":"n","type":["null","N",{"type":"fixed","name":"E","size":0}]}]}`, "\x04", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			s := parse(t, record(`{"name":"f","type":{"type":"fixed","name":"F","size":`+string(rune('0'+c.before))+`}},{"name":"last","type":`+c.last+`}`))
			p, err := avro.Compile(s, format.Options{Recursion: format.JSON})
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 8)
			copy(b[c.before:], c.body)
			if _, err := decode(t, p, b); (err == nil) != c.reads {
				t.Error(err)
			}
		})
	}
}
