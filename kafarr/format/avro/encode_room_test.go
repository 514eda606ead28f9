//go:build unix

package avro_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// manyFields is a frame of 160 columns whose values take as many bytes as they can, none at all, or both by turns; and one of records that may be null, with 150 numbers each.
func manyFields(t *testing.T) (*avro.Schema, arrow.RecordBatch) {
	t.Helper()
	number := `[-9223372036854775808, null, -9223372036854775808]`
	inner, values := []arrow.Field{}, []string{}
	for i := range 150 {
		inner = append(inner, arrow.Field{Name: fmt.Sprintf("n%d", i), Type: arrow.PrimitiveTypes.Int64, Nullable: true})
		values = append(values, fmt.Sprintf(`"n%d": -9223372036854775808`, i))
	}
	record := `{` + strings.Join(values, ",") + `}`
	kinds := []struct {
		avro   string
		dtype  arrow.DataType
		values string
	}{
		{`"long"`, arrow.PrimitiveTypes.Int64, number},
		{`{"type":"bytes","logicalType":"decimal","precision":38,"scale":0}`, &arrow.Decimal128Type{Precision: 38}, `["-99999999999999999999999999999999999999", null, "1"]`},
		{`{"type":"bytes","logicalType":"decimal","precision":76,"scale":0}`, &arrow.Decimal256Type{Precision: 76}, `["-9999999999999999999999999999999999999999999999999999999999999999999999999999", null, "1"]`},
		{`"string"`, extensions.NewUUIDType(), `["` + uuidExample + `", null, "` + uuidExample + `"]`},
		{spanOf, arrow.FixedWidthTypes.MonthDayNanoInterval, `[{"months": 1, "days": 1, "nanoseconds": 0}, null, {"months": 1, "days": 0, "nanoseconds": 0}]`},
		{`"string"`, arrow.BinaryTypes.String, `["", null, "` + strings.Repeat("x", 47) + `"]`},
		{`"string"`, arrow.BinaryTypes.StringView, `["` + strings.Repeat("y", 12) + `", null, "` + strings.Repeat("x", 200) + `"]`},
		{`"double"`, arrow.PrimitiveTypes.Uint32, `[1, null, 4294967295]`},
		{`{"type":"array","items":["null","long"]}`, arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[], null, ` + number + `]`},
		{`{"type":"array","items":"double"}`, arrow.ListOf(arrow.PrimitiveTypes.Float64), `[[], null, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]`},
		{"", arrow.StructOf(inner...), `[` + record + `, null, ` + record + `]`},
	}
	var fields []arrow.Field
	var columns []arrow.Array
	var text []string
	for i := range 160 {
		k := kinds[i%len(kinds)]
		name := fmt.Sprintf("f%d", i)
		of := k.avro
		switch of {
		case "":
			of = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[`, i)
			for j, f := range inner {
				of += strings.Repeat(",", min(j, 1)) + `{"name":"` + f.Name + `","type":["null","long"]}`
			}
			of += "]}"
		case spanOf:
			of = fmt.Sprintf(spanOf, i)
		}
		column, _, err := array.FromJSON(memory.DefaultAllocator, k.dtype, strings.NewReader(k.values))
		if err != nil {
			t.Fatal(err)
		}
		fields, columns = append(fields, arrow.Field{Name: name, Type: column.DataType(), Nullable: true}), append(columns, column)
		text = append(text, `{"name":"`+name+`","type":["null",`+of+`]}`)
	}
	return parse(t, `{"type":"record","name":"Many","fields":[`+strings.Join(text, ",")+`]}`), array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 3)
}

const spanOf = `{"type":"fixed","name":"D%d","size":12,"logicalType":"duration"}`

// TestARowIsNeverWrittenBeyondItsRoom gives rows rooms of all sizes, each of which ends at a page that must not be touched.
func TestARowIsNeverWrittenBeyondItsRoom(t *testing.T) {
	hostile.Unwatched(t)
	s, batch := manyFields(t)
	e, err := avro.CompileEncoding(s, batch.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	room := frametest.NewGuards(t).Buffer(t, make([]byte, 1<<16)).Bytes()
	for row := range 3 {
		body := encodeRow(encoder, row)
		for size := 0; size <= len(body)+format.EncodeMargin; size++ {
			dst := room[len(room)-size:]
			n, ok := encoder.Encode(dst, row)
			if ok && !bytes.Equal(dst[:n], body) {
				t.Fatalf("row %d is written in a room of %d bytes as %x, and is %x", row, size, dst[:n], body)
			}
			if !ok && size == len(body)+format.EncodeMargin {
				t.Fatalf("row %d of %d bytes does not fit into %d", row, len(body), size)
			}
		}
	}
}

// TestSeveralGoroutinesMayWriteRowsAtOnce is for the race detector.
func TestSeveralGoroutinesMayWriteRowsAtOnce(t *testing.T) {
	s, batch := manyFields(t)
	e, err := avro.CompileEncoding(s, batch.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for row := range 3 {
				encodeRow(encoder, row)
			}
		})
	}
	all.Wait()
}

// TestWritingARowAllocatesNothing holds what makes rows cheap.
func TestWritingARowAllocatesNothing(t *testing.T) {
	s, batch := manyFields(t)
	e, err := avro.CompileEncoding(s, batch.Schema().Fields(), format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 1<<16)
	if n := testing.AllocsPerRun(10, func() {
		for row := range 3 {
			encoder.Encode(dst, row)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
