package avro_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// disguise lays an array out in another way that has the same values: as a slice, with wider offsets, as a view, a dictionary, runs, a wider number, at every level.
func disguise(m *maker, a arrow.Array) arrow.Array {
	a = slicedIn(m, withinDisguised(m, a))
	if m.IntN(2) == 0 {
		return a
	}
	var out arrow.Array
	switch a := a.(type) {
	case *array.String:
		out = textsInAnotherLayout(m, a, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView)
	case *array.Binary:
		out = textsInAnotherLayout(m, a, arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView)
	case *array.List:
		out = listInAnotherLayout(m, a)
	case *array.Dictionary:
		out = otherDictionary(m, a)
	case *array.Int32:
		out = widerNumber(m, a)
	}
	if _, enum := a.(*array.Dictionary); out == nil && !enum && a.DataType().ID() != arrow.NULL && a.DataType().ID() != arrow.DENSE_UNION {
		switch m.IntN(3) {
		case 0:
			out = asDictionary(m, a)
		case 1:
			out = asRuns(m, a)
		}
	}
	if out == nil {
		return a
	}
	return slicedIn(m, out)
}

// slicedIn is a slice of a longer array.
func slicedIn(m *maker, a arrow.Array) arrow.Array {
	if m.IntN(2) == 0 || a.Len() == 0 {
		return a
	}
	switch a.DataType().ID() {
	case arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.DENSE_UNION, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.EXTENSION, arrow.RUN_END_ENCODED:
		return a // arrow-go does not join them
	}
	before, after := array.NewSlice(a, 0, int64(m.IntN(a.Len()+1))), array.NewSlice(a, 0, int64(m.IntN(a.Len()+1)))
	long, err := array.Concatenate([]arrow.Array{before, a, after}, memory.DefaultAllocator)
	if err != nil { // it holds one of those
		return a
	}
	return array.NewSlice(long, int64(before.Len()), int64(before.Len()+a.Len()))
}

func withField(f arrow.Field, t arrow.DataType) arrow.Field {
	f.Type = t
	return f
}

// withinDisguised disguises what lies below an array.
func withinDisguised(m *maker, a arrow.Array) arrow.Array {
	d := a.Data()
	switch a := a.(type) {
	case *array.Struct:
		fields := slices.Clone(a.DataType().(*arrow.StructType).Fields())
		kids := make([]arrow.ArrayData, len(fields))
		for i := range fields {
			kid := disguise(m, a.Field(i))
			fields[i], kids[i] = withField(fields[i], kid.DataType()), kid.Data()
		}
		return array.MakeFromData(array.NewData(arrow.StructOf(fields...), a.Len(), d.Buffers(), kids, a.NullN(), 0))
	case *array.List:
		kid := disguise(m, a.ListValues())
		t := arrow.ListOfField(withField(a.DataType().(*arrow.ListType).ElemField(), kid.DataType()))
		return array.MakeFromData(array.NewData(t, a.Len(), d.Buffers(), []arrow.ArrayData{kid.Data()}, a.NullN(), d.Offset()))
	case *array.Map:
		mt := a.DataType().(*arrow.MapType)
		key, item := disguise(m, a.Keys()), disguise(m, a.Items())
		t := arrow.MapOfFields(withField(mt.KeyField(), key.DataType()), withField(mt.ItemField(), item.DataType()))
		entries := array.NewData(t.Elem(), key.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{key.Data(), item.Data()}, 0, 0)
		if m.IntN(3) == 0 { // as polars has maps
			list := arrow.ListOf(t.Elem())
			return array.MakeFromData(array.NewData(list, a.Len(), d.Buffers(), []arrow.ArrayData{entries}, a.NullN(), d.Offset()))
		}
		return array.MakeFromData(array.NewData(t, a.Len(), d.Buffers(), []arrow.ArrayData{entries}, a.NullN(), d.Offset()))
	case *array.DenseUnion:
		ut := a.DataType().(*arrow.DenseUnionType)
		fields := slices.Clone(ut.Fields())
		kids := make([]arrow.ArrayData, len(fields))
		for i := range fields {
			kid := disguise(m, a.Field(i))
			fields[i], kids[i] = withField(fields[i], kid.DataType()), kid.Data()
		}
		if m.IntN(3) == 0 {
			if sparse := asSparse(a, fields, kids); sparse != nil {
				return sparse
			}
		}
		return array.MakeFromData(array.NewData(arrow.DenseUnionOf(fields, ut.TypeCodes()), a.Len(), d.Buffers(), kids, 0, d.Offset()))
	}
	return a
}

