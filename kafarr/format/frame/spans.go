package frame

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// Layout is how texts, bytes and lists say where each one lies.
type Layout uint8

// The layouts.
const (
	Offsets32 Layout = iota
	Offsets64
	Views   // a word of 16 bytes each, with the text or its place
	Views32 // offsets and sizes, of lists
	Views64
	FixedSize
)

// InlineView is the longest text that stands in its view.
const InlineView = 12

// Memory is a buffer: its begin, and one past its end.
type Memory struct {
	Base unsafe.Pointer
	Last uintptr
}

// Spans are where the texts or bytes of a column lie.
type Spans struct {
	Layout  Layout
	Width   int            // of values of a fixed size
	Data    unsafe.Pointer // the bytes, or the views
	Offs    unsafe.Pointer
	Last    uintptr  // one past the last byte of Data; 0: there is none
	Buffers []Memory // of views
}

// LayoutOf is the layout of a type of texts or bytes, and the width of values of a fixed size.
func LayoutOf(t arrow.DataType) (layout Layout, width int) {
	switch t := Storage(t).(type) {
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return Offsets64, 0
	case *arrow.StringViewType, *arrow.BinaryViewType:
		return Views, 0
	case *arrow.FixedSizeBinaryType:
		return FixedSize, t.ByteWidth
	}
	return Offsets32, 0
}

// Spans finds the texts or bytes, and checks that they lie within their buffers.
func (s *Segment) Spans(path string, nulls int, layout Layout, width int) (p Spans, err error) {
	p = Spans{Layout: layout, Width: width}
	if s.N == 0 {
		return p, nil
	}
	switch layout {
	case Views:
		return p, s.views(path, nulls, &p)
	case FixedSize:
		if p.Data, err = s.Buffer(path, 1, width, s.N); err == nil {
			p.Last = uintptr(p.Data) + uintptr(s.N*width)
		}
		return p, err
	}
	return p, s.spanOffsets(path, &p)
}

// spanOffsets checks that offsets do not fall, and that they lie within the buffer of bytes.
func (s *Segment) spanOffsets(path string, p *Spans) (err error) {
	first, last, err := s.offsets(path, p.Layout == Offsets64, &p.Offs)
	if err != nil {
		return err
	}
	have := 0
	if buffers := s.Data.Buffers(); len(buffers) > 2 && buffers[2] != nil {
		have = buffers[2].Len()
		p.Data = unsafe.Pointer(unsafe.SliceData(buffers[2].Bytes()))
		p.Last = uintptr(p.Data) + uintptr(have)
	}
	if last > have && last > first {
		return Broken(path, "the offsets of the Arrow array end at %d, and its buffer at %d", last, have)
	}
	return nil
}

// offsets reads the N+1 offsets of 32 or 64 bits, and checks that they do not fall.
func (s *Segment) offsets(path string, wide bool, offs *unsafe.Pointer) (first, last int, err error) {
	width := 4
	if wide {
		width = 8
	}
	if *offs, err = s.Buffer(path, 1, width, s.N+1); err != nil {
		return 0, 0, err
	}
	if wide {
		return checkOffsets(path, unsafe.Slice((*int64)(*offs), s.N+1))
	}
	return checkOffsets(path, unsafe.Slice((*int32)(*offs), s.N+1))
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
		return 0, 0, Broken(path, "the offsets of the Arrow array fall, or are negative")
	}
	return int(offsets[0]), int(before), nil
}

// views checks that each view has its bytes within a buffer.
func (s *Segment) views(path string, nulls int, p *Spans) (err error) {
	if p.Data, err = s.Buffer(path, 1, 16, s.N); err != nil {
		return err
	}
	for _, b := range s.Data.Buffers()[2:] {
		m := Memory{Base: unsafe.Pointer(&nothing)}
		if b != nil && b.Len() > 0 {
			m.Base = unsafe.Pointer(unsafe.SliceData(b.Bytes()))
			m.Last = uintptr(m.Base) + uintptr(b.Len())
		}
		p.Buffers = append(p.Buffers, m)
	}
	return s.Each(path, nulls, func(i int) error {
		view := unsafe.Slice((*int32)(unsafe.Add(p.Data, i*16)), 4)
		n, k, at := int(view[0]), int(view[2]), int(view[3])
		if n >= 0 && n <= InlineView {
			return nil
		}
		if n < 0 || k < 0 || k >= len(p.Buffers) || at < 0 {
			return Broken(path, "view %d of the Arrow array says %d bytes at %d of buffer %d, and there are %d buffers", i, n, at, k, len(p.Buffers))
		}
		if b := &p.Buffers[k]; b.Last == 0 || uintptr(at)+uintptr(n) > b.Last-uintptr(b.Base) {
			return Broken(path, "view %d of the Arrow array says %d bytes at %d of buffer %d, which ends before", i, n, at, k)
		}
		return nil
	})
}

