package avro

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// binder checks values and gathers ops. It belongs to one Bind.
type binder struct {
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
func (b *binder) below(w writer, s frame.Segment) (lo, hi int, err error) {
	before := b.unguarded
	b.unguarded = 0
	lo = len(b.ops)
	err = w.bind(b, s)
	b.unguarded = before
	return lo, len(b.ops), err
}

// close says that the ops added since belong to one.
func (b *binder) close(i int) { b.ops[i].end = int32(len(b.ops)) } //nolint:gosec // bounded by the limit of columns

// wrong is the error of a value.
func (to *target) wrong(s *frame.Segment, i int, value, text string, args ...any) error {
	return &format.ValueError{Row: s.Row(i), Path: to.path, Value: value, Msg: fmt.Sprintf(text, args...)}
}

// notNull is the error of a null where the schema has none.
func (to *target) notNull(s *frame.Segment, i int) error {
	return to.wrong(s, i, "null", "is not allowed by the schema, where %s is not nullable: fill it, or make the field a union with null", to.schema.describe())
}

// start makes the op of a value: it finds the nulls, and raises them where there must be none. nulls is how many there are.
func (b *binder) start(to *target, s *frame.Segment, code writeCode) (o writeOp, nulls int, err error) {
	o = writeOp{code: code, null: max(to.null, notNullable), voff: s.Off}
	valid, err := s.Bits(to.path, 0)
	if err != nil || valid == nil {
		return o, 0, err
	}
	if nulls = s.N - frame.CountBits(valid, s.Off, s.N); nulls == 0 {
		return o, 0, nil
	}
	if to.null == notNullable {
		for i := range s.N {
			if s.Counts(i) && frame.Bit(valid, s.Off+i) == 0 {
				return o, nulls, to.notNull(s, i)
			}
		}
		return o, nulls, nil // they lie where the parent is null, and are never looked at
	}
	o.valid = valid
	return o, nulls, nil
}
