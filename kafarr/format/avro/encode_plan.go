package avro

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// writer writes the values of one column, and of those below it. Binding it to the column's memory checks the values and adds the ops.
type writer interface {
	bind(b *binder, s frame.Segment) error
}

// fieldWriter is the writer of a record's field.
type fieldWriter struct {
	column int // the child that it reads; noColumn: none
	writer writer
}

// target is what a writer writes to.
type target struct {
	path   string
	schema *Schema
	null   int8 // the union branch that is null: 0, 1, notNullable or nullAbove
}

// nullAbove is the null of a value whose nulls are written by the union that it is in.
const nullAbove = -2

// planner makes writers. It walks the schema and the Arrow types together, and ends where the types do, so that recursive schemas end, too.
type planner struct {
	options *format.EncodeOptions
	open    []*Schema // the records that the current value lies in
	depth   int
	nodes   int
}

// value makes the writer of values of a type. null is how a null is written, where the value lies in a union with null.
func (p *planner) value(s *Schema, t arrow.DataType, path string, null int8) (writer, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > p.options.Limits.SchemaDepth {
		return nil, schemaErrorf(path, "the columns nest deeper than %d levels", p.options.Limits.SchemaDepth)
	}
	if p.nodes++; p.nodes > p.options.Limits.Columns {
		return nil, schemaErrorf(path, "the columns and the schema stand for more than %d values", p.options.Limits.Columns)
	}
	to := target{path: path, schema: s, null: null}
	if s.Type == Null {
		return &onlyNullWriter{to}, nil
	}
	switch t := frame.Storage(t).(type) {
	case *arrow.DictionaryType:
		if s.optionalOrSelf().Type != Enum {
			values, err := p.value(s, t.ValueType, path, null)
			return &dictionaryWriter{to, to.nullBranch(), values}, err
		}
	case *arrow.RunEndEncodedType:
		values, err := p.value(s, t.Encoded(), path, null)
		return &runsWriter{to, values}, err
	case *arrow.NullType:
		return &nullColumnWriter{to, to.nullBranch()}, nil
	}
	if s.leadsTo(p.open) && frame.IsText(t) {
		return &jsonValueWriter{to, spanLayout(t), p.options.Limits.ValueDepth}, nil
	}
	switch s.Type {
	case Union:
		return p.union(to, t)
	case Record:
		return p.record(to, t)
	case Array, Map:
		return p.list(to, t)
	}
	return p.leaf(to, t)
}

// nullBranch is the index that a null is written as; notNullable and nullAbove as in target.null.
func (to *target) nullBranch() int {
	if to.null != notNullable || to.schema.Type != Union {
		return int(to.null)
	}
	return to.schema.nullIndex()
}

// nullIndex is the index of a union's null; -1: it has none.
func (s *Schema) nullIndex() int {
	return slices.IndexFunc(s.Branches, func(b *Schema) bool { return b.Type == Null })
}

// optionalOrSelf is the branch of an optional or of a union of one type, and any other schema itself.
func (s *Schema) optionalOrSelf() *Schema {
	if other, _ := s.optional(); other != nil {
		return other
	}
	return s.only()
}

// leaf makes the writer of a value that holds no others.
func (p *planner) leaf(to target, t arrow.DataType) (writer, error) {
	s := to.schema
	own, _ := leafOf(s)
	var w writer
	switch own.code {
	case opBoolean:
		w = booleanColumn(to, t)
	case opEnum:
		w = enumColumn(to, t)
	case opString:
		w = textColumn(to, t)
	case opBytes:
		w = bytesColumn(to, t)
	case opFixed:
		w = fixedColumn(to, t)
	case opDuration:
		w = durationColumn(to, t)
	case opDecimalBytes, opDecimalFixed, opDecimalText, opDecimalFixedText, opBigDecimal:
		w = decimalColumn(to, t, own.code)
	default:
		w = numberColumn(to, t, own.dtype)
	}
	if w == nil {
		return nil, typeMismatch(to, t, own.dtype)
	}
	return w, nil
}

// typeMismatch is the error of a column that cannot be written as its field's type, whatever its values are.
func typeMismatch(to target, t, own arrow.DataType) error {
	hint := "cast the column to " + own.String()
	from, fromTime := t.(*arrow.TimestampType)
	into, intoTime := own.(*arrow.TimestampType)
	switch {
	case fromTime && intoTime && from.TimeZone == "":
		hint = "it has no time zone, and the field is a point in time: say which zone it is in (tz_localize in pandas, replace_time_zone in polars)"
	case fromTime && intoTime && into.TimeZone == "":
		hint = "it is a point in time, and the field is the time on a clock: say on which (tz_localize(None) after tz_convert in pandas, replace_time_zone(None) in polars)"
	}
	return schemaErrorf(to.path, "a column of the Arrow type %s cannot be written as %s: %s", t, to.schema.describe(), hint)
}

