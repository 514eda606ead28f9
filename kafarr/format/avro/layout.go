package avro

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// layout is a column that a plan appends to, with the columns below it. It follows from the reader's schema alone.
type layout struct {
	field  arrow.Field
	id     int // in the order in which columns are built, parents first
	kids   []*layout
	build  func(kids []column.Column) column.Column
	shape  string // what distinguishes columns of the same Arrow type, such as an enum's symbols
	code   opcode // how a leaf's value is read
	size   int    // of a leaf: bytes, symbols, or digits
	schema *Schema
	json   bool // a recursive field, as text
	nulls  int  // the columns that a null of this one is appended to; 0: not counted yet
}

// leaf is a column without columns below it: an entry of the tables of types.
type leaf struct {
	dtype arrow.DataType
	code  opcode
	size  int
	make  func() column.Column
	shape string
}

// baseTypes is the table of Avro's own types that take one column.
var baseTypes = map[Type]func(*Schema) leaf{
	Null:    nullLeaf,
	Boolean: booleanLeaf,
	Int:     intLeaf,
	Long:    longLeaf,
	Float:   floatLeaf,
	Double:  doubleLeaf,
	Bytes:   bytesLeaf,
	String:  stringLeaf,
	Enum:    enumLeaf,
	Fixed:   fixedLeaf,
}

// logicalTypes is the table of logical types. Each says false for a schema on which it is not valid: the type beneath it counts then, as it does
// for a logical type that is not in the table.
var logicalTypes = map[string]func(*Schema) (leaf, bool){
	"decimal":                decimalLeaf,
	"big-decimal":            bigDecimalLeaf,
	"uuid":                   uuidLeaf,
	"date":                   dateLeaf,
	"time-millis":            timeLeaf,
	"time-micros":            timeLeaf,
	"timestamp-millis":       timestampLeaf,
	"timestamp-micros":       timestampLeaf,
	"timestamp-nanos":        timestampLeaf,
	"local-timestamp-millis": timestampLeaf,
	"local-timestamp-micros": timestampLeaf,
	"local-timestamp-nanos":  timestampLeaf,
	"duration":               durationLeaf,
}

// leafOf returns the column of a type that takes one. ignored: it has a logical type that is not valid on it.
func leafOf(s *Schema) (l leaf, ignored bool) {
	logical, known := logicalTypes[s.Logical.Name]
	if known {
		if l, valid := logical(s); valid {
			return l, false
		}
	}
	return baseTypes[s.Type](s), known
}

// maxFixedSize is the width of values that Arrow's libraries can take: some count its bits in 32 bits with a sign.
const maxFixedSize = math.MaxInt32 / 8

// layouter makes layouts.
type layouter struct {
	options *format.Options
	columns int
	open    []*Schema // the records that the current one lies in
	level   int       // how deep the current column lies in Arrow's schema, whose columns are level 1
	maps    int       // the maps that the current column lies in
	arrays  int       // that arrow-go would build, so far

	enums       map[*Schema]enumShape
	symbolBytes int // of all columns, so far
	ignored     []string
}

// maxLevels is how deep a column may lie: Arrow's C++ imports a schema of 64 levels, of which the record batch is one. An enum's dictionary is a level of
// its own, and so are the entries of a map.
const maxLevels = 63

// arraysPerColumn bounds, by the limit of columns, how many arrays arrow-go builds of a batch for a program in Go: it builds what lies in a map twice.
const arraysPerColumn = 4

// deeper counts n levels below the current one. Who calls it takes them back.
func (l *layouter) deeper(n int, path string) error {
	if l.level += n; l.level > maxLevels {
		return schemaErrorf(path, "the columns nest deeper than the %d levels that Arrow takes (a map counts as two, an enum adds one)", maxLevels)
	}
	return nil
}

// of makes the layout of a value. selection: the fields wanted below it; nil: all.
func (l *layouter) of(s *Schema, name, path string, selection *format.Selection) (*layout, error) {
	if l.columns++; l.columns > l.options.Limits.Columns {
		return nil, schemaErrorf(path, "the schema stands for more than %d columns", l.options.Limits.Columns)
	}
	if len(l.open) > l.options.Limits.SchemaDepth {
		return nil, schemaErrorf(path, "the schema nests deeper than %d levels", l.options.Limits.SchemaDepth)
	}
	defer func(before int) { l.level = before }(l.level)
	if other, _ := s.optional(); other == nil || s.leadsTo(l.open) {
		if err := l.deeper(1, path); err != nil {
			return nil, err
		}
		if l.arrays += 1 << l.maps; l.arrays > arraysPerColumn*l.options.Limits.Columns {
			return nil, schemaErrorf(path, "too many columns lie in maps within maps")
		}
	}
	if s.leadsTo(l.open) {
		if l.options.Recursion != format.JSON {
			return nil, schemaErrorf(path, `%s is recursive: it has no Arrow type; recursion="json" reads it as text`, s.describe())
		}
		text := stringLeaf(nil)
		return &layout{
			field: arrow.Field{Name: name, Type: text.dtype, Nullable: s.nullable()}, schema: s, json: true,
			build: func([]column.Column) column.Column { return text.make() },
		}, nil
	}
	if other, _ := s.optional(); other != nil {
		l.columns-- // one column for both
		out, err := l.of(other, name, path, selection)
		if err != nil {
			return nil, err
		}
		out.field.Nullable = true
		return out, nil
	}
	if only := s.only(); only != s {
		l.columns--
		return l.of(only, name, path, selection)
	}
	var out *layout
	var err error
	switch s.Type {
	case Record:
		out, err = l.record(s, path, selection)
	case Array:
		out, err = l.array(s, path, selection)
	case Map:
		out, err = l.mapping(s, path, selection)
	case Union:
		out, err = l.union(s, path, selection)
	default:
		if selection != nil {
			return nil, schemaErrorf(path, "columns: %s has no fields", s.describe())
		}
		if s.Size > maxFixedSize {
			return nil, schemaErrorf(path, "%s has %d bytes, and in Arrow a value has at most %d", s.describe(), s.Size, maxFixedSize)
		}
		leaf, ignored := leafOf(s)
		if ignored {
			l.ignore(s, path)
		}
		if leaf.code == opEnum {
			if err := l.deeper(1, path); err != nil {
				return nil, err
			}
			var err error
			if leaf.shape, err = l.symbols(s, path); err != nil {
				return nil, err
			}
		}
		out = &layout{
			field: arrow.Field{Type: leaf.dtype, Nullable: s.Type == Null || l.options.OutOfRange == format.NullOutOfRange && leaf.code.mayBeOutside()}, shape: leaf.shape, code: leaf.code, size: leaf.size,
			build: func([]column.Column) column.Column { return leaf.make() },
		}
	}
	if err != nil {
		return nil, err
	}
	out.field.Name, out.schema = name, s
	return out, nil
}

