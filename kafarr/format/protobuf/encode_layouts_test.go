//go:build unix

package protobuf_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
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
		file := m.file(r.IntN(2) == 0)
		linked, err := protodesc.NewFile(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := proto.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		s, options.Enums = parse(t, string(raw)), format.NumberedEnums
		d := linked.Messages().ByName("T")
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
	for _, kind := range []arrow.Type{arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.LARGE_LIST, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.RUN_END_ENCODED, arrow.DICTIONARY} {
		if seen[kind] == 0 {
			t.Errorf("%s was not met", kind)
		}
	}
}

// damagedColumns damages what a foreign program hands over: it is refused by an error, or written without reading foreign memory.
func damagedColumns(t *testing.T, seed uint64, damages int) (written bool) {
	t.Helper()
	s, _, batch := foreign(t, seed, damages)
	if batch == nil {
		return false
	}
	_, err := encodeBatch(s, batch, format.EncodeOptions{})
	var v *format.ValueError
	if err != nil && !errors.As(err, &v) {
		t.Fatalf("seed %d: the error is %v", seed, err)
	}
	return err == nil
}

func TestColumnsThatAreDamagedAreRefusedOrWritten(t *testing.T) {
	count := map[bool]int{}
	for seed := range uint64(hostile.Rounds(400)) {
		count[damagedColumns(t, seed, 1+int(seed%4))]++
	}
	if count[true] == 0 || count[false] == 0 {
		t.Errorf("%d were written and %d refused", count[true], count[false])
	}
}

func FuzzColumnsOfForeignPrograms(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed%4))
	}
	f.Fuzz(func(t *testing.T, seed uint64, damages uint8) { damagedColumns(t, seed, int(damages%8)) })
}
