//go:build unix

package avro_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// guards are pages that must not be touched: each buffer ends where one begins.
type guards struct{ maps [][]byte }

func newGuards(t *testing.T) *guards {
	g := &guards{}
	t.Cleanup(func() {
		for _, m := range g.maps {
			if err := unix.Munmap(m); err != nil {
				t.Error(err)
			}
		}
	})
	return g
}

func (g *guards) buffer(t *testing.T, b []byte) *memory.Buffer {
	t.Helper()
	page := unix.Getpagesize()
	n := (len(b) + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, n+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	g.maps = append(g.maps, m)
	if err := unix.Mprotect(m[n:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	copy(m[n-len(b):n], b)
	return memory.NewBufferBytes(m[n-len(b) : n : n])
}

// raw is an array's data, to be changed.
type raw struct {
	dtype       arrow.DataType
	n, offset   int
	buffers     [][]byte // nil: none
	kids        []*raw
	dictionary  *raw
	isNullCount int
}

// rawOf copies an array's data. Buffers are cut to the length that the values need, as far as that is known without their content.
func rawOf(d arrow.ArrayData) *raw {
	r := &raw{dtype: d.DataType(), n: d.Len(), offset: d.Offset(), isNullCount: d.NullN()}
	for _, b := range d.Buffers() {
		var bytes []byte
		if b != nil {
			bytes = slices.Clone(b.Bytes())
			if bytes == nil {
				bytes = []byte{}
			}
		}
		r.buffers = append(r.buffers, bytes)
	}
	for _, kid := range d.Children() {
		r.kids = append(r.kids, rawOf(kid))
	}
	if dictionary, ok := d.Dictionary().(*array.Data); ok && dictionary != nil {
		r.dictionary = rawOf(dictionary)
	}
	return r
}

func (r *raw) all() (out []*raw) {
	out = append(out, r)
	for _, kid := range r.kids {
		out = append(out, kid.all()...)
	}
	if r.dictionary != nil {
		out = append(out, r.dictionary.all()...)
	}
	return out
}

func (r *raw) data(t *testing.T, g *guards) *array.Data {
	buffers := make([]*memory.Buffer, len(r.buffers))
	for i, b := range r.buffers {
		if b != nil {
			buffers[i] = g.buffer(t, b)
		}
	}
	var kids []arrow.ArrayData
	for _, kid := range r.kids {
		kids = append(kids, kid.data(t, g))
	}
	if r.dictionary != nil {
		return array.NewDataWithDictionary(r.dtype, r.n, buffers, r.isNullCount, r.offset, r.dictionary.data(t, g))
	}
	return array.NewData(r.dtype, r.n, buffers, kids, r.isNullCount, r.offset)
}

// made is the array, or nil where arrow-go itself refuses it, which it does by a panic.
func (r *raw) made(t *testing.T, g *guards) (a arrow.Array) {
	defer func() {
		if recover() != nil {
			a = nil
		}
	}()
	return array.MakeFromData(r.data(t, g))
}

// damage changes one thing of one of the arrays.
func (r *raw) damage(random *rand.Rand) {
	all := r.all()
	at := all[random.IntN(len(all))]
	extreme := []uint64{0, 1, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}[random.IntN(11)]
	if len(at.buffers) > 0 && random.IntN(6) > 0 {
		b := at.buffers[random.IntN(len(at.buffers))]
		if len(b) == 0 {
			return
		}
		switch random.IntN(3) {
		case 0:
			b[random.IntN(len(b))] = byte(random.Uint32())
		case 1:
			if place := random.IntN(len(b)/4+1) * 4; place+4 <= len(b) {
				binary.LittleEndian.PutUint32(b[place:], uint32(extreme))
			}
		case 2:
			if place := random.IntN(len(b)/8+1) * 8; place+8 <= len(b) {
				binary.LittleEndian.PutUint64(b[place:], extreme)
			}
		}
		return
	}
	switch random.IntN(5) {
	case 0:
		if k := random.IntN(len(at.buffers) + 1); k < len(at.buffers) && len(at.buffers[k]) > 0 {
			at.buffers[k] = at.buffers[k][:random.IntN(len(at.buffers[k]))]
		}
	case 1:
		at.n += random.IntN(7) - 3
	case 2:
		at.offset += random.IntN(7) - 3
	case 3:
		if len(at.kids) > 0 {
			at.kids = at.kids[:len(at.kids)-1]
		}
	case 4:
		at.isNullCount = random.IntN(3) - 1
	}
}

// foreign makes a random frame, laid out in random ways, whose buffers end at a page that must not be touched.
func foreign(t *testing.T, seed uint64, damages int) (*subject, arrow.RecordBatch) {
	s := newSubject(t, seed)
	var bodies [][]byte
	for range rows {
		bodies = append(bodies, s.encode(t))
	}
	plan := s.plan(t, pick(s.maker, format.StructUnions, format.DenseUnions))
	batch := batchOf(t, plan, bodies)
	g := newGuards(t)
	fields := slices.Clone(plan.Fields)
	columns := make([]arrow.Array, len(fields))
	for i := range columns {
		disguised := disguise(s.maker, batch.Column(i))
		fields[i] = withField(fields[i], disguised.DataType())
		r := rawOf(disguised.Data())
		for range damages {
			r.damage(s.maker.Rand)
		}
		if columns[i] = r.made(t, g); columns[i] == nil || columns[i].Len() != rows {
			return s, nil
		}
	}
	return s, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, rows)
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
	numbers := &raw{dtype: i32, n: 2, buffers: [][]byte{nil, words(1, 2)}}
	symbols := &raw{dtype: text, n: 1, buffers: [][]byte{nil, words(0, 1), []byte("a")}}
	dictionary := &arrow.DictionaryType{IndexType: i32, ValueType: text}
	dense := arrow.DenseUnionOf([]arrow.Field{{Name: "int", Type: i32}, {Name: "string", Type: text}}, []arrow.UnionTypeCode{3, 5})
	runs := arrow.RunEndEncodedOf(i32, text)
	for _, c := range []struct {
		schema string
		column *raw
		want   string
	}{
		{`"string"`, &raw{dtype: text, n: 3, buffers: [][]byte{nil, words(0, 5, 2, 6), []byte("abcdef")}}, "value: the offsets of the Arrow array fall, or are negative"},
		{`"bytes"`, &raw{dtype: arrow.BinaryTypes.Binary, n: 2, buffers: [][]byte{nil, words(-1, 0, 0), []byte("abcdef")}}, "value: the offsets of the Arrow array fall, or are negative"},
		{`"string"`, &raw{dtype: text, n: 2, buffers: [][]byte{nil, words(0, 1, 2), {'a', 0xff}}}, `row 1: value: "\xff" is not UTF-8`},
		{`"string"`, &raw{dtype: text, n: 2, buffers: [][]byte{nil, words(0, 1, 2), []byte("ü")}}, `row 0: value: "\xc3" is not UTF-8`},
		{`"string"`, &raw{dtype: arrow.BinaryTypes.StringView, n: 1, buffers: [][]byte{nil, words(13, 0, 1, 0), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says 13 bytes at 0 of buffer 1, and there are 1 buffers"},
		{`"string"`, &raw{dtype: arrow.BinaryTypes.StringView, n: 1, buffers: [][]byte{nil, words(13, 0, 0, 1), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says 13 bytes at 1 of buffer 0, which ends before"},
		{`"string"`, &raw{dtype: arrow.BinaryTypes.StringView, n: 1, buffers: [][]byte{nil, words(-1, 0, 0, 0), []byte("0123456789abc")}}, "value: view 0 of the Arrow array says -1 bytes"},
		{`"string"`, &raw{dtype: dictionary, n: 2, buffers: [][]byte{nil, words(0, 1)}, dictionary: symbols}, "value: index 1 of the Arrow array is 1, and its dictionary has 1 values"},
		{`{"type":"enum","name":"E","symbols":["a"]}`, &raw{dtype: dictionary, n: 2, buffers: [][]byte{nil, words(0, -1)}, dictionary: symbols}, "value: index 1 of the Arrow array is -1, and its dictionary has 1 values"},
		{`{"type":"array","items":"int"}`, &raw{dtype: arrow.ListOf(i32), n: 1, buffers: [][]byte{nil, words(0, 3)}, kids: []*raw{numbers}}, "value: child 0 of the Arrow array has 2 values, and 0 to 3 are referred to"},
		{`{"type":"array","items":"int"}`, &raw{dtype: arrow.ListViewOf(i32), n: 1, buffers: [][]byte{nil, words(0), words(-1)}, kids: []*raw{numbers}}, "value: list 0 of the Arrow array has -1 items from item 0 on"},
		{`["int","string"]`, &raw{dtype: dense, n: 1, buffers: [][]byte{nil, {4}, words(0)}, kids: []*raw{numbers, symbols}}, "value: type code 4 of value 0 of the Arrow array is none of the union's"},
		{`["int","string"]`, &raw{dtype: dense, n: 1, buffers: [][]byte{nil, {5}, words(1)}, kids: []*raw{numbers, symbols}}, "value: offset 1 of value 0 of the Arrow array is beyond the 1 values of its member"},
		{`"string"`, &raw{dtype: runs, n: 2, buffers: [][]byte{nil}, kids: []*raw{{dtype: i32, n: 1, buffers: [][]byte{nil, words(1)}}, symbols}}, "value: the runs of the Arrow array end at 1, and it has 2 values"},
		{`"string"`, &raw{dtype: runs, n: 2, buffers: [][]byte{nil}, kids: []*raw{{dtype: i32, n: 2, buffers: [][]byte{nil, words(1, 1)}}, symbols}}, "value: run 1 of the Arrow array ends at 1, before it begins"},
	} {
		t.Run(c.want, func(t *testing.T) {
			column := c.column.made(t, newGuards(t))
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
