package avro_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

const everyType = `{"type":"record","name":"R","fields":[
	{"name":"a","type":"null"},{"name":"b","type":"boolean"},{"name":"c","type":["null","int"]},{"name":"d","type":"long"},
	{"name":"e","type":"float"},{"name":"f","type":["double","null"]},{"name":"g","type":["null","string"]},{"name":"h","type":"bytes"},
	{"name":"i","type":{"type":"fixed","name":"F","size":3}},{"name":"j","type":["null",{"type":"enum","name":"E","symbols":["X","Y"]}]},
	{"name":"k","type":"string"}]}`

// FuzzBody appends any bytes, before and behind a good row: nothing crashes, the good rows stay, all memory comes back.
func FuzzBody(f *testing.F) {
	s, err := avro.Parse(everyType)
	if err != nil {
		f.Fatal(err)
	}
	plan, err := avro.Compile(s, avro.Options{})
	if err != nil {
		f.Fatal(err)
	}
	good := []byte{1, 2, 8, 0x80, 0x01, 0, 0, 0, 0, 2, 2, 2, 'x', 4, 1, 2, 'a', 'b', 'c', 2, 2, 18, 'l', 'o', 'n', 'g', 'e', 'r', ' ', 'o', 'k'}
	f.Add(good)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{1, 0, 2, 0, 0, 0, 0, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := cmem.Live()
		columns := plan.NewColumns()
		a := plan.Bind(columns)
		want := 2
		if n, err := a.Append([]avro.Body{body(good)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, _ := a.Append([]avro.Body{body(data)}); n == 1 {
			want = 3
		}
		if n, err := a.Append([]avro.Body{body(good)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		for i, d := range columns.Finish() {
			c := array.MakeFromData(d)
			if c.Len() != want || !array.SliceEqual(c, 0, 1, c, int64(want-1), int64(want)) {
				t.Errorf("column %d: %v", i, c)
			}
			if d.NullN() > d.Len() {
				t.Errorf("column %d has %d nulls of %d", i, d.NullN(), d.Len())
			}
			c.Release()
			d.Release()
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}

// FuzzSchema parses and compiles any text: an error or a plan, never a crash.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{everyType, `"string"`, `int`, `["null",{"type":"map","values":"int"}]`, `{"type":{"type":"array","items":{"type":"record","name":"a.B","fields":[{"name":"x","type":"B"}]}}}`, `{"type":"fixed","name":"F","size":16,"logicalType":"decimal","precision":3,"scale":2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := avro.Parse(text)
		if err != nil {
			return
		}
		p, err := avro.Compile(s, avro.Options{})
		if err != nil {
			return
		}
		c := p.NewColumns()
		_, _ = p.Bind(c).Append([]avro.Body{body([]byte(text))})
		c.Release()
	})
}
