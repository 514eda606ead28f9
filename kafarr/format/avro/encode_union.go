package avro

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
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

func (w *structUnionWriter) bind(b *binder, s segment) error {
	to := w.target
	if w.null >= 0 {
		to.null = nullAbove
	}
	o, nulls, err := b.start(&to, &s, writeStructUnion)
	if err != nil {
		return err
	}
	o.more = &writeMore{null: w.null}
	live, err := s.present(w.path, nulls)
	if err != nil {
		return err
	}
	i := b.add(o, 11)
	for _, m := range w.members {
		below, err := s.child(w.path, m.child, s.off, s.n)
		if err != nil {
			return err
		}
		below.live = live
		lo, hi, err := b.below(m.writer, below)
		if err != nil {
			return err
		}
		o.more.kids = append(o.more.kids, branchOps{m.branch, lo, hi})
	}
	b.close(i)
	for row := range s.n {
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

func (w *arrowUnionWriter) bind(b *binder, s segment) error {
	o := writeOp{code: writeArrowUnion, null: notNullable, more: &writeMore{null: w.null, kids: make([]branchOps, 128)}}
	var err error
	if o.data, err = s.buffer(w.path, 1, 1, s.n); err != nil {
		return err
	}
	if w.dense {
		if o.offs, err = s.buffer(w.path, 2, 4, s.n); err != nil {
			return err
		}
	}
	live, err := w.places(&s, &o)
	if err != nil {
		return err
	}
	i := b.add(o, 11)
	for k, m := range w.members {
		first, n := s.off, s.n
		if w.dense {
			first, n = 0, s.data.Children()[m.child].Len()
		}
		below, err := s.child(w.path, m.child, first, n)
		if err != nil {
			return err
		}
		below.live, below.row = live[k], w.rowOf(&s, &o, k)
		lo, hi, err := b.below(m.writer, below)
		if err != nil {
			return err
		}
		o.more.kids[w.codes[m.child]] = branchOps{m.branch, lo, hi}
	}
	b.close(i)
	for row := 0; row < s.n && w.null < 0; row++ {
		if k, at := o.memberAt(row); s.counts(row) && nullAt(b.ops, k.lo, at) {
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

// places checks type codes and offsets, and finds the values of each member that count.
func (w *arrowUnionWriter) places(s *segment, o *writeOp) (live [][]bool, err error) {
	live = make([][]bool, len(w.members))
	var byCode [256]int // member, from 1
	children := s.data.Children()
	for k, m := range w.members {
		if m.child >= len(children) || children[m.child] == nil || w.codes[m.child] < 0 {
			return nil, broken(w.path, "the Arrow array has no child %d", m.child)
		}
		byCode[uint8(w.codes[m.child])] = k + 1
		n := s.n
		if w.dense {
			n = children[m.child].Len()
		}
		live[k] = make([]bool, max(n, 0))
	}
	for i := range s.n {
		if !s.counts(i) {
			continue
		}
		code := *(*uint8)(unsafe.Add(o.data, i))
		k := byCode[code] - 1
		if k < 0 {
			return nil, broken(w.path, "type code %d of value %d of the Arrow array is none of the union's", int8(code), i) //nolint:gosec // as it stands
		}
		at := i
		if w.dense {
			if at = int(*(*int32)(unsafe.Add(o.offs, i*4))); at < 0 || at >= len(live[k]) {
				return nil, broken(w.path, "offset %d of value %d of the Arrow array is beyond the %d values of its member", at, i, len(live[k]))
			}
		}
		live[k][at] = true
	}
	return live, nil
}

func (w *arrowUnionWriter) rowOf(s *segment, o *writeOp, k int) func(int) int {
	code := uint8(w.codes[w.members[k].child]) //nolint:gosec // not negative
	return func(j int) int {
		for i := range s.n {
			at := i
			if o.offs != nil {
				at = int(*(*int32)(unsafe.Add(o.offs, i*4)))
			}
			if at == j && s.counts(i) && *(*uint8)(unsafe.Add(o.data, i)) == code {
				return s.row(i)
			}
		}
		return -1
	}
}

// plainUnionWriter writes a column whose values are all of one branch, or null.
type plainUnionWriter struct {
	target
	branch, null int
	value        writer
}

func (w *plainUnionWriter) bind(b *binder, s segment) error {
	o := writeOp{code: writePlainUnion, null: notNullable, more: &writeMore{null: w.null}}
	i := b.add(o, 11)
	lo, hi, err := b.below(w.value, s)
	if err != nil {
		return err
	}
	o.more.kids = []branchOps{{w.branch, lo, hi}}
	b.close(i)
	for row := 0; row < s.n && w.null < 0; row++ {
		if s.counts(row) && nullAt(b.ops, lo, row) {
			return w.notNull(&s, row)
		}
	}
	return nil
}
