package json

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// opcode says how a value is read and stored.
type opcode uint8

const (
	opSkip opcode = iota // no column takes it
	opAny
	opNull
	opBoolean
	opInt8
	opInt16
	opInt32
	opInt64
	opFloat
	opDouble
	opText
	opBytes
	opEnum
	opDecimal
	opUnscaled
	opDateTime
	opDate
	opTime
	opEpoch32
	opEpoch64
	opObject
	opArray
	opMap
	opEntries
	opUnion
)

// noColumn is the number of what has no column.
const noColumn = -1

// node is a value of a schema: how it is read, and the column that it becomes. It is not changed once it is compiled.
type node struct {
	op       opcode
	name     string
	path     string
	from     *Field
	required bool             // null and a missing member are errors
	nullable bool             // of the column
	dtype    arrow.DataType   // of the column
	id       int              // the column's number: parents come first
	kids     []*node          // the columns below: the members of an object, an item, a key and a value, the branches of a union
	skipped  []string         // of an object: members that the schema names and no column takes; of entries: the names of the key and the value
	index    map[string]int32 // of an object and of entries: the number of each member, those that are skipped after the others
	wanted   []uint64         // of these: a bit for each member that must be there
	unread   []*node          // of those that are skipped: what tells branches of a union apart by them, see unread
	telling  []uint64         // as wanted, and for those that are skipped, too

	most, least uint64         // of whole numbers: the largest magnitude, and that of the negative ones
	unit        arrow.TimeUnit // of times
	zoned       bool           // of a date and time
	precision   int            // of a decimal
	scale       int
	only        []int64 // see Type.Only
	symbols     []string
	codes       map[string]uint32 // of the symbols
	branches    branches
	objects     []int // of a union: the branches that are objects of named members, where there are several
	pairs       bool
	items       int    // that fit into the column
	takes       Values // of a text of JSON; 0: all
	columns     int    // of this and below, but for those of items
	hint        string
	encryptedBy []int
}

// branches are the kids that take each type of JSON; -1: none does.
type branches struct{ object, array, text, whole, number, boolean int }

// layouter makes nodes.
type layouter struct {
	options *format.Options
	columns int
	open    []*Type // the types that the current one lies in
	level   int     // how deep the current column lies in Arrow's schema, whose columns are level 1
	maps    int     // the maps that the current column lies in
	arrays  int     // that arrow-go would build, so far
	symbols int     // the bytes of all columns' symbols, so far
}

// What Arrow takes, as for Avro: its C++ imports a schema of 64 levels, arrow-go builds what lies in a map twice, and the symbols of an enum stand in each of its columns.
const (
	maxLevels       = 63
	arraysPerColumn = 4
	maxSymbolBytes  = 64 << 20
	symbolBytes     = 16
)

// deeper counts n levels below the current one. Who calls it takes them back.
func (l *layouter) deeper(n int, path string) error {
	if l.level += n; l.level > maxLevels {
		return schemaErrorf(path, "the columns nest deeper than the %d levels that Arrow takes (a map counts as two, an enum adds one)", maxLevels)
	}
	return nil
}

