package protobuf

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// layout is a column that a plan stores into, with the columns below it. It follows from the reader's schema alone.
type layout struct {
	field   arrow.Field
	id      int // in the order in which columns are built, parents first
	nulls   column.Nulls
	kids    []*layout
	build   func(rows *column.Rows, nulls column.Nulls, kids []column.Placed) column.Placed
	ownRows bool   // a list: its items have rows of their own
	shape   string // what distinguishes columns of the same Arrow type, such as an enum's names
	op      op     // how a value is read
	of      *field // of a value
	path    string
	enum    *enumTable
	scale   int32 // of a decimal
	digits  int
}

// leaf is a column without columns below it.
type leaf struct {
	dtype arrow.DataType
	op    op
	build func(rows *column.Rows, nulls column.Nulls) column.Placed
}

func fixedLeaf(t arrow.DataType, width int, o op) leaf {
	return leaf{dtype: t, op: o, build: func(rows *column.Rows, nulls column.Nulls) column.Placed {
		return column.NewPlacedFixed(rows, t, width, nulls)
	}}
}

func textLeaf(t arrow.DataType, o op) leaf {
	return leaf{dtype: t, op: o, build: func(rows *column.Rows, nulls column.Nulls) column.Placed {
		return column.NewPlacedVarlen(rows, t, nulls)
	}}
}

// scalars is the table of the types that take one column, but for enums.
var scalars = map[kind]leaf{
	kindBool: {dtype: arrow.FixedWidthTypes.Boolean, op: opBool, build: func(rows *column.Rows, nulls column.Nulls) column.Placed {
		return column.NewPlacedBits(rows, nulls)
	}},
	kindInt32:    fixedLeaf(arrow.PrimitiveTypes.Int32, 4, opVarint32),
	kindSint32:   fixedLeaf(arrow.PrimitiveTypes.Int32, 4, opZigzag32),
	kindSfixed32: fixedLeaf(arrow.PrimitiveTypes.Int32, 4, opFixed32),
	kindUint32:   fixedLeaf(arrow.PrimitiveTypes.Uint32, 4, opVarint32),
	kindFixed32:  fixedLeaf(arrow.PrimitiveTypes.Uint32, 4, opFixed32),
	kindInt64:    fixedLeaf(arrow.PrimitiveTypes.Int64, 8, opVarint64),
	kindSint64:   fixedLeaf(arrow.PrimitiveTypes.Int64, 8, opZigzag64),
	kindSfixed64: fixedLeaf(arrow.PrimitiveTypes.Int64, 8, opFixed64),
	kindUint64:   fixedLeaf(arrow.PrimitiveTypes.Uint64, 8, opVarint64),
	kindFixed64:  fixedLeaf(arrow.PrimitiveTypes.Uint64, 8, opFixed64),
	kindFloat:    fixedLeaf(arrow.PrimitiveTypes.Float32, 4, opFixed32),
	kindDouble:   fixedLeaf(arrow.PrimitiveTypes.Float64, 8, opFixed64),
	kindString:   textLeaf(arrow.BinaryTypes.String, opString),
	kindBytes:    textLeaf(arrow.BinaryTypes.Binary, opBytes),
}

// wellKnownLeaf is the column of a message that has an Arrow type of its own.
func (l *layouter) wellKnownLeaf(f *field) (leaf, bool) {
	unit := arrow.Microsecond
	if l.options.Timestamps == format.NanosecondTimestamps {
		unit = arrow.Nanosecond
	}
	switch f.message.known {
	case wellTimestamp:
		return fixedLeaf(&arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, 8, opTimestamp), true
	case wellDuration:
		return fixedLeaf(&arrow.DurationType{Unit: unit}, 8, opDuration), true
	case wellDate:
		return fixedLeaf(arrow.FixedWidthTypes.Date32, 4, opDate), true
	case wellTimeOfDay:
		return fixedLeaf(arrow.FixedWidthTypes.Time64ns, 8, opTimeOfDay), true
	case wellStruct, wellValue, wellList:
		return textLeaf(arrow.BinaryTypes.String, opJSON), true
	}
	return leaf{}, false
}

// layouter makes layouts.
type layouter struct {
	options *format.Options
	columns int
	open    []*message // the messages that the current one lies in
	level   int        // how deep the current column lies in Arrow's schema, whose columns are level 1
	maps    int        // the maps that the current column lies in
	arrays  int        // that arrow-go would build, so far

	enums       map[*enum]*enumTable
	symbolBytes int // of all columns, so far
}

// maxLevels is how deep a column may lie: Arrow's C++ imports a schema of 64 levels, of which the record batch is one.
const maxLevels = 63

