package avro_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// The seeds of every target are the table in kinds_test.go. testdata/fuzz holds what fuzzing found: for each target, inputs that together reach all the
// code that it had reached, and whatever has failed.

// FuzzBody appends any bytes, as a row of every type, before and after a good row: nothing crashes, the good rows stay, all memory comes back.
func FuzzBody(f *testing.F) {
	schema, good := everyKind()
	s, err := avro.Parse(schema)
	if err != nil {
		f.Fatal(err)
	}
	plan, err := avro.Compile(s, format.Options{Recursion: format.JSON})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:len(good)-1])
	f.Add(append(append([]byte{}, good...), 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := cmem.Live()
		columns := plan.NewColumns()
		a := plan.Bind(columns)
		want := 2
		if n, err := a.Append([]format.Body{body(good)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, _ := a.Append([]format.Body{body(data)}); n == 1 {
			want = 3
		}
		if n, err := a.Append([]format.Body{body(good)}); n != 1 || err != nil {
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
	for _, k := range kinds {
		f.Add(k.schema)
	}
	everything, _ := everyKind()
	for _, s := range []string{everything, everyNestedType, `int`, `{"type":{"type":"array","items":{"type":"record","name":"a.B","aliases":["C"],"fields":[{"name":"x","type":"B","default":{},"order":"ignore"}]}}}`, `{"type":"fixed","name":"F","size":16,"logicalType":"decimal","precision":3,"scale":4}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := avro.Parse(text)
		if err != nil {
			return
		}
		before := cmem.Live()
		for _, o := range []format.Options{{}, {Unions: format.DenseUnions, Recursion: format.JSON}} {
			p, err := avro.Compile(s, o)
			if err != nil {
				continue
			}
			c := p.NewColumns()
			_, _ = p.Bind(c).Append([]format.Body{body([]byte(text))})
			c.Release()
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}
