package protobuf

import (
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

var _ format.Plan = (*Plan)(nil)

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

// DecryptedBy implements format.Plan: no values are decrypted, and Encrypted names all that would have to be.
func (p *Plan) DecryptedBy() []int { return nil }

// What a plan keeps on Go's heap: a column has its layout, Arrow field and type, and each Columns has another object for it.
const (
	layoutBytes    = 800
	columnBytes    = 400
	columnsBytes   = 1500 // and what they share
	bytesPerLetter = 10   // of a schema's text, of which the parsed schema is made
)

// Size implements format.Plan.
func (p *Plan) Size() int {
	return int(unsafe.Sizeof(*p)) + p.columns*layoutBytes + p.messages*int(unsafe.Sizeof(messagePlan{})) + p.fieldPlans*int(unsafe.Sizeof(fieldPlan{})) + p.pathBytes + bytesPerLetter*p.text
}

// ColumnsSize implements format.Plan.
func (p *Plan) ColumnsSize() int { return columnsBytes + p.columns*columnBytes }

// AppenderSize implements format.Plan.
func (p *Plan) AppenderSize() int {
	return int(unsafe.Sizeof(Appender{})) + p.messages*int(unsafe.Sizeof(boundMessage{})) + p.fieldPlans*int(unsafe.Sizeof(boundField{}))
}

// NewColumns implements format.Plan.
func (p *Plan) NewColumns() *format.Columns {
	all := make([]column.Column, p.columns)
	top := make([]column.Column, len(p.top))
	rows := column.NewRows()
	for i, l := range p.top {
		top[i] = l.column(rows, all)
	}
	return format.NewColumns(top, all)
}

// boundMessage is a messagePlan joined to its columns.
type boundMessage struct {
	fields []boundField // and one that stands for none, of noTag
	dense  []uint16     // the fields of small numbers, counted from 1; 0: none
	sparse map[uint32]uint16
	oneofs []boundOneof
	rows   *boundRows
	plan   *messagePlan
	serial uint64   // of the row in which it was read last
	seen   []uint64 // bits of the required fields that it then had
}

// noTag is a tag that no field has: its wire type is none.
const noTag = 1<<32 - 1

// boundOneof says which field of a oneof is set.
type boundOneof struct {
	serial uint64 // of the row for which it does
	field  int
}

// boundRows are rows that are being written.
type boundRows struct {
	rows     *column.Rows
	serial   uint64 // counts the rows, those that failed as well: what is noted with another number is of another row
	weight   int64
	maps     []*boundField
	required []*boundMessage
}

// begin begins the next row.
func (r *boundRows) begin() int {
	r.serial++
	return r.rows.Begin()
}

// boundField is a fieldPlan joined to its columns.
type boundField struct {
	tag    uint32
	op     op
	item   op
	flags  uint8
	index  uint16
	other  uint32
	fixed  *column.PlacedFixed
	text   *column.PlacedVarlen
	bits   *column.PlacedBits
	sub    *boundMessage
	list   *column.PlacedList
	items  *boundRows
	column column.Placed // nil: none
	enum   *enumTable
	rows   *boundRows
	more   *fieldPlan
	merge  *merge
	spans  []span // of the entries of a map, in the row that is being written
	within uint64 // the serial of that row
}

// What has to be done before a field's value is stored.
const (
	flagOneof = 1 << iota
	flagRequired
)

// span is a part of the body.
type span struct{ pos, end int }

// merge is the value of a row so far, where another one is merged with it: two messages one after the other are the merged message.
type merge struct {
	serial uint64
	at     span
	buffer []byte // of more than one
}

// maxDense bounds the numbers of fields that are looked up in an array.
const maxDense = 1 << 12

// binder joins a plan to columns.
type binder struct {
	columns *format.Columns
	rows    map[*rowsPlan]*boundRows
}

// Bind implements format.Plan.
func (p *Plan) Bind(c *format.Columns) format.Appender {
	a := &Appender{columns: c, plan: p, limits: p.limits, maxRows: p.maxRows}
	b := &binder{columns: c, rows: map[*rowsPlan]*boundRows{}}
	root := &boundRows{rows: column.NewRows()} // of a message without fields
	if len(p.top) > 0 {
		root.rows = c.Column(0).(column.Placed).Rows()
		for i := range p.top {
			a.top = append(a.top, c.Column(p.top[i].id).(column.Placed))
		}
	}
	b.rows[p.rows] = root
	a.root = root
	if p.value != nil {
		a.value = &boundField{}
		b.field(a.value, p.value, root)
	} else {
		a.message = b.message(p.message)
	}
	a.effort.Bind(c, p.limits)
	return a
}

func (b *binder) of(p *rowsPlan, item column.Placed) *boundRows {
	r := b.rows[p]
	if r == nil {
		r = &boundRows{rows: item.Rows(), weight: int64(p.weight)}
		b.rows[p] = r
	}
	return r
}

func (b *binder) message(p *messagePlan) *boundMessage {
	m := &boundMessage{plan: p, rows: b.rows[p.rows], oneofs: make([]boundOneof, p.oneofs), fields: make([]boundField, len(p.fields)+1)}
	if len(p.required) > 0 {
		m.seen = make([]uint64, (len(p.required)+63)/64)
		m.rows.required = append(m.rows.required, m)
	}
	m.fields[len(p.fields)].tag = noTag
	for i, fp := range p.fields {
		f := &m.fields[i]
		f.index = uint16(i)
		b.field(f, fp, m.rows)
		if f.op == opEntry {
			m.rows.maps = append(m.rows.maps, f)
		}
		number := fp.tag >> 3
		if number > maxDense {
			if m.sparse == nil {
				m.sparse = map[uint32]uint16{}
			}
			m.sparse[number] = f.index + 1
			continue
		}
		for len(m.dense) <= int(number) {
			m.dense = append(m.dense, 0)
		}
		m.dense[number] = f.index + 1
	}
	return m
}

func (b *binder) field(f *boundField, p *fieldPlan, rows *boundRows) {
	f.tag, f.other, f.op, f.item, f.more, f.rows = p.tag, p.other, p.op, p.item, p, rows
	if p.oneof >= 0 {
		f.flags |= flagOneof
	}
	if p.required >= 0 {
		f.flags |= flagRequired
	}
	if p.column == noColumn {
		return
	}
	f.column = b.columns.Column(p.column).(column.Placed)
	f.enum = p.layout.enum
	if p.itemRows != nil {
		f.list = b.columns.Column(p.items).(*column.PlacedList)
		f.items = b.of(p.itemRows, f.column)
	}
	switch col := f.column.(type) {
	case *column.PlacedFixed:
		f.fixed = col
	case *column.PlacedDictionary:
		f.fixed = &col.PlacedFixed
	case *column.PlacedVarlen:
		f.text = col
	case *column.PlacedBits:
		f.bits = col
	}
	if p.sub != nil {
		f.sub = b.message(p.sub)
	}
	if p.merges {
		f.merge = &merge{}
	}
}

// find returns the field that a tag belongs to, and how its value is read; nil: none.
func (m *boundMessage) find(tag uint32) (*boundField, op) {
	number := tag >> 3
	var k uint16
	if int(number) < len(m.dense) {
		k = m.dense[number]
	} else if m.sparse != nil {
		k = m.sparse[number]
	}
	if k == 0 {
		return nil, opSkip
	}
	f := &m.fields[k-1]
	switch tag {
	case f.tag:
		return f, f.op
	case f.other:
		return f, f.more.otherOp
	}
	return nil, opSkip // another wire type: an unknown field
}

// SetRowTimeout implements format.Appender.
func (a *Appender) SetRowTimeout(timeout time.Duration) { a.effort.SetRowTimeout(timeout) }

// SetContinue implements format.Appender.
func (a *Appender) SetContinue(mayContinue func() bool) { a.effort.SetContinue(mayContinue) }

// SetKeys implements format.Appender: nothing is decrypted.
func (a *Appender) SetKeys(format.Keys) {}
