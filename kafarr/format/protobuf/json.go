package protobuf

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// jsonBytes and jsonBytesPerByte bound the text of a value: names of fields stand in it again and again, and take no byte of the body.
const (
	jsonBytes        = 1 << 20
	jsonBytesPerByte = 64
)

// json stores a message as its ProtoJSON: a recursive one, or one of google/protobuf/struct.proto. Members come in the order of the schema, 64-bit numbers as strings, and what is absent
// or a zero without presence is left out.
func (a *Appender) json(f *boundField, base unsafe.Pointer, pos, end int) bool {
	w := jsonWriter{a: a, out: a.text[:0], most: jsonBytes + jsonBytesPerByte*(end-pos), look: textPerLook}
	fault := w.message(f.more.layout.of.message, format.Span(base, pos, end-pos), 1)
	a.text = w.out
	switch {
	case fault != ok:
		a.fail(fault, f.more, 0)
	case !a.effort.Spend(int64(len(w.out) / format.BytesPerTextStep)):
		a.fail(faultSteps, f.more, 0)
	default:
		return a.put(f)
	}
	return false
}

// jsonWriter walks a message along its schema: recursive types have no columns.
type jsonWriter struct {
	a    *Appender
	out  []byte
	most int // bytes of text
	look int // there is another look when there are more of them
}

// found is what a message has of one field.
type found struct {
	field  *field
	values []uint64 // numbers, as they stand on the wire
	parts  [][]byte // texts and messages
}

// collect sorts the values of a message by its fields.
func (w *jsonWriter) collect(m *message, body []byte) ([]found, fault) {
	all := make([]found, len(m.fields))
	for i, f := range m.fields {
		all[i].field = f
	}
	var chosen map[int]int // the members of oneofs
	base, pos, end := unsafe.Pointer(unsafe.SliceData(body)), 0, len(body)
	for pos < end {
		u, start := format.Varint(base, pos, end)
		if start < 0 {
			return nil, varintFault(start)
		}
		if u > 1<<32-1 {
			return nil, faultNumber
		}
		next, fault := skipValue(uint32(u), base, start, end, 0)
		if fault != ok {
			return nil, fault
		}
		i, known := m.index[int32(u>>3)]
		pos = next
		if !known {
			continue
		}
		f, wire := m.fields[i], uint32(u&7)
		want := tagOf(f, valueOp(f)) & 7
		switch {
		case wire == wireBytes && want != wireBytes && want != wireGroup && f.repeated: // packed
			_, from := format.Varint(base, start, next)
			for from < next {
				v, after, fault := number64(want, base, from, next)
				if fault != ok {
					return nil, fault
				}
				all[i].values = append(all[i].values, v)
				from = after
			}
		case wire != want:
		case wire == wireBytes:
			_, from := format.Varint(base, start, next)
			all[i].parts = append(all[i].parts, format.Span(base, from, next-from))
		case wire == wireGroup:
			stop, _, _ := groupEnd(uint32(u>>3), base, start, end, 1)
			all[i].parts = append(all[i].parts, format.Span(base, start, stop-start))
		default:
			v, _, _ := number64(want, base, start, next)
			all[i].values = append(all[i].values, v)
		}
		if f.oneof >= 0 && len(all[i].values)+len(all[i].parts) > 0 {
			if k, before := chosen[f.oneof]; before && k != i {
				all[k].values, all[k].parts = nil, nil
			}
			if chosen == nil {
				chosen = map[int]int{}
			}
			chosen[f.oneof] = i
		}
	}
	return all, ok
}

// number64 reads a number of a wire type.
func number64(wire uint32, base unsafe.Pointer, pos, end int) (v uint64, next int, f fault) {
	switch wire {
	case wireFixed32:
		if end-pos < 4 {
			return 0, 0, faultShort
		}
		return uint64(format.Load32(base, pos)), pos + 4, ok
	case wireFixed64:
		if end-pos < 8 {
			return 0, 0, faultShort
		}
		return format.Load64(base, pos), pos + 8, ok
	}
	if v, next = format.Varint(base, pos, end); next < 0 {
		return 0, 0, varintFault(next)
	}
	return v, next, ok
}

