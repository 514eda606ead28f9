package avro

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// spanWriter writes texts and bytes, and whatever else has a length in each row.
type spanWriter struct {
	target
	layout layoutOfSpans
	utf8   bool // they must be UTF-8
	size   int  // they must have so many bytes, and their length is not written; negative: of any length
	width  int  // of values of a fixed size
}

func textColumn(to target, t arrow.DataType) writer {
	if isUUID(t) {
		return &uuidTextWriter{to}
	}
	if !isText(t) && !isBinary(t) {
		return nil
	}
	return &spanWriter{target: to, layout: spanLayout(t), utf8: true, size: -1}
}

func bytesColumn(to target, t arrow.DataType) writer {
	if f, ok := storage(t).(*arrow.FixedSizeBinaryType); ok {
		return &spanWriter{target: to, layout: fixedSize, width: f.ByteWidth, size: -1}
	}
	if !isText(t) && !isBinary(t) {
		return nil
	}
	return &spanWriter{target: to, layout: spanLayout(t), size: -1}
}

// fixedColumn takes bytes of the size, and text for a UUID.
func fixedColumn(to target, t arrow.DataType) writer {
	size := to.schema.Size
	if f, ok := storage(t).(*arrow.FixedSizeBinaryType); ok {
		if f.ByteWidth != size {
			return nil
		}
		return &fixedWriter{to}
	}
	own, _ := leafOf(to.schema)
	switch {
	case isText(t) && isUUID(own.dtype):
		return &madeWriter{to, spanWriter{target: to, layout: spanLayout(t), size: -1}, parseUUID}
	case isBinary(t):
		return &spanWriter{target: to, layout: spanLayout(t), size: size}
	}
	return nil
}

func spanLayout(t arrow.DataType) layoutOfSpans {
	switch storage(t).ID() {
	case arrow.LARGE_STRING, arrow.LARGE_BINARY:
		return offsets64
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		return views
	}
	return offsets32
}

