package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// arrowText is the text of an Arrow schema: {"arrow": {"type": "struct", "fields": […]}}. Its first member tells it from JSON Schema.
type arrowText struct {
	Arrow *arrowField `json:"arrow"`
}

// arrowField is a field of an Arrow schema as a text. Types without others below them are written as pyarrow writes them: "timestamp[us, tz=UTC]", "decimal128(10, 2)".
type arrowField struct {
	Name     string       `json:"name,omitempty"`
	Type     string       `json:"type"`
	Nullable *bool        `json:"nullable,omitempty"` // true where it is not given, as in Arrow
	JSON     string       `json:"json,omitempty"`     // how the values stand in JSON, where a type leaves a choice: "epoch", "unscaled"
	Fields   []arrowField `json:"fields,omitempty"`   // of a struct
	Items    *arrowField  `json:"items,omitempty"`    // of a list, and the values of a map
	Symbols  []string     `json:"symbols,omitempty"`  // of a dictionary
}

// IsArrow tells the text of an Arrow schema from one of JSON Schema.
func IsArrow(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	begin, _ := d.Token()
	first, _ := d.Token()
	return begin == json.Delim('{') && first == "arrow"
}

// Parse reads the text of an Arrow schema.
func Parse(text string, limits format.Limits) (*Schema, error) {
	limits, err := limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var t arrowText
	if err := d.Decode(&t); err != nil {
		return nil, schemaErrorf("", `the text is no Arrow schema, {"arrow": {"type": "struct", "fields": […]}}: %v`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, schemaErrorf("", "something follows the Arrow schema")
	}
	if t.Arrow == nil {
		return nil, schemaErrorf("", `the text is no Arrow schema: it lacks the member "arrow"`)
	}
	root, err := t.Arrow.field("", limits.SchemaDepth)
	if err != nil {
		return nil, err
	}
	return NewSchema(t.Arrow.Name, root, len(text)), nil
}

// field makes a field of the text's. depth is how many levels may follow.
func (f *arrowField) field(path string, depth int) (Field, error) {
	out := Field{Name: f.Name, Nullable: f.Nullable == nil || *f.Nullable}
	if depth == 0 {
		return out, schemaErrorf(path, "the schema nests too deep")
	}
	var err error
	out.Type, err = f.nested(path, depth)
	return out, err
}

func (f *arrowField) nested(path string, depth int) (*Type, error) {
	switch f.Type {
	case "struct":
		t := &Type{Kind: Object}
		for i := range f.Fields {
			kid, err := f.Fields[i].field(join(path, f.Fields[i].Name), depth-1)
			if err != nil {
				return nil, err
			}
			t.Fields = append(t.Fields, kid)
		}
		return t, nil
	case "list", "map":
		if f.Items == nil {
			return nil, schemaErrorf(path, `a %s has "items"`, f.Type)
		}
		items, err := f.Items.field(join(path, "item"), depth-1)
		if err != nil {
			return nil, err
		}
		kind := Array
		if f.Type == "map" {
			kind = Map
		}
		return &Type{Kind: kind, Items: &items}, nil
	case "dictionary":
		if len(f.Symbols) == 0 {
			return nil, schemaErrorf(path, `a dictionary has "symbols", the texts that it may hold, so that each batch has the same ones`)
		}
		return &Type{Kind: Enum, Symbols: f.Symbols}, nil
	case "json":
		return &Type{Kind: Any}, nil
	}
	t, err := arrowLeaf(f.Type, path)
	if err != nil {
		return nil, err
	}
	return t, t.written(f.JSON, path)
}

// written notes how values stand in JSON where that is said.
func (t *Type) written(as, path string) error {
	switch {
	case as == "":
	case as == "epoch" && (t.Kind == DateTime || t.Kind == Date || t.Kind == Time || t.Kind == Epoch):
		t.Kind = Epoch
	case as == "unscaled" && t.Kind == Decimal:
		t.Kind = UnscaledDecimal
	default:
		return schemaErrorf(path, `a field of this type is not written as %q ("epoch" is for dates and times, "unscaled" for decimals)`, as)
	}
	return nil
}

// plainTypes are the types that their name says all of.
var plainTypes = map[string]Type{
	"null":   {Kind: Null},
	"bool":   {Kind: Boolean},
	"int8":   {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int8},
	"int16":  {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int16},
	"int32":  {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int32},
	"int64":  {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int64},
	"uint8":  {Kind: Integer, Arrow: arrow.PrimitiveTypes.Uint8},
	"uint16": {Kind: Integer, Arrow: arrow.PrimitiveTypes.Uint16},
	"uint32": {Kind: Integer, Arrow: arrow.PrimitiveTypes.Uint32},
	"uint64": {Kind: Integer, Arrow: arrow.PrimitiveTypes.Uint64},
	"float":  {Kind: Number, Arrow: arrow.PrimitiveTypes.Float32},
	"double": {Kind: Number, Arrow: arrow.PrimitiveTypes.Float64},
	"string": {Kind: Text},
	"binary": {Kind: Base64},

	"date32[day]": {Kind: Date, Arrow: arrow.FixedWidthTypes.Date32},
	"time32[s]":   {Kind: Time, Arrow: arrow.FixedWidthTypes.Time32s},
	"time32[ms]":  {Kind: Time, Arrow: arrow.FixedWidthTypes.Time32ms},
	"time64[us]":  {Kind: Time, Arrow: arrow.FixedWidthTypes.Time64us},
	"time64[ns]":  {Kind: Time, Arrow: arrow.FixedWidthTypes.Time64ns},

	"duration[s]":  {Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_s},
	"duration[ms]": {Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_ms},
	"duration[us]": {Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_us},
	"duration[ns]": {Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_ns},
}

// timeUnits are the units of time as pyarrow writes them.
var timeUnits = map[string]arrow.TimeUnit{"s": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "ns": arrow.Nanosecond}

// arrowLeaf reads a type that has no others below it.
func arrowLeaf(text, path string) (*Type, error) {
	if t, known := plainTypes[text]; known {
		return &t, nil
	}
	if inner, found := strings.CutPrefix(text, "timestamp["); found {
		unit, zone, _ := strings.Cut(strings.TrimSuffix(inner, "]"), ", tz=")
		if u, known := timeUnits[unit]; known {
			return &Type{Kind: DateTime, Arrow: &arrow.TimestampType{Unit: u, TimeZone: zone}}, nil
		}
	}
	for _, bits := range []int{128, 256} {
		inner, found := strings.CutPrefix(text, fmt.Sprintf("decimal%d(", bits))
		if !found {
			continue
		}
		first, second, _ := strings.Cut(strings.TrimSuffix(inner, ")"), ", ")
		precision, err := strconv.Atoi(first)
		scale, scaleErr := strconv.Atoi(second)
		if err == nil && scaleErr == nil {
			t := DecimalOf(precision, scale)
			if bits == 256 && t != nil {
				t = &arrow.Decimal256Type{Precision: int32(precision), Scale: int32(scale)} //nolint:gosec // DecimalOf has checked them
			}
			if t != nil && t.(arrow.DecimalType).BitWidth() == bits {
				return &Type{Kind: Decimal, Arrow: t}, nil
			}
		}
		return nil, schemaErrorf(path, "%s has a precision, at most 38 in 128 bits and 76 in 256, and a scale from 0 up to it", text)
	}
	return nil, schemaErrorf(path, "the type %q cannot be read of JSON; what can be: %s", text, "null, bool, int8 to int64, uint8 to uint64, float, double, string, binary, dictionary, date32[day], time32, time64, timestamp, duration, decimal128, decimal256, struct, list, map, json")
}

// DecimalOf is the smallest Arrow type of decimals of a precision and a scale; nil: there is none.
func DecimalOf(precision, scale int) arrow.DataType {
	const most128, most256 = 38, 76
	switch {
	case precision < 1 || precision > most256 || scale < 0 || scale > precision:
		return nil
	case precision > most128:
		return &arrow.Decimal256Type{Precision: int32(precision), Scale: int32(scale)} //nolint:gosec // at most 76
	}
	return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)} //nolint:gosec // at most 38
}

