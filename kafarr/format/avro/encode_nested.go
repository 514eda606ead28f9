package avro

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// constWriter writes the same bytes in each row: the default of a field without a column.
type constWriter struct{ bytes []byte }

func (w *constWriter) bind(b *binder, _ segment) error {
	b.add(writeOp{code: writeConst, null: notNullable, more: &writeMore{bytes: w.bytes}}, 0) // it looks at the room itself
	return nil
}

// prefixWriter writes the index of a union's only branch before its value.
type prefixWriter struct {
	prefix []byte
	value  writer
}

func (w *prefixWriter) bind(b *binder, s segment) error {
	if err := (&constWriter{w.prefix}).bind(b, s); err != nil {
		return err
	}
	return w.value.bind(b, s)
}

// nullColumnWriter writes a column of Arrow's null type.
type nullColumnWriter struct {
	target
	branch int
}

func (w *nullColumnWriter) bind(b *binder, s segment) error {
	if w.branch >= 0 {
		return (&constWriter{appendZigzag(nil, int64(w.branch))}).bind(b, s)
	}
	if w.branch == notNullable {
		for i := range s.n {
			if s.counts(i) {
				return w.notNull(&s, i)
			}
		}
	}
	b.add(writeOp{code: writeNull, null: notNullable}, 0)
	return nil
}

// onlyNullWriter writes values of the type null, which take no bytes.
type onlyNullWriter struct{ target }

func (w *onlyNullWriter) bind(b *binder, s segment) error {
	b.add(writeOp{code: writeNull, null: notNullable}, 0)
	if s.data == nil || s.data.DataType().ID() == arrow.NULL {
		return nil
	}
	valid, err := s.bits(w.path, 0)
	if err != nil {
		return err
	}
	for i := range s.n {
		if s.counts(i) && (valid == nil || bit(valid, s.off+i) != 0) {
			return w.wrong(&s, i, "the value", "cannot be written: the type of the field is null, and takes null only")
		}
	}
	return nil
}

// recordWriter writes a struct: its fields one after the other.
type recordWriter struct {
	target
	fields []fieldWriter
}

func (w *recordWriter) bind(b *binder, s segment) error {
	o, nulls, err := b.start(&w.target, &s, writeRecord)
	if err != nil {
		return err
	}
	i := -1
	if w.null != notNullable || len(w.fields) == 0 { // else nothing would be done
		i = b.add(o, 2)
	}
	before := b.unguarded
	live, err := s.present(w.path, nulls)
	if err != nil {
		return err
	}
	for _, f := range w.fields {
		below := segment{n: s.n, row: s.row}
		if f.column != noColumn {
			if below, err = s.child(w.path, f.column, s.off, s.n); err != nil {
				return err
			}
		}
		below.live = live
		if err := f.writer.bind(b, below); err != nil {
			return err
		}
	}
	if i >= 0 {
		b.unguarded = max(before, b.unguarded) // where the record is null, no look at the room within it takes place
		b.close(i)
	}
	return nil
}

// listWriter writes arrays, and maps as lists of pairs.
type listWriter struct {
	target
	dtype arrow.DataType
	item  writer
}

func (w *listWriter) bind(b *binder, s segment) error {
	o, nulls, err := b.start(&w.target, &s, writeListOf)
	if err != nil {
		return err
	}
	o.more = &writeMore{}
	live, err := s.present(w.path, nulls)
	if err != nil {
		return err
	}
	first, n, err := w.place(&s, &o, live)
	if err != nil {
		return err
	}
	items, err := s.child(w.path, 0, first, n)
	if err != nil {
		return err
	}
	if o.more.layout != fixedSize {
		o.last = uintptr(first)
	} else {
		first = 0
	}
	items.live = itemsOf(&s, &o, live, first, n)
	items.row = func(j int) int {
		for i := range s.n {
			if from, n := o.listed(i); (live == nil || live[i]) && first+j >= from && first+j < from+n {
				return s.row(i)
			}
		}
		return -1
	}
	if o.more.layout == offsets32 {
		o.code = writeList
	}
	i := b.add(o, 12)
	if _, _, err := b.below(w.item, items); err != nil {
		return err
	}
	b.close(i)
	return nil
}

// place finds which items the lists refer to, and checks that no list has fewer than none.
func (w *listWriter) place(s *segment, o *writeOp, live []bool) (first, n int, err error) {
	width := 4
	switch t := w.dtype.(type) {
	case *arrow.FixedSizeListType:
		o.more.layout, o.more.width = fixedSize, int(t.Len())
		if o.more.width < 0 || o.more.width > 0 && s.off+s.n > math.MaxInt/o.more.width {
			return 0, 0, broken(w.path, "a list cannot have %d items", o.more.width)
		}
		return s.off * o.more.width, s.n * o.more.width, nil
	case *arrow.LargeListType:
		o.more.layout, width = offsets64, 8
	case *arrow.ListViewType:
		o.more.layout = views32
	case *arrow.LargeListViewType:
		o.more.layout, width = views64, 8
	}
	if s.n == 0 {
		return 0, 0, nil
	}
	if o.more.layout == views32 || o.more.layout == views64 {
		if o.offs, err = s.buffer(w.path, 1, width, s.n); err != nil {
			return 0, 0, err
		}
		if o.more.sizes, err = s.buffer(w.path, 2, width, s.n); err != nil {
			return 0, 0, err
		}
		return w.views(s, o, live)
	}
	if o.offs, err = s.buffer(w.path, 1, width, s.n+1); err != nil {
		return 0, 0, err
	}
	var last int
	if width == 8 {
		first, last, err = checkOffsets(w.path, unsafe.Slice((*int64)(o.offs), s.n+1))
	} else {
		first, last, err = checkOffsets(w.path, unsafe.Slice((*int32)(o.offs), s.n+1))
	}
	return first, last - first, err
}

// views is place for lists that have an offset and a size each, in any order.
func (w *listWriter) views(s *segment, o *writeOp, live []bool) (first, n int, err error) {
	first, last := math.MaxInt, 0
	for i := range s.n {
		if live != nil && !live[i] {
			continue
		}
		from, n := o.listed(i)
		if from < 0 || n < 0 || from > math.MaxInt-n {
			return 0, 0, broken(w.path, "list %d of the Arrow array has %d items from item %d on", i, n, from)
		}
		if n > 0 {
			first, last = min(first, from), max(last, from+n)
		}
	}
	if last == 0 {
		return 0, 0, nil
	}
	return first, last - first, nil
}

// itemsOf are the items that lists refer to which count; nil: all.
func itemsOf(s *segment, o *writeOp, live []bool, first, n int) []bool {
	isView := o.more.layout == views32 || o.more.layout == views64
	if live == nil && !isView {
		return nil
	}
	apart := isView
	for i := 0; i < s.n && !apart; i++ {
		_, n := o.listed(i)
		apart = !live[i] && n > 0
	}
	if !apart {
		return nil
	}
	out := make([]bool, n)
	for i := range s.n {
		if live != nil && !live[i] {
			continue
		}
		from, k := o.listed(i)
		for j := from; j < from+k; j++ {
			out[j-first] = true
		}
	}
	return out
}
