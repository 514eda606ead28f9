package protobuf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// encodeJSON writes the ProtoJSON of a message, as recursion="json" reads it, or of one of google/protobuf/struct.proto.
func encodeJSON(dst []byte, m *message, text []byte, depth int) ([]byte, error) {
	v, err := parseJSON(text, min(depth, maxDepth))
	if err != nil {
		return nil, err
	}
	return appendMessage(dst, m, v, "")
}

// jsonValue is a value of JSON, whose members keep their order.
type jsonValue struct {
	kind    byte // n, t, f, 0 for a number, or one of "[{
	text    string
	names   []string
	members []*jsonValue // of an object, or the items of an array
}

// parseJSON reads one text.
func parseJSON(text []byte, depth int) (*jsonValue, error) {
	if !utf8.Valid(text) {
		return nil, errorText("it is not UTF-8")
	}
	if loneSurrogate(text) {
		return nil, errorText("it has half of a surrogate pair, which is no character")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d, depth)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errorText("it ends too early")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errorText("something follows the value")
	}
	return v, nil
}

func parseValue(d *json.Decoder, depth int) (*jsonValue, error) {
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	switch t := token.(type) {
	case string:
		return &jsonValue{kind: '"', text: t}, nil
	case json.Number:
		return &jsonValue{kind: '0', text: string(t)}, nil
	case bool:
		if t {
			return &jsonValue{kind: 't'}, nil
		}
		return &jsonValue{kind: 'f'}, nil
	case json.Delim:
		if depth--; depth < 0 {
			return nil, errorText("it nests too deep")
		}
		v := &jsonValue{kind: byte(t)} //nolint:gosec // a bracket
		seen := map[string]bool{}
		for d.More() {
			if t == '{' {
				name, err := d.Token()
				if err != nil {
					return nil, fmt.Errorf("it is no JSON: %w", err)
				}
				text, _ := name.(string)
				if seen[text] {
					return nil, errorText("the member " + quoted(text) + " comes twice")
				}
				seen[text] = true
				v.names = append(v.names, text)
			}
			one, err := parseValue(d, depth)
			if err != nil {
				return nil, err
			}
			v.members = append(v.members, one)
		}
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("it is no JSON: %w", err)
		}
		return v, nil
	}
	return &jsonValue{kind: 'n'}, nil
}

// loneSurrogate looks for an escape that is half a character, which encoding/json would replace.
func loneSurrogate(text []byte) bool {
	unit := func(at int) (uint64, bool) {
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return 0, false
		}
		u, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
		return u, err == nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		u, is := unit(i)
		switch {
		case !is || u < 0xd800 || u > 0xdfff:
			i++ // what is escaped
		case u >= 0xdc00:
			return true
		default:
			if low, is := unit(i + 6); !is || low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 11
		}
	}
	return false
}

// what names a value of JSON within an error.
func (v *jsonValue) what() string {
	switch v.kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "the text " + quoted(v.text)
	case '0':
		return "the number " + short(v.text)
	case 't', 'f':
		return "a boolean"
	}
	return "null"
}

func jsonFault(path, text string, args ...any) error {
	if path != "" {
		text = short(path) + ": " + text
	}
	return errorText(fmt.Sprintf(text, args...))
}

