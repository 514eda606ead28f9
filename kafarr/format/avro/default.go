package avro

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// encodeDefault appends the Avro encoding of a field's default, which is JSON: bytes and fixed are strings of ISO-8859-1 code points, a union's default
// may match any of its branches (1.12). Errors are SchemaErrors.
func encodeDefault(to []byte, s *Schema, v any, path string) ([]byte, error) {
	e := defaultEncoder{}
	return e.value(to, s, v, path)
}

// defaultEncoder counts what it does: a record's default may leave its fields to their own defaults, which may never end, or double with each level.
type defaultEncoder struct{ values, depth int }

// maxDefaultValues bounds the values of one default, those within it counted, and maxDefaultDepth how deep they nest.
const (
	maxDefaultValues = 100_000
	maxDefaultDepth  = 200
)

func (e *defaultEncoder) value(to []byte, s *Schema, v any, path string) ([]byte, error) {
	e.values++
	e.depth++
	defer func() { e.depth-- }()
	if e.values > maxDefaultValues || e.depth > maxDefaultDepth {
		return nil, schemaErrorf(path, "the default holds more than %d values or nests deeper than %d levels", maxDefaultValues, maxDefaultDepth)
	}

	wrong := func() ([]byte, error) {
		return nil, schemaErrorf(path, "the default %s is no %s", jsonText(v), s.describe())
	}
	switch s.Type {
	case Null:
		if v != nil {
			return wrong()
		}
		return to, nil
	case Boolean:
		b, ok := v.(bool)
		if !ok {
			return wrong()
		}
		if b {
			return append(to, 1), nil
		}
		return append(to, 0), nil
	case Int, Long:
		n, ok := wholeDefault(v)
		if !ok || s.Type == Int && (n < math.MinInt32 || n > math.MaxInt32) {
			return wrong()
		}
		return appendZigzag(to, n), nil
	case Float, Double:
		f, ok := floatDefault(v)
		if !ok {
			return wrong()
		}
		if s.Type == Float {
			return binary.LittleEndian.AppendUint32(to, math.Float32bits(float32(f))), nil
		}
		return binary.LittleEndian.AppendUint64(to, math.Float64bits(f)), nil
	case String:
		text, ok := v.(string)
		if !ok {
			return wrong()
		}
		return append(appendZigzag(to, int64(len(text))), text...), nil
	case Bytes, Fixed:
		b, ok := bytesDefault(v)
		if !ok || s.Type == Fixed && len(b) != s.Size {
			return wrong()
		}
		if s.Type == Bytes {
			to = appendZigzag(to, int64(len(b)))
		}
		return append(to, b...), nil
	case Enum:
		symbol, ok := v.(string)
		i := slices.Index(s.Symbols, symbol)
		if !ok || i < 0 {
			return wrong()
		}
		return appendZigzag(to, int64(i)), nil
	}
	return e.nested(to, s, v, path)
}

func (e *defaultEncoder) nested(to []byte, s *Schema, v any, path string) ([]byte, error) {
	var err error
	switch s.Type {
	case Union:
		for i, b := range s.Branches {
			if out, err := e.value(appendZigzag(slices.Clone(to), int64(i)), b, v, path); err == nil {
				return out, nil
			}
		}
	case Array:
		if list, ok := v.([]any); ok {
			if len(list) > 0 {
				to = appendZigzag(to, int64(len(list)))
			}
			for _, item := range list {
				if to, err = e.value(to, s.Items, item, format.JoinPath(path, "item")); err != nil {
					return nil, err
				}
			}
			return append(to, 0), nil
		}
	case Map:
		if object, ok := v.(map[string]any); ok {
			keys := make([]string, 0, len(object))
			for k := range object {
				keys = append(keys, k)
			}
			slices.Sort(keys) // JSON objects have no order: the same one for every run
			if len(keys) > 0 {
				to = appendZigzag(to, int64(len(keys)))
			}
			for _, k := range keys {
				to = append(appendZigzag(to, int64(len(k))), k...)
				if to, err = e.value(to, s.Items, object[k], format.JoinPath(path, "value")); err != nil {
					return nil, err
				}
			}
			return append(to, 0), nil
		}
	case Record:
		if object, ok := v.(map[string]any); ok {
			for _, f := range s.Fields {
				value, given := object[f.Name]
				if !given && !f.HasDefault {
					return nil, schemaErrorf(format.JoinPath(path, f.Name), "the default %s lacks this field", jsonText(v))
				}
				if !given {
					value = f.Default
				}
				if to, err = e.value(to, f.Type, value, format.JoinPath(path, f.Name)); err != nil {
					return nil, err
				}
			}
			return to, nil
		}
	}
	return nil, schemaErrorf(path, "the default %s is no %s", jsonText(v), s.describe())
}

func appendZigzag(to []byte, n int64) []byte {
	return binary.AppendUvarint(to, uint64(n)<<1^uint64(n>>63)) //nolint:gosec // the encoding's definition
}

func wholeDefault(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64() // 1e3 and 1.0 are whole numbers too
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func floatDefault(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(v.String(), 64)
		return f, err == nil
	case string: // JSON has no other way to write these; Java and fastavro accept them
		switch v {
		case "NaN":
			return math.NaN(), true
		case "Infinity", "INF":
			return math.Inf(1), true
		case "-Infinity", "-INF":
			return math.Inf(-1), true
		}
	}
	return 0, false
}

func bytesDefault(v any) ([]byte, bool) {
	text, ok := v.(string)
	if !ok {
		return nil, false
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xFF {
			return nil, false
		}
		out = append(out, byte(r)) //nolint:gosec // at most 0xFF
	}
	return out, true
}
