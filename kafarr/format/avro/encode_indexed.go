package avro

import (
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// dictionaryWriter writes the values that indices refer to. null is the branch of a null index.
type dictionaryWriter struct {
	target
	null   int
	values writer
}

func (w *dictionaryWriter) bind(b *binder, s frame.Segment) error {
	to := w.target
	if w.null >= 0 {
		to.null = nullAbove
	}
	o, nulls, err := b.start(&to, &s, writeIndexed)
	if err != nil {
		return err
	}
	o.null, o.more = notNullable, &writeMore{null: w.null}
	indices, used, err := s.Indices(w.path, nulls)
	if err != nil {
		return err
	}
	o.data, o.more.keep = indices.Data, indices
	i := b.add(o, 11)
	dictionary := s.Dictionary()
	values := frame.Segment{Data: dictionary, Off: dictionary.Offset(), N: dictionary.Len(), Live: used, Row: func(k int) int {
		for i := range s.N {
			if s.Counts(i) && !o.isNull(i) && indices.At(i) == k {
				return s.Row(i)
			}
		}
		return -1
	}}
	if _, _, err := b.below(w.values, values); err != nil {
		return err
	}
	b.close(i)
	return nil
}

// runsWriter writes the values of runs.
type runsWriter struct {
	target
	values writer
}

func (w *runsWriter) bind(b *binder, s frame.Segment) error {
	x, values, err := s.Runs(w.path)
	if err != nil {
		return err
	}
	i := b.add(writeOp{code: writeIndexed, null: notNullable, data: x.Data, more: &writeMore{null: notNullable, keep: x}}, 11)
	if _, _, err := b.below(w.values, values); err != nil {
		return err
	}
	b.close(i)
	return nil
}