// arraysPerColumn bounds, by the limit of columns, how many arrays arrow-go builds of a batch for a program in Go: it builds what lies in a map twice.
const arraysPerColumn = 4

// deeper counts n levels below the current one. Who calls it takes them back.
func (l *layouter) deeper(n int, path string) error {
	if l.level += n; l.level > maxLevels {
		return schemaError(path, "the columns nest deeper than the %d levels that Arrow takes (a map counts as two, an enum adds one)", maxLevels)
	}
	return nil
}

// count counts one more column.
func (l *layouter) count(path string) error {
	if l.columns++; l.columns > l.options.Limits.Columns {
		return schemaError(path, "the schema stands for more than %d columns", l.options.Limits.Columns)
	}
	if l.arrays += 1 << l.maps; l.arrays > arraysPerColumn*l.options.Limits.Columns {
		return schemaError(path, "too many columns lie in maps within maps")
	}
	return l.deeper(1, path)
}

// fields makes the layouts of a message's selected fields.
func (l *layouter) fields(m *message, path string, selection *format.Selection) (kids []*layout, err error) {
	l.open = append(l.open, m)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	if len(l.open) > l.options.Limits.SchemaDepth {
		return nil, schemaError(path, "the schema nests deeper than %d levels", l.options.Limits.SchemaDepth)
	}
	for _, f := range m.fields {
		below, wanted := selection.Field(f.name)
		if !wanted {
			continue
		}
		kid, err := l.field(f, join(path, f.name), below)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	names := m.fieldNames()
	if unknown, found := selection.Unknown(names); found {
		return nil, schemaError(path, "columns: message %s has no field %q: it has %s%s", short(m.name), unknown, firstOf(names), nearest.Hint(unknown, names))
	}
	return kids, nil
}

// firstOf lists names for an error: the first twenty.
func firstOf(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// field makes the layout of a field.
func (l *layouter) field(f *field, path string, selection *format.Selection) (*layout, error) {
	defer func(before int) { l.level = before }(l.level)
	switch {
	case !f.defined():
		return nil, schemaError(path, "the type %s is not defined: neither the schema nor its references have it; register it as a reference, or leave the field out with columns=", short(f.typeName))
	case f.isMap():
		return l.mapping(f, path, selection)
	case f.repeated:
		if err := l.count(path); err != nil {
			return nil, err
		}
		item, err := l.value(f, "item", path, selection, column.NotNull)
		if err != nil {
			return nil, err
		}
		return l.list(f, path, arrow.ListOfField(item.field), item), nil
	}
	nulls := column.NotNull
	if f.presence {
		nulls = column.Nullable
	}
	return l.value(f, f.name, path, selection, nulls)
}

func (l *layouter) list(f *field, path string, t arrow.DataType, item *layout) *layout {
	return &layout{
		field: arrow.Field{Name: f.name, Type: t}, kids: []*layout{item}, ownRows: true, of: f, path: path,
		build: func(rows *column.Rows, nulls column.Nulls, kids []column.Placed) column.Placed {
			return column.NewPlacedList(rows, t, nulls, kids[0])
		},
	}
}

func (l *layouter) mapping(f *field, path string, selection *format.Selection) (*layout, error) {
	l.maps++
	defer func() { l.maps-- }()
	key, value := f.message.field(1), f.message.field(2)
	if key == nil || value == nil || key.repeated || value.repeated || key.message != nil || len(f.message.fields) != 2 {
		return nil, schemaError(path, "the entries of the map are not a key of the number 1 and a value of the number 2")
	}
	if !value.defined() || !key.defined() {
		return nil, schemaError(path, "the type %s is not defined: neither the schema nor its references have it", short(key.typeName+value.typeName))
	}
	for range 2 { // the list, and the entries
		if err := l.count(path); err != nil {
			return nil, err
		}
	}
	k, err := l.value(key, "key", join(path, "key"), nil, column.NotNull)
	if err != nil {
		return nil, err
	}
	v, err := l.value(value, "value", join(path, "value"), selection, column.NotNull)
	if err != nil {
		return nil, err
	}
	k.field.Nullable, k.nulls = false, column.NotNull // a key is never null
	t := arrow.MapOfFields(k.field, v.field)
	entryType := t.ElemField().Type.(*arrow.StructType)
	entry := &layout{
		field: t.ElemField(), kids: []*layout{k, v}, of: f, path: path,
		build: func(rows *column.Rows, nulls column.Nulls, kids []column.Placed) column.Placed {
			return column.NewPlacedStruct(rows, entryType, nulls, kids...)
		},
	}
	return l.list(f, path, t, entry), nil
}

// value makes the layout of one value of a field. nulls says which nulls its presence makes.
func (l *layouter) value(f *field, name, path string, selection *format.Selection, nulls column.Nulls) (*layout, error) {
	defer func(before int) { l.level = before }(l.level)
	if err := l.count(path); err != nil {
		return nil, err
	}
	out, err := l.valueOf(f, path, selection)
	if err != nil {
		return nil, err
	}
	if nulls == column.NotNull && out.nulls != column.NotNull {
		nulls = column.Defaulted
	}
	out.nulls = nulls
	out.field.Name, out.field.Nullable = name, nulls != column.NotNull
	out.of, out.path = f, path
	return out, nil
}

func (l *layouter) valueOf(f *field, path string, selection *format.Selection) (*layout, error) {
	m := f.message
	if m == nil || m.known != plain && m.known != wellWrapper {
		if selection != nil {
			return nil, schemaError(path, "columns: %s has no fields to select", f.describe())
		}
	}
	switch {
	case f.enum != nil:
		return l.enumLayout(f, path)
	case m == nil:
		s, known := scalars[f.kind]
		if !known {
			return nil, schemaError(path, "the field is of the type %d, which is not known", f.kind)
		}
		return s.layout(), nil
	case m.known == wellDecimal:
		return l.decimal(f, path)
	case m.known == wellWrapper:
		if selection != nil {
			return nil, schemaError(path, "columns: %s is one value, which has no fields", f.describe())
		}
		out := scalars[m.fields[0].kind].layout()
		out.op = opMessage
		return out, nil
	}
	if s, known := l.wellKnownLeaf(f); known {
		out := s.layout()
		if s.op != opJSON && l.options.OutOfRange == format.NullOutOfRange {
			out.nulls = column.Nullable
		}
		return out, nil
	}
	if slices.Contains(l.open, m) {
		if l.options.Recursion != format.JSON {
			return nil, schemaError(path, `message %s is recursive: it has no Arrow type; recursion="json" reads it as text`, short(m.name))
		}
		return textLeaf(arrow.BinaryTypes.String, opJSON).layout(), nil
	}
	kids, err := l.fields(m, path, selection)
	if err != nil {
		return nil, err
	}
	t := arrow.StructOf(arrowFields(kids)...)
	return &layout{
		field: arrow.Field{Type: t}, kids: kids, op: opMessage,
		build: func(rows *column.Rows, nulls column.Nulls, kids []column.Placed) column.Placed {
			return column.NewPlacedStruct(rows, t, nulls, kids...)
		},
	}, nil
}

func (s leaf) layout() *layout {
	return &layout{field: arrow.Field{Type: s.dtype}, op: s.op, build: func(rows *column.Rows, nulls column.Nulls, _ []column.Placed) column.Placed {
		return s.build(rows, nulls)
	}}
}

// decimal is a decimal of the precision and scale that confluent.field_meta gives the field, and without them a text of all digits.
func (l *layouter) decimal(f *field, path string) (*layout, error) {
	given := f.meta.params
	precision, err := strconv.Atoi(given["precision"])
	if given["precision"] == "" || err == nil && precision > maxDigits {
		return textLeaf(arrow.BinaryTypes.String, opDecimalText).layout(), nil
	}
	scale := 0
	if given["scale"] != "" && err == nil {
		scale, err = strconv.Atoi(given["scale"])
	}
	if err != nil || precision < 1 || scale < 0 || scale > precision {
		return nil, schemaError(path, "the precision %q and the scale %q of the decimal are not valid", short(given["precision"]), short(given["scale"]))
	}
	var t arrow.DataType = &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)} //nolint:gosec // at most 76
	width := 16
	if precision > 38 {
		t, width = &arrow.Decimal256Type{Precision: int32(precision), Scale: int32(scale)}, 32 //nolint:gosec // at most 76
	}
	out := fixedLeaf(t, width, opDecimal).layout()
	out.digits, out.scale = precision, int32(scale) //nolint:gosec // at most 76
	if l.options.OutOfRange == format.NullOutOfRange {
		out.nulls = column.Nullable
	}
	return out, nil
}

