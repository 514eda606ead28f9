package json

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// field is a node joined to its column, with what the loop needs of it.
type field struct {
	op     opcode
	null   bool // null and a missing member are no errors
	word   uint64
	mask   uint64 // of the first eight bytes of the name and its closing quote; 0: they are not compared so
	length int    // of the name and its closing quote
	tail   string // what of them is beyond the first eight bytes

	most, least uint64
	fixed       *column.PlacedFixed
	varlen      *column.PlacedVarlen
	bits        *column.PlacedBits
	list        *column.PlacedList
	record      *column.PlacedStruct
	any         column.Placed // nil: there is none
	kids        []field
	required    []uint64 // of an object: a bit for each member
	work        int64    // of an object: its columns
	more        *node
}

// skippedNode is that of the members that no column takes.
var skippedNode = &node{op: opSkip, id: noColumn}

// Bind implements format.Plan.
func (p *Plan) Bind(c *format.Columns) format.Appender {
	a := &Appender{columns: c, limits: p.limits, maxRows: p.maxRows, nulls: p.nulls, unknown: p.unknown}
	a.effort.Bind(c, p.limits)
	a.root = bound(p.root, c)
	if p.extra != nil {
		a.extra = c.Column(p.extra.id).(*column.PlacedVarlen)
	}
	if len(p.top) > 0 {
		a.rows = c.Column(0).(column.Placed).Rows()
	}
	return a
}

// bound joins a node, and those below it, to their columns.
func bound(n *node, c *format.Columns) field {
	f := field{op: n.op, null: !n.required, most: n.most, least: n.least, required: n.wanted, more: n}
	if n.id != noColumn {
		f.any = c.Column(n.id).(column.Placed)
	}
	switch col := f.any.(type) {
	case *column.PlacedFixed:
		f.fixed = col
	case *column.PlacedDictionary:
		f.fixed = &col.PlacedFixed
	case *column.PlacedVarlen:
		f.varlen = col
	case *column.PlacedBits:
		f.bits = col
	case *column.PlacedList:
		f.list = col
	case *column.PlacedStruct:
		f.record = col
	}
	for _, k := range n.kids {
		f.kids = append(f.kids, bound(k, c))
	}
	switch n.op {
	case opObject:
		f.members(n)
	case opEntries:
		f.entries(n)
	}
	return f
}

// members adds those that no column takes, and notes the names of all.
func (f *field) members(n *node) {
	for i, k := range n.kids {
		f.kids[i].named(k.name)
	}
	for i, name := range n.skipped {
		skipped := field{op: opSkip, null: true, more: skippedNode}
		if i < len(n.unread) {
			skipped.more = n.unread[i]
		}
		skipped.named(name)
		f.kids = append(f.kids, skipped)
	}
	f.work = int64(n.columns)
}

// entries notes the names of the key and the value.
func (f *field) entries(n *node) {
	for i, name := range n.skipped {
		f.kids[i].named(name)
	}
	f.work = int64(len(n.kids))
}

// named notes the name of a member, which is compared as it stands in JSON without escapes.
func (f *field) named(name string) {
	f.word = 1 // which is no name, and is not equal to what the mask of 0 leaves
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == '"' || c == '\\' {
			return // it is always written with escapes
		}
	}
	text := name + `"`
	var first [8]byte
	n := copy(first[:], text)
	f.word, f.mask = *(*uint64)(unsafe.Pointer(&first)), ^uint64(0)>>(64-8*n)
	f.length, f.tail = len(text), text[n:]
}

// ends reports whether what follows the first eight bytes of a name is the field's, up to the quote.
func (f *field) ends(base unsafe.Pointer, pos, end int) bool {
	return f.tail == "" || end-pos >= f.length && unsafe.String((*byte)(unsafe.Add(base, pos+8)), len(f.tail)) == f.tail
}