// record makes the writer of a struct column.
func (p *planner) record(to target, t arrow.DataType) (writer, error) {
	st, ok := frame.Storage(t).(*arrow.StructType)
	if !ok {
		return nil, schemaErrorf(to.path, "a column of the Arrow type %s cannot be written as %s: it must be a struct", t, to.schema.describe())
	}
	fields, _, err := p.fields(to.schema, st.Fields(), to.path)
	if err != nil {
		return nil, err
	}
	return &recordWriter{to, fields}, nil
}

// fields makes the writers of a record's fields in the schema's order, and lists the columns that it does not name.
func (p *planner) fields(s *Schema, columns []arrow.Field, path string) (out []fieldWriter, ignored []string, err error) {
	p.open = append(p.open, s)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	used := make([]bool, len(columns))
	for i := range s.Fields {
		f := &s.Fields[i]
		below := format.JoinPath(path, f.Name)
		at, err := columnNamed(columns, f.Name, path)
		if err != nil {
			return nil, nil, err
		}
		if at < 0 {
			body, err := p.missing(f, columns, below)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, fieldWriter{column: noColumn, writer: &constWriter{bytes: body}})
			continue
		}
		used[at] = true
		w, err := p.value(f.Type, columns[at].Type, below, notNullable)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, fieldWriter{column: at, writer: w})
	}
	ignored, err = p.extra(columns, func(i int) bool { return used[i] }, s, path)
	return out, ignored, err
}

// missing is what is written for a field without a column.
func (p *planner) missing(f *Field, columns []arrow.Field, path string) ([]byte, error) {
	switch {
	case p.options.Missing != format.DefaultMissing:
		what := `missing="default" writes its default`
		if !f.HasDefault {
			what = "the schema has no default for it"
		}
		return nil, schemaErrorf(path, "the frame has no column for this field of the schema%s; %s", nearest.Hint(f.Name, frame.Names(columns)), what)
	case !f.HasDefault:
		return nil, schemaErrorf(path, "the frame has no column for this field, and the schema no default%s", nearest.Hint(f.Name, frame.Names(columns)))
	}
	return encodeDefault(nil, f.Type, f.Default, path)
}

// extra lists the columns that the schema does not name, which may be an error.
func (p *planner) extra(columns []arrow.Field, used func(int) bool, s *Schema, path string) (ignored []string, err error) {
	for i, c := range columns {
		if used(i) {
			continue
		}
		if p.options.Extra == format.RaiseExtra {
			return nil, schemaErrorf(format.JoinPath(path, c.Name), `%s has no such field%s; drop the column, or ignore it with extra="ignore"`, s.describe(), nearest.Hint(c.Name, s.fieldNames()))
		}
		ignored = append(ignored, format.JoinPath(path, c.Name))
	}
	return ignored, nil
}

// columnNamed finds a column; -1: there is none.
func columnNamed(columns []arrow.Field, name, path string) (int, error) {
	at, twice := frame.Named(columns, name)
	if twice {
		return 0, schemaErrorf(format.JoinPath(path, name), "there are two columns of this name: rename one")
	}
	return at, nil
}

// list makes the writer of an array or a map. A map may be a list of structs of two members, too, which is what polars makes of it.
func (p *planner) list(to target, t arrow.DataType) (writer, error) {
	s := to.schema
	var item arrow.DataType
	switch t := frame.Storage(t).(type) {
	case *arrow.MapType: // which is a ListLikeType, too
		if s.Type == Map {
			item = t.Elem()
		}
	case arrow.ListLikeType:
		item = t.Elem()
	}
	if item == nil {
		return nil, schemaErrorf(to.path, "a column of the Arrow type %s cannot be written as %s: it must be a %s", t, s.describe(), map[Type]string{Array: "list", Map: "map, or a list of structs of key and value"}[s.Type])
	}
	if s.Type == Array {
		w, err := p.value(s.Items, item, format.JoinPath(to.path, "item"), notNullable)
		return &listWriter{to, frame.Storage(t), w}, err
	}
	entry, ok := frame.Storage(item).(*arrow.StructType)
	if !ok || entry.NumFields() != 2 {
		return nil, schemaErrorf(to.path, "a column of the Arrow type %s cannot be written as %s: its items must be structs of key and value", t, s.describe())
	}
	key, err := p.value(mapKey, entry.Field(0).Type, format.JoinPath(to.path, "key"), notNullable)
	if err != nil {
		return nil, err
	}
	value, err := p.value(s.Items, entry.Field(1).Type, format.JoinPath(to.path, "value"), notNullable)
	if err != nil {
		return nil, err
	}
	pair := &recordWriter{target{format.JoinPath(to.path, "entry"), &Schema{Type: Record}, notNullable}, []fieldWriter{{0, key}, {1, value}}}
	return &listWriter{to, frame.Storage(t), pair}, nil
}