// maxSymbolBytes bounds what the names of all enum columns take, where each has its own, as in pandas: an enum may be the type of every field. A name takes symbolBytes besides its text.
const (
	maxSymbolBytes = 64 << 20
	symbolBytes    = 16
)

// enumTable says what the numbers of an enum become.
type enumTable struct {
	names  []string
	dense  []int32         // codes of the numbers from 0 on; -1: none
	sparse map[int32]int32 // codes of the others
	closed bool
	shape  string
	bytes  int
}

// code is that of a number; negative: it has no name.
func (t *enumTable) code(number int32) int32 {
	if uint(number) < uint(len(t.dense)) { //nolint:gosec // a negative number becomes a huge one
		return t.dense[number]
	}
	if code, known := t.sparse[number]; known {
		return code
	}
	return -1
}

// denseNumbers are the numbers of an enum that are looked up in an array.
const denseNumbers = 256

// enumLayout is a dictionary of names, and null where a number has none; or the number.
func (l *layouter) enumLayout(f *field, path string) (*layout, error) {
	e := f.enum
	if l.options.Enums == format.NumberedEnums {
		return scalars[kindInt32].layout(), nil
	}
	if len(e.names) == 0 {
		return nil, schemaError(path, "the enum %s has no values", short(e.name))
	}
	if err := l.deeper(1, path); err != nil {
		return nil, err
	}
	t := l.enums[e]
	if t == nil {
		t = e.table()
		if l.enums == nil {
			l.enums = map[*enum]*enumTable{}
		}
		l.enums[e] = t
	}
	if l.symbolBytes += t.bytes; l.symbolBytes > maxSymbolBytes {
		return nil, schemaError(path, "the names of all enum columns take more than %d bytes", maxSymbolBytes)
	}
	return &layout{
		field: arrow.Field{Type: column.DictionaryType}, op: opEnum, enum: t, shape: t.shape, nulls: column.Nullable,
		build: func(rows *column.Rows, nulls column.Nulls, _ []column.Placed) column.Placed {
			return column.NewPlacedDictionary(rows, t.names, nulls)
		},
	}, nil
}