// of makes the node of a field. writer is the field that the values were written as, nil where that is not known. selection: the fields wanted below it; nil: all.
func (l *layouter) of(f, writer *Field, name, path string, selection *format.Selection) (*node, error) {
	if l.columns++; l.columns > l.options.Limits.Columns {
		return nil, schemaErrorf(path, "the schema stands for more than %d columns", l.options.Limits.Columns)
	}
	if len(l.open) > l.options.Limits.SchemaDepth {
		return nil, schemaErrorf(path, "the schema nests deeper than %d levels", l.options.Limits.SchemaDepth)
	}
	if f.Type == nil {
		return nil, schemaErrorf(path, "the field has no type")
	}
	defer func(before int) { l.level = before }(l.level)
	if err := l.deeper(1, path); err != nil {
		return nil, err
	}
	if l.arrays += 1 << l.maps; l.arrays > arraysPerColumn*l.options.Limits.Columns {
		return nil, schemaErrorf(path, "too many columns lie in maps within maps")
	}
	n := &node{name: name, path: path, from: f, required: !f.Nullable, nullable: f.Nullable, columns: 1, encryptedBy: f.encryptedAs(writer)}
	t := f.Type
	if t.leadsTo(l.open, l.options.Limits.SchemaDepth) {
		if l.options.Recursion != format.JSON {
			return nil, schemaErrorf(path, `the type %s is recursive: it has no Arrow type; recursion="json" reads it as text`, t.describe())
		}
		n.op, n.dtype = opAny, arrow.BinaryTypes.String
		n.encryptedBy = compacted(n.encryptedBy, t.encryptedWithin())
		if writer != nil {
			n.encryptedBy = compacted(n.encryptedBy, writer.Type.encryptedWithin())
		}
		return n, nil
	}
	l.open = append(l.open, t)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	var err error
	switch t.Kind {
	case Object:
		err = l.object(n, t, writer.typ(), selection)
	case Array:
		err = l.array(n, t, writer.typ(), selection)
	case Map, Entries:
		err = l.mapping(n, t, writer.typ(), selection)
	case Union:
		err = l.union(n, t, selection)
	default:
		if selection != nil {
			return nil, schemaErrorf(path, "columns: %s has no fields", t.describe())
		}
		err = l.leaf(n, t)
	}
	return n, err
}

// typ is the type of a field; nil: the field is not known.
func (f *Field) typ() *Type {
	if f == nil {
		return nil
	}
	return f.Type
}

// encryptedAs lists the rules that have encrypted the values of a field that were written as another one: those below it, too, where its columns do not follow the other's.
func (f *Field) encryptedAs(writer *Field) []int {
	if writer == nil || writer == f {
		return f.encryptedBy
	}
	found := compacted(f.encryptedBy, writer.encryptedBy)
	if w := writer.Type; w != f.Type && (w.Kind != f.Type.Kind || w.Kind == Union) {
		found = compacted(found, w.encryptedWithin())
	}
	return found
}

// compacted are the rules of both lists, each once.
func compacted(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// leadsTo reports whether a value of this type may hold one of these types without lying in another object first. What nests deeper than a schema may is taken for such a type.
func (t *Type) leadsTo(open []*Type, depth int) bool {
	return t.leads(open, depth, map[*Type]bool{})
}

// leads looks at each type once: of arrays and maps of the next ones, there are 2^n ways.
func (t *Type) leads(open []*Type, depth int, seen map[*Type]bool) bool {
	if depth < 0 || slices.Contains(open, t) {
		return true
	}
	if t == nil || t.Kind == Object || t.Items == nil && len(t.Fields) == 0 || seen[t] {
		return false
	}
	seen[t] = true
	if t.Items != nil && t.Items.Type.leads(open, depth-1, seen) {
		return true
	}
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Type.leads(open, depth-1, seen) })
}

// describe names a type in an error.
func (t *Type) describe() string {
	if t.Name != "" {
		return t.Kind.String() + " " + join("", t.Name)
	}
	return t.Kind.String()
}

// kindNames are the words of errors for kinds.
var kindNames = [...]string{
	Any: "any value", Null: "null", Boolean: "boolean", Integer: "whole number", Number: "number", Text: "text", Base64: "base64", Enum: "enum", Decimal: "decimal",
	UnscaledDecimal: "decimal", DateTime: "date and time", Date: "date", Time: "time", Epoch: "time", Object: "object", Array: "array", Map: "map", Entries: "map", Union: "union",
}

func (k Kind) String() string { return kindNames[k] }

