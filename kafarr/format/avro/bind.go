package avro

import (
	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// NewColumns makes the columns that this plan, and every plan of its Shape, appends to.
func (p *Plan) NewColumns() *format.Columns {
	all := make([]column.Column, p.columns)
	top := make([]column.Column, len(p.top))
	for i, l := range p.top {
		top[i] = l.column(all)
	}
	return format.NewColumns(top, all)
}

// boundStep is a step joined to its column.
type boundStep struct {
	code   opcode
	null   int8
	size   int32
	end    int32
	most   int32
	fixed  *column.Fixed
	varlen *column.Varlen
	any    column.Column
	bits   *column.Bits
	list   *column.List
	record *column.Struct
	dense  *column.DenseUnion
	more   *step // what is rarely needed
}

// Bind joins the plan to columns made by a plan of the same Shape.
func (p *Plan) Bind(c *format.Columns) *Appender {
	a := &Appender{columns: c, limits: p.limits, maxRows: p.maxRows, nulls: p.nulls, steps: make([]boundStep, len(p.steps))}
	a.effort.Bind(c, p.limits)
	for i := range p.steps {
		s := &p.steps[i]
		b := boundStep{code: s.code, null: s.null, size: int32(s.size), end: int32(s.end), most: int32(s.most), more: s} //nolint:gosec // sizes are bounded by the parser
		if s.column != noColumn {
			b.any = c.Column(s.column)
		}
		switch col := b.any.(type) {
		case *column.Fixed:
			b.fixed = col
		case *column.Dictionary:
			b.fixed = &col.Fixed
		case *column.Varlen:
			b.varlen = col
		case *column.Bits:
			b.bits = col
		case *column.List:
			b.list = col
		case *column.Struct:
			b.record = col
		case *column.DenseUnion:
			b.dense = col
		}
		a.steps[i] = b
	}
	return a
}