// ignore notes that a logical type is not valid where it stands.
func (l *layouter) ignore(s *Schema, path string) {
	why := "it is not valid on " + s.Type.String()
	if s.Logical.Name == "decimal" && (s.Type == Bytes || s.Type == Fixed) {
		why = decimalFault(s)
	}
	l.ignored = append(l.ignored, fmt.Sprintf("%s: its logical type %s is ignored, and %s is read, as the specification says: %s", cmp.Or(path, "value"), s.Logical.Name, s.Type, why))
}

// leadsTo reports whether a value of this schema may hold one of the records without lying in another record first.
func (s *Schema) leadsTo(records []*Schema) bool {
	switch s.Type {
	case Record:
		return slices.Contains(records, s)
	case Array, Map:
		return s.Items.leadsTo(records)
	case Union:
		return slices.ContainsFunc(s.Branches, func(b *Schema) bool { return b.leadsTo(records) })
	}
	return false
}

// nullable reports whether a value may be null.
func (s *Schema) nullable() bool {
	return s.Type == Null || s.Type == Union && slices.ContainsFunc(s.Branches, func(b *Schema) bool { return b.Type == Null })
}

// fields makes the layouts of a record's selected fields.
func (l *layouter) fields(s *Schema, path string, selection *format.Selection) (kids []*layout, err error) {
	l.open = append(l.open, s)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	for _, f := range s.Fields {
		below, wanted := selection.Field(f.Name)
		if !wanted {
			continue
		}
		kid, err := l.of(f.Type, f.Name, format.JoinPath(path, f.Name), below)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	names := s.fieldNames()
	if unknown, found := selection.Unknown(names); found {
		return nil, schemaErrorf(path, "columns: %s has no field %q: it has %s%s", s.describe(), unknown, firstOf(names), nearest.Hint(unknown, names))
	}
	return kids, nil
}

// fieldNames lists a record's fields.
func (s *Schema) fieldNames() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// firstOf lists names for an error: the first twenty.
func firstOf(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// number gives the columns their ids and returns how many there are.
func number(kids []*layout, next int) int {
	for _, k := range kids {
		k.id = next
		next = number(k.kids, next+1)
	}
	return next
}

// fitting is how many rows, or items, of such columns fit.
func fitting(kids []*layout) int {
	n := 0
	for _, k := range kids {
		n += k.width()
	}
	return min(math.MaxInt32, format.MaxBytes/max(n, 1))
}

// width is what each value takes in memory, but for what it may hold of any number: texts and items.
func (l *layout) width() int {
	n := 0
	switch t := l.field.Type.(type) {
	case *arrow.DenseUnionType: // of whose members a value takes one
		for _, k := range l.kids {
			n = max(n, k.width())
		}
		return n + 1 + offsetBytes
	case *arrow.ListType, *arrow.MapType:
		return offsetBytes
	case *arrow.StringType, *arrow.BinaryType:
		return offsetBytes
	case arrow.ExtensionType:
		n = t.StorageType().(arrow.FixedWidthDataType).Bytes() // uuid
	case arrow.FixedWidthDataType:
		n = t.Bytes()
	}
	if n > narrowBytes {
		n *= wideWeight
	}
	for _, k := range l.kids {
		n += k.width()
	}
	return n
}

// offsetBytes is what a text or list takes beside its content. Values of more than narrowBytes, which are those of a fixed, count wideWeight times: columns of them
// have a GiB, and not four, as their nulls are the cheapest to ask for.
const (
	offsetBytes = 4
	narrowBytes = 64
	wideWeight  = 4
)

// column builds the column and those below it, and enters them by id.
func (l *layout) column(list []column.Column) column.Column {
	kids := make([]column.Column, len(l.kids))
	for i, k := range l.kids {
		kids[i] = k.column(list)
	}
	list[l.id] = l.build(kids)
	return list[l.id]
}

// write renders all that distinguishes one layout from another.
func (l *layout) write(b io.Writer) {
	kind := l.field.Type.ID().String() // what lies below is written below
	if len(l.kids) == 0 {
		kind = l.field.Type.String()
	}
	fmt.Fprintf(b, "\x00%s\x01%s\x01%t\x01%s(", l.field.Name, kind, l.field.Nullable, l.shape)
	for _, k := range l.kids {
		k.write(b)
	}
	fmt.Fprint(b, ")")
}

// arrowFields returns the fields of layouts.
func arrowFields(kids []*layout) []arrow.Field {
	out := make([]arrow.Field, len(kids))
	for i, k := range kids {
		out[i] = k.field
	}
	return out
}
