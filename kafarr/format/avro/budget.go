package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// While a row takes long, it is looked whether it is to be given up: after so much text, and after so many steps of the items of a block.
const (
	textPerLook      = 1 << 20
	itemStepsPerLook = 1 << 12
)

// recovered turns the end of a row in the midst of an append into its error.
func (a *Appender) recovered(p any) error {
	why, bytes := a.effort.Recovered(p)
	a.fail(faultOf[why], len(a.steps), bytes)
	a.columns.Truncate(a.columns.Rows())
	return a.failure.err(a, a.effort.BodyLen())
}

var faultOf = [...]fault{format.OverMemory: faultMemory, format.OverColumns: faultFull, format.OverTime: faultLong, format.OverSystem: faultNoMemory}

// weigh notes what steps cost beside themselves: those of an item, of a record's fields, of the nulls of a union's other members.
func weigh(steps []step, all []*layout) {
	direct := func(lo, hi int) (n int) {
		for ; lo < hi; lo = steps[lo].end {
			n++
		}
		return n
	}
	for i := range steps {
		s := &steps[i]
		switch s.code {
		case opArray:
			s.work = direct(i+1, s.end)
		case opDefault:
			s.work = direct(i+1, s.end) + len(s.body)/format.BytesPerTextStep
		case opRecord:
			s.size = direct(i+1, s.end)
			fallthrough
		case opMember, opNull, opNullUnion:
			if s.column != noColumn {
				s.work = all[s.column].columns()
			}
		}
	}
}

// columns counts the columns that a null of this one is appended to.
func (l *layout) columns() int {
	if l.nulls == 0 {
		l.nulls = 1
		if _, isStruct := l.field.Type.(*arrow.StructType); isStruct {
			for _, k := range l.kids {
				l.nulls += k.columns()
			}
		}
	}
	return l.nulls
}

// list enters the layouts by id.
func list(kids []*layout, to []*layout) {
	for _, k := range kids {
		to[k.id] = k
		list(k.kids, to)
	}
}
