package avro

import (
	"encoding/hex"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// made are values that Bind has written already: texts that must be parsed to be checked are parsed once.
type made struct {
	bytes []byte
	ends  []int64 // offsets, as Arrow has them
}

// add adds the op that copies the values.
func (m *made) add(b *binder, o writeOp) {
	o.code, o.size = writeSpan, 0
	o.more = &writeMore{layout: frame.Offsets64, keep: m}
	o.offs, o.data = unsafe.Pointer(unsafe.SliceData(m.ends)), unsafe.Pointer(unsafe.SliceData(m.bytes))
	if len(m.bytes) > 0 {
		o.last = uintptr(o.data) + uintptr(len(m.bytes))
	}
	b.add(o, 12+48)
}

// madeWriter writes what a function makes of texts.
type madeWriter struct {
	target
	source spanWriter
	make   func(to *target, dst, text []byte) ([]byte, error)
}

func (w *madeWriter) bind(b *binder, s frame.Segment) error {
	o, err := w.source.check(b, &s)
	if err != nil {
		return err
	}
	m := &made{ends: make([]int64, s.N+1)}
	for i := range s.N {
		if s.Counts(i) && !o.isNull(i) {
			base, from, n, _ := o.span(i)
			text := format.Span(base, from, n)
			if m.bytes, err = w.make(&w.target, m.bytes, text); err != nil {
				return w.wrong(&s, i, frame.ShortBytes(text), "cannot be written as %s: %v", w.schema.describe(), err)
			}
		}
		m.ends[i+1] = int64(len(m.bytes))
	}
	m.add(b, o)
	return nil
}

// parseUUID reads the canonical form, in letters of either case.
func parseUUID(_ *target, dst, text []byte) ([]byte, error) {
	const form = "it must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000"
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return nil, errorText(form)
	}
	digits := make([]byte, 0, 32)
	for _, part := range [][]byte{text[0:8], text[9:13], text[14:18], text[19:23], text[24:36]} {
		digits = append(digits, part...)
	}
	var b [16]byte
	if _, err := hex.Decode(b[:], digits); err != nil {
		return nil, errorText(form)
	}
	return append(dst, b[:]...), nil
}

// errorText is an error that becomes a part of a ValueError.
type errorText string

func (e errorText) Error() string { return string(e) }

// jsonValueWriter writes values of a recursive type, which stand in the column as the reader gives them: as the text of their Avro JSON encoding, a null of a union as an Arrow null.
type jsonValueWriter struct {
	target
	layout frame.Layout
	depth  int
}

func (w *jsonValueWriter) bind(b *binder, s frame.Segment) error {
	to := w.target
	inText := to.null == notNullable && to.schema.Type == Union // the union's index is part of what is made
	null := to.schema.nullIndex()
	if inText {
		to.null = nullAbove
	}
	source := spanWriter{target: to, layout: w.layout, size: -1}
	o, err := source.check(b, &s)
	if err != nil {
		return err
	}
	m := &made{ends: make([]int64, s.N+1)}
	for i := range s.N {
		switch {
		case !s.Counts(i):
		case o.isNull(i):
			if inText && null < 0 {
				return w.notNull(&s, i)
			}
			if inText {
				m.bytes = appendZigzag(m.bytes, int64(null))
			}
		default:
			base, from, n, _ := o.span(i)
			text := format.Span(base, from, n)
			if m.bytes, err = encodeJSON(m.bytes, w.schema, text, w.path, w.depth); err != nil {
				return &format.ValueError{Row: s.Row(i), Path: w.path, Value: frame.ShortBytes(text), Msg: "is not the Avro JSON encoding of " + w.schema.describe() + ": " + err.Error()}
			}
		}
		m.ends[i+1] = int64(len(m.bytes))
	}
	if inText {
		o.valid = nil
	}
	m.add(b, o)
	return nil
}
