package protobuf

import (
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Plan is a message compiled: the columns that come of it, and how its bodies are read. It implements format.Plan.
type Plan struct {
	messageType string
	shape       string
	fields      []arrow.Field
	top         []*layout
	columns     int // of all levels
	rows        *rowsPlan
	message     *messagePlan // of which the columns are the fields; or else
	value       *fieldPlan   // which is the one column
	messages    int          // plans of messages, of all levels
	fieldPlans  int
	pathBytes   int
	text        int // of the schema
	maxRows     int
	limits      format.Limits
	nanos       bool // the unit of timestamps and durations
	nulls       bool // NullOutOfRange
	encrypted   []format.EncryptedValue
}

// op says how a field's value is read and stored.
type op uint8

const (
	opSkip op = iota // no column wants it
	opBool
	opVarint32
	opVarint64
	opZigzag32
	opZigzag64
	opFixed32
	opFixed64
	opEnum
	opString // from here on, values have a length
	opBytes
	opMessage
	opTimestamp
	opDuration
	opDate
	opTimeOfDay
	opDecimal
	opDecimalText
	opJSON
	opGroup     // one of those from opMessage on, as a group: fieldPlan.item
	opItem      // an item of a list, which is read as fieldPlan.item
	opGroupItem // the same, as a group
	opPacked    // items without tags of their own
	opEntry     // an entry of a map
)

// The wire types.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireGroup   = 3
	wireEnd     = 4
	wireFixed32 = 5
)

// wire is the wire type of a value.
func (o op) wire() uint32 {
	switch o {
	case opFixed32:
		return wireFixed32
	case opFixed64:
		return wireFixed64
	}
	if o >= opString {
		return wireBytes
	}
	return wireVarint
}

// noColumn is the column of a field that has none.
const noColumn = -1

// messagePlan is how a message is read at one place of the schema.
type messagePlan struct {
	path     string
	fields   []*fieldPlan
	oneofs   int
	required []string // the names of the fields that must be there
	rows     *rowsPlan
}

// rowsPlan stands for the columns that share their rows.
type rowsPlan struct {
	weight int // columns, of which each item takes a little
}

// fieldPlan is how a field is read.
type fieldPlan struct {
	tag      uint32 // as it is expected
	other    uint32 // the tag of the other form of a list of numbers; 0: there is none
	op       op
	otherOp  op
	item     op
	column   int
	items    int // the column of a list's items
	sub      *messagePlan
	itemRows *rowsPlan
	oneof    int // of messagePlan.oneofs; -1: none
	required int // of messagePlan.required; -1: none
	layout   *layout
	path     string
	merges   bool // a second value is merged with the first
	weight   int  // the columns that another member of a oneof clears
}

// Compile makes the plan that reads bodies of a message.
func Compile(writer *Schema, options format.Options) (*Plan, error) {
	reader, _ := options.Reader.(*Schema)
	var err error
	if options.Limits, err = options.Limits.Resolved(); err != nil {
		return nil, status.Errorf(status.SchemaError, "%v", err)
	}
	encrypted := maps.Clone(writer.encrypted)
	if reader == nil {
		reader = writer
	} else {
		m := reader.types[writer.message.name]
		if m == nil {
			return nil, status.Errorf(status.IncompatibleSchemaError, "the message is of the type %s, and the reader's schema has none of that name: it has %s",
				short(writer.message.name), short(reader.message.name))
		}
		if reader.message.name != m.name {
			reader = reader.of(m)
		}
		c := comparer{seen: map[[2]*message]bool{}, encrypted: encrypted}
		if err := c.messages(writer.message, reader.message, ""); err != nil {
			return nil, err
		}
	}
	l := &layouter{options: &options}
	selected := format.SelectionOf(options.Columns)
	p := &Plan{
		messageType: reader.message.name, limits: options.Limits, text: writer.text + reader.text,
		nanos: options.Timestamps == format.NanosecondTimestamps, nulls: options.OutOfRange == format.NullOutOfRange,
	}
	root := &field{name: "value", kind: kindMessage, typeName: reader.message.name, message: reader.message, oneof: -1}
	whole := options.Whole || reader.message.known != plain // a message that is one value has no columns of its own
	if whole {
		value, err := l.value(root, "value", "", selected, column.NotNull)
		if err != nil {
			return nil, err
		}
		p.top = []*layout{value}
	} else if p.top, err = l.fields(reader.message, "", selected); err != nil {
		return nil, err
	}
	if options.Nullable {
		for _, k := range p.top {
			k.field.Nullable = true
			if k.nulls == column.NotNull {
				k.nulls = column.Defaulted
			}
		}
	}
	p.columns = number(p.top, 0)
	c := &compiler{plan: p, encrypted: encrypted}
	p.rows = &rowsPlan{}
	if whole {
		p.value = c.value(root, p.top[0], p.rows)
	} else {
		p.message = c.message(reader.message, p.top, "", p.rows)
	}
	p.encrypted = c.found
	p.fields = arrowFields(p.top)
	p.maxRows = fitting(p.top)
	shape := sha256.New() // as text it would be as long as the schema, or longer
	shape.Write([]byte(p.messageType))
	for _, k := range p.top {
		k.write(shape)
	}
	p.shape = string(shape.Sum(nil))
	return p, nil
}

