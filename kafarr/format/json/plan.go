package json

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// extraName is the name of the column of members that the schema does not name.
const extraName = "_extra"

// Plan is a schema compiled: how bodies are read, and the columns that come of them. It implements format.Plan.
type Plan struct {
	messageType string
	root        *node   // an object's members are the columns, unless it is a column itself
	top         []*node // the columns
	extra       *node   // one of them, with KeepUnknown
	fields      []arrow.Field
	shape       string
	columns     int // of all levels
	nodes       int
	text        int // of the schema
	maxRows     int
	limits      format.Limits
	nulls       bool // NullOutOfRange
	unknown     format.UnknownMembers
	encrypted   []format.EncryptedValue
}

var _ format.Plan = (*Plan)(nil)

// Compile makes the plan that reads bodies written with a schema. Options.Reader is a *Schema, too.
func Compile(writer *Schema, options format.Options) (*Plan, error) {
	reader, _ := options.Reader.(*Schema)
	if reader == nil {
		reader = writer
	}
	limits, err := options.Limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	options.Limits = limits
	makeWidePowers()
	p := &Plan{messageType: cmp.Or(reader.name, writer.TypeName()), text: writer.text, limits: limits, nulls: options.OutOfRange == format.NullOutOfRange, unknown: options.UnknownMembers}
	l := &layouter{options: &options}
	if p.root, err = l.of(&reader.root, &writer.root, "value", "", format.SelectionOf(options.Columns)); err != nil {
		return nil, err
	}
	if p.root.op == opUnion && options.UnknownMembers == format.KeepUnknown {
		return nil, schemaErrorf("", `a value is one of several types, which come as one column: unknown_members="keep" wants objects of one type, whose members are the columns`)
	}
	if p.root.op == opObject && options.UnknownMembers == format.KeepUnknown {
		if err := p.keepUnknown(); err != nil {
			return nil, err
		}
	}
	if p.top = []*node{p.root}; p.root.op == opObject && !options.Whole {
		p.top = p.root.kids
		p.root.required = !options.Nullable // a body that is the literal null has no members
	}
	for _, n := range p.top {
		n.nullable = n.nullable || options.Nullable
	}
	p.root.id = noColumn
	p.columns = number(p.top, 0)
	p.fields, p.maxRows, p.shape = arrowFields(p.top), fitting(p.top), shapeOf(p.messageType, p.top)
	p.walk(p.root)
	return p, nil
}

// keepUnknown adds the column of the root's other members.
func (p *Plan) keepUnknown() error {
	for _, n := range p.root.kids {
		if n.name == extraName {
			return schemaErrorf(extraName, `the schema has a member of the name of the column of other members: unknown_members="keep" does not go with it`)
		}
	}
	p.extra = &node{op: opSkip, name: extraName, path: extraName, nullable: true, dtype: arrow.BinaryTypes.String, columns: 1}
	p.root.kids = append(p.root.kids, p.extra)
	p.root.dtype = arrow.StructOf(arrowFields(p.root.kids)...)
	p.root.columns++
	p.root.look()
	delete(p.root.index, extraName) // a message may have a member of that name
	return nil
}

// walk counts the nodes, and lists those that rules have encrypted.
func (p *Plan) walk(n *node) {
	p.nodes += 1 + len(n.skipped)
	if len(n.encryptedBy) > 0 {
		p.encrypted = append(p.encrypted, format.EncryptedValue{Path: n.path, Rules: n.encryptedBy})
	}
	for _, k := range n.kids {
		p.walk(k)
	}
}

// MessageType implements format.Plan.
func (p *Plan) MessageType() string { return p.messageType }

// Fields implements format.Plan.
func (p *Plan) Fields() []arrow.Field { return p.fields }

// Shape implements format.Plan.
func (p *Plan) Shape() string { return p.shape }

// Warnings implements format.Plan.
func (p *Plan) Warnings() []string { return nil }

// Encrypted implements format.Plan.
func (p *Plan) Encrypted() []format.EncryptedValue { return p.encrypted }

// DecryptedBy implements format.Plan: values are not decrypted.
func (p *Plan) DecryptedBy() []int { return nil }

// What a plan keeps on Go's heap: a node has its Arrow type, each Columns another object for it, and an Appender a field.
const (
	nodeBytes      = 1000
	columnBytes    = 400
	columnsBytes   = 1500 // and what they share
	fieldBytes     = 250
	bytesPerLetter = 8 // of a schema's text, of which the parsed schema is made
)

// Size implements format.Plan.
func (p *Plan) Size() int { return p.nodes*nodeBytes + p.text*bytesPerLetter }

// ColumnsSize implements format.Plan.
func (p *Plan) ColumnsSize() int { return columnsBytes + p.columns*columnBytes }

// AppenderSize implements format.Plan.
func (p *Plan) AppenderSize() int { return p.nodes * fieldBytes }

// NewColumns implements format.Plan.
func (p *Plan) NewColumns() *format.Columns {
	rows := column.NewRows()
	all := make([]column.Column, p.columns)
	top := make([]column.Column, len(p.top))
	for i, n := range p.top {
		top[i] = n.column(rows, all)
	}
	return format.NewColumns(top, all)
}

// column makes a node's column and those below it, and enters them by number.
func (n *node) column(rows *column.Rows, all []column.Column) column.Placed {
	nulls := column.NotNull
	if n.nullable {
		nulls = column.Nullable
	}
	var c column.Placed
	switch n.op {
	case opNull:
		c = column.NewPlacedNull(rows)
	case opBoolean:
		c = column.NewPlacedBits(rows, nulls)
	case opEnum:
		c = column.NewPlacedDictionary(rows, n.symbols, nulls)
	case opObject, opUnion:
		members := make([]column.Placed, len(n.kids))
		for i, k := range n.kids {
			members[i] = k.column(rows, all)
		}
		c = column.NewPlacedStruct(rows, n.dtype.(*arrow.StructType), nulls, members...)
	case opArray:
		c = column.NewPlacedList(rows, n.dtype, nulls, n.kids[0].column(column.NewRows(), all))
	case opMap, opEntries:
		items := column.NewRows()
		entry := n.dtype.(*arrow.MapType).ElemField().Type.(*arrow.StructType)
		key, value := n.kids[0].column(items, all), n.kids[1].column(items, all)
		c = column.NewPlacedList(rows, n.dtype, nulls, column.NewPlacedStruct(items, entry, column.NotNull, key, value))
	default:
		if fixed, is := n.dtype.(arrow.FixedWidthDataType); is {
			c = column.NewPlacedFixed(rows, n.dtype, fixed.Bytes(), nulls)
		} else {
			c = column.NewPlacedVarlen(rows, n.dtype, nulls)
		}
	}
	all[n.id] = c
	return c
}