// Text is the text of an Arrow schema of which Parse makes this schema again. It is for schemas that Parse or Infer made.
func (s *Schema) Text() string {
	root := textOf(s.root)
	root.Name = s.name
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(arrowText{&root}); err != nil {
		panic(err) // texts always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func textOf(f Field) arrowField {
	out := arrowField{Name: f.Name}
	if !f.Nullable {
		out.Nullable = new(bool)
	}
	switch f.Type.Kind {
	case Object:
		out.Type = "struct"
		for _, kid := range f.Type.Fields {
			out.Fields = append(out.Fields, textOf(kid))
		}
	case Array, Map:
		out.Type = "list"
		if f.Type.Kind == Map {
			out.Type = "map"
		}
		items := textOf(*f.Type.Items)
		out.Items = &items
	case Enum:
		out.Type, out.Symbols = "dictionary", f.Type.Symbols
	case Any:
		out.Type = "json"
	default:
		out.Type = leafText(f.Type)
		if f.Type.Kind == UnscaledDecimal {
			out.JSON = "unscaled"
		}
		if _, isDuration := f.Type.Arrow.(*arrow.DurationType); f.Type.Kind == Epoch && !isDuration {
			out.JSON = "epoch"
		}
	}
	return out
}

// leafText writes a type as arrowLeaf reads it.
func leafText(t *Type) string {
	switch dtype := t.Arrow.(type) {
	case *arrow.TimestampType:
		if dtype.TimeZone != "" {
			return "timestamp[" + dtype.Unit.String() + ", tz=" + dtype.TimeZone + "]"
		}
		return "timestamp[" + dtype.Unit.String() + "]"
	case arrow.DecimalType:
		return fmt.Sprintf("decimal%d(%d, %d)", dtype.BitWidth(), dtype.GetPrecision(), dtype.GetScale())
	}
	kind := t.Kind
	for name, plain := range plainTypes {
		if kind == Epoch && plain.Arrow != nil && t.Arrow != nil && arrow.TypeEqual(plain.Arrow, t.Arrow) || plain.Kind == kind && (plain.Arrow == t.Arrow || plain.Arrow != nil && t.Arrow != nil && arrow.TypeEqual(plain.Arrow, t.Arrow)) {
			return name
		}
	}
	return ""
}

func schemaErrorf(path, format string, args ...any) error {
	e := status.Errorf(status.SchemaError, format, args...)
	e.Path = path
	return e
}

// join adds a name to a path. Paths are cut, since schemas may have long names on many levels.
func join(path, name string) string {
	const most = 1000
	if path != "" {
		path += "."
	}
	if path += name; len(path) > most {
		return path[:most] + "…"
	}
	return path
}
