package avro

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// dictionaryWriter writes the values that indices refer to. null is the branch of a null index.
type dictionaryWriter struct {
	target
	null   int
	values writer
}

func (w *dictionaryWriter) bind(b *binder, s segment) error {
	to := w.target
	if w.null >= 0 {
		to.null = nullAbove
	}
	o, nulls, err := b.start(&to, &s, writeIndexed)
	if err != nil {
		return err
	}
	o.null, o.more = notNullable, &writeMore{null: w.null}
	indices, used, err := s.indices(w.path, nulls)
	if err != nil {
		return err
	}
	o.data, o.more.keep = indices.data, indices
	i := b.add(o, 11)
	dictionary := s.dictionary()
	values := segment{data: dictionary, off: dictionary.Offset(), n: dictionary.Len(), live: used, row: func(k int) int {
		for i := range s.n {
			if s.counts(i) && !o.isNull(i) && indices.at(i) == k {
				return s.row(i)
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

// indices are those of a dictionary, as numbers of 32 bits.
type indices struct {
	data unsafe.Pointer
	made []int32 // where they are of another width
}

func (x *indices) at(i int) int { return int(*(*int32)(unsafe.Add(x.data, i*4))) }

// indices reads those of a dictionary and checks that they lie within it. used are the values that one refers to.
func (s *segment) indices(path string, nulls int) (x *indices, used []bool, err error) {
	dictionary := s.dictionary()
	t, ok := storage(s.data.DataType()).(*arrow.DictionaryType)
	if !ok || dictionary == nil || dictionary.Len() > math.MaxInt32 || dictionary.Len() < 0 {
		return nil, nil, broken(path, "the Arrow array has no dictionary, or one of more than 2^31 values")
	}
	load, ok := loads[t.IndexType.ID()]
	if !ok || load > loadUint64 {
		return nil, nil, broken(path, "the indices of the dictionary are of the type %s", t.IndexType)
	}
	c := conversion{load: load}
	data, err := s.buffer(path, 1, loadBytes[load], s.n)
	if err != nil {
		return nil, nil, err
	}
	x = &indices{data: data}
	if load != loadInt32 && load != loadUint32 {
		x.made = make([]int32, s.n)
		x.data = unsafe.Pointer(unsafe.SliceData(x.made))
	}
	n := int64(dictionary.Len())
	used = make([]bool, n)
	if s.live == nil && nulls == 0 && x.made == nil && mark(used, unsafe.Slice((*uint32)(data), s.n)) {
		return x, used, nil
	}
	err = s.each(path, nulls, func(i int) error {
		k, ok := c.whole(data, i)
		if !ok || k < 0 || k >= n {
			return broken(path, "index %s of the Arrow array is %s, and its dictionary has %d values", strconv.Itoa(i), c.text(data, i), n)
		}
		used[k] = true
		if x.made != nil {
			x.made[i] = int32(k) //nolint:gosec // less than the dictionary's length
		}
		return nil
	})
	return x, used, err
}

// mark notes which values are referred to, until an index is beyond them.
func mark(used []bool, indices []uint32) bool {
	for _, k := range indices {
		if uint64(k) >= uint64(len(used)) {
			return false
		}
		used[k] = true
	}
	return true
}

// runsWriter writes the values of runs.
type runsWriter struct {
	target
	values writer
}

func (w *runsWriter) bind(b *binder, s segment) error {
	x := &indices{made: make([]int32, s.n)}
	x.data = unsafe.Pointer(unsafe.SliceData(x.made))
	first, runs, live, err := w.runs(&s, x.made)
	if err != nil {
		return err
	}
	values, err := s.child(w.path, 1, first, runs)
	if err != nil {
		return err
	}
	values.live = live
	values.row = func(k int) int {
		for i, run := range x.made {
			if int(run) == k && s.counts(i) {
				return s.row(i)
			}
		}
		return -1
	}
	i := b.add(writeOp{code: writeIndexed, null: notNullable, data: x.data, more: &writeMore{null: notNullable, keep: x}}, 11)
	if _, _, err := b.below(w.values, values); err != nil {
		return err
	}
	b.close(i)
	return nil
}

// runs finds the run of each value: the first of them, how many there are, and which have a value that counts.
func (w *runsWriter) runs(s *segment, run []int32) (first, n int, live []bool, err error) {
	if s.n == 0 {
		return 0, 0, nil, nil
	}
	children := s.data.Children()
	if len(children) != 2 || children[0] == nil || children[1] == nil {
		return 0, 0, nil, broken(w.path, "the Arrow array has no children of run ends and values")
	}
	all := children[0].Len()
	ends, err := s.child(w.path, 0, 0, all)
	if err != nil {
		return 0, 0, nil, err
	}
	load := loads[children[0].DataType().ID()]
	c := conversion{load: load}
	data, err := ends.buffer(w.path, 1, loadBytes[load], all)
	if err != nil {
		return 0, 0, nil, err
	}
	at, end := 0, 0 // the current run, and where it ends
	first = -1
	for i := range s.n {
		for ; end <= s.off+i; at++ {
			if at >= all {
				return 0, 0, nil, broken(w.path, "the runs of the Arrow array end at %d, and it has %d values", end, s.off+s.n)
			}
			next, ok := c.whole(data, at)
			if !ok || next <= int64(end) {
				return 0, 0, nil, broken(w.path, "run %d of the Arrow array ends at %d, before it begins", at, next)
			}
			end = int(next)
		}
		if first < 0 {
			first = at - 1
		}
		run[i] = int32(at - 1 - first)
	}
	n = at - first
	if s.live != nil {
		live = make([]bool, n)
		for i, k := range run {
			live[k] = live[k] || s.live[i]
		}
	}
	return first, n, live, nil
}
