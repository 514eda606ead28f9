package avro_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
)

// TestOtherLayoutsOfTheSameValuesAreWrittenAlike lays random columns out in other ways, at every level: the bytes must be the same.
func TestOtherLayoutsOfTheSameValuesAreWrittenAlike(t *testing.T) {
	seen := map[arrow.Type]int{}
	for seed := range uint64(cases) {
		s := newSubject(t, seed)
		var bodies [][]byte
		for range rows {
			bodies = append(bodies, s.encode(t))
		}
		plan := s.plan(t, pick(s.maker, format.StructUnions, format.DenseUnions))
		batch := batchOf(t, plan, bodies)
		want, err := encodeBatch(s.parsed, batch, format.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fields := slices.Clone(plan.Fields)
		columns := make([]arrow.Array, len(fields))
		for i := range columns {
			columns[i] = frametest.Disguise(s.maker.Rand, batch.Column(i))
			fields[i] = frametest.WithField(fields[i], columns[i].DataType())
			frametest.CountTypes(columns[i].Data(), seen)
		}
		if s.maker.IntN(2) == 0 { // the columns in another order
			slices.Reverse(fields)
			slices.Reverse(columns)
		}
		other := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
		got, err := encodeBatch(s.parsed, other, format.EncodeOptions{})
		if err != nil {
			t.Fatalf("seed %d: %s as %s: %v", seed, s.text, other.Schema(), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("seed %d: %s as %s: row %d is written as\n%x, and is\n%x", seed, s.text, other.Schema(), i, got[i], want[i])
			}
		}
	}
	for _, kind := range []arrow.Type{arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.LARGE_LIST, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.RUN_END_ENCODED, arrow.DICTIONARY, arrow.SPARSE_UNION} {
		if seen[kind] < cases/150 {
			t.Errorf("%s was met %d times", kind, seen[kind])
		}
	}
}