// At is where a text or bytes lies: base[from:from+n], in memory that ends at last.
func (p *Spans) At(i int) (base unsafe.Pointer, from, n int, last uintptr) {
	switch p.Layout {
	case Offsets64:
		from = int(*(*int64)(unsafe.Add(p.Offs, i*8)))
		return p.Data, from, int(*(*int64)(unsafe.Add(p.Offs, i*8+8))) - from, p.Last
	case Views:
		view := unsafe.Add(p.Data, i*16)
		n = int(*(*int32)(view))
		if n <= InlineView {
			return view, 4, n, uintptr(view) + 16
		}
		b := &p.Buffers[*(*int32)(unsafe.Add(view, 8))]
		return b.Base, int(*(*int32)(unsafe.Add(view, 12))), n, b.Last
	case FixedSize:
		return p.Data, i * p.Width, p.Width, p.Last
	}
	from = int(*(*int32)(unsafe.Add(p.Offs, i*4)))
	return p.Data, from, int(*(*int32)(unsafe.Add(p.Offs, i*4+4))) - from, p.Last
}

// Lists are which items the lists of a column have.
type Lists struct {
	Layout Layout
	Width  int // items of a list of fixed size
	Offs   unsafe.Pointer
	Sizes  unsafe.Pointer // of list views
	First  int            // the item that Items begins with; lists of a fixed size count from 0
	Items  Segment
}

// Lists finds the items that the lists which are live refer to, and checks that they lie within the child array.
func (s *Segment) Lists(path string, t arrow.DataType, live []bool) (l Lists, err error) {
	first, n, err := s.placeOfItems(path, t, live, &l)
	if err != nil {
		return l, err
	}
	if l.Items, err = s.Child(path, 0, first, n); err != nil {
		return l, err
	}
	if l.Layout != FixedSize {
		l.First = first
	}
	l.Items.Live = l.liveItems(s.N, live, n)
	at, rows, count := l, s.Row, s.N
	l.Items.Row = func(j int) int {
		for i := range count {
			if from, n := at.At(i); (live == nil || live[i]) && at.First+j >= from && at.First+j < from+n {
				return rows(i)
			}
		}
		return -1
	}
	return l, nil
}

// placeOfItems finds which items the lists refer to, and checks that no list has fewer than none.
func (s *Segment) placeOfItems(path string, t arrow.DataType, live []bool, l *Lists) (first, n int, err error) {
	width := 4
	switch t := t.(type) {
	case *arrow.FixedSizeListType:
		l.Layout, l.Width = FixedSize, int(t.Len())
		if l.Width < 0 || l.Width > 0 && s.Off+s.N > math.MaxInt/l.Width {
			return 0, 0, Broken(path, "a list cannot have %d items", l.Width)
		}
		return s.Off * l.Width, s.N * l.Width, nil
	case *arrow.LargeListType:
		l.Layout = Offsets64
	case *arrow.ListViewType:
		l.Layout = Views32
	case *arrow.LargeListViewType:
		l.Layout, width = Views64, 8
	}
	if s.N == 0 {
		return 0, 0, nil
	}
	if l.Layout == Views32 || l.Layout == Views64 {
		if l.Offs, err = s.Buffer(path, 1, width, s.N); err != nil {
			return 0, 0, err
		}
		if l.Sizes, err = s.Buffer(path, 2, width, s.N); err != nil {
			return 0, 0, err
		}
		return l.views(path, s.N, live)
	}
	first, last, err := s.offsets(path, l.Layout == Offsets64, &l.Offs)
	return first, last - first, err
}

// views is placeOfItems for lists that have an offset and a size each, in any order.
func (l *Lists) views(path string, lists int, live []bool) (first, n int, err error) {
	first, last := math.MaxInt, 0
	for i := range lists {
		if live != nil && !live[i] {
			continue
		}
		from, n := l.At(i)
		if from < 0 || n < 0 || from > math.MaxInt-n {
			return 0, 0, Broken(path, "list %d of the Arrow array has %d items from item %d on", i, n, from)
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

// liveItems are the items that lists refer to which count; nil: all.
func (l *Lists) liveItems(lists int, live []bool, n int) []bool {
	isView := l.Layout == Views32 || l.Layout == Views64
	if live == nil && !isView {
		return nil
	}
	apart := isView
	for i := 0; i < lists && !apart; i++ {
		_, n := l.At(i)
		apart = !live[i] && n > 0
	}
	if !apart {
		return nil
	}
	out := make([]bool, n)
	for i := range lists {
		if live != nil && !live[i] {
			continue
		}
		from, k := l.At(i)
		for j := from; j < from+k; j++ {
			out[j-l.First] = true
		}
	}
	return out
}

// At is which items a list has. Item First is the first one of Items.
func (l *Lists) At(i int) (from, n int) {
	switch l.Layout {
	case Offsets64:
		from = int(*(*int64)(unsafe.Add(l.Offs, i*8)))
		return from, int(*(*int64)(unsafe.Add(l.Offs, i*8+8))) - from
	case Views32:
		return int(*(*int32)(unsafe.Add(l.Offs, i*4))), int(*(*int32)(unsafe.Add(l.Sizes, i*4)))
	case Views64:
		return int(*(*int64)(unsafe.Add(l.Offs, i*8))), int(*(*int64)(unsafe.Add(l.Sizes, i*8)))
	case FixedSize:
		return i * l.Width, l.Width
	}
	from = int(*(*int32)(unsafe.Add(l.Offs, i*4)))
	return from, int(*(*int32)(unsafe.Add(l.Offs, i*4+4))) - from
}
