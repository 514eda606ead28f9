package frame

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// Indices are those of a dictionary, or the runs of values, as numbers of 32 bits.
type Indices struct {
	Data unsafe.Pointer
	made []int32 // where they are of another width
}

// At is the index of a value.
func (x *Indices) At(i int) int { return int(*(*int32)(unsafe.Add(x.Data, i*4))) }

// AreInPlace tells whether they are read where they lie in the frame.
func (x *Indices) AreInPlace() bool { return x.made == nil }

// Indices reads those of a dictionary and checks that they lie within it. used are the values that one refers to.
func (s *Segment) Indices(path string, nulls int) (x *Indices, used []bool, err error) {
	dictionary := s.Dictionary()
	t, ok := Storage(s.Data.DataType()).(*arrow.DictionaryType)
	if !ok || dictionary == nil || dictionary.Len() > math.MaxInt32 || dictionary.Len() < 0 {
		return nil, nil, Broken(path, "the Arrow array has no dictionary, or one of more than 2^31 values")
	}
	load, ok := Loads[t.IndexType.ID()]
	if !ok || load > Uint64 {
		return nil, nil, Broken(path, "the indices of the dictionary are of the type %s", t.IndexType)
	}
	data, err := s.Buffer(path, 1, load.Bytes(), s.N)
	if err != nil {
		return nil, nil, err
	}
	x = &Indices{Data: data}
	if load != Int32 && load != Uint32 {
		x.made = make([]int32, s.N)
		x.Data = unsafe.Pointer(unsafe.SliceData(x.made))
	}
	n := int64(dictionary.Len())
	used = make([]bool, n)
	if s.Live == nil && nulls == 0 && x.made == nil && mark(used, unsafe.Slice((*uint32)(data), s.N)) {
		return x, used, nil
	}
	err = s.Each(path, nulls, func(i int) error {
		k, ok := load.Whole(data, i)
		if !ok || k < 0 || k >= n {
			return Broken(path, "index %s of the Arrow array is %s, and its dictionary has %d values", strconv.Itoa(i), load.Text(data, i), n)
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

// Runs are the run of each value, and the segment of the runs' values.
func (s *Segment) Runs(path string) (x *Indices, values Segment, err error) {
	made := make([]int32, s.N)
	x = &Indices{made: made, Data: unsafe.Pointer(unsafe.SliceData(made))}
	first, runs, live, err := s.runs(path, made)
	if err != nil {
		return nil, Segment{}, err
	}
	if values, err = s.Child(path, 1, first, runs); err != nil {
		return nil, Segment{}, err
	}
	outer := *s
	values.Live = live
	values.Row = func(k int) int {
		for i, run := range made {
			if int(run) == k && outer.Counts(i) {
				return outer.Row(i)
			}
		}
		return -1
	}
	return x, values, nil
}

// runs finds the run of each value: the first of them, how many there are, and which have a value that counts.
func (s *Segment) runs(path string, run []int32) (first, n int, live []bool, err error) {
	if s.N == 0 {
		return 0, 0, nil, nil
	}
	children := s.Data.Children()
	if len(children) != 2 || children[0] == nil || children[1] == nil {
		return 0, 0, nil, Broken(path, "the Arrow array has no children of run ends and values")
	}
	all := children[0].Len()
	ends, err := s.Child(path, 0, 0, all)
	if err != nil {
		return 0, 0, nil, err
	}
	load := Loads[children[0].DataType().ID()]
	data, err := ends.Buffer(path, 1, load.Bytes(), all)
	if err != nil {
		return 0, 0, nil, err
	}
	at, end := 0, 0 // the current run, and where it ends
	first = -1
	for i := range s.N {
		for ; end <= s.Off+i; at++ {
			if at >= all {
				return 0, 0, nil, Broken(path, "the runs of the Arrow array end at %d, and it has %d values", end, s.Off+s.N)
			}
			next, ok := load.Whole(data, at)
			if !ok || next <= int64(end) {
				return 0, 0, nil, Broken(path, "run %d of the Arrow array ends at %d, before it begins", at, next)
			}
			end = int(next)
		}
		if first < 0 {
			first = at - 1
		}
		run[i] = int32(at - 1 - first)
	}
	n = at - first
	if s.Live != nil {
		live = make([]bool, n)
		for i, k := range run {
			live[k] = live[k] || s.Live[i]
		}
	}
	return first, n, live, nil
}
