package frame

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// Union is where the values of a dense or a sparse union are.
type Union struct {
	Codes   unsafe.Pointer // a type code for each value
	Offs    unsafe.Pointer // of a dense one: the place in the child
	Members []Segment      // of the children that were asked for
}

// Union finds the values of the children of these numbers; codes are those of all children. A value of another child is an error.
func (s *Segment) Union(path string, dense bool, codes []arrow.UnionTypeCode, wanted []int) (u Union, err error) {
	if u.Codes, err = s.Buffer(path, 1, 1, s.N); err != nil {
		return u, err
	}
	if dense {
		if u.Offs, err = s.Buffer(path, 2, 4, s.N); err != nil {
			return u, err
		}
	}
	var byCode [256]int // place in wanted, from 1
	children := s.Data.Children()
	live := make([][]bool, len(wanted))
	for k, child := range wanted {
		if child >= len(children) || children[child] == nil || codes[child] < 0 {
			return u, Broken(path, "the Arrow array has no child %d", child)
		}
		byCode[uint8(codes[child])] = k + 1
		first, n := s.Off, s.N
		if dense {
			first, n = 0, children[child].Len()
		}
		live[k] = make([]bool, max(n, 0))
		below, err := s.Child(path, child, first, n)
		if err != nil {
			return u, err
		}
		u.Members = append(u.Members, below)
	}
	for i := range s.N {
		if !s.Counts(i) {
			continue
		}
		code := u.Code(i)
		k := byCode[code] - 1
		if k < 0 {
			return u, Broken(path, "type code %d of value %d of the Arrow array is none of the union's", int8(code), i) //nolint:gosec // as it stands
		}
		at := u.At(i)
		if at < 0 || at >= len(live[k]) {
			return u, Broken(path, "offset %d of value %d of the Arrow array is beyond the %d values of its member", at, i, len(live[k]))
		}
		live[k][at] = true
	}
	for k, child := range wanted {
		u.Members[k].Live, u.Members[k].Row = live[k], s.rowsOfMember(u, uint8(codes[child])) //nolint:gosec // not negative
	}
	return u, nil
}

// Code is the type code of a value.
func (u *Union) Code(i int) uint8 { return *(*uint8)(unsafe.Add(u.Codes, i)) }

// At is the place of a value in its child.
func (u *Union) At(i int) int {
	if u.Offs == nil {
		return i
	}
	return int(*(*int32)(unsafe.Add(u.Offs, i*4)))
}

func (s *Segment) rowsOfMember(u Union, code uint8) func(int) int {
	outer := *s
	return func(j int) int {
		for i := range outer.N {
			if outer.Counts(i) && u.Code(i) == code && u.At(i) == j {
				return outer.Row(i)
			}
		}
		return -1
	}
}
