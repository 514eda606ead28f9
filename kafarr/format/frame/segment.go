// Package frame reads the columns of frames for encoders: every layout of Arrow, sliced at every level, with memory of foreign programs that is not believed until it has been looked at.
// Encoders that have a way of their own for each layout take Segments, which check buffers; a Column is one reading of all layouts.
package frame

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Segment is a run of values of a column, as they lie in its buffers. Slices of columns have offsets at every level: a segment has them all added up.
type Segment struct {
	Data arrow.ArrayData
	Off  int             // the place of the first value in the buffers
	N    int             // values
	Live []bool          // the values that count: where the parent is null, nothing is written and anything may stand; nil: all
	Row  func(i int) int // the row of the batch that a value is in, for errors
}

// Counts tells whether a value counts.
func (s *Segment) Counts(i int) bool { return s.Live == nil || s.Live[i] }

// Broken is the error of a column whose memory is not what its type says.
func Broken(path, text string, args ...any) error {
	return &format.ValueError{Row: -1, Path: path, Msg: fmt.Sprintf(text, args...)}
}

// Buffer is the n values of a width of a buffer of the column, from its offset on. nil: there are none.
func (s *Segment) Buffer(path string, k, width, n int) (unsafe.Pointer, error) {
	if n == 0 {
		return nil, nil
	}
	var have int
	buffers := s.Data.Buffers()
	if k < len(buffers) && buffers[k] != nil {
		have = buffers[k].Len()
	}
	if width == 0 {
		return unsafe.Pointer(&nothing), nil
	}
	if s.Off < 0 || n < 0 || have/width < n || have/width-n < s.Off {
		return nil, Broken(path, "buffer %d of the Arrow array has %d bytes, and its values %d to %d need %d each", k, have, s.Off, s.Off+n, width)
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(buffers[k].Bytes())), s.Off*width), nil
}

// nothing is what values of no bytes point to.
var nothing [16]byte

// Bits is a buffer of bits, whose first one is at the column's offset; nil: the column has none.
func (s *Segment) Bits(path string, k int) (unsafe.Pointer, error) {
	buffers := s.Data.Buffers()
	if s.N == 0 || k >= len(buffers) || buffers[k] == nil || buffers[k].Len() == 0 {
		return nil, nil
	}
	if s.Off < 0 || buffers[k].Len() < (s.Off+s.N+7)/8 {
		return nil, Broken(path, "buffer %d of the Arrow array has %d bytes, too few for the bits %d to %d", k, buffers[k].Len(), s.Off, s.Off+s.N)
	}
	return unsafe.Pointer(unsafe.SliceData(buffers[k].Bytes())), nil
}

// Child is the child array of a number, of which the values from a place in its parent's buffers on are wanted.
func (s *Segment) Child(path string, k, first, n int) (Segment, error) {
	children := s.Data.Children()
	if k >= len(children) || children[k] == nil {
		return Segment{}, Broken(path, "the Arrow array has no child %d", k)
	}
	c := children[k]
	if first < 0 || n < 0 || c.Offset() < 0 || c.Len() < n || c.Len()-n < first {
		return Segment{}, Broken(path, "child %d of the Arrow array has %d values, and %d to %d are referred to", k, c.Len(), first, first+n)
	}
	return Segment{Data: c, Off: c.Offset() + first, N: n, Live: s.Live, Row: s.Row}, nil
}

// Dictionary is the dictionary of the column; nil: it has none.
func (s *Segment) Dictionary() arrow.ArrayData {
	dictionary := s.Data.Dictionary()
	if d, ok := dictionary.(*array.Data); ok && d == nil { // no nil of the interface
		return nil
	}
	return dictionary
}

// Present are the values of a span that count and are not null, for writers of what lies below; nil: all.
func (s *Segment) Present(path string, nulls int) ([]bool, error) {
	if nulls == 0 {
		return s.Live, nil
	}
	valid, err := s.Bits(path, 0)
	if err != nil {
		return nil, err
	}
	live := make([]bool, s.N)
	for i := range live {
		live[i] = s.Counts(i) && Bit(valid, s.Off+i) != 0
	}
	return live, nil
}

// Each calls a function with each value that counts and is not null, until it fails.
func (s *Segment) Each(path string, nulls int, do func(i int) error) error {
	var valid unsafe.Pointer
	if nulls > 0 {
		var err error
		if valid, err = s.Bits(path, 0); err != nil {
			return err
		}
	}
	for i := range s.N {
		if !s.Counts(i) || valid != nil && Bit(valid, s.Off+i) == 0 {
			continue
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// Bit is one of a buffer of bits.
func Bit(p unsafe.Pointer, i int) byte { return *(*byte)(unsafe.Add(p, i>>3)) >> (i & 7) & 1 }

// CountBits counts the bits that are set.
func CountBits(p unsafe.Pointer, first, n int) int {
	count := 0
	for n > 0 && first&7 != 0 {
		count += int(Bit(p, first))
		first++
		n--
	}
	at := first >> 3
	for ; n >= 64; n -= 64 {
		count += bits.OnesCount64(format.Load64(p, at))
		at += 8
	}
	for i := range n {
		count += int(Bit(p, at<<3+i))
	}
	return count
}