// compiler makes the plans of messages for the layouts of their columns.
type compiler struct {
	plan      *Plan
	encrypted map[*field][]int
	found     []format.EncryptedValue
}

// message makes the plan of a message whose fields have these layouts, in these rows.
func (c *compiler) message(m *message, kids []*layout, path string, rows *rowsPlan) *messagePlan {
	c.plan.messages++
	p := &messagePlan{path: path, rows: rows}
	wanted := map[*field]*layout{}
	chosen := map[int]int{} // oneofs of wanted fields
	for _, k := range kids {
		wanted[k.of] = k
		if k.of.oneof >= 0 {
			if _, known := chosen[k.of.oneof]; !known {
				chosen[k.of.oneof] = p.oneofs
				p.oneofs++
			}
		}
	}
	for _, f := range m.fields {
		k := wanted[f]
		o, inOneof := chosen[f.oneof]
		if k == nil && !inOneof {
			continue
		}
		fp := &fieldPlan{op: opSkip, column: noColumn, tag: tagOf(f, valueOp(f)), path: join(path, f.name)}
		if k != nil {
			fp = c.field(f, k, rows)
			fp.weight = k.weight()
		}
		fp.oneof, fp.required = -1, -1
		if inOneof {
			fp.oneof = o
		}
		if f.required {
			fp.required = len(p.required)
			p.required = append(p.required, f.name)
		}
		p.fields = append(p.fields, fp)
		c.plan.fieldPlans++
		c.plan.pathBytes += len(fp.path)
	}
	return p
}

// valueOp is an op with the wire type of a field's values.
func valueOp(f *field) op {
	if f.message != nil {
		return opMessage
	}
	if f.kind == kindEnum {
		return opVarint32
	}
	return scalars[f.kind].op
}

func tagOf(f *field, o op) uint32 {
	number := uint32(f.number) << 3 //nolint:gosec // within 29 bits
	if f.kind == kindGroup {
		return number | wireGroup
	}
	return number | o.wire()
}

func (c *compiler) field(f *field, k *layout, rows *rowsPlan) *fieldPlan {
	if !f.repeated {
		p := c.value(f, k, rows)
		p.merges = k.op > opMessage
		return p
	}
	item := k.kids[0]
	itemRows := &rowsPlan{weight: item.weight()}
	p := &fieldPlan{layout: k, path: k.path, items: k.id, column: item.id, itemRows: itemRows}
	if f.isMap() {
		p.op, p.tag = opEntry, tagOf(f, opMessage)
		p.sub = c.message(f.message, item.kids, k.path, itemRows)
		return p
	}
	of := c.value(f, item, itemRows)
	p.layout, p.sub, p.item, p.tag, p.op = item, of.sub, of.op, of.tag, opItem
	switch {
	case of.op == opGroup:
		p.op, p.item = opGroupItem, of.item
	case of.op < opString:
		p.other, p.otherOp = p.tag&^7|wireBytes, opPacked
		if f.packed {
			p.tag, p.other, p.op, p.otherOp = p.other, p.tag, opPacked, opItem
		}
	}
	return p
}

// value is the plan of one value.
func (c *compiler) value(f *field, k *layout, rows *rowsPlan) *fieldPlan {
	p := &fieldPlan{layout: k, path: k.path, column: k.id, op: k.op, items: noColumn, oneof: -1, required: -1}
	p.tag = tagOf(f, valueOp(f))
	if rules := c.rulesOf(f, k); len(rules) > 0 && !slices.ContainsFunc(c.found, func(v format.EncryptedValue) bool { return v.Path == p.path }) {
		c.found = append(c.found, format.EncryptedValue{Path: p.path, Rules: rules})
	}
	if k.op == opMessage {
		kids := k.kids
		if f.message.known == wellWrapper {
			inner := *k // its field has the same column
			inner.of, inner.op = f.message.fields[0], scalars[f.message.fields[0].kind].op
			kids = []*layout{&inner}
		}
		p.sub = c.message(f.message, kids, k.path, rows)
	}
	if f.kind == kindGroup {
		p.op, p.item = opGroup, p.op
	}
	return p
}

// rulesOf lists the rules that have encrypted a value, or something in a message that is one value: a decimal, or the text of its JSON.
func (c *compiler) rulesOf(f *field, k *layout) []int {
	if len(c.encrypted) == 0 || f.message == nil || k.op == opMessage {
		return c.encrypted[f]
	}
	var found []int
	seen := map[*message]bool{}
	var add func(m *message)
	add = func(m *message) {
		if seen[m] {
			return
		}
		seen[m] = true
		for _, f := range m.fields {
			found = append(found, c.encrypted[f]...)
			if f.message != nil {
				add(f.message)
			}
		}
	}
	add(f.message)
	slices.Sort(found)
	return slices.Compact(found)
}
