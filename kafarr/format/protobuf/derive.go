package protobuf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

var _ format.Writing = Format{}

// Derive implements format.Writing.
func (Format) Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	return Derive(name, columns, options)
}

// Symbols implements format.Writing.
func (Format) Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	return frame.Symbols(batch, path)
}

// Derive makes the text of a .proto file, of proto3, from the columns of a frame. Fields have the columns' names, and numbers in their order. A nullable column is optional, whether it
// holds nulls or not, but for lists and maps, which have no presence. Dictionaries that are no enums become what their values are.
func Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	parts := strings.Split(name, ".")
	for _, p := range parts {
		if !isIdentifier(p) {
			return "", schemaError("", "%q is no valid name for a message: each part of it is a letter or _, and then letters, digits and _", short(name))
		}
	}
	d := &deriver{enums: options.Enums}
	var body strings.Builder
	if err := d.message(&body, parts[len(parts)-1], columns, "", 0); err != nil {
		return "", err
	}
	for path := range options.Enums {
		if !slices.Contains(d.used, path) {
			return "", schemaError(path, "the frame has no column of texts here that could become an enum")
		}
	}
	out := "syntax = \"proto3\";\n"
	if len(parts) > 1 {
		out += "package " + strings.Join(parts[:len(parts)-1], ".") + ";\n"
	}
	out += "\n"
	slices.Sort(d.imports)
	for _, path := range slices.Compact(d.imports) {
		out += "import \"" + path + "\";\n"
	}
	if len(d.imports) > 0 {
		out += "\n"
	}
	return out + body.String(), nil
}

type deriver struct {
	enums   map[string][]string
	used    []string // paths of enums
	imports []string
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', i > 0 && c >= '0' && c <= '9':
		default:
			return false
		}
	}
	return s != ""
}

// scope are the names that a message defines, which are those of fields, types, and values of enums.
type scope struct {
	taken map[string]string // and what they are of
	inner strings.Builder   // the types
	depth int
}

// define takes a name.
func (s *scope) define(name, of, path string) error {
	if other := s.taken[name]; other != "" {
		return schemaError(path, "the message would define %s twice, as %s and as %s: rename the column", short(name), other, of)
	}
	s.taken[name] = of
	return nil
}

// The numbers that Protobuf keeps for itself.
const firstReserved, lastReserved = 19_000, 19_999

