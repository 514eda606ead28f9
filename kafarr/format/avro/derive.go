package avro

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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

// Derive makes the text of a record's schema from the columns of a frame. A frame that is sent with it and read again has equal values, of the types that docs/types.md gives: unsigned
// and narrow numbers come back wider, and dictionaries that are no enums as what their values are.
//
// A field is a union of null and its type, with the default null, where the column is nullable, whether it holds nulls or not. Named types have the record's namespace, and the name of
// their place: Price_address, Price_legs_item.
func Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	if !validFullName(name) {
		return "", schemaErrorf("", "%q is no valid name for a type: each part of it is a letter or _, and then letters, digits and _", format.ShortName(name))
	}
	d := &deriver{enums: options.Enums, taken: map[string]bool{}}
	space, simple := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		space, simple = name[:i], name[i+1:]
	}
	d.taken[simple] = true
	d.raw(`{"type":"record","name":`)
	d.text(simple)
	if space != "" {
		d.raw(`,"namespace":`)
		d.text(space)
	}
	d.name = simple
	if err := d.fields(columns, ""); err != nil {
		return "", err
	}
	d.raw("}")
	for path := range options.Enums {
		if !slices.Contains(d.used, path) {
			return "", schemaErrorf(path, "the frame has no column of texts here that could become an enum")
		}
	}
	return string(d.out), nil
}

// deriver writes a schema's JSON.
type deriver struct {
	out   []byte
	name  string // of the top-level record
	enums map[string][]string
	used  []string // paths of enums
	taken map[string]bool
	depth int
}

func (d *deriver) raw(s string) { d.out = append(d.out, s...) }

func (d *deriver) text(s string) {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		b = []byte(`""`)
	}
	d.out = append(d.out, b...)
}

// logical writes a type with a logical type.
func (d *deriver) logical(base, name string) {
	d.raw(`{"type":"` + base + `","logicalType":"` + name + `"}`)
}

// defined writes the begin of a named type. Its name is that of its place, or of the branch of a union that it is.
func (d *deriver) defined(kind, path, branch string) error {
	name := branch
	if name == "" {
		name = d.name + "_" + strings.ReplaceAll(path, ".", "_")
		for d.taken[name] { // a.b_c and a_b.c are both a_b_c
			name += "_"
		}
	}
	if _, primitive := primitives[name]; primitive || d.taken[name] {
		return schemaErrorf(path, "two types would be named %s: rename the column", format.ShortName(name))
	}
	d.taken[name] = true
	d.raw(`{"type":"` + kind + `","name":`)
	d.text(name)
	return nil
}

// fields writes the fields of a record.
func (d *deriver) fields(columns []arrow.Field, path string) error {
	d.raw(`,"fields":[`)
	for i, c := range columns {
		if !validName(c.Name) {
			return schemaErrorf(path, "%q is no valid name for a field: rename the column; a name is a letter or _, and then letters, digits and _", format.ShortName(c.Name))
		}
		below := format.JoinPath(path, c.Name)
		if _, err := columnNamed(columns, c.Name, path); err != nil {
			return err
		}
		if i > 0 {
			d.raw(",")
		}
		d.raw(`{"name":`)
		d.text(c.Name)
		d.raw(`,"type":`)
		optional, err := d.nullable(c, below)
		if err != nil {
			return err
		}
		if optional {
			d.raw(`,"default":null`)
		}
		d.raw("}")
	}
	d.raw("]")
	return nil
}

// nullable writes the type of a column, or a union of null and that type.
func (d *deriver) nullable(c arrow.Field, path string) (optional bool, err error) {
	if d.depth++; d.depth > format.DefaultLimits.SchemaDepth {
		return false, schemaErrorf(path, "the columns nest deeper than %d levels", format.DefaultLimits.SchemaDepth)
	}
	defer func() { d.depth-- }()
	t := valuesOf(c.Type)
	if u, ok := t.(arrow.UnionType); ok {
		return d.union(u, c.Nullable, path)
	}
	if !c.Nullable || t.ID() == arrow.NULL {
		return false, d.value(c.Type, path, "")
	}
	d.raw(`["null",`)
	err = d.value(c.Type, path, "")
	d.raw("]")
	return true, err
}

// valuesOf is the type of a column's values: that of a dictionary's, or a run's.
func valuesOf(t arrow.DataType) arrow.DataType {
	for {
		switch e := t.(type) {
		case *arrow.DictionaryType:
			t = e.ValueType
		case *arrow.RunEndEncodedType:
			t = e.Encoded()
		default:
			if frame.IsUUID(t) || frame.IsBool8(t) || frame.Storage(t) == t {
				return t
			}
			t = frame.Storage(t)
		}
	}
}

// plain are the Arrow types that become an Avro type without parameters. A float of 16 bits and the narrow integers come back wider.
var plain = map[arrow.Type]string{
	arrow.NULL: "null", arrow.BOOL: "boolean",
	arrow.INT8: "int", arrow.INT16: "int", arrow.INT32: "int", arrow.UINT8: "int", arrow.UINT16: "int", arrow.UINT32: "long", arrow.INT64: "long",
	arrow.FLOAT16: "float", arrow.FLOAT32: "float", arrow.FLOAT64: "double",
	arrow.STRING: "string", arrow.LARGE_STRING: "string", arrow.STRING_VIEW: "string",
	arrow.BINARY: "bytes", arrow.LARGE_BINARY: "bytes", arrow.BINARY_VIEW: "bytes",
}