// member is the writer's field of a member, nil where it is not known.
func (t *Type) member(name string) *Field {
	if t == nil || t.Kind != Object {
		return nil
	}
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

func (l *layouter) object(n *node, t, writer *Type, selection *format.Selection) error {
	names := make([]string, len(t.Fields))
	taken := make(map[string]bool, len(t.Fields))
	for i := range t.Fields {
		f := &t.Fields[i]
		names[i] = f.Name
		if taken[f.Name] {
			return schemaErrorf(n.path, "two fields have the name %q", f.Name)
		}
		taken[f.Name] = true
		below, wanted := selection.Field(f.Name)
		if !wanted {
			unread, err := l.unread(f)
			if err != nil {
				return err
			}
			n.skipped, n.unread = append(n.skipped, f.Name), append(n.unread, unread)
			continue
		}
		kid, err := l.of(f, writer.member(f.Name), f.Name, join(n.path, f.Name), below)
		if err != nil {
			return err
		}
		n.kids = append(n.kids, kid)
		n.columns += kid.columns
	}
	if writer != nil && writer != t && writer.Kind == Object {
		for i := range writer.Fields {
			if name := writer.Fields[i].Name; !taken[name] {
				taken[name] = true
				n.skipped = append(n.skipped, name)
			}
		}
	}
	if unknown, found := selection.Unknown(names); found {
		return schemaErrorf(n.path, "columns: %s has no field %q: it has %s%s", t.describe(), unknown, firstOf(names), nearest.Hint(unknown, names))
	}
	n.op, n.dtype = opObject, arrow.StructOf(arrowFields(n.kids)...)
	n.look()
	return nil
}

// unread is what branches of a union are told apart by of a member that no column takes: whether it must be there, and which values it may have.
func (l *layouter) unread(f *Field) (*node, error) {
	t := f.Type
	if t == nil || f.Nullable && t.Kind != Enum && t.Only == nil {
		return skippedNode, nil
	}
	n := &node{op: opSkip, id: noColumn, required: !f.Nullable, only: t.Only}
	if t.Kind == Enum {
		return n, l.codes(n, t)
	}
	return n, nil
}

// firstOf lists names for an error: the first twenty.
func firstOf(names []string) string {
	const most = 20
	list := ""
	for i, name := range names[:min(most, len(names))] {
		if i > 0 {
			list += ", "
		}
		list += join("", name)
	}
	if len(names) > most {
		list += ", …"
	}
	return list
}

func (l *layouter) array(n *node, t, writer *Type, selection *format.Selection) error {
	item, err := l.of(t.Items, writer.item(), "item", join(n.path, "item"), selection)
	if err != nil {
		return err
	}
	n.op, n.dtype, n.kids = opArray, arrow.ListOfField(item.arrow()), []*node{item}
	n.items = fitting(n.kids)
	return nil
}

// item is the writer's field of an item, nil where it is not known.
func (t *Type) item() *Field {
	if t == nil {
		return nil
	}
	return t.Items
}

// entry is the writer's field of the keys or the values of entries, nil where it is not known.
func (t *Type) entry(i int) *Field {
	if t == nil || t.Kind != Entries || len(t.Fields) != 2 {
		return nil
	}
	return &t.Fields[i]
}

func (l *layouter) mapping(n *node, t, writer *Type, selection *format.Selection) error {
	l.maps++
	defer func() { l.maps-- }()
	if err := l.deeper(1, n.path); err != nil { // the entries
		return err
	}
	n.op = opMap
	key, value := &Field{Name: "key", Type: &Type{Kind: Text}}, t.Items
	writtenValue := writer.item()
	if t.Kind == Entries {
		if len(t.Fields) != 2 {
			return schemaErrorf(n.path, "the entries of a map have a key and a value")
		}
		n.op, n.pairs, n.skipped = opEntries, t.Pairs, []string{t.Fields[0].Name, t.Fields[1].Name}
		key, value = &Field{Name: "key", Type: t.Fields[0].Type, encryptedBy: t.Fields[0].encryptedBy}, &t.Fields[1]
		writtenValue = writer.entry(1)
	}
	keyNode, err := l.of(key, writer.entry(0), "key", join(n.path, "key"), nil)
	if err != nil {
		return err
	}
	valueNode, err := l.of(value, writtenValue, "value", join(n.path, "value"), selection)
	if err != nil {
		return err
	}
	dtype := arrow.MapOfFields(keyNode.arrow(), valueNode.arrow())
	if n.dtype, n.kids = dtype, []*node{keyNode, valueNode}; n.op == opEntries {
		n.look()
	}
	n.items = fitting(n.kids)
	return nil
}

// union tells branches apart by what stands in JSON.
func (l *layouter) union(n *node, t *Type, selection *format.Selection) error {
	if l.options.Unions == format.DenseUnions {
		return schemaErrorf(n.path, `unions="dense" is for Avro: a union of JSON is a struct with a member for each branch`)
	}
	n.op, n.branches = opUnion, branches{-1, -1, -1, -1, -1, -1}
	for i := range t.Fields {
		f := t.Fields[i]
		f.Nullable = true
		below := selection
		if k := f.Type.Kind; k != Object && k != Array && k != Map && k != Entries {
			below = nil
		}
		kid, err := l.of(&f, nil, f.Name, join(n.path, f.Name), below)
		if err != nil {
			return err
		}
		taken := true
		for _, slot := range n.branches.of(kid.op) {
			if *slot < 0 {
				*slot, taken = i, false
			}
		}
		if first := n.branches.object; taken && kid.op == opObject && n.kids[first].op == opObject { // told apart by their members
			if taken = false; n.objects == nil {
				n.objects = []int{first}
			}
			n.objects = append(n.objects, i)
		}
		if taken {
			return schemaErrorf(n.path, "two branches of the union are told apart by nothing in JSON: %s and another one", f.Name)
		}
		n.kids = append(n.kids, kid)
		n.columns += kid.columns
	}
	n.dtype = arrow.StructOf(arrowFields(n.kids)...)
	return nil
}

// of are the types of JSON that a branch so read takes.
func (b *branches) of(op opcode) []*int {
	switch op {
	case opObject, opMap:
		return []*int{&b.object}
	case opArray, opEntries:
		return []*int{&b.array}
	case opBoolean:
		return []*int{&b.boolean}
	case opInt8, opInt16, opInt32, opInt64, opEpoch32, opEpoch64:
		return []*int{&b.whole}
	case opFloat, opDouble, opDecimal:
		return []*int{&b.number, &b.whole}
	case opUnscaled:
		return []*int{&b.number, &b.whole, &b.text}
	case opText, opBytes, opEnum, opDateTime, opDate, opTime:
		return []*int{&b.text}
	}
	return nil
}

// leaf compiles a type that has no others below it.
func (l *layouter) leaf(n *node, t *Type) error {
	n.dtype, n.only = t.Arrow, t.Only
	texts := t.Arrow == nil && l.options.Formats == format.TextFormats // of JSON Schema's formats
	switch t.Kind {
	case Any:
		n.op, n.dtype, n.takes = opAny, arrow.BinaryTypes.String, t.Takes
	case Null:
		n.op, n.dtype, n.required, n.nullable = opNull, arrow.Null, false, true
	case Boolean:
		n.op, n.dtype = opBoolean, arrow.FixedWidthTypes.Boolean
	case Integer:
		return n.integer(t)
	case Number:
		n.op = opDouble
		if n.dtype == nil {
			n.dtype = arrow.PrimitiveTypes.Float64
		} else if n.dtype.ID() == arrow.FLOAT32 {
			n.op = opFloat
		}
	case Text:
		n.op, n.dtype = opText, arrow.BinaryTypes.String
	case Base64:
		n.op, n.dtype = opBytes, arrow.BinaryTypes.Binary
	case Enum:
		return l.enum(n, t)
	case Decimal, UnscaledDecimal:
		decimal, valid := t.Arrow.(arrow.DecimalType)
		if !valid {
			return schemaErrorf(n.path, "a decimal has a precision and a scale")
		}
		n.op, n.precision, n.scale = opDecimal, int(decimal.GetPrecision()), int(decimal.GetScale())
		if t.Kind == UnscaledDecimal {
			n.op = opUnscaled
		}
		n.nullable = n.nullable || l.options.OutOfRange == format.NullOutOfRange
	case DateTime:
		l.dateTime(n, t, texts)
	case Date:
		if n.op, n.dtype = opDate, arrow.FixedWidthTypes.Date32; texts {
			n.op, n.dtype = opText, arrow.BinaryTypes.String
		}
	case Time:
		n.op = opTime
		switch timed := t.Arrow.(type) {
		case *arrow.Time32Type:
			n.unit = timed.Unit
		case *arrow.Time64Type:
			n.unit = timed.Unit
		default:
			n.dtype, n.unit = arrow.FixedWidthTypes.Time64us, arrow.Microsecond
		}
		if texts {
			n.op, n.dtype = opText, arrow.BinaryTypes.String
		}
	case Epoch:
		return l.epoch(n, t)
	default:
		return schemaErrorf(n.path, "there is no column for %s", t.describe())
	}
	return nil
}

func (l *layouter) dateTime(n *node, t *Type, texts bool) {
	n.op = opDateTime
	stamp, given := t.Arrow.(*arrow.TimestampType)
	switch {
	case given:
	case texts:
		n.op, n.dtype = opText, arrow.BinaryTypes.String
		return
	default:
		stamp = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
		if l.options.Timestamps == format.NanosecondTimestamps {
			stamp.Unit = arrow.Nanosecond
		}
		n.dtype = stamp
	}
	n.unit, n.zoned = stamp.Unit, stamp.TimeZone != ""
	n.nullable = n.nullable || l.options.OutOfRange == format.NullOutOfRange && n.unit == arrow.Nanosecond
	n.hint = fmt.Sprintf(" (a number of %s since 1970 is read as such by json=\"epoch\" in the field's metadata)", unitNames[n.unit])
}

// unitNames are the words for units.
var unitNames = map[arrow.TimeUnit]string{arrow.Second: "seconds", arrow.Millisecond: "milliseconds", arrow.Microsecond: "microseconds", arrow.Nanosecond: "nanoseconds"}

// bounds are what a type of a width in bits holds.
func (n *node) bounds(bits int, signed bool) {
	if signed {
		n.most, n.least = 1<<(bits-1)-1, 1<<(bits-1)
		return
	}
	n.most = math.MaxUint64 >> (64 - bits)
}

// integer compiles whole numbers.
func (n *node) integer(t *Type) error {
	if n.dtype == nil {
		n.dtype = arrow.PrimitiveTypes.Int64
	}
	width, fixed := n.dtype.(arrow.FixedWidthDataType)
	if !fixed || !arrow.IsInteger(n.dtype.ID()) {
		return schemaErrorf(n.path, "%s does not hold a %s", n.dtype, t.describe())
	}
	n.bounds(width.BitWidth(), arrow.IsSignedInteger(n.dtype.ID()))
	switch width.BitWidth() {
	case 8:
		n.op = opInt8
	case 16:
		n.op = opInt16
	case 32:
		n.op = opInt32
	default:
		n.op = opInt64
	}
	return nil
}

// epoch compiles whole numbers of units of time.
func (l *layouter) epoch(n *node, t *Type) error {
	width, fixed := t.Arrow.(arrow.FixedWidthDataType)
	if !fixed {
		return schemaErrorf(n.path, "a time has a unit")
	}
	n.bounds(width.BitWidth(), true)
	if n.op = opEpoch64; width.BitWidth() == 32 {
		n.op = opEpoch32
	}
	if dtype, isTime := t.Arrow.(arrow.TemporalWithUnit); isTime && (t.Arrow.ID() == arrow.TIME32 || t.Arrow.ID() == arrow.TIME64) {
		perSecond := map[arrow.TimeUnit]uint64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}[dtype.TimeUnit()]
		n.most, n.least = daySeconds*perSecond-1, 0
		n.nullable = n.nullable || l.options.OutOfRange == format.NullOutOfRange
	}
	return nil
}

