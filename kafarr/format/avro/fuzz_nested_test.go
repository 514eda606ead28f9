package avro_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

const everyNestedType = `{"type":"record","name":"R","fields":[
	{"name":"a","type":{"type":"array","items":["null","int","string",{"type":"record","name":"S","fields":[{"name":"x","type":"long"},{"name":"y","type":{"type":"array","items":"double"}}]}]}},
	{"name":"m","type":["null",{"type":"map","values":{"type":"array","items":"null"}}]},
	{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":50,"scale":3}},
	{"name":"b","type":{"type":"bytes","logicalType":"big-decimal"}},
	{"name":"t","type":{"type":"int","logicalType":"time-millis"}},
	{"name":"u","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}},
	{"name":"l","type":["null","R"]}]}`

// plansOf are the ways to read a schema: both forms of unions, and these columns alone where there are any.
func plansOf(f *testing.F, schema string, columns ...string) []*avro.Plan {
	s, err := avro.Parse(schema)
	if err != nil {
		f.Fatal(err)
	}
	options := []format.Options{{Recursion: format.JSON}, {Recursion: format.JSON, Unions: format.DenseUnions}}
	if len(columns) > 0 {
		options = append(options, format.Options{Columns: columns})
	}
	var plans []*avro.Plan
	for _, o := range options {
		p, err := avro.Compile(s, o)
		if err != nil {
			f.Fatal(err)
		}
		plans = append(plans, p)
	}
	return plans
}

// FuzzNested decodes any bytes as any one of the kinds, within a list, and as a record of all that nests.
func FuzzNested(f *testing.F) {
	plans := [][]*avro.Plan{plansOf(f, everyNestedType, "t", "a.x")}
	row := []byte{8, 0, 2, 6, 4, 2, 'a', 6, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 'k', 4, 0, 0, 2, 5, 6, 2, 1, 4, 2, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}
	f.Add(uint8(0), append(row, 0))
	f.Add(uint8(0), append(append(append([]byte{}, row...), 2), append(row, 0)...))
	f.Add(uint8(0), []byte{1, 2, 0, 0, 0, 0, 2, 0, 0})
	for i, k := range kinds {
		plans = append(plans, plansOf(f, `{"type":"array","items":`+k.schema+`}`))
		f.Add(uint8(i+1), append(append([]byte{4}, k.body+k.body...), 0))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		before := cmem.Live()
		for _, p := range plans[int(which)%len(plans)] {
			columns := p.NewColumns()
			a := p.Bind(columns)
			want := 0
			for range 3 { // a bad row leaves nothing behind that the next could stumble over
				n, _ := a.Append([]format.Body{body(data)})
				want += n
			}
			if grown := cmem.Live() - before; grown > 64<<20 {
				t.Errorf("%d bytes for a body of %d", grown, len(data))
			}
			for _, d := range columns.Finish() {
				c := array.MakeFromData(d)
				if c.Len() != want {
					t.Errorf("%d values, want %d", c.Len(), want)
				}
				_ = c.String()
				c.Release()
				d.Release()
			}
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}

// FuzzResolve resolves any two schemas and reads any bytes.
func FuzzResolve(f *testing.F) {
	for _, k := range kinds {
		f.Add(k.schema, k.schema, []byte(k.body))
		f.Add(k.schema, `["null",`+k.schema+`]`, []byte(k.body))
	}
	f.Add(everyNestedType, everyNestedType, []byte{0, 0})
	f.Add(`["int","string"]`, `["null","long"]`, []byte{0, 6})
	f.Add(`["int","float","bytes"]`, `["double","string"]`, []byte{2, 0, 0, 0, 0})
	f.Add(`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"F","aliases":["E"],"symbols":["C","B"],"default":"C"}`, []byte{0})
	f.Add(`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":{"type":"map","values":"int"}}]}`, `{"type":"record","name":"R","fields":[{"name":"c","type":"long","aliases":["a"]}]}`, []byte{2, 1, 6, 2, 'a', 2, 0})
	f.Add(`{"type":"record","name":"R","fields":[]}`, `{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"map","values":["null","int"]},"default":{"a":null}}]}`, []byte{})
	f.Fuzz(func(t *testing.T, writer, reader string, data []byte) {
		w, err := avro.Parse(writer)
		if err != nil {
			return
		}
		r, err := avro.Parse(reader)
		if err != nil {
			return
		}
		before := cmem.Live()
		p, err := avro.Compile(w, format.Options{Reader: r, Recursion: format.JSON})
		if err != nil {
			return
		}
		columns := p.NewColumns()
		_, _ = p.Bind(columns).Append([]format.Body{body(data), body(data)})
		for _, d := range columns.Finish() {
			d.Release()
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}
