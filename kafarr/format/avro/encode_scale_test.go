package avro_test

import (
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// TestDecimalsOfAnEndlessScaleAreRefusedAtOnce has scales that a foreign program may give a column: their powers of ten would be made for minutes.
func TestDecimalsOfAnEndlessScaleAreRefusedAtOnce(t *testing.T) {
	schema := parse(t, `{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`)
	for _, c := range []struct {
		scale int32
		value int64
		want  string // empty: it is written
	}{
		{math.MaxInt32, 0, ""},
		{math.MinInt32, 0, ""},
		{math.MaxInt32, 5, "row 0: value: 5e-2147483647 cannot be written as"},
		{math.MinInt32, 5, "row 0: value: 5e2147483648 cannot be written as"},
	} {
		b := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 38, Scale: c.scale})
		b.Append(decimal128.FromI64(c.value))
		column := b.NewArray()
		batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "value", Type: column.DataType()}}, nil), []arrow.Array{column}, 1)
		_, err := encodeBatch(schema, batch, format.EncodeOptions{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%d of scale %d: %v, and not %s", c.value, c.scale, err, c.want)
		}
	}
}