// enum compiles a list of symbols.
func (l *layouter) enum(n *node, t *Type) error {
	if err := l.deeper(1, n.path); err != nil { // its dictionary
		return err
	}
	n.op, n.dtype, n.symbols = opEnum, column.DictionaryType, t.Symbols
	return l.codes(n, t)
}

// codes numbers the symbols of an enum.
func (l *layouter) codes(n *node, t *Type) error {
	n.codes = make(map[string]uint32, len(t.Symbols))
	for i, symbol := range t.Symbols {
		if _, twice := n.codes[symbol]; twice {
			return schemaErrorf(n.path, "the symbol %q comes twice", symbol)
		}
		n.codes[symbol] = uint32(i)
		l.symbols += len(symbol) + symbolBytes
	}
	if l.symbols > maxSymbolBytes {
		return schemaErrorf(n.path, "the symbols of all enum columns take more than %d bytes", maxSymbolBytes)
	}
	return nil
}

// look prepares the look-up of members, by the names of the kids, those of entries, and those that are skipped.
func (n *node) look() {
	names := n.skipped
	if n.op == opObject {
		names = make([]string, 0, len(n.kids)+len(n.skipped))
		for _, k := range n.kids {
			names = append(names, k.name)
		}
		names = append(names, n.skipped...)
	}
	n.index, n.wanted = make(map[string]int32, len(names)), make([]uint64, max(1, (len(names)+63)/64))
	for i, name := range names {
		n.index[name] = int32(i)
	}
	for i, k := range n.kids {
		if k.required {
			n.wanted[i>>6] |= 1 << (i & 63)
		}
	}
	n.telling = slices.Clone(n.wanted)
	for i, u := range n.unread {
		if at := len(n.kids) + i; u.required {
			n.telling[at>>6] |= 1 << (at & 63)
		}
	}
}

