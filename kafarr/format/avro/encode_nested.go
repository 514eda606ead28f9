package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// constWriter writes the same bytes in each row: the default of a field without a column.
type constWriter struct{ bytes []byte }

func (w *constWriter) bind(b *binder, _ frame.Segment) error {
	b.add(writeOp{code: writeConst, null: notNullable, more: &writeMore{bytes: w.bytes}}, 0) // it looks at the room itself
	return nil
}

// prefixWriter writes the index of a union's only branch before its value.
type prefixWriter struct {
	prefix []byte
	value  writer
}

func (w *prefixWriter) bind(b *binder, s frame.Segment) error {
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

func (w *nullColumnWriter) bind(b *binder, s frame.Segment) error {
	if w.branch >= 0 {
		return (&constWriter{appendZigzag(nil, int64(w.branch))}).bind(b, s)
	}
	if w.branch == notNullable {
		for i := range s.N {
			if s.Counts(i) {
				return w.notNull(&s, i)
			}
		}
	}
	b.add(writeOp{code: writeNull, null: notNullable}, 0)
	return nil
}

// onlyNullWriter writes values of the type null, which take no bytes.
type onlyNullWriter struct{ target }

func (w *onlyNullWriter) bind(b *binder, s frame.Segment) error {
	b.add(writeOp{code: writeNull, null: notNullable}, 0)
	if s.Data == nil || s.Data.DataType().ID() == arrow.NULL {
		return nil
	}
	valid, err := s.Bits(w.path, 0)
	if err != nil {
		return err
	}
	for i := range s.N {
		if s.Counts(i) && (valid == nil || frame.Bit(valid, s.Off+i) != 0) {
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

func (w *recordWriter) bind(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, writeRecord)
	if err != nil {
		return err
	}
	i := -1
	if w.null != notNullable || len(w.fields) == 0 { // else nothing would be done
		i = b.add(o, 2)
	}
	before := b.unguarded
	live, err := s.Present(w.path, nulls)
	if err != nil {
		return err
	}
	for _, f := range w.fields {
		below := frame.Segment{N: s.N, Row: s.Row}
		if f.column != noColumn {
			if below, err = s.Child(w.path, f.column, s.Off, s.N); err != nil {
				return err
			}
		}
		below.Live = live
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

func (w *listWriter) bind(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, writeListOf)
	if err != nil {
		return err
	}
	o.more = &writeMore{}
	live, err := s.Present(w.path, nulls)
	if err != nil {
		return err
	}
	l, err := s.Lists(w.path, w.dtype, live)
	if err != nil {
		return err
	}
	o.offs, o.last, o.more.sizes, o.more.layout, o.more.width = l.Offs, uintptr(l.First), l.Sizes, l.Layout, l.Width
	if o.more.layout == frame.Offsets32 {
		o.code = writeList
	}
	i := b.add(o, 12)
	if _, _, err := b.below(w.item, l.Items); err != nil {
		return err
	}
	b.close(i)
	return nil
}