// asSparse has a value of each member in each row, most of which do not count; nil: a member has none to be repeated.
func asSparse(a *array.DenseUnion, fields []arrow.Field, kids []arrow.ArrayData) arrow.Array {
	kids = slices.Clone(kids)
	for k, kid := range kids {
		values := array.MakeFromData(kid)
		if values.Len() == 0 {
			return nil
		}
		var rows []arrow.Array
		for i := range a.Len() {
			at := int64(0)
			if a.ChildID(i) == k {
				at = int64(a.ValueOffset(i))
			}
			rows = append(rows, array.NewSlice(values, at, at+1))
		}
		all, err := array.Concatenate(rows, memory.DefaultAllocator)
		if err != nil { // arrow-go does not join all types
			return nil
		}
		kids[k] = all.Data()
	}
	codes := a.DataType().(*arrow.DenseUnionType).TypeCodes()
	ids := memory.NewBufferBytes(arrow.Int8Traits.CastToBytes(a.RawTypeCodes()[a.Data().Offset():]))
	return array.MakeFromData(array.NewData(arrow.SparseUnionOf(fields, codes), a.Len(), []*memory.Buffer{nil, ids}, kids, 0, 0))
}

// validBits are those of an array without an offset.
func validBits(a arrow.Array) *memory.Buffer {
	if a.NullN() == 0 {
		return nil
	}
	b := make([]byte, (a.Len()+7)/8)
	for i := range a.Len() {
		if a.IsValid(i) {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return memory.NewBufferBytes(b)
}

func textsInAnotherLayout(m *maker, a arrow.Array, large, view arrow.DataType) arrow.Array {
	texts, ok := a.(interface{ ValueBytesAt(i int) []byte })
	value := func(i int) []byte { return texts.ValueBytesAt(i) }
	if !ok {
		value = func(i int) []byte {
			if s, isString := a.(*array.String); isString {
				return []byte(s.Value(i))
			}
			return a.(*array.Binary).Value(i)
		}
	}
	var all, lengths []byte
	if m.IntN(2) == 0 {
		lengths = binary.LittleEndian.AppendUint64(nil, 0)
		for i := range a.Len() {
			if a.IsValid(i) {
				all = append(all, value(i)...)
			}
			lengths = binary.LittleEndian.AppendUint64(lengths, uint64(len(all)))
		}
		return array.MakeFromData(array.NewData(large, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(lengths), memory.NewBufferBytes(all)}, nil, a.NullN(), 0))
	}
	var buffers [2][]byte
	for i := range a.Len() {
		v := value(i)
		if a.IsNull(i) {
			v = nil
		}
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(len(v)))
		if len(v) <= 12 {
			lengths = append(append(lengths, v...), make([]byte, 12-len(v))...)
			continue
		}
		k := m.IntN(2)
		lengths = append(lengths, v[:4]...)
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(k))
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(len(buffers[k])))
		buffers[k] = append(buffers[k], v...)
	}
	return array.MakeFromData(array.NewData(view, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(lengths), memory.NewBufferBytes(slices.Clip(buffers[0])), memory.NewBufferBytes(slices.Clip(buffers[1]))}, nil, a.NullN(), 0))
}

func listInAnotherLayout(m *maker, a *array.List) arrow.Array {
	elem := a.DataType().(*arrow.ListType).ElemField()
	kids := []arrow.ArrayData{a.ListValues().Data()}
	var offsets, sizes []byte
	wide := m.IntN(2) == 0
	add := func(to []byte, n int64) []byte {
		if wide {
			return binary.LittleEndian.AppendUint64(to, uint64(n))
		}
		return binary.LittleEndian.AppendUint32(to, uint32(n))
	}
	asViews := !wide || m.IntN(2) == 0
	end := int64(0)
	for i := range a.Len() {
		var from int64
		from, end = a.ValueOffsets(i)
		offsets, sizes = add(offsets, from), add(sizes, end-from)
	}
	if !asViews {
		t := arrow.LargeListOfField(elem)
		return array.MakeFromData(array.NewData(t, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(add(offsets, end))}, kids, a.NullN(), 0))
	}
	var t arrow.DataType = arrow.ListViewOfField(elem)
	if wide {
		t = arrow.LargeListViewOfField(elem)
	}
	return array.MakeFromData(array.NewData(t, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(offsets), memory.NewBufferBytes(sizes)}, kids, a.NullN(), 0))
}