// arrow is the Arrow field of a node's column.
func (n *node) arrow() arrow.Field {
	return arrow.Field{Name: n.name, Type: n.dtype, Nullable: n.nullable}
}

func arrowFields(kids []*node) []arrow.Field {
	out := make([]arrow.Field, len(kids))
	for i, k := range kids {
		out[i] = k.arrow()
	}
	return out
}

// number gives the columns their numbers and returns how many there are.
func number(kids []*node, next int) int {
	for _, k := range kids {
		k.id = next
		next = number(k.kids, next+1)
	}
	return next
}

// fitting is how many rows, or items, of such columns fit.
func fitting(kids []*node) int {
	n := 0
	for _, k := range kids {
		n += k.width()
	}
	return min(math.MaxInt32, format.MaxBytes/max(n, 1))
}

// width is what each value takes in memory, but for what it may hold of any number: texts and items.
func (n *node) width() int {
	const offsetBytes = 4
	if n.op == opObject || n.op == opUnion {
		w := 0
		for _, k := range n.kids {
			w += k.width()
		}
		return w
	}
	if fixed, is := n.dtype.(arrow.FixedWidthDataType); is {
		return fixed.Bytes()
	}
	return offsetBytes
}

// shapeOf is equal for columns that are equal in every respect.
func shapeOf(messageType string, top []*node) string {
	hash := sha256.New() // as text it would be as long as the schema, or longer
	_, _ = io.WriteString(hash, messageType)
	for _, n := range top {
		n.write(hash)
	}
	return string(hash.Sum(nil))
}

// write renders all that distinguishes one column from another.
func (n *node) write(to io.Writer) {
	kind := n.dtype.ID().String() // what lies below is written below
	if len(n.kids) == 0 {
		kind = n.dtype.String()
	}
	fmt.Fprintf(to, "\x00%q\x01%s\x01%t\x01%q(", n.name, kind, n.nullable, n.symbols)
	for _, k := range n.kids {
		k.write(to)
	}
	fmt.Fprint(to, ")")
}