// message writes a message.
func (d *deriver) message(out *strings.Builder, name string, columns []arrow.Field, path string, depth int) error {
	if depth > format.DefaultLimits.SchemaDepth {
		return schemaError(path, "the columns nest deeper than %d levels", format.DefaultLimits.SchemaDepth)
	}
	s := &scope{taken: map[string]string{}, depth: depth + 1}
	jsonNames := map[string]string{}
	for _, c := range columns {
		below := join(path, c.Name)
		if !isIdentifier(c.Name) {
			return schemaError(path, "%q is no valid name for a field: rename the column; a name is a letter or _, and then letters, digits and _", short(c.Name))
		}
		if err := s.define(c.Name, "a field", below); err != nil {
			return err
		}
		inJSON := jsonNameOf(c.Name)
		if other := jsonNames[inJSON]; other != "" {
			return schemaError(below, "%s and %s have the same name in JSON, %s, which Protobuf refuses: rename one of the columns", short(other), short(c.Name), short(inJSON))
		}
		jsonNames[inJSON] = c.Name
	}
	var fields strings.Builder
	indent := strings.Repeat("  ", depth)
	for i, c := range columns {
		number := i + 1
		if number >= firstReserved {
			number += lastReserved - firstReserved + 1
		}
		kind, options, err := d.field(s, c, join(path, c.Name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&fields, "%s  %s %s = %d%s;\n", indent, kind, c.Name, number, options)
	}
	fmt.Fprintf(out, "%smessage %s {\n%s%s%s}\n", indent, name, s.inner.String(), fields.String(), indent)
	return nil
}

// field is the type of a field, with its label, and its options.
func (d *deriver) field(s *scope, c arrow.Field, path string) (kind, options string, err error) {
	switch t := frame.Storage(stored(c.Type)).(type) {
	case *arrow.MapType:
		if err := s.define(typeName(c.Name)+"Entry", "the entries of a map", path); err != nil {
			return "", "", err
		}
		key, _, err := d.value(s, c.Name, t.KeyType(), join(path, "key"))
		if err != nil {
			return "", "", err
		}
		if !slices.Contains([]string{"bool", "string", "int32", "int64", "uint32", "uint64"}, key) {
			return "", "", schemaError(join(path, "key"), "a map cannot have keys of the Arrow type %s: its keys are texts, whole numbers or booleans", t.KeyType())
		}
		if value := frame.Storage(stored(t.ItemType())); isRepeated(value) {
			return "", "", schemaError(join(path, "value"), "a map cannot have lists as values: put them into a struct")
		}
		value, options, err := d.value(s, c.Name, t.ItemType(), join(path, "value"))
		if options != "" {
			return "", "", schemaError(join(path, "value"), "a map cannot have decimals as values: their precision and scale could not be declared; cast them to text, or put them into a struct")
		}
		return "map<" + key + ", " + value + ">", "", err
	case arrow.ListLikeType:
		if isRepeated(frame.Storage(stored(t.Elem()))) {
			return "", "", schemaError(path, "a repeated field cannot have lists as items: put them into a struct")
		}
		kind, options, err = d.value(s, c.Name, t.Elem(), join(path, "item"))
		return "repeated " + kind, options, err
	}
	kind, options, err = d.value(s, c.Name, c.Type, path)
	if c.Nullable {
		kind = "optional " + kind
	}
	return kind, options, err
}

func isRepeated(t arrow.DataType) bool {
	_, list := t.(arrow.ListLikeType)
	return list
}

// typeName is the name of a type of a field: as the entries of its map are called, without Entry.
func typeName(field string) string {
	name := jsonNameOf(field)
	if name == "" { // of underscores alone
		name = "_"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// derived are the types of columns that need nothing else.
var derived = map[arrow.Type]string{
	arrow.BOOL: "bool", arrow.INT8: "int32", arrow.INT16: "int32", arrow.INT32: "int32", arrow.UINT8: "uint32", arrow.UINT16: "uint32", arrow.UINT32: "uint32",
	arrow.INT64: "int64", arrow.UINT64: "uint64", arrow.FLOAT16: "float", arrow.FLOAT32: "float", arrow.FLOAT64: "double",
	arrow.STRING: "string", arrow.LARGE_STRING: "string", arrow.STRING_VIEW: "string", arrow.BINARY: "bytes", arrow.LARGE_BINARY: "bytes", arrow.BINARY_VIEW: "bytes", arrow.FIXED_SIZE_BINARY: "bytes",
}

// value is the type of one value, and the options of its field.
func (d *deriver) value(s *scope, name string, whole arrow.DataType, path string) (kind, options string, err error) {
	t := stored(whole)
	if symbols, wanted := d.enums[path]; wanted && frame.IsText(t) {
		d.used = append(d.used, path)
		return d.enum(s, name, symbols, path)
	}
	if frame.IsBool8(t) {
		return "bool", "", nil
	}
	own := frame.Storage(t)
	if kind := derived[own.ID()]; kind != "" {
		return kind, "", nil
	}
	known := func(path, kind string) (string, string, error) {
		d.imports = append(d.imports, path)
		return kind, "", nil
	}
	switch t := own.(type) {
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return "", "", schemaError(path, "a column of the Arrow type %s has no time zone, and a Timestamp is a point in time: say which zone it is in (tz_localize in pandas, replace_time_zone in polars)", whole)
		}
		return known("google/protobuf/timestamp.proto", "google.protobuf.Timestamp")
	case *arrow.DurationType:
		return known("google/protobuf/duration.proto", "google.protobuf.Duration")
	case *arrow.Date32Type:
		return known("google/type/date.proto", "google.type.Date")
	case *arrow.Time32Type, *arrow.Time64Type:
		return known("google/type/timeofday.proto", "google.type.TimeOfDay")
	case arrow.DecimalType:
		if t.GetScale() < 0 || t.GetScale() > t.GetPrecision() {
			return "", "", schemaError(path, "a column of the Arrow type %s has a scale that is not from 0 to its precision: cast it", whole)
		}
		d.imports = append(d.imports, "confluent/meta.proto", "confluent/type/decimal.proto")
		options = fmt.Sprintf(` [(confluent.field_meta) = { params: [ { key: "precision", value: "%d" }, { key: "scale", value: "%d" } ] }]`, t.GetPrecision(), t.GetScale())
		return "confluent.type.Decimal", options, nil
	case *arrow.StructType:
		kind := typeName(name)
		if err := s.define(kind, "a message", path); err != nil {
			return "", "", err
		}
		return kind, "", d.message(&s.inner, kind, t.Fields(), path, s.depth)
	}
	return "", "", schemaError(path, "a column of the Arrow type %s has no type of Protobuf: cast it, drop it, or give the schema", whole)
}

// enum writes an enum, whose values are names of the message that it lies in.
func (d *deriver) enum(s *scope, name string, symbols []string, path string) (kind, options string, err error) {
	kind = typeName(name)
	if err := s.define(kind, "an enum", path); err != nil {
		return "", "", err
	}
	if len(symbols) == 0 {
		return "", "", schemaError(path, "the dictionary is empty, and an enum needs a value")
	}
	indent := strings.Repeat("  ", s.depth)
	var b strings.Builder
	for i, symbol := range symbols {
		if !isIdentifier(symbol) {
			return "", "", schemaError(path, "%q is no valid name for a value of an enum: leave the column a string", short(symbol))
		}
		if err := s.define(symbol, "a value of the enum "+kind, path); err != nil {
			return "", "", err
		}
		fmt.Fprintf(&b, "%s  %s = %d;\n", indent, symbol, i)
	}
	fmt.Fprintf(&s.inner, "%senum %s {\n%s%s}\n", indent, kind, b.String(), indent)
	return kind, "", nil
}