var indexTypes = []arrow.DataType{
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
	arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
}

func indexBytes(t arrow.DataType, indices []int) *memory.Buffer {
	var b []byte
	width := t.(arrow.FixedWidthDataType).Bytes()
	for _, k := range indices {
		b = append(b, binary.LittleEndian.AppendUint64(nil, uint64(k))[:width]...)
	}
	return memory.NewBufferBytes(slices.Clip(b))
}

// asDictionary has each value once, in any order; nulls are among the indices or among the values.
func asDictionary(m *maker, a arrow.Array) arrow.Array {
	if a.Len() > 100 {
		return nil
	}
	valid := validBits(a)
	nulls := a.NullN()
	if m.IntN(2) == 0 {
		valid, nulls = nil, 0
	}
	indices := make([]int, a.Len())
	for i := range indices {
		indices[i] = i
	}
	t := pick(m, indexTypes...)
	return array.MakeFromData(array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: t, ValueType: a.DataType()}, a.Len(),
		[]*memory.Buffer{valid, indexBytes(t, indices)}, nulls, 0, a.Data().(*array.Data)))
}

// otherDictionary has the symbols of an enum in another order, with others among them.
func otherDictionary(m *maker, a *array.Dictionary) arrow.Array {
	symbols := a.Dictionary().(*array.String)
	if symbols.Len() > 100 {
		return nil
	}
	order := m.Perm(symbols.Len())
	place := make([]int, len(order))
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append("none of the symbols")
	for i, k := range order {
		place[k] = i + 1
		b.Append(symbols.Value(k))
	}
	indices := make([]int, a.Len())
	for i := range indices {
		if a.IsValid(i) {
			indices[i] = place[a.GetValueIndex(i)]
		}
	}
	t := pick(m, indexTypes...)
	var values arrow.Array = b.NewStringArray()
	if m.IntN(2) == 0 {
		values = textsInAnotherLayout(m, values, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView)
	}
	return array.MakeFromData(array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: t, ValueType: values.DataType()}, a.Len(),
		[]*memory.Buffer{validBits(a), indexBytes(t, indices)}, a.NullN(), 0, values.Data().(*array.Data)))
}

func asRuns(m *maker, a arrow.Array) arrow.Array {
	ends := make([]int, a.Len())
	for i := range ends {
		ends[i] = i + 1
	}
	t := pick(m, indexTypes[2], indexTypes[4], indexTypes[6])
	runEnds := array.NewData(t, a.Len(), []*memory.Buffer{nil, indexBytes(t, ends)}, nil, 0, 0)
	return array.MakeFromData(array.NewData(arrow.RunEndEncodedOf(t, a.DataType()), a.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{runEnds, a.Data()}, 0, 0))
}

func widerNumber(m *maker, a *array.Int32) arrow.Array {
	wide := make([]int64, a.Len())
	for i, v := range a.Int32Values() {
		if a.IsValid(i) {
			wide[i] = int64(v)
		}
	}
	b := arrow.Int64Traits.CastToBytes(wide)
	return array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Int64, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(b)}, nil, a.NullN(), 0))
}

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
			columns[i] = disguise(s.maker, batch.Column(i))
			fields[i] = withField(fields[i], columns[i].DataType())
			noteTypes(columns[i].Data(), seen)
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

func noteTypes(d arrow.ArrayData, seen map[arrow.Type]int) {
	seen[d.DataType().ID()]++
	for _, kid := range d.Children() {
		noteTypes(kid, seen)
	}
	if dictionary := d.Dictionary(); dictionary != nil && dictionary.(*array.Data) != nil {
		noteTypes(dictionary, seen)
	}
}
