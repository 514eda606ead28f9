// Package frametest lays columns out in other ways, and damages them: what encoders must take of foreign programs, and must refuse.
package frametest

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Disguise lays an array out in another way that has the same values: as a slice, with wider offsets, as a view, a dictionary, runs, a wider number, at every level.
func Disguise(r *rand.Rand, a arrow.Array) arrow.Array {
	a = slicedIn(r, withinDisguised(r, a))
	if r.IntN(2) == 0 {
		return a
	}
	var out arrow.Array
	switch a := a.(type) {
	case *array.String:
		out = textsInAnotherLayout(r, a, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView)
	case *array.Binary:
		out = textsInAnotherLayout(r, a, arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView)
	case *array.List:
		out = listInAnotherLayout(r, a)
	case *array.Dictionary:
		out = otherDictionary(r, a)
	case *array.Int32:
		out = widerNumber(a)
	}
	if _, enum := a.(*array.Dictionary); out == nil && !enum && a.DataType().ID() != arrow.NULL && a.DataType().ID() != arrow.DENSE_UNION {
		switch r.IntN(3) {
		case 0:
			out = asDictionary(r, a)
		case 1:
			out = asRuns(r, a)
		}
	}
	if out == nil {
		return a
	}
	return slicedIn(r, out)
}

// slicedIn is a slice of a longer array.
func slicedIn(r *rand.Rand, a arrow.Array) arrow.Array {
	if r.IntN(2) == 0 || a.Len() == 0 {
		return a
	}
	switch a.DataType().ID() {
	case arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.DENSE_UNION, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.EXTENSION, arrow.RUN_END_ENCODED:
		return a // arrow-go does not join them
	}
	before, after := array.NewSlice(a, 0, int64(r.IntN(a.Len()+1))), array.NewSlice(a, 0, int64(r.IntN(a.Len()+1)))
	long, err := array.Concatenate([]arrow.Array{before, a, after}, memory.DefaultAllocator)
	if err != nil { // it holds one of those
		return a
	}
	return array.NewSlice(long, int64(before.Len()), int64(before.Len()+a.Len()))
}

// WithField is a field with another type.
func WithField(f arrow.Field, t arrow.DataType) arrow.Field {
	f.Type = t
	return f
}

// withinDisguised disguises what lies below an array.
func withinDisguised(r *rand.Rand, a arrow.Array) arrow.Array {
	d := a.Data()
	switch a := a.(type) {
	case *array.Struct:
		fields := slices.Clone(a.DataType().(*arrow.StructType).Fields())
		kids := make([]arrow.ArrayData, len(fields))
		for i := range fields {
			kid := Disguise(r, a.Field(i))
			fields[i], kids[i] = WithField(fields[i], kid.DataType()), kid.Data()
		}
		return array.MakeFromData(array.NewData(arrow.StructOf(fields...), a.Len(), d.Buffers(), kids, a.NullN(), 0))
	case *array.List:
		kid := Disguise(r, a.ListValues())
		t := arrow.ListOfField(WithField(a.DataType().(*arrow.ListType).ElemField(), kid.DataType()))
		return array.MakeFromData(array.NewData(t, a.Len(), d.Buffers(), []arrow.ArrayData{kid.Data()}, a.NullN(), d.Offset()))
	case *array.Map:
		mt := a.DataType().(*arrow.MapType)
		key, item := Disguise(r, a.Keys()), Disguise(r, a.Items())
		t := arrow.MapOfFields(WithField(mt.KeyField(), key.DataType()), WithField(mt.ItemField(), item.DataType()))
		entries := array.NewData(t.Elem(), key.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{key.Data(), item.Data()}, 0, 0)
		if r.IntN(3) == 0 { // as polars has maps
			list := arrow.ListOf(t.Elem())
			return array.MakeFromData(array.NewData(list, a.Len(), d.Buffers(), []arrow.ArrayData{entries}, a.NullN(), d.Offset()))
		}
		return array.MakeFromData(array.NewData(t, a.Len(), d.Buffers(), []arrow.ArrayData{entries}, a.NullN(), d.Offset()))
	case *array.DenseUnion:
		ut := a.DataType().(*arrow.DenseUnionType)
		fields := slices.Clone(ut.Fields())
		kids := make([]arrow.ArrayData, len(fields))
		for i := range fields {
			kid := Disguise(r, a.Field(i))
			fields[i], kids[i] = WithField(fields[i], kid.DataType()), kid.Data()
		}
		if r.IntN(3) == 0 {
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

func textsInAnotherLayout(r *rand.Rand, a arrow.Array, large, view arrow.DataType) arrow.Array {
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
	if r.IntN(2) == 0 {
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
		k := r.IntN(2)
		lengths = append(lengths, v[:4]...)
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(k))
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(len(buffers[k])))
		buffers[k] = append(buffers[k], v...)
	}
	return array.MakeFromData(array.NewData(view, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(lengths), memory.NewBufferBytes(slices.Clip(buffers[0])), memory.NewBufferBytes(slices.Clip(buffers[1]))}, nil, a.NullN(), 0))
}

