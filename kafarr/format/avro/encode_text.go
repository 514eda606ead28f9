package avro

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// spanWriter writes texts and bytes, and whatever else has a length in each row.
type spanWriter struct {
	target
	layout frame.Layout
	utf8   bool // they must be UTF-8
	size   int  // they must have so many bytes, and their length is not written; negative: of any length
	width  int  // of values of a fixed size
}

func textColumn(to target, t arrow.DataType) writer {
	if frame.IsUUID(t) {
		return &uuidTextWriter{to}
	}
	if !frame.IsText(t) && !frame.IsBinary(t) {
		return nil
	}
	return &spanWriter{target: to, layout: spanLayout(t), utf8: true, size: -1}
}

func bytesColumn(to target, t arrow.DataType) writer {
	if f, ok := frame.Storage(t).(*arrow.FixedSizeBinaryType); ok {
		return &spanWriter{target: to, layout: frame.FixedSize, width: f.ByteWidth, size: -1}
	}
	if !frame.IsText(t) && !frame.IsBinary(t) {
		return nil
	}
	return &spanWriter{target: to, layout: spanLayout(t), size: -1}
}

// fixedColumn takes bytes of the size, and text for a UUID.
func fixedColumn(to target, t arrow.DataType) writer {
	size := to.schema.Size
	if f, ok := frame.Storage(t).(*arrow.FixedSizeBinaryType); ok {
		if f.ByteWidth != size {
			return nil
		}
		return &fixedWriter{to}
	}
	own, _ := leafOf(to.schema)
	switch {
	case frame.IsText(t) && frame.IsUUID(own.dtype):
		return &madeWriter{to, spanWriter{target: to, layout: spanLayout(t), size: -1}, parseUUID}
	case frame.IsBinary(t):
		return &spanWriter{target: to, layout: spanLayout(t), size: size}
	}
	return nil
}

func spanLayout(t arrow.DataType) frame.Layout {
	layout, _ := frame.LayoutOf(t)
	return layout
}

func (w *spanWriter) bind(b *binder, s frame.Segment) error {
	o, err := w.check(b, &s)
	if err != nil {
		return err
	}
	n := 12 + 48
	if o.code == writeSpan {
		n += 16
	}
	b.add(o, n)
	return nil
}

// check finds the spans and checks where they lie, how long they are and whether they are UTF-8.
func (w *spanWriter) check(b *binder, s *frame.Segment) (o writeOp, err error) {
	var nulls int
	if o, nulls, err = b.start(&w.target, s, writeSpan); err != nil {
		return o, err
	}
	o.more = &writeMore{layout: w.layout, length: w.size < 0}
	if s.N == 0 {
		return o, nil
	}
	p, err := s.Spans(w.path, nulls, w.layout, w.width)
	if err != nil {
		return o, err
	}
	o.data, o.offs, o.last, o.more.buffers, o.size = p.Data, p.Offs, p.Last, p.Buffers, int32(w.width) //nolint:gosec // a width of Arrow's
	if o.more.length && w.layout == frame.Offsets32 {
		o.code = writeText
	}
	if o.more.length && w.layout == frame.Offsets64 {
		o.code = writeLargeText
	}
	return o, w.content(s, &o, nulls)
}

// content checks lengths and UTF-8: of all texts at once, where they lie in a row and are good.
func (w *spanWriter) content(s *frame.Segment, o *writeOp, nulls int) error {
	if !w.utf8 && w.size < 0 || w.utf8 && w.allText(s, o) {
		return nil
	}
	return s.Each(w.path, nulls, func(i int) error {
		base, from, n, _ := o.span(i)
		if w.size >= 0 && n != w.size {
			return w.wrong(s, i, "a value of "+strconv.Itoa(n)+" bytes", "does not fit %s, which takes %d", w.schema.describe(), w.size)
		}
		if w.utf8 && !utf8.Valid(format.Span(base, from, n)) {
			return w.wrong(s, i, frame.ShortBytes(format.Span(base, from, n)), "is not UTF-8, which %s must be: decode it, or make the field bytes", w.schema.describe())
		}
		return nil
	})
}

// allText reports whether the bytes of all texts together are UTF-8, and no text begins within a character.
func (w *spanWriter) allText(s *frame.Segment, o *writeOp) bool {
	switch w.layout {
	case frame.Offsets32:
		return textsAreUTF8(o.data, unsafe.Slice((*int32)(o.offs), s.N+1))
	case frame.Offsets64:
		return textsAreUTF8(o.data, unsafe.Slice((*int64)(o.offs), s.N+1))
	}
	return false
}

func textsAreUTF8[T int32 | int64](data unsafe.Pointer, offsets []T) bool {
	first, last := offsets[0], offsets[len(offsets)-1]
	all := format.Span(data, int(first), int(last-first))
	if isASCII(all) {
		return true
	}
	if !utf8.Valid(all) {
		return false
	}
	within := false
	for _, at := range offsets {
		within = within || at < last && !utf8.RuneStart(all[at-first])
	}
	return !within
}

// isASCII looks at eight bytes at a time.
func isASCII(b []byte) bool {
	var high uint64
	for ; len(b) >= 8; b = b[8:] {
		high |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		high |= uint64(c)
	}
	return high&highBits == 0
}

// fixedWriter writes bytes of the field's size.
type fixedWriter struct{ target }

func (w *fixedWriter) bind(b *binder, s frame.Segment) error {
	o, _, err := b.start(&w.target, &s, writeFixed)
	if err != nil {
		return err
	}
	size := w.schema.Size
	o.size = int32(size) //nolint:gosec // at most maxFixedSize
	if o.data, err = s.Buffer(w.path, 1, size, s.N); err != nil {
		return err
	}
	b.add(o, 17)
	return nil
}

// uuidTextWriter writes Arrow's UUIDs as text.
type uuidTextWriter struct{ target }

func (w *uuidTextWriter) bind(b *binder, s frame.Segment) error {
	o, _, err := b.start(&w.target, &s, writeUUID)
	if err != nil {
		return err
	}
	if o.data, err = s.Buffer(w.path, 1, 16, s.N); err != nil {
		return err
	}
	b.add(o, 38)
	return nil
}