// table makes the codes of an enum's numbers. The name of zero, which is the value of what is absent, has the code 0, and comes first in nearly all files.
func (e *enum) table() *enumTable {
	names, numbers := e.names, e.numbers
	if zero := slices.Index(numbers, 0); zero > 0 {
		names = slices.Insert(slices.Delete(slices.Clone(names), zero, zero+1), 0, names[zero])
		numbers = slices.Insert(slices.Delete(slices.Clone(numbers), zero, zero+1), 0, 0)
	}
	t := &enumTable{names: names, closed: e.closed, sparse: map[int32]int32{}}
	hash := sha256.New()
	for code, number := range numbers {
		hash.Write([]byte(names[code]))
		hash.Write([]byte{','}) // which is in no name
		t.bytes += len(names[code]) + symbolBytes
		if number < 0 || number >= denseNumbers {
			t.sparse[number] = int32(code)
			continue
		}
		for len(t.dense) <= int(number) {
			t.dense = append(t.dense, -1)
		}
		t.dense[number] = int32(code)
	}
	t.shape = string(hash.Sum(nil))
	return t
}

// number gives the columns their ids and returns how many there are.
func number(kids []*layout, next int) int {
	for _, k := range kids {
		k.id = next
		next = number(k.kids, next+1)
	}
	return next
}

// fitting is how many rows of such columns fit.
func fitting(kids []*layout) int {
	n := 0
	for _, k := range kids {
		n += k.width()
	}
	return min(math.MaxInt32, format.MaxBytes/max(n, 1))
}

// width is what each value takes in memory, but for what it may hold of any number: texts and items.
func (l *layout) width() int {
	const offsetBytes = 4
	switch t := l.field.Type.(type) {
	case *arrow.ListType, *arrow.MapType, *arrow.StringType, *arrow.BinaryType:
		return offsetBytes
	case arrow.FixedWidthDataType:
		return t.Bytes()
	}
	n := 0
	for _, k := range l.kids {
		n += k.width()
	}
	return n
}

// weight counts the columns that share the rows of this one, of which each row takes a little.
func (l *layout) weight() int {
	n := 1
	if !l.ownRows {
		for _, k := range l.kids {
			n += k.weight()
		}
	}
	return n
}

// column builds the column and those below it, and enters them by id.
func (l *layout) column(rows *column.Rows, all []column.Column) column.Placed {
	below := rows
	if l.ownRows {
		below = column.NewRows()
	}
	kids := make([]column.Placed, len(l.kids))
	for i, k := range l.kids {
		kids[i] = k.column(below, all)
	}
	c := l.build(rows, l.nulls, kids)
	all[l.id] = c
	return c
}

// write renders all that distinguishes one layout from another.
func (l *layout) write(b io.Writer) {
	kind := l.field.Type.ID().String() // what lies below is written below
	if len(l.kids) == 0 {
		kind = l.field.Type.String()
	}
	fmt.Fprintf(b, "\x00%s\x01%s\x01%d\x01%s(", l.field.Name, kind, l.nulls, l.shape)
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