// appendMessage writes a message without its length.
func appendMessage(dst []byte, m *message, v *jsonValue, path string) ([]byte, error) {
	switch m.known {
	case wellStruct:
		return appendStruct(dst, v, path)
	case wellList:
		return appendList(dst, v, path)
	case wellValue:
		return appendAny(dst, v, path)
	case wellWrapper:
		f := m.fields[0]
		return appendSingle(dst, f, v, path, false)
	case wellTimestamp, wellDuration:
		seconds, nanos, err := parseMoment(m, v, path)
		if err != nil {
			return nil, err
		}
		var scratch [32]byte
		return append(dst, scratch[:putNumbers(scratch[:], 0, seconds, nanos)]...), nil
	}
	if v.kind != '{' {
		return nil, jsonFault(path, "%s stands where the message %s must be an object", v.what(), short(m.name))
	}
	given := make([]*jsonValue, len(m.fields))
	for i, name := range v.names {
		at := slices.IndexFunc(m.fields, func(f *field) bool { return f.jsonName == name })
		if at < 0 {
			at = slices.IndexFunc(m.fields, func(f *field) bool { return f.name == name })
		}
		if at < 0 {
			return nil, jsonFault(path, "message %s has no field %s", short(m.name), quoted(name))
		}
		if given[at] != nil {
			return nil, jsonFault(path, "the field %s comes twice", quoted(m.fields[at].name))
		}
		given[at] = v.members[i]
	}
	order := make([]int, len(m.fields))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(m.fields[a].number) - int(m.fields[b].number) })
	set := map[int]string{}
	for _, i := range order {
		f, value := m.fields[i], given[i]
		below := join(path, f.name)
		if value == nil || value.kind == 'n' && !takesNull(f) {
			if f.required {
				return nil, jsonFault(below, "the field is required")
			}
			continue
		}
		if f.oneof >= 0 {
			if other := set[f.oneof]; other != "" {
				return nil, jsonFault(path, "%s and %s are both set, and are members of one oneof", quoted(other), quoted(f.name))
			}
			set[f.oneof] = f.name
		}
		if !f.defined() {
			return nil, jsonFault(below, "the type %s is not defined", short(f.typeName))
		}
		var err error
		if f.repeated {
			dst, err = appendRepeated(dst, f, value, below)
		} else {
			dst, err = appendSingle(dst, f, value, below, f.presence || f.required)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// takesNull tells whether null is a value of the field.
func takesNull(f *field) bool {
	return !f.repeated && (f.message != nil && f.message.known == wellValue || f.enum != nil && f.enum.known)
}

func appendRepeated(dst []byte, f *field, v *jsonValue, path string) (_ []byte, err error) {
	if f.isMap() {
		return appendMap(dst, f, v, path)
	}
	if v.kind != '[' {
		return nil, jsonFault(path, "%s stands where an array must be", v.what())
	}
	number := protowire.Number(f.number)
	if tag := tagOf(f, valueOp(f)) & 7; f.packed && tag != wireBytes && tag != wireGroup && len(v.members) > 0 {
		var body []byte
		for _, item := range v.members {
			u, err := parseNumber(f, item, path)
			if err != nil {
				return nil, err
			}
			body = appendBits(body, f, u)
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), body), nil
	}
	for _, item := range v.members {
		if dst, err = appendSingle(dst, f, item, path, true); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendMap(dst []byte, f *field, v *jsonValue, path string) ([]byte, error) {
	key, value := f.message.field(1), f.message.field(2)
	if v.kind != '{' || key == nil || value == nil {
		return nil, jsonFault(path, "%s stands where a map must be an object", v.what())
	}
	for i, name := range v.names {
		text := &jsonValue{kind: '"', text: name}
		if key.kind == kindBool && (name == "true" || name == "false") {
			text = &jsonValue{kind: name[0]}
		}
		entry, err := appendSingle(nil, key, text, join(path, "key"), true)
		if err != nil {
			return nil, err
		}
		if entry, err = appendSingle(entry, value, v.members[i], join(path, "value"), true); err != nil {
			return nil, err
		}
		dst = protowire.AppendBytes(protowire.AppendTag(dst, protowire.Number(f.number), protowire.BytesType), entry)
	}
	return dst, nil
}

// appendSingle writes one value with its tag; a zero is left out, unless it is always written.
func appendSingle(dst []byte, f *field, v *jsonValue, path string, always bool) ([]byte, error) {
	number := protowire.Number(f.number)
	if f.message != nil {
		body, err := appendMessage(nil, f.message, v, path)
		if err != nil {
			return nil, err
		}
		if f.kind == kindGroup {
			dst = append(protowire.AppendTag(dst, number, protowire.StartGroupType), body...)
			return protowire.AppendTag(dst, number, protowire.EndGroupType), nil
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), body), nil
	}
	if f.kind == kindString || f.kind == kindBytes {
		if v.kind != '"' {
			return nil, jsonFault(path, "%s stands where a text must be", v.what())
		}
		text := []byte(v.text)
		if f.kind == kindBytes {
			var err error
			if text, err = base64.StdEncoding.Strict().DecodeString(v.text); err != nil {
				return nil, jsonFault(path, "%s is not base64", v.what())
			}
		}
		if len(text) == 0 && !always {
			return dst, nil
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), text), nil
	}
	u, err := parseNumber(f, v, path)
	if err != nil {
		return nil, err
	}
	if u == 0 && !always {
		return dst, nil
	}
	return appendBits(protowire.AppendVarint(dst, uint64(tagOf(f, valueOp(f)))), f, u), nil
}

func appendBits(dst []byte, f *field, u uint64) []byte {
	switch valueOp(f) {
	case opFixed32:
		return protowire.AppendFixed32(dst, uint32(u)) //nolint:gosec // the low bits
	case opFixed64:
		return protowire.AppendFixed64(dst, u)
	}
	return protowire.AppendVarint(dst, u)
}

// parseNumber is what stands on the wire for a number, a boolean or an enum.
func parseNumber(f *field, v *jsonValue, path string) (uint64, error) {
	wrong := jsonFault(path, "%s is no %s", v.what(), f.describe())
	switch {
	case f.kind == kindBool:
		if v.kind != 't' && v.kind != 'f' {
			return 0, wrong
		}
		if v.kind == 't' {
			return 1, nil
		}
		return 0, nil
	case f.kind == kindEnum && v.kind == 'n' && f.enum.known:
		return 0, nil
	case f.kind == kindEnum && v.kind == '"':
		if i := slices.Index(f.enum.names, v.text); i >= 0 {
			return uint64(int64(f.enum.numbers[i])), nil //nolint:gosec // a negative number takes ten bytes
		}
		return 0, wrong
	case v.kind != '0' && v.kind != '"':
		return 0, wrong
	}
	switch f.kind {
	case kindFloat, kindDouble:
		return parseFloat(f, v, wrong)
	case kindUint64, kindFixed64:
		u, err := strconv.ParseUint(v.text, 10, 64)
		if err != nil {
			return 0, wrong
		}
		return u, nil
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		return 0, wrong
	}
	if f.kind == kindEnum {
		number := int32(n) //nolint:gosec // what does not fit is refused
		if n != int64(number) || f.enum.closed && !slices.Contains(f.enum.numbers, number) {
			return 0, wrong
		}
		return uint64(n), nil //nolint:gosec // a negative number takes ten bytes
	}
	u, fits := wireOf(f.kind, n)
	if !fits {
		return 0, wrong
	}
	return u, nil
}

func parseFloat(f *field, v *jsonValue, wrong error) (uint64, error) {
	bits := 64
	if f.kind == kindFloat {
		bits = 32
	}
	var x float64
	switch v.text {
	case "NaN":
		x = math.NaN()
	case "Infinity":
		x = math.Inf(1)
	case "-Infinity":
		x = math.Inf(-1)
	default:
		if strings.Trim(v.text, "0123456789+-.eE") != "" {
			return 0, wrong
		}
		var err error
		if x, err = strconv.ParseFloat(v.text, bits); err != nil {
			return 0, wrong
		}
	}
	if bits == 32 {
		return uint64(math.Float32bits(float32(x))), nil
	}
	return math.Float64bits(x), nil
}

// appendStruct writes a google.protobuf.Struct.
func appendStruct(dst []byte, v *jsonValue, path string) ([]byte, error) {
	if v.kind != '{' {
		return nil, jsonFault(path, "%s stands where a Struct must be an object", v.what())
	}
	for i, name := range v.names {
		body, err := appendAny(nil, v.members[i], join(path, name))
		if err != nil {
			return nil, err
		}
		entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		entry = protowire.AppendBytes(protowire.AppendTag(entry, 2, protowire.BytesType), body)
		dst = protowire.AppendBytes(protowire.AppendTag(dst, 1, protowire.BytesType), entry)
	}
	return dst, nil
}

// appendList writes a google.protobuf.ListValue.
func appendList(dst []byte, v *jsonValue, path string) ([]byte, error) {
	if v.kind != '[' {
		return nil, jsonFault(path, "%s stands where a ListValue must be an array", v.what())
	}
	for _, item := range v.members {
		body, err := appendAny(nil, item, path)
		if err != nil {
			return nil, err
		}
		dst = protowire.AppendBytes(protowire.AppendTag(dst, 1, protowire.BytesType), body)
	}
	return dst, nil
}

// appendAny writes a google.protobuf.Value.
func appendAny(dst []byte, v *jsonValue, path string) ([]byte, error) {
	switch v.kind {
	case '0':
		x, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return nil, jsonFault(path, "%s is beyond the range of a double", v.what())
		}
		return protowire.AppendFixed64(protowire.AppendTag(dst, 2, protowire.Fixed64Type), math.Float64bits(x)), nil
	case '"':
		return protowire.AppendString(protowire.AppendTag(dst, 3, protowire.BytesType), v.text), nil
	case 't':
		return append(dst, 4<<3, 1), nil
	case 'f':
		return append(dst, 4<<3, 0), nil
	case '{':
		body, err := appendStruct(nil, v, path)
		if err != nil {
			return nil, err
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, 5, protowire.BytesType), body), nil
	case '[':
		body, err := appendList(nil, v, path)
		if err != nil {
			return nil, err
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, 6, protowire.BytesType), body), nil
	}
	return append(dst, 1<<3, 0), nil
}