func (w *jsonWriter) message(m *message, body []byte, depth int) fault {
	if depth > maxDepth {
		return faultDepth
	}
	if len(w.out) > w.most {
		return faultJSON
	}
	if len(w.out) > w.look {
		w.a.effort.CheckTime()
		w.look = len(w.out) + textPerLook
	}
	if !w.a.effort.Spend(int64(len(m.fields) + len(body)/format.BytesPerTextStep)) {
		return faultSteps
	}
	all, fault := w.collect(m, body)
	if fault != ok {
		return fault
	}
	switch m.known {
	case wellStruct, wellList:
		for i := range all {
			if all[i].field.number == 1 {
				return w.list(&all[i], depth)
			}
		}
		w.out = append(w.out, "null"...)
		return ok
	case wellValue:
		for i := range all {
			if f := all[i].field; len(all[i].values)+len(all[i].parts) > 0 {
				if f.enum != nil {
					break
				}
				return w.last(&all[i], depth)
			}
		}
		w.out = append(w.out, "null"...)
		return ok
	case wellWrapper:
		return w.last(&all[0], depth)
	case wellTimestamp, wellDuration:
		return w.moment(m, all)
	}
	w.out = append(w.out, '{')
	first := true
	for i := range all {
		f := &all[i]
		n := len(f.values) + len(f.parts)
		if n == 0 {
			if f.field.required {
				return faultRequired
			}
			continue
		}
		if !f.field.repeated && !f.field.presence && !f.field.required && f.zero() {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.text(f.field.jsonName)
		w.out = append(w.out, ':')
		if f.field.repeated {
			fault = w.list(f, depth)
		} else {
			fault = w.last(f, depth)
		}
		if fault != ok {
			return fault
		}
	}
	w.out = append(w.out, '}')
	return ok
}

// zero reports whether the last value is the one that an absent field has.
func (f *found) zero() bool {
	if n := len(f.values); n > 0 {
		return f.values[n-1] == 0
	}
	return len(f.parts[len(f.parts)-1]) == 0
}

// last writes the last value of a field, or all of its messages as one.
func (w *jsonWriter) last(f *found, depth int) fault {
	switch {
	case f.field.message != nil:
		return w.message(f.field.message, slices.Concat(f.parts...), depth+1)
	case len(f.parts) > 0:
		return w.bytes(f.field, f.parts[len(f.parts)-1])
	case len(f.values) > 0:
		w.number(f.field, f.values[len(f.values)-1])
	case f.field.kind == kindString || f.field.kind == kindBytes:
		w.out = append(w.out, `""`...)
	default:
		w.number(f.field, 0)
	}
	return ok
}

// list writes all values of a field.
func (w *jsonWriter) list(f *found, depth int) fault {
	if f.field.isMap() {
		return w.mapping(f, depth)
	}
	w.out = append(w.out, '[')
	for i, v := range f.values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.number(f.field, v)
		if len(w.out) > w.most {
			return faultJSON
		}
	}
	for i, p := range f.parts {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		var fault fault
		if f.field.message != nil {
			fault = w.message(f.field.message, p, depth+1)
		} else {
			fault = w.bytes(f.field, p)
		}
		if fault != ok {
			return fault
		}
	}
	w.out = append(w.out, ']')
	return ok
}

// mapping writes a map. The last of equal keys counts.
func (w *jsonWriter) mapping(f *found, depth int) fault {
	type entry struct {
		key   string
		value found
	}
	var entries []entry
	at := map[string]int{}
	for _, p := range f.parts {
		all, fault := w.collect(f.field.message, p)
		if fault != ok {
			return fault
		}
		var e entry
		for i := range all {
			switch all[i].field.number {
			case 1:
				from := len(w.out)
				if fault := w.last(&all[i], depth); fault != ok {
					return fault
				}
				e.key = strings.Trim(string(w.out[from:]), `"`)
				if all[i].field.kind == kindString {
					e.key = string(w.out[from+1 : len(w.out)-1])
				}
				w.out = w.out[:from]
			case 2:
				e.value = all[i]
			}
		}
		if k, known := at[e.key]; known {
			entries[k].value = e.value
			continue
		}
		at[e.key] = len(entries)
		entries = append(entries, e)
	}
	w.out = append(w.out, '{')
	for i := range entries {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, '"')
		w.out = append(w.out, entries[i].key...)
		w.out = append(w.out, '"', ':')
		if fault := w.last(&entries[i].value, depth); fault != ok {
			return fault
		}
	}
	w.out = append(w.out, '}')
	return ok
}

