//go:build unix

package protobuf_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// foreign makes a random frame, or one of a type of the page, laid out in random ways, and what its rows are written as.
func foreign(t *testing.T, seed uint64, damages int) (s format.Schema, want []string, batch arrow.RecordBatch) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 6))
	options := format.Options{}
	var bodies []string
	if seed%2 == 0 {
		k := kinds[seed/2%uint64(len(kinds))]
		s, _ = parse(t, schemaOf(k.field)).Named("t.T")
		for _, row := range k.rows {
			bodies = append(bodies, row[0], row[0])
		}
		options.Enums = format.NumberedEnums
		if r.IntN(2) == 0 {
			options.Enums, bodies = format.NamedEnums, slices.DeleteFunc(bodies, func(b string) bool { return b == wire(1, 9) || b == wire(1, "\x00\x09") })
		}
	} else {
		m := &maker{Rand: r}
		file, raw, d := m.linked(t, r.IntN(2) == 0)
		s, options.Enums = parse(t, raw), format.NumberedEnums
		for range 8 {
			b := m.body(d, 0)
			msg := dynamicpb.NewMessage(d)
			if wrong, crashed := unmarshal(b, msg); wrong == nil && !crashed && !closedAmong(msg, file.GetSyntax() != "proto3") {
				bodies = append(bodies, string(b))
			}
		}
	}
	plain := batchOf(t, compileSchema(t, s, options), bodies...)
	want, err := encodeBatch(s, plain, format.EncodeOptions{})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return s, want, frametest.Foreign(t, r, plain, damages)
}

func TestOtherLayoutsOfTheSameValuesAreWrittenAlike(t *testing.T) {
	seen := map[arrow.Type]int{}
	for seed := range uint64(hostile.Rounds(300)) {
		s, want, batch := foreign(t, seed, 0)
		if batch == nil {
			t.Fatalf("seed %d: the columns are not made", seed)
		}
		for _, c := range batch.Columns() {
			frametest.CountTypes(c.Data(), seen)
		}
		got, err := encodeBatch(s, batch, format.EncodeOptions{})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v: %v\nis written as\n%x\nand not as\n%x", seed, err, batch.Schema(), got, want)
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
	_, err := encodeBatch(s, batch, format.EncodeOptions{})
	return true, err
}

func TestColumnsThatAreDamagedAreRefusedOrWritten(t *testing.T) {
	damagedFrames.Test(t, hostile.Rounds(400))
}

func FuzzColumnsOfForeignPrograms(f *testing.F) { damagedFrames.Fuzz(f) }
