package json

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Derive makes a schema of the columns of a frame: the types that a reader makes the same columns of. Dictionaries that are no enums become what their values are, and floats of 16 bits
// wider.
func Derive(name string, columns []arrow.Field, options format.DeriveOptions) (*Schema, error) {
	d := &deriver{enums: options.Enums}
	t, err := d.object(columns, "")
	if err != nil {
		return nil, err
	}
	for path := range options.Enums {
		if !slices.Contains(d.used, path) {
			return nil, schemaErrorf(path, "the frame has no column of texts here that could become an enum")
		}
	}
	return NewSchema(name, Field{Name: name, Type: t}, 0), nil
}

// deriver makes types of Arrow's.
type deriver struct {
	enums map[string][]string
	used  []string
	depth int
}

func (d *deriver) object(columns []arrow.Field, path string) (*Type, error) {
	t := &Type{Kind: Object}
	for _, c := range columns {
		below := format.JoinPath(path, c.Name)
		if _, twice := frame.Named(columns, c.Name); twice {
			return nil, twoColumns(path, c.Name)
		}
		f, err := d.field(c, below)
		if err != nil {
			return nil, err
		}
		t.Fields = append(t.Fields, f)
	}
	return t, nil
}

func (d *deriver) field(c arrow.Field, path string) (Field, error) {
	t, err := d.of(c.Type, path)
	return Field{Name: c.Name, Type: t, Nullable: c.Nullable || t != nil && t.Kind == Null}, err
}

func (d *deriver) of(t arrow.DataType, path string) (*Type, error) {
	if d.depth++; d.depth > format.DefaultLimits.SchemaDepth {
		return nil, schemaErrorf(path, "the columns nest deeper than %d levels", format.DefaultLimits.SchemaDepth)
	}
	defer func() { d.depth-- }()
	named, values := valuesOfType(t)
	if symbols, is := d.enums[path]; is && frame.IsText(values) {
		d.used = append(d.used, path)
		return &Type{Kind: Enum, Symbols: symbols}, nil
	}
	switch {
	case frame.IsUUID(named):
		return &Type{Kind: Text}, nil
	case isBool8s(t):
		return &Type{Kind: Boolean}, nil
	case frame.IsText(values):
		return &Type{Kind: Text}, nil
	case frame.IsBinary(values), values.ID() == arrow.FIXED_SIZE_BINARY:
		return &Type{Kind: Base64}, nil
	}
	switch v := values.(type) {
	case *arrow.NullType:
		return &Type{Kind: Null}, nil
	case *arrow.BooleanType:
		return &Type{Kind: Boolean}, nil
	case *arrow.Float16Type:
		return &Type{Kind: Number, Arrow: arrow.PrimitiveTypes.Float32}, nil
	case *arrow.Float32Type, *arrow.Float64Type:
		return &Type{Kind: Number, Arrow: v}, nil
	case *arrow.TimestampType:
		return &Type{Kind: DateTime, Arrow: v}, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return &Type{Kind: Date, Arrow: arrow.FixedWidthTypes.Date32}, nil
	case *arrow.Time32Type, *arrow.Time64Type:
		return &Type{Kind: Time, Arrow: v}, nil
	case *arrow.DurationType:
		return &Type{Kind: Epoch, Arrow: v}, nil
	case arrow.DecimalType:
		if t := DecimalOf(int(v.GetPrecision()), int(v.GetScale())); t != nil {
			return &Type{Kind: Decimal, Arrow: t}, nil
		}
		return nil, schemaErrorf(path, "a decimal has a scale from 0 up to its precision here, and the column is %s: cast it", v)
	case *arrow.StructType:
		return d.object(v.Fields(), path)
	case *arrow.MapType:
		if key, _ := valuesOfType(v.KeyType()); !frame.IsText(key) {
			return nil, schemaErrorf(path, "the keys of a map are texts in JSON, and here of the type %s: cast them", v.KeyType())
		}
		item, err := d.field(v.ItemField(), format.JoinPath(path, "value"))
		return &Type{Kind: Map, Items: &item}, err
	case arrow.ListLikeType:
		item, err := d.field(v.ElemField(), format.JoinPath(path, "item"))
		return &Type{Kind: Array, Items: &item}, err
	}
	if arrow.IsInteger(values.ID()) {
		return &Type{Kind: Integer, Arrow: values}, nil
	}
	return nil, schemaErrorf(path, "a column of the Arrow type %s has no type in JSON: cast it, or give the schema", t)
}