// bytes writes a text, or bytes as base64.
func (w *jsonWriter) bytes(f *field, p []byte) fault {
	if len(w.out) > w.most {
		return faultJSON
	}
	if f.kind == kindBytes {
		w.out = append(w.out, '"')
		w.out = base64.StdEncoding.AppendEncode(w.out, p)
		w.out = append(w.out, '"')
		return ok
	}
	if !utf8.Valid(p) {
		return faultUTF8
	}
	w.text(string(p))
	return ok
}

// number writes a number as it stands on the wire. 64 bits are strings, as numbers of JSON are doubles to many.
func (w *jsonWriter) number(f *field, v uint64) {
	signed := func(v int64) {
		w.out = append(w.out, '"')
		w.out = strconv.AppendInt(w.out, v, 10)
		w.out = append(w.out, '"')
	}
	switch f.kind {
	case kindBool:
		w.out = strconv.AppendBool(w.out, v != 0)
	case kindInt32, kindSfixed32:
		w.out = strconv.AppendInt(w.out, int64(int32(v)), 10) //nolint:gosec // the low bits, as the wire format says
	case kindUint32, kindFixed32:
		w.out = strconv.AppendUint(w.out, uint64(uint32(v)), 10) //nolint:gosec // the low bits
	case kindSint32:
		w.out = strconv.AppendInt(w.out, int64(int32(uint32(v)>>1^-(uint32(v)&1))), 10) //nolint:gosec // the low bits
	case kindInt64, kindSfixed64:
		signed(int64(v)) //nolint:gosec // the same bits
	case kindSint64:
		signed(int64(v>>1 ^ -(v & 1))) //nolint:gosec // the same bits
	case kindUint64, kindFixed64:
		w.out = append(w.out, '"')
		w.out = strconv.AppendUint(w.out, v, 10)
		w.out = append(w.out, '"')
	case kindFloat:
		w.float(float64(math.Float32frombits(uint32(v))), 32) //nolint:gosec // 32 bits
	case kindDouble:
		w.float(math.Float64frombits(v), 64)
	case kindEnum:
		if f.enum.known {
			w.out = append(w.out, "null"...)
		} else if name, known := f.enum.nameOf(int32(v)); known { //nolint:gosec // the low bits
			w.text(name)
		} else {
			w.out = strconv.AppendInt(w.out, int64(int32(v)), 10) //nolint:gosec // the low bits
		}
	}
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
		form := byte('f')
		if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
			form = 'e'
		}
		w.out = strconv.AppendFloat(w.out, f, form, -1, bits)
	}
}

func (w *jsonWriter) text(s string) {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		b = []byte(`""`)
	}
	w.out = append(w.out, b...)
}

// moment writes a timestamp or a duration, which have texts of their own. One beyond the years 1 to 9999 is a text of its seconds.
func (w *jsonWriter) moment(m *message, all []found) fault {
	var seconds, nanos int64
	for i := range all {
		if n := len(all[i].values); n > 0 {
			switch all[i].field.number {
			case 1:
				seconds = int64(all[i].values[n-1]) //nolint:gosec // the same bits
			case 2:
				nanos = int64(int32(all[i].values[n-1])) //nolint:gosec // the low bits
			}
		}
	}
	if whole := nanos / nanosPerSecond; m.known == wellDuration && (whole != 0 || seconds < 0 && nanos > 0 || seconds > 0 && nanos < 0) {
		// No writer makes such a message. The text is that of the sum, as the column of a Duration is.
		if seconds, nanos = seconds+whole, nanos%nanosPerSecond; seconds > 0 && nanos < 0 {
			seconds, nanos = seconds-1, nanos+nanosPerSecond
		} else if seconds < 0 && nanos > 0 {
			seconds, nanos = seconds+1, nanos-nanosPerSecond
		}
	}
	const first, last = -62_135_596_800, 253_402_300_799
	if m.known == wellTimestamp && seconds >= first && seconds <= last {
		w.text(time.Unix(seconds, nanos).UTC().Format("2006-01-02T15:04:05.999999999Z07:00"))
		return ok
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign = "-"
	}
	text := sign + strings.TrimPrefix(strconv.FormatInt(seconds, 10), "-")
	if nanos != 0 {
		digits := strconv.FormatInt(abs(nanos), 10)
		text += "." + strings.TrimRight(strings.Repeat("0", max(0, 9-len(digits)))+digits, "0")
	}
	w.text(text + "s")
	return ok
}
