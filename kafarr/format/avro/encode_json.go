package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// encodeJSON appends the value that a text is the Avro JSON encoding of: what json.go has written. It reads token by token, since keys of a map may repeat, and have an order.
func encodeJSON(to []byte, s *Schema, text []byte, path string, depth int) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	r := &jsonReader{tokens: d, most: depth}
	to, err := r.value(to, s, path, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errorText("there is text after its end")
	}
	return to, nil
}

// jsonReader walks a text along its schema.
type jsonReader struct {
	tokens *json.Decoder
	most   int
}

func (r *jsonReader) token() (json.Token, error) {
	t, err := r.tokens.Token()
	if err == io.EOF {
		return nil, errorText("the text ends within the value")
	}
	return t, err
}

func (r *jsonReader) value(to []byte, s *Schema, path string, depth int) ([]byte, error) {
	if depth > r.most {
		return nil, fmt.Errorf("%s: it nests deeper than %d levels", path, r.most)
	}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	switch s.Type {
	case Record:
		return r.record(to, s, t, path, depth)
	case Array:
		return r.items(to, s, t, '[', path, depth)
	case Map:
		return r.items(to, s, t, '{', path, depth)
	case Union:
		return r.union(to, s, t, path, depth)
	}
	return jsonLeaf(to, s, t, path)
}

// union is null, or an object of one member, the branch's name.
func (r *jsonReader) union(to []byte, s *Schema, t json.Token, path string, depth int) ([]byte, error) {
	name := Null.String()
	if t != nil {
		if t != json.Delim('{') {
			return nil, fmt.Errorf(`%s: a value of a union is null, or {"branch": value}, not %v`, path, t)
		}
		key, err := r.token()
		if err != nil {
			return nil, err
		}
		name, _ = key.(string)
	}
	branch := slices.IndexFunc(s.Branches, func(b *Schema) bool { return b.TypeName() == name })
	if branch < 0 {
		return nil, fmt.Errorf("%s: the union has no branch %q", path, format.ShortName(name))
	}
	to = appendZigzag(to, int64(branch))
	if t == nil {
		return to, nil
	}
	to, err := r.value(to, s.Branches[branch], path, depth+1)
	if err != nil {
		return nil, err
	}
	if end, err := r.token(); err != nil || end != json.Delim('}') {
		return nil, fmt.Errorf("%s: a value of a union has one branch", path)
	}
	return to, nil
}

// record has its fields in any order.
func (r *jsonReader) record(to []byte, s *Schema, t json.Token, path string, depth int) ([]byte, error) {
	if t != json.Delim('{') {
		return nil, fmt.Errorf("%s: %v is no object", path, t)
	}
	values := make([][]byte, len(s.Fields))
	given := make([]bool, len(s.Fields))
	for r.tokens.More() {
		key, err := r.token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Name == name })
		if i < 0 || given[i] {
			return nil, fmt.Errorf("%s: %s has no field %q, or it is there twice", path, s.describe(), format.ShortName(name))
		}
		given[i] = true
		if values[i], err = r.value(nil, s.Fields[i].Type, format.JoinPath(path, name), depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := r.token(); err != nil {
		return nil, err
	}
	for i, v := range values {
		if !given[i] {
			return nil, fmt.Errorf("%s: the field %s is missing", path, s.Fields[i].Name)
		}
		to = append(to, v...)
	}
	return to, nil
}

// items are those of an array, or the entries of a map.
func (r *jsonReader) items(to []byte, s *Schema, t json.Token, open json.Delim, path string, depth int) ([]byte, error) {
	if t != open {
		return nil, fmt.Errorf("%s: %v is no %s", path, t, s.Type)
	}
	var items []byte
	count := int64(0)
	for r.tokens.More() {
		if s.Type == Map {
			key, err := r.token()
			if err != nil {
				return nil, err
			}
			name, _ := key.(string)
			items = append(appendZigzag(items, int64(len(name))), name...)
		}
		var err error
		if items, err = r.value(items, s.Items, path, depth+1); err != nil {
			return nil, err
		}
		count++
	}
	if _, err := r.token(); err != nil {
		return nil, err
	}
	if count > 0 {
		to = append(appendZigzag(to, count), items...)
	}
	return append(to, 0), nil
}

func jsonLeaf(to []byte, s *Schema, t json.Token, path string) ([]byte, error) {
	switch v := t.(type) {
	case nil:
		if s.Type == Null {
			return to, nil
		}
	case bool:
		if s.Type == Boolean && v {
			return append(to, 1), nil
		}
		if s.Type == Boolean {
			return append(to, 0), nil
		}
	case json.Number:
		switch s.Type {
		case Int, Long:
			bits := 64
			if s.Type == Int {
				bits = 32
			}
			if n, err := strconv.ParseInt(v.String(), 10, bits); err == nil {
				return appendZigzag(to, n), nil
			}
		case Float:
			if f, err := strconv.ParseFloat(v.String(), 32); err == nil {
				return binary.LittleEndian.AppendUint32(to, math.Float32bits(float32(f))), nil
			}
		case Double:
			if f, err := strconv.ParseFloat(v.String(), 64); err == nil {
				return binary.LittleEndian.AppendUint64(to, math.Float64bits(f)), nil
			}
		}
	case string:
		switch s.Type {
		case String:
			return append(appendZigzag(to, int64(len(v))), v...), nil
		case Float, Double:
			if f, ok := floatDefault(v); ok && s.Type == Float {
				return binary.LittleEndian.AppendUint32(to, math.Float32bits(float32(f))), nil
			} else if ok {
				return binary.LittleEndian.AppendUint64(to, math.Float64bits(f)), nil
			}
		case Bytes, Fixed:
			b, ok := bytesDefault(v)
			if ok && s.Type == Bytes {
				return append(appendZigzag(to, int64(len(b))), b...), nil
			}
			if ok && len(b) == s.Size {
				return append(to, b...), nil
			}
		case Enum:
			if i := slices.Index(s.Symbols, v); i >= 0 {
				return appendZigzag(to, int64(i)), nil
			}
		}
	}
	return nil, fmt.Errorf("%s: %s is no %s", path, jsonText(t), s.describe())
}