func (w *spanWriter) bind(b *binder, s segment) error {
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
func (w *spanWriter) check(b *binder, s *segment) (o writeOp, err error) {
	var nulls int
	if o, nulls, err = b.start(&w.target, s, writeSpan); err != nil {
		return o, err
	}
	o.more = &writeMore{layout: w.layout, length: w.size < 0}
	if s.n == 0 {
		return o, nil
	}
	switch w.layout {
	case views:
		err = w.views(s, &o, nulls)
	case fixedSize:
		o.size = int32(w.width) //nolint:gosec // a width of Arrow's
		if o.data, err = s.buffer(w.path, 1, w.width, s.n); err == nil {
			o.last = uintptr(o.data) + uintptr(s.n*w.width)
		}
	default:
		err = w.offsets(s, &o)
		if err == nil && o.more.length {
			o.code = map[layoutOfSpans]writeCode{offsets32: writeText, offsets64: writeLargeText}[w.layout]
		}
	}
	if err != nil {
		return o, err
	}
	return o, w.content(s, &o, nulls)
}

// offsets checks that offsets do not fall, and that they lie within the buffer of bytes.
func (w *spanWriter) offsets(s *segment, o *writeOp) (err error) {
	width := 4
	if w.layout == offsets64 {
		width = 8
	}
	if o.offs, err = s.buffer(w.path, 1, width, s.n+1); err != nil {
		return err
	}
	var first, last int
	if w.layout == offsets64 {
		first, last, err = checkOffsets(w.path, unsafe.Slice((*int64)(o.offs), s.n+1))
	} else {
		first, last, err = checkOffsets(w.path, unsafe.Slice((*int32)(o.offs), s.n+1))
	}
	if err != nil {
		return err
	}
	have := 0
	if buffers := s.data.Buffers(); len(buffers) > 2 && buffers[2] != nil {
		have = buffers[2].Len()
		o.data = unsafe.Pointer(unsafe.SliceData(buffers[2].Bytes()))
		o.last = uintptr(o.data) + uintptr(have)
	}
	if last > have && last > first {
		return broken(w.path, "the offsets of the Arrow array end at %d, and its buffer at %d", last, have)
	}
	return nil
}

// checkOffsets looks at all offsets, those of nulls, too.
func checkOffsets[T int32 | int64](path string, offsets []T) (first, last int, err error) {
	before := offsets[0]
	var wrong T // its sign: an offset is negative, or less than the one before
	for _, at := range offsets {
		wrong |= at | (at - before)
		before = at
	}
	if wrong < 0 {
		return 0, 0, broken(path, "the offsets of the Arrow array fall, or are negative")
	}
	return int(offsets[0]), int(before), nil
}

// views checks that each view has its bytes within a buffer.
func (w *spanWriter) views(s *segment, o *writeOp, nulls int) (err error) {
	if o.data, err = s.buffer(w.path, 1, 16, s.n); err != nil {
		return err
	}
	for _, b := range s.data.Buffers()[2:] {
		m := memoryOf{base: unsafe.Pointer(&nothing)}
		if b != nil && b.Len() > 0 {
			m.base = unsafe.Pointer(unsafe.SliceData(b.Bytes()))
			m.last = uintptr(m.base) + uintptr(b.Len())
		}
		o.more.buffers = append(o.more.buffers, m)
	}
	return s.each(w.path, nulls, func(i int) error {
		view := unsafe.Slice((*int32)(unsafe.Add(o.data, i*16)), 4)
		n, k, at := int(view[0]), int(view[2]), int(view[3])
		if n >= 0 && n <= inlineView {
			return nil
		}
		if n < 0 || k < 0 || k >= len(o.more.buffers) || at < 0 {
			return broken(w.path, "view %d of the Arrow array says %d bytes at %d of buffer %d, and there are %d buffers", i, n, at, k, len(o.more.buffers))
		}
		if b := &o.more.buffers[k]; b.last == 0 || uintptr(at)+uintptr(n) > b.last-uintptr(b.base) {
			return broken(w.path, "view %d of the Arrow array says %d bytes at %d of buffer %d, which ends before", i, n, at, k)
		}
		return nil
	})
}

// content checks lengths and UTF-8: of all texts at once, where they lie in a row and are good.
func (w *spanWriter) content(s *segment, o *writeOp, nulls int) error {
	if !w.utf8 && w.size < 0 || w.utf8 && w.allText(s, o) {
		return nil
	}
	return s.each(w.path, nulls, func(i int) error {
		base, from, n, _ := o.span(i)
		if w.size >= 0 && n != w.size {
			return w.wrong(s, i, "a value of "+strconv.Itoa(n)+" bytes", "does not fit %s, which takes %d", w.schema.describe(), w.size)
		}
		if w.utf8 && !utf8.Valid(format.Span(base, from, n)) {
			return w.wrong(s, i, shortBytes(format.Span(base, from, n)), "is not UTF-8, which %s must be: decode it, or make the field bytes", w.schema.describe())
		}
		return nil
	})
}

// allText reports whether the bytes of all texts together are UTF-8, and no text begins within a character.
func (w *spanWriter) allText(s *segment, o *writeOp) bool {
	switch w.layout {
	case offsets32:
		return textsAreUTF8(o.data, unsafe.Slice((*int32)(o.offs), s.n+1))
	case offsets64:
		return textsAreUTF8(o.data, unsafe.Slice((*int64)(o.offs), s.n+1))
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

// shortBytes is a text for an error.
func shortBytes(b []byte) string {
	const most = 40
	if len(b) > most {
		return strconv.QuoteToASCII(string(b[:most])) + "…"
	}
	return strconv.QuoteToASCII(string(b))
}

// fixedWriter writes bytes of the field's size.
type fixedWriter struct{ target }

func (w *fixedWriter) bind(b *binder, s segment) error {
	o, _, err := b.start(&w.target, &s, writeFixed)
	if err != nil {
		return err
	}
	size := w.schema.Size
	o.size = int32(size) //nolint:gosec // at most maxFixedSize
	if o.data, err = s.buffer(w.path, 1, size, s.n); err != nil {
		return err
	}
	b.add(o, 17)
	return nil
}

// uuidTextWriter writes Arrow's UUIDs as text.
type uuidTextWriter struct{ target }

func (w *uuidTextWriter) bind(b *binder, s segment) error {
	o, _, err := b.start(&w.target, &s, writeUUID)
	if err != nil {
		return err
	}
	if o.data, err = s.buffer(w.path, 1, 16, s.n); err != nil {
		return err
	}
	b.add(o, 38)
	return nil
}
