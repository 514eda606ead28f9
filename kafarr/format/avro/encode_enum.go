package avro

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// enumWriter writes the codes of symbols. They are looked up when the batch is bound: once for each value of a dictionary, or for each row of a column of texts.
type enumWriter struct {
	target
	dictionary bool
	layout     frame.Layout
	codes      map[string]int32
}

func enumColumn(to target, t arrow.DataType) writer {
	w := &enumWriter{target: to, codes: make(map[string]int32, len(to.schema.Symbols))}
	if d, ok := frame.Storage(t).(*arrow.DictionaryType); ok {
		w.dictionary, t = true, d.ValueType
	}
	if !frame.IsText(t) {
		return nil
	}
	w.layout = spanLayout(t)
	for i, symbol := range to.schema.Symbols {
		w.codes[symbol] = int32(i)
	}
	return w
}

// code looks a symbol up.
func (w *enumWriter) code(s *frame.Segment, row int, o *writeOp, at int) (int32, error) {
	base, from, n, _ := o.span(at)
	text := format.Span(base, from, n)
	if code, ok := w.codes[string(text)]; ok {
		return code, nil
	}
	return 0, w.wrong(s, row, frame.ShortBytes(text), "is no symbol of %s, which has %s", w.schema.describe(), firstOf(w.schema.Symbols))
}

func (w *enumWriter) bind(b *binder, s frame.Segment) error {
	if w.dictionary {
		return w.bindDictionary(b, s)
	}
	source := spanWriter{target: w.target, layout: w.layout, size: -1}
	o, err := source.check(b, &s)
	if err != nil {
		return err
	}
	codes := make([]int32, s.N)
	for i := range codes {
		if s.Counts(i) && !o.isNull(i) {
			if codes[i], err = w.code(&s, i, &o, i); err != nil {
				return err
			}
		}
	}
	w.add(b, o, codes)
	return nil
}

func (w *enumWriter) add(b *binder, o writeOp, codes []int32) {
	o.code, o.more, o.offs, o.data = writeInt, nil, nil, unsafe.Pointer(unsafe.SliceData(codes))
	b.add(o, 12)
}

func (w *enumWriter) bindDictionary(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, writeInt)
	if err != nil {
		return err
	}
	indices, used, err := s.Indices(w.path, nulls)
	if err != nil {
		return err
	}
	dictionary := s.Dictionary()
	values := frame.Segment{Data: dictionary, Off: dictionary.Offset(), N: dictionary.Len(), Live: used, Row: func(int) int { return -1 }}
	source := spanWriter{target: target{path: w.path, schema: w.schema, null: nullAbove}, layout: w.layout, size: -1}
	texts, err := source.check(b, &values)
	if err != nil {
		return err
	}
	same := true
	table := make([]int32, len(used)) // codes by the dictionary's; -1: null
	for k := range used {
		if !used[k] {
			continue
		}
		if texts.isNull(k) {
			table[k], same = -1, false
			continue
		}
		if table[k], err = w.code(&s, w.rowOf(&s, &o, indices, k), &texts, k); err != nil {
			return err
		}
		same = same && int(table[k]) == k
	}
	if same && (indices.AreInPlace() || s.N == 0) {
		o.data = indices.Data // they are the codes
		b.add(o, 12)
		return nil
	}
	return w.translated(b, &s, o, indices, table)
}

// rowOf is where a value of the dictionary is first met; unlike other errors, that of a symbol takes a place in the column and not in the dictionary.
func (w *enumWriter) rowOf(s *frame.Segment, o *writeOp, x *frame.Indices, k int) int {
	for i := range s.N {
		if s.Counts(i) && !o.isNull(i) && x.At(i) == k {
			return i
		}
	}
	return 0
}

// translated makes codes of indices. A value of the dictionary may be null itself.
func (w *enumWriter) translated(b *binder, s *frame.Segment, o writeOp, x *frame.Indices, table []int32) error {
	codes := make([]int32, s.N)
	valid := make([]byte, (s.N+7)/8)
	nulls := false
	for i := range codes {
		if o.isNull(i) || !s.Counts(i) {
			nulls = nulls || o.isNull(i)
			continue
		}
		if codes[i] = table[x.At(i)]; codes[i] < 0 {
			if w.null == notNullable {
				return w.notNull(s, i)
			}
			nulls = true
			continue
		}
		valid[i>>3] |= 1 << (i & 7)
	}
	if nulls {
		o.valid, o.voff = unsafe.Pointer(unsafe.SliceData(valid)), 0
	}
	w.add(b, o, codes)
	return nil
}