// parseMoment reads the text of a timestamp, or of a duration.
func parseMoment(m *message, v *jsonValue, path string) (seconds, nanos int64, err error) {
	wrong := jsonFault(path, "%s is no %s, such as %s", v.what(), short(m.name), map[bool]string{true: "2024-02-29T12:00:00.5Z", false: "-1.5s"}[m.known == wellTimestamp])
	if v.kind != '"' {
		return 0, 0, wrong
	}
	if m.known == wellTimestamp {
		t, err := time.Parse(time.RFC3339Nano, v.text)
		if err != nil || t.Unix() < firstSecond || t.Unix() > lastSecond {
			return 0, 0, wrong
		}
		return t.Unix(), int64(t.Nanosecond()), nil
	}
	text, found := strings.CutSuffix(v.text, "s")
	digits, negative := strings.CutPrefix(text, "-")
	whole, part, _ := strings.Cut(digits, ".")
	if !found || len(part) > 9 || whole == "" || strings.Trim(whole+part, "0123456789") != "" {
		return 0, 0, wrong
	}
	if seconds, err = strconv.ParseInt(whole, 10, 64); err != nil || seconds > durationSeconds {
		return 0, 0, wrong
	}
	if part != "" {
		nanos, _ = strconv.ParseInt(part+strings.Repeat("0", 9-len(part)), 10, 64)
	}
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	return seconds, nanos, nil
}
