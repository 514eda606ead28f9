//go:build unix

package avro_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame/frametest"
)

// foreign makes a random frame, laid out in random ways, whose buffers end at a page that must not be touched.
func foreign(t *testing.T, seed uint64, damages int) (*subject, arrow.RecordBatch) {
	s := newSubject(t, seed)
	var bodies [][]byte
	for range rows {
		bodies = append(bodies, s.encode(t))
	}
	plan := s.plan(t, pick(s.maker, format.StructUnions, format.DenseUnions))
	batch := batchOf(t, plan, bodies)
	return s, frametest.Foreign(t, s.maker.Rand, batch, damages)
}

// TestNothingIsReadBeyondTheEndOfABuffer writes columns each of whose buffers ends at a page that must not be touched.
func TestNothingIsReadBeyondTheEndOfABuffer(t *testing.T) {
	for seed := range uint64(cases / 10) {
		s, batch := foreign(t, seed, 0)
		if batch == nil {
			t.Fatalf("seed %d: the columns are not made", seed)
		}
		if _, err := encodeBatch(s.parsed, batch, format.EncodeOptions{}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestColumnsThatAreDamagedAreRefusedOrWritten damages what a foreign program hands over. What is not refused by an error is written without reading foreign memory.
func TestColumnsThatAreDamagedAreRefusedOrWritten(t *testing.T) {
	refused, written := 0, 0
	for seed := range uint64(cases / 3) {
		if damaged(t, seed, 1+int(seed%4)) {
			written++
		} else {
			refused++
		}
	}
	if refused < cases/60 || written < cases/60 {
		t.Errorf("%d were refused and %d written", refused, written)
	}
}

func damaged(t *testing.T, seed uint64, damages int) (written bool) {
	t.Helper()
	s, batch := foreign(t, seed, damages)
	if batch == nil {
		return false
	}
	_, err := encodeBatch(s.parsed, batch, format.EncodeOptions{})
	var v *format.ValueError
	if err != nil && !errors.As(err, &v) {
		t.Fatalf("seed %d: the error is %v", seed, err)
	}
	return err == nil
}

func FuzzColumnsOfForeignPrograms(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed%4))
	}
	f.Fuzz(func(t *testing.T, seed uint64, damages uint8) { damaged(t, seed, int(damages%8)) })
}

// TestEachDamageOfAColumnIsNamed has what a producer of Arrow data can get wrong.
func TestEachDamageOfAColumnIsNamed(t *testing.T) {
	words := func(of ...int32) []byte {
		var b []byte
		for _, v := range of {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return b
	}
	text, i32 := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32
	numbers := &frametest.Raw{Type: i32, N: 2, Buffers: [][]byte{nil, words(1, 2)}}
	symbols := &frametest.Raw{Type: text, N: 1, Buffers: [][]byte{nil, words(0, 1), []byte("a")}}
	dictionary := &arrow.DictionaryType{IndexType: i32, ValueType: text}
	dense := arrow.DenseUnionOf([]arrow.Field{{Name: "int", Type: i32}, {Name: "string", Type: text}}, []arrow.UnionTypeCode{3, 5})
	runs := arrow.RunEndEncodedOf(i32, text)
	for _, c := range []struct {
		schema string
		column *frametest.Raw
		want   string
	}{
		{`"string"`, &frametest.Raw{Type: text, N: 3, Buffers: [][]byte{nil, words(0, 5, 2, 6), []byte("abcdef")}}, "value: the offsets of the Arrow array fall, or are negative"},
		{`"bytes"`, &frametest.Raw{Type: arrow.BinaryTypes.Binary, N: 2, Buffers: [][]byte{nil, words(-1, 0, 0), []byte("abcdef")}}, "value: the offsets of the Arrow array fall, or are negative"},
		{`"string"`, &frametest.Raw{Type: text, N: 2, Buffers: [][]byte{nil, words(0, 1, 2), {'a', 0xff}}}, `row 1: value: "\xff" is not UTF-8`},
		{`"string"`, &frametest.Raw{Type: text, N: 2, Buffers: [][]byte{nil, words(0, 1, 2), []byte("ü")}}, `row 0: value: "\xc3" is not UTF-8`},
		{`"string"`, &frametest.Raw{Type: arrow.BinaryTypes.StringView, N: 1, Buffers: [][]byte{nil, words(13, 0, 1, 0), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says 13 bytes at 0 of buffer 1, and there are 1 buffers"},
		{`"string"`, &frametest.Raw{Type: arrow.BinaryTypes.StringView, N: 1, Buffers: [][]byte{nil, words(13, 0, 0, 1), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says 13 bytes at 1 of buffer 0, which ends before"},
		{`"string"`, &frametest.Raw{Type: arrow.BinaryTypes.StringView, N: 1, Buffers: [][]byte{nil, words(-1, 0, 0, 0), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says -1 bytes"},
		{`"string"`, &frametest.Raw{Type: dictionary, N: 2, Buffers: [][]byte{nil, words(0, 1)}, Dictionary: symbols}, "value: index 1 of the Arrow array is 1, and its dictionary has 1 values"},
		{`{"type":"enum","name":"E","symbols":["a"]}`, &frametest.Raw{Type: dictionary, N: 2, Buffers: [][]byte{nil, words(0, -1)}, Dictionary: symbols}, "value: index 1 of the Arrow array is -1, and its dictionary has 1 values"},
		{`{"type":"array","items":"int"}`, &frametest.Raw{Type: arrow.ListOf(i32), N: 1, Buffers: [][]byte{nil, words(0, 3)}, Kids: []*frametest.Raw{numbers}}, "value: child 0 of the Arrow array has 2 values, and 0 to 3 are referred to"},
		{`{"type":"array","items":"int"}`, &frametest.Raw{Type: arrow.ListViewOf(i32), N: 1, Buffers: [][]byte{nil, words(0), words(-1)}, Kids: []*frametest.Raw{numbers}}, "value: list 0 of the Arrow array has -1 items from item 0 on"},
		{`["int","string"]`, &frametest.Raw{Type: dense, N: 1, Buffers: [][]byte{nil, {4}, words(0)}, Kids: []*frametest.Raw{numbers, symbols}}, "value: type code 4 of value 0 of the Arrow array is none of the union's"},
		{`["int","string"]`, &frametest.Raw{Type: dense, N: 1, Buffers: [][]byte{nil, {5}, words(1)}, Kids: []*frametest.Raw{numbers, symbols}}, "value: offset 1 of value 0 of the Arrow array is beyond the 1 values of its member"},
		{`"string"`, &frametest.Raw{Type: runs, N: 2, Buffers: [][]byte{nil}, Kids: []*frametest.Raw{{Type: i32, N: 1, Buffers: [][]byte{nil, words(1)}}, symbols}}, "value: the runs of the Arrow array end at 1, and it has 2 values"},
		{`"string"`, &frametest.Raw{Type: runs, N: 2, Buffers: [][]byte{nil}, Kids: []*frametest.Raw{{Type: i32, N: 2, Buffers: [][]byte{nil, words(1, 1)}}, symbols}}, "value: run 1 of the Arrow array ends at 1, before it begins"},
	} {
		t.Run(c.want, func(t *testing.T) {
			column := c.column.Made(t, frametest.NewGuards(t))
			if column == nil {
				t.Fatal("arrow-go refuses it")
			}
			batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "value", Type: column.DataType()}}, nil), []arrow.Array{column}, int64(column.Len()))
			if _, err := encodeBatch(parse(t, c.schema), batch, format.EncodeOptions{}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("the error is\n%v, want\n%s", err, c.want)
			}
		})
	}
}
