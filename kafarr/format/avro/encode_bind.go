package avro

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// segment is a run of values of a column, as they lie in its buffers. Slices of columns have offsets at every level: a segment has them all added up.
type segment struct {
	data arrow.ArrayData
	off  int             // the place of the first value in the buffers
	n    int             // values
	live []bool          // the values that count: where the parent is null, nothing is written and anything may stand; nil: all
	row  func(i int) int // the row of the batch that a value is in, for errors
}

func (s *segment) counts(i int) bool { return s.live == nil || s.live[i] }

// binder checks values and gathers ops. It belongs to one Bind.
type binder struct {
	rows      int
	ops       []writeOp
	unguarded int // bytes that the ops since the last check of the room may write
}

// unguardedMost is what ops may write without a check of the room: with what one value may write, and the words that are stored beyond it, it stays within format.EncodeMargin.
const unguardedMost = 640

// add adds an op that writes up to n bytes without a look at the room, and returns its index.
func (b *binder) add(o writeOp, n int) int {
	if b.unguarded += n; b.unguarded > unguardedMost {
		room := writeOp{code: writeRoom, null: notNullable, end: int32(len(b.ops) + 1)} //nolint:gosec // bounded by the limit of columns
		b.ops = append(b.ops, room)
		b.unguarded = n
	}
	o.end = int32(len(b.ops) + 1) //nolint:gosec // bounded by the limit of columns
	b.ops = append(b.ops, o)
	return len(b.ops) - 1
}

// below binds what is written by a run of its own, which begins and ends with a look at the room, and returns its ops.
func (b *binder) below(w writer, s segment) (lo, hi int, err error) {
	before := b.unguarded
	b.unguarded = 0
	lo = len(b.ops)
	err = w.bind(b, s)
	b.unguarded = before
	return lo, len(b.ops), err
}

// close says that the ops added since belong to one.
func (b *binder) close(i int) { b.ops[i].end = int32(len(b.ops)) } //nolint:gosec // bounded by the limit of columns

// broken is the error of a column whose memory is not what its type says.
func broken(path, text string, args ...any) error {
	return &format.ValueError{Row: -1, Path: path, Msg: fmt.Sprintf(text, args...)}
}

// wrong is the error of a value.
func (to *target) wrong(s *segment, i int, value, text string, args ...any) error {
	return &format.ValueError{Row: s.row(i), Path: to.path, Value: value, Msg: fmt.Sprintf(text, args...)}
}

// notNull is the error of a null where the schema has none.
func (to *target) notNull(s *segment, i int) error {
	return to.wrong(s, i, "null", "is not allowed by the schema, where %s is not nullable: fill it, or make the field a union with null", to.schema.describe())
}

// buffer is the n values of a width of a buffer of the column, from its offset on. nil: there are none.
func (s *segment) buffer(path string, k, width, n int) (unsafe.Pointer, error) {
	if n == 0 {
		return nil, nil
	}
	var have int
	buffers := s.data.Buffers()
	if k < len(buffers) && buffers[k] != nil {
		have = buffers[k].Len()
	}
	if width == 0 {
		return unsafe.Pointer(&nothing), nil
	}
	if s.off < 0 || n < 0 || have/width < n || have/width-n < s.off {
		return nil, broken(path, "buffer %d of the Arrow array has %d bytes, and its values %d to %d need %d each", k, have, s.off, s.off+n, width)
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(buffers[k].Bytes())), s.off*width), nil
}

var nothing [16]byte

// bits is a buffer of bits, whose first one is at the column's offset; nil: the column has none.
func (s *segment) bits(path string, k int) (unsafe.Pointer, error) {
	buffers := s.data.Buffers()
	if s.n == 0 || k >= len(buffers) || buffers[k] == nil || buffers[k].Len() == 0 {
		return nil, nil
	}
	if s.off < 0 || buffers[k].Len() < (s.off+s.n+7)/8 {
		return nil, broken(path, "buffer %d of the Arrow array has %d bytes, too few for the bits %d to %d", k, buffers[k].Len(), s.off, s.off+s.n)
	}
	return unsafe.Pointer(unsafe.SliceData(buffers[k].Bytes())), nil
}

// child is the child array of a number, of which the values from a place in its parent's buffers on are wanted.
func (s *segment) child(path string, k, first, n int) (segment, error) {
	children := s.data.Children()
	if k >= len(children) || children[k] == nil {
		return segment{}, broken(path, "the Arrow array has no child %d", k)
	}
	c := children[k]
	if first < 0 || n < 0 || c.Offset() < 0 || c.Len() < n || c.Len()-n < first {
		return segment{}, broken(path, "child %d of the Arrow array has %d values, and %d to %d are referred to", k, c.Len(), first, first+n)
	}
	return segment{data: c, off: c.Offset() + first, n: n, live: s.live, row: s.row}, nil
}

// dictionary is the dictionary of the column; nil: it has none.
func (s *segment) dictionary() arrow.ArrayData {
	dictionary := s.data.Dictionary()
	if d, ok := dictionary.(*array.Data); ok && d == nil { // no nil of the interface
		return nil
	}
	return dictionary
}

// start makes the op of a value: it finds the nulls, and raises them where there must be none. nulls is how many there are.
func (b *binder) start(to *target, s *segment, code writeCode) (o writeOp, nulls int, err error) {
	o = writeOp{code: code, null: max(to.null, notNullable), voff: s.off}
	valid, err := s.bits(to.path, 0)
	if err != nil || valid == nil {
		return o, 0, err
	}
	if nulls = s.n - countBits(valid, s.off, s.n); nulls == 0 {
		return o, 0, nil
	}
	if to.null == notNullable {
		for i := range s.n {
			if s.counts(i) && bit(valid, s.off+i) == 0 {
				return o, nulls, to.notNull(s, i)
			}
		}
		return o, nulls, nil // they lie where the parent is null, and are never looked at
	}
	o.valid = valid
	return o, nulls, nil
}

// present are the values of a span that count and are not null, for writers of what lies below; nil: all.
func (s *segment) present(path string, nulls int) ([]bool, error) {
	if nulls == 0 {
		return s.live, nil
	}
	valid, err := s.bits(path, 0)
	if err != nil {
		return nil, err
	}
	live := make([]bool, s.n)
	for i := range live {
		live[i] = s.counts(i) && bit(valid, s.off+i) != 0
	}
	return live, nil
}

// each calls a function with each value that counts and is not null, until it fails.
func (s *segment) each(path string, nulls int, do func(i int) error) error {
	var valid unsafe.Pointer
	if nulls > 0 {
		var err error
		if valid, err = s.bits(path, 0); err != nil {
			return err
		}
	}
	for i := range s.n {
		if !s.counts(i) || valid != nil && bit(valid, s.off+i) == 0 {
			continue
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

func bit(p unsafe.Pointer, i int) byte { return *(*byte)(unsafe.Add(p, i>>3)) >> (i & 7) & 1 }

// countBits counts the bits that are set.
func countBits(p unsafe.Pointer, first, n int) int {
	count := 0
	for n > 0 && first&7 != 0 {
		count += int(bit(p, first))
		first++
		n--
	}
	at := first >> 3
	for ; n >= 64; n -= 64 {
		count += bits.OnesCount64(format.Load64(p, at))
		at += 8
	}
	for i := range n {
		count += int(bit(p, at<<3+i))
	}
	return count
}
