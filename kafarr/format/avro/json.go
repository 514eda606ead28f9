package avro

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// json reads a value of a recursive type and appends its Avro JSON encoding ("JSON Encoding" in the specification): a union's value is null or
// {"branch": value}, bytes and fixed are strings of ISO-8859-1 code points. JSON knows no NaN and no infinities: they are strings. A union's null becomes an Arrow null.
func (a *Appender) json(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	schema := s.more.schema
	if schema.Type == Union {
		u, _ := format.Varint(base, pos, end)
		if k := format.Zigzag(u); pos < end && k >= 0 && k < int64(len(schema.Branches)) && schema.Branches[k].Type == Null {
			_, next := format.Varint(base, pos, end)
			s.any.AppendNull()
			return next
		}
	}
	w := jsonWriter{a: a, out: a.text[:0], base: base, end: end, most: jsonBytes + jsonBytesPerByte*(end-pos), look: textPerLook}
	next, f := w.value(schema, pos, 0)
	a.text = w.out
	if f != ok {
		return a.fail(f, i, 0)
	}
	if !a.effort.Spend(int64(len(w.out) / format.BytesPerTextStep)) {
		return a.fail(faultSteps, i, 0)
	}
	if !s.varlen.Fits(len(w.out)) {
		return a.fail(faultFull, i, 0)
	}
	s.varlen.Append(unsafe.Pointer(unsafe.SliceData(w.out)), len(w.out))
	return next
}

// jsonWriter walks a value along its schema: recursive types have no steps.
type jsonWriter struct {
	a    *Appender
	out  []byte
	base unsafe.Pointer
	end  int
	most int // bytes of text
	look int // there is another look when there are more of them
}

// jsonBytes and jsonBytesPerByte bound the text of a value: names of fields stand in it again and again, and take no byte of the body.
const (
	jsonBytes        = 1 << 20
	jsonBytesPerByte = 64
)

func (w *jsonWriter) value(s *Schema, pos, depth int) (int, fault) {
	if depth > w.a.limits.ValueDepth {
		return 0, faultDepth
	}
	if len(w.out) > w.most {
		return 0, faultJSON
	}
	if len(w.out) > w.look {
		w.a.effort.CheckTime()
		w.look = len(w.out) + textPerLook
	}
	switch s.Type {
	case Record:
		return w.record(s, pos, depth)
	case Array, Map:
		return w.blocks(s, pos, depth)
	case Union:
		u, next := format.Varint(w.base, pos, w.end)
		if next < 0 {
			return 0, varintFault(next)
		}
		k := format.Zigzag(u)
		if k < 0 || k >= int64(len(s.Branches)) {
			return 0, faultUnion
		}
		branch := s.Branches[k]
		if branch.Type == Null {
			w.out = append(w.out, "null"...)
			return next, ok
		}
		w.out = append(w.out, '{')
		w.text(branch.TypeName())
		w.out = append(w.out, ':')
		next, f := w.value(branch, next, depth+1)
		w.out = append(w.out, '}')
		return next, f
	}
	return w.leaf(s, pos)
}

func (w *jsonWriter) record(s *Schema, pos, depth int) (int, fault) {
	w.out = append(w.out, '{')
	for i := range s.Fields {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.text(s.Fields[i].Name)
		w.out = append(w.out, ':')
		var f fault
		if pos, f = w.value(s.Fields[i].Type, pos, depth+1); f != ok {
			return 0, f
		}
	}
	w.out = append(w.out, '}')
	return pos, ok
}

func (w *jsonWriter) blocks(s *Schema, pos, depth int) (int, fault) {
	brackets := "[]"
	if s.Type == Map {
		brackets = "{}"
	}
	w.out = append(w.out, brackets[0])
	for first := true; ; {
		count, size, next := blockHeader(w.base, pos, w.end)
		if next < 0 {
			return 0, varintFault(next)
		}
		if pos = next; count == 0 {
			w.out = append(w.out, brackets[1])
			return pos, ok
		}
		if size > int64(w.end-pos) {
			return 0, faultBlockSize
		}
		if count > int64(w.a.limits.BlockItems) {
			return 0, faultBlockItems
		}
		from := pos
		for range count {
			if !first {
				w.out = append(w.out, ',')
			}
			first = false
			var f fault
			start := pos
			if s.Type == Map {
				if pos, f = w.leaf(mapKey, pos); f != ok {
					return 0, f
				}
				w.out = append(w.out, ':')
			}
			if pos, f = w.value(s.Items, pos, depth+1); f != ok {
				return 0, f
			}
			if pos == start {
				if w.a.emptyItems++; w.a.emptyItems > int64(w.a.limits.EmptyItems) {
					return 0, faultEmptyItems
				}
			}
		}
		if size >= 0 && int64(pos-from) != size {
			return 0, faultBlockSize
		}
	}
}

// leaf writes a value that holds no others.
func (w *jsonWriter) leaf(s *Schema, pos int) (int, fault) {
	next, f := w.a.skipAll([]*Schema{s}, w.base, pos, w.end, 0) // finds the end and checks the bounds
	if f != ok {
		return 0, f
	}
	switch s.Type {
	case Null:
		w.out = append(w.out, "null"...)
	case Boolean:
		b := *(*byte)(unsafe.Add(w.base, pos))
		if b > 1 {
			return 0, faultBoolean
		}
		w.out = strconv.AppendBool(w.out, b == 1)
	case Int, Long:
		u, _ := format.Varint(w.base, pos, w.end)
		if s.Type == Int && u > math.MaxUint32 {
			return 0, faultIntRange
		}
		w.out = strconv.AppendInt(w.out, format.Zigzag(u), 10)
	case Float:
		w.float(float64(math.Float32frombits(format.Load32(w.base, pos))), 32)
	case Double:
		w.float(math.Float64frombits(format.Load64(w.base, pos)), 64)
	case String:
		_, at := format.Varint(w.base, pos, w.end)
		text := format.Span(w.base, at, next-at)
		if !utf8.Valid(text) {
			return 0, faultUTF8
		}
		w.text(string(text))
	case Bytes:
		_, at := format.Varint(w.base, pos, w.end)
		w.latin1(format.Span(w.base, at, next-at))
	case Fixed:
		w.latin1(format.Span(w.base, pos, next-pos))
	case Enum:
		u, _ := format.Varint(w.base, pos, w.end)
		k := format.Zigzag(u)
		if k < 0 || k >= int64(len(s.Symbols)) {
			return 0, faultEnum
		}
		w.text(s.Symbols[k])
	}
	return next, ok
}

func (w *jsonWriter) float(f float64, bits int) {
	switch {
	case math.IsNaN(f):
		w.text("NaN")
	case math.IsInf(f, 1):
		w.text("Infinity")
	case math.IsInf(f, -1):
		w.text("-Infinity")
	default:
		w.out = strconv.AppendFloat(w.out, f, 'g', -1, bits)
	}
}

func (w *jsonWriter) text(s string) {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		b = []byte(`""`)
	}
	w.out = append(w.out, b...)
}

func (w *jsonWriter) latin1(b []byte) {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	w.text(string(runes))
}