func listInAnotherLayout(r *rand.Rand, a *array.List) arrow.Array {
	elem := a.DataType().(*arrow.ListType).ElemField()
	kids := []arrow.ArrayData{a.ListValues().Data()}
	var offsets, sizes []byte
	wide := r.IntN(2) == 0
	add := func(to []byte, n int64) []byte {
		if wide {
			return binary.LittleEndian.AppendUint64(to, uint64(n))
		}
		return binary.LittleEndian.AppendUint32(to, uint32(n))
	}
	asViews := !wide || r.IntN(2) == 0
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
func asDictionary(r *rand.Rand, a arrow.Array) arrow.Array {
	if a.Len() > 100 {
		return nil
	}
	valid := validBits(a)
	nulls := a.NullN()
	if r.IntN(2) == 0 {
		valid, nulls = nil, 0
	}
	indices := make([]int, a.Len())
	for i := range indices {
		indices[i] = i
	}
	t := pick(r, indexTypes...)
	return array.MakeFromData(array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: t, ValueType: a.DataType()}, a.Len(),
		[]*memory.Buffer{valid, indexBytes(t, indices)}, nulls, 0, a.Data().(*array.Data)))
}

// otherDictionary has the symbols of an enum in another order, with others among them.
func otherDictionary(r *rand.Rand, a *array.Dictionary) arrow.Array {
	symbols := a.Dictionary().(*array.String)
	if symbols.Len() > 100 {
		return nil
	}
	order := r.Perm(symbols.Len())
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
	t := pick(r, indexTypes...)
	var values arrow.Array = b.NewStringArray()
	if r.IntN(2) == 0 {
		values = textsInAnotherLayout(r, values, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView)
	}
	return array.MakeFromData(array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: t, ValueType: values.DataType()}, a.Len(),
		[]*memory.Buffer{validBits(a), indexBytes(t, indices)}, a.NullN(), 0, values.Data().(*array.Data)))
}

func asRuns(r *rand.Rand, a arrow.Array) arrow.Array {
	ends := make([]int, a.Len())
	for i := range ends {
		ends[i] = i + 1
	}
	t := pick(r, indexTypes[2], indexTypes[4], indexTypes[6])
	runEnds := array.NewData(t, a.Len(), []*memory.Buffer{nil, indexBytes(t, ends)}, nil, 0, 0)
	return array.MakeFromData(array.NewData(arrow.RunEndEncodedOf(t, a.DataType()), a.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{runEnds, a.Data()}, 0, 0))
}

func widerNumber(a *array.Int32) arrow.Array {
	wide := make([]int64, a.Len())
	for i, v := range a.Int32Values() {
		if a.IsValid(i) {
			wide[i] = int64(v)
		}
	}
	b := arrow.Int64Traits.CastToBytes(wide)
	return array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Int64, a.Len(), []*memory.Buffer{validBits(a), memory.NewBufferBytes(b)}, nil, a.NullN(), 0))
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// CountTypes adds the types of an array, and of what lies below it, to those that were seen.
func CountTypes(d arrow.ArrayData, seen map[arrow.Type]int) {
	seen[d.DataType().ID()]++
	for _, kid := range d.Children() {
		CountTypes(kid, seen)
	}
	if dictionary := d.Dictionary(); dictionary != nil && dictionary.(*array.Data) != nil {
		CountTypes(dictionary, seen)
	}
}