// value writes a type. branch is the name that a named type must have within a union.
func (d *deriver) value(t arrow.DataType, path, branch string) error {
	t = valuesOf(t)
	if symbols, ok := d.enums[path]; ok && frame.IsText(t) {
		return d.enum(symbols, path, branch)
	}
	switch name, ok := plain[t.ID()]; {
	case frame.IsUUID(t):
		return d.fixed(16, "uuid", path, branch)
	case frame.IsBool8(t):
		d.raw(`"boolean"`)
		return nil
	case ok:
		d.raw(`"` + name + `"`)
		return nil
	}
	switch t := t.(type) {
	case *arrow.Uint64Type: // which a long does not hold
		d.decimal(20, 0)
	case arrow.DecimalType:
		d.decimal(int(t.GetPrecision()), int(t.GetScale()))
	case *arrow.Date32Type, *arrow.Date64Type:
		d.logical("int", "date")
	case *arrow.Time32Type:
		d.logical("int", "time-millis")
	case *arrow.Time64Type: // Avro has no finer one: nanoseconds that are no microseconds are an error of their value
		d.logical("long", "time-micros")
	case *arrow.TimestampType:
		name := map[arrow.TimeUnit]string{arrow.Microsecond: "timestamp-micros", arrow.Nanosecond: "timestamp-nanos"}[t.Unit]
		if name == "" {
			name = "timestamp-millis"
		}
		if t.TimeZone == "" {
			name = "local-" + name
		}
		d.logical("long", name)
	case *arrow.MonthDayNanoIntervalType, *arrow.DayTimeIntervalType, *arrow.MonthIntervalType:
		return d.fixed(12, "duration", path, branch)
	case *arrow.FixedSizeBinaryType:
		return d.fixed(t.ByteWidth, "", path, branch)
	default:
		return d.nested(t, path, branch)
	}
	return nil
}

func (d *deriver) nested(t arrow.DataType, path, branch string) error {
	switch t := t.(type) {
	case *arrow.StructType:
		if err := d.defined("record", path, branch); err != nil {
			return err
		}
		if err := d.fields(t.Fields(), path); err != nil {
			return err
		}
		d.raw("}")
		return nil
	case *arrow.MapType:
		if !frame.IsText(valuesOf(t.KeyType())) {
			return schemaErrorf(path, "the keys of the map are of the type %s, and in Avro they are texts: cast them", t.KeyType())
		}
		d.raw(`{"type":"map","values":`)
		if _, err := d.nullable(t.ItemField(), format.JoinPath(path, "value")); err != nil {
			return err
		}
		d.raw("}")
		return nil
	case arrow.ListLikeType:
		d.raw(`{"type":"array","items":`)
		if _, err := d.nullable(t.ElemField(), format.JoinPath(path, "item")); err != nil {
			return err
		}
		d.raw("}")
		return nil
	case *arrow.DurationType:
		return schemaErrorf(path, "a span of time of the Arrow type %s has no Avro type: cast the column to int64 (its unit is then for you to know), or to an interval", t)
	}
	return schemaErrorf(path, "the Arrow type %s has no Avro type: cast the column", t)
}

// decimal writes a decimal on bytes. Avro's has a scale from 0 to its precision.
func (d *deriver) decimal(precision, scale int) {
	if scale < 0 {
		precision, scale = precision-scale, 0
	}
	d.raw(fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, max(precision, scale), scale))
}

func (d *deriver) fixed(size int, logical, path, branch string) error {
	if err := d.defined("fixed", path, branch); err != nil {
		return err
	}
	d.raw(`,"size":` + strconv.Itoa(size))
	if logical != "" {
		d.raw(`,"logicalType":"` + logical + `"`)
	}
	d.raw("}")
	return nil
}

func (d *deriver) enum(symbols []string, path, branch string) error {
	d.used = append(d.used, path)
	if err := d.defined("enum", path, branch); err != nil {
		return err
	}
	d.raw(`,"symbols":[`)
	for i, symbol := range symbols {
		if !validName(symbol) {
			return schemaErrorf(path, "%q is no valid symbol of an enum: send the column as texts; a symbol is a letter or _, and then letters, digits and _", format.ShortName(symbol))
		}
		if slices.Contains(symbols[:i], symbol) {
			return schemaErrorf(path, "the symbol %q is there twice", format.ShortName(symbol))
		}
		if i > 0 {
			d.raw(",")
		}
		d.text(symbol)
	}
	d.raw("]}")
	return nil
}

// union writes an Arrow union, whose members must be named like the branches that they become: that is how they are found again.
func (d *deriver) union(t arrow.UnionType, nullable bool, path string) (optional bool, err error) {
	d.raw("[")
	fields := t.Fields()
	null := slices.IndexFunc(fields, func(f arrow.Field) bool { return valuesOf(f.Type).ID() == arrow.NULL })
	nullable = nullable || null >= 0 || slices.ContainsFunc(fields, func(f arrow.Field) bool { return f.Nullable })
	first := true
	if nullable {
		d.raw(`"null"`)
		first = false
	}
	for i, f := range fields {
		if i == null {
			continue
		}
		if !first {
			d.raw(",")
		}
		first = false
		below := format.JoinPath(path, f.Name)
		if !validName(f.Name) {
			return false, schemaErrorf(below, "%q is no valid name for a type: rename the member of the union", format.ShortName(f.Name))
		}
		before := len(d.out)
		if err := d.value(f.Type, below, f.Name); err != nil {
			return false, err
		}
		var name string
		if json.Unmarshal(d.out[before:], &name) != nil {
			var of struct{ Name, Type string }
			_ = json.Unmarshal(d.out[before:], &of) // it was written here
			if name = of.Name; name == "" {
				name = of.Type
			}
		}
		if name != f.Name {
			return false, schemaErrorf(below, "the member of the union becomes a value of the type %s, and must have that name", name)
		}
	}
	d.raw("]")
	return nullable, nil
}
