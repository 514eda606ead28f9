package avro

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// member is one branch of a union, and the child of the column that holds its values.
type member struct {
	child, branch int
	writer        writer
}

// structUnionWriter writes a union that is a struct with a member per branch, of which one is not null.
type structUnionWriter struct {
	target
	null    int // the branch of null; negative: none
	members []member
}

func (w *structUnionWriter) bind(b *binder, s frame.Segment) error {
	to := w.target
	if w.null >= 0 {
		to.null = nullAbove
	}
	o, nulls, err := b.start(&to, &s, writeStructUnion)
	if err != nil {
		return err
	}
	o.more = &writeMore{null: w.null}
	live, err := s.Present(w.path, nulls)
	if err != nil {
		return err
	}
	i := b.add(o, 11)
	for _, m := range w.members {
		below, err := s.Child(w.path, m.child, s.Off, s.N)
		if err != nil {
			return err
		}
		below.Live = live
		lo, hi, err := b.below(m.writer, below)
		if err != nil {
			return err
		}
		o.more.kids = append(o.more.kids, branchOps{m.branch, lo, hi})
	}
	b.close(i)
	for row := range s.N {
		if live != nil && !live[row] {
			continue
		}
		values := 0
		for _, k := range o.more.kids {
			if !nullAt(b.ops, k.lo, row) {
				values++
			}
		}
		if values > 1 {
			return w.wrong(&s, row, "the value", "has %d members that are not null, and a value of a union has one", values)
		}
		if values == 0 && w.null < 0 {
			return w.wrong(&s, row, "the value", "has no member that is not null, and the union has no null")
		}
	}
	return nil
}

// arrowUnionWriter writes Arrow's dense and sparse unions.
type arrowUnionWriter struct {
	target
	null    int // the branch of null; negative: none
	dense   bool
	codes   []arrow.UnionTypeCode
	members []member
}

func (w *arrowUnionWriter) bind(b *binder, s frame.Segment) error {
	o := writeOp{code: writeArrowUnion, null: notNullable, more: &writeMore{null: w.null, kids: make([]branchOps, 128)}}
	wanted := make([]int, len(w.members))
	for k, m := range w.members {
		wanted[k] = m.child
	}
	u, err := s.Union(w.path, w.dense, w.codes, wanted)
	if err != nil {
		return err
	}
	o.data, o.offs = u.Codes, u.Offs
	i := b.add(o, 11)
	for k, m := range w.members {
		lo, hi, err := b.below(m.writer, u.Members[k])
		if err != nil {
			return err
		}
		o.more.kids[w.codes[m.child]] = branchOps{m.branch, lo, hi}
	}
	b.close(i)
	for row := 0; row < s.N && w.null < 0; row++ {
		if k, at := o.memberAt(row); s.Counts(row) && nullAt(b.ops, k.lo, at) {
			return w.notNull(&s, row)
		}
	}
	return nil
}

// memberAt is the branch of a row, and where its value is.
func (o *writeOp) memberAt(row int) (*branchOps, int) {
	k := &o.more.kids[*(*uint8)(unsafe.Add(o.data, row))]
	if o.offs != nil {
		row = int(*(*int32)(unsafe.Add(o.offs, row*4)))
	}
	return k, row
}

// plainUnionWriter writes a column whose values are all of one branch, or null.
type plainUnionWriter struct {
	target
	branch, null int
	value        writer
}

func (w *plainUnionWriter) bind(b *binder, s frame.Segment) error {
	o := writeOp{code: writePlainUnion, null: notNullable, more: &writeMore{null: w.null}}
	i := b.add(o, 11)
	lo, hi, err := b.below(w.value, s)
	if err != nil {
		return err
	}
	o.more.kids = []branchOps{{w.branch, lo, hi}}
	b.close(i)
	for row := 0; row < s.N && w.null < 0; row++ {
		if s.Counts(row) && nullAt(b.ops, lo, row) {
			return w.notNull(&s, row)
		}
	}
	return nil
}
