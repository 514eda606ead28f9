package avro_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/linkedin/goavro/v2"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// Random schemas and values: what goavro writes, decoded here, against what goavro reads. A failure names its seed, which makes the same schema and
// values again (goavro writes a map's entries in any order).
//
// What goavro wants or does that is not the specification's:
//
//   - It wants a union's value as a map of the branch's name, "long.timestamp-millis" for a logical type, and gives it back so; a decimal is a *big.Rat,
//     a date or timestamp a time.Time, a time of day a time.Duration.
//   - Of the logical types it knows these alone. Nanosecond and local timestamps, uuid, duration and big-decimal are the type beneath, which is read here;
//     its own validated-string is not Avro's.
//   - It has no fixed of size 0 and no enum without symbols, and panics at a decimal on bytes without a scale when it is the schema's second.
//   - It refuses an invalid decimal, which the specification ignores.
//   - It writes the zero of a decimal on fixed as one byte, which it then refuses, for it is not the fixed's size.
//   - It looks an unqualified name up without a namespace first, and in the enclosing namespace then. No two types here have the same unqualified name.

const (
	rows           = 5
	damagesPerCase = 12
	maxFailures    = 3
)

var cases = hostile.Rounds(3000)

// subject is a random schema as both sides have it.
type subject struct {
	seed   uint64
	maker  *maker
	schema *node
	text   string
	codec  *goavro.Codec
	parsed *avro.Schema
}

func newSubject(t *testing.T, seed uint64) *subject {
	t.Helper()
	s := &subject{seed: seed, maker: newMaker(seed)}
	if s.maker.IntN(4) == 0 {
		s.schema = s.maker.schema(1, "", false)
	} else {
		s.schema = s.maker.record(0, "")
	}
	s.text = schemaText(s.schema)
	var err error
	if s.codec, err = goavro.NewCodec(s.text); err != nil {
		t.Fatalf("seed %d: goavro refuses %s: %v", seed, s.text, err)
	}
	if s.parsed, err = avro.Parse(s.text); err != nil {
		t.Fatalf("seed %d: %s: %v", seed, s.text, err)
	}
	return s
}

func (s *subject) plan(t *testing.T, unions format.Unions) *avro.Plan {
	t.Helper()
	p, err := avro.Compile(s.parsed, format.Options{Unions: unions})
	if err != nil {
		t.Fatalf("seed %d: %s: %v", s.seed, s.text, err)
	}
	return p
}

func (s *subject) encode(t *testing.T) []byte {
	t.Helper()
	value := s.maker.value(s.schema)
	b, err := s.codec.BinaryFromNative(nil, value)
	if err != nil {
		t.Fatalf("seed %d: goavro does not write %v as %s: %v", s.seed, value, s.text, err)
	}
	return b
}

// check compares finished columns with the values that goavro has read, and validates and releases them.
func (s *subject) check(columns *format.Columns, read []any) error {
	var arrays []arrow.Array
	for _, d := range columns.Finish() {
		arrays = append(arrays, array.MakeFromData(d))
		d.Release()
	}
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for i, a := range arrays {
		if err := array.ValidateFull(a); err != nil {
			return fmt.Errorf("column %d is not valid: %w", i, err)
		}
		if a.Len() != len(read) {
			return fmt.Errorf("column %d has %d rows, want %d", i, a.Len(), len(read))
		}
	}
	for row, v := range read {
		if err := sameRow(s.schema, arrays, row, v); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
	}
	return nil
}

// blocksOf has goavro write, and accept, blocks of so many items at most.
func blocksOf(t *testing.T, items int64) {
	before := goavro.MaxBlockCount
	goavro.MaxBlockCount = items
	t.Cleanup(func() { goavro.MaxBlockCount = before })
}

func TestWhatGoavroWritesIsWhatGoavroReads(t *testing.T) {
	closeBooks(t)
	blocksOf(t, 3)
	failures := 0
	seen := map[string]bool{}
	for seed := range uint64(cases) {
		s := newSubject(t, seed)
		s.schema.note(seen)
		var bodies []format.Body
		var read []any
		for range rows {
			b := s.encode(t)
			v, rest, err := s.codec.NativeFromBinary(b)
			if err != nil || len(rest) > 0 {
				t.Fatalf("seed %d: goavro does not read what it wrote as %s: %x: %v", seed, s.text, b, err)
			}
			bodies = append(bodies, body(b))
			read = append(read, v)
		}
		for _, unions := range []format.Unions{format.StructUnions, format.DenseUnions} {
			before := cmem.Live()
			p := s.plan(t, unions)
			columns := p.NewColumns()
			n, err := p.Bind(columns).Append(bodies)
			if err == nil {
				err = s.check(columns, read)
			} else {
				columns.Release()
				err = fmt.Errorf("after %d rows: %w", n, err)
			}
			if after := cmem.Live(); err == nil && after != before {
				err = fmt.Errorf("%d bytes were not released", after-before)
			}
			if err != nil {
				t.Errorf("seed %d: %s: %v", seed, s.text, err)
				failures++
			}
		}
		if failures >= maxFailures {
			return
		}
	}
	for _, name := range []string{
		"null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed", "enum", "record", "array", "map", "union", "decimal on bytes",
		"decimal on fixed", "big-decimal on bytes", "uuid on string", "uuid on fixed", "date on int", "time-millis on int", "time-micros on long",
		"timestamp-millis on long", "timestamp-micros on long", "timestamp-nanos on long", "local-timestamp-millis on long",
		"local-timestamp-micros on long", "local-timestamp-nanos on long", "duration on fixed",
	} {
		if !seen[name] {
			t.Errorf("no schema had %s", name)
		}
	}
}

// refusedHereOnly are the errors of bodies that goavro reads all the same: it takes varints of any length and drops the bits that are too many, checks
// neither UTF-8 nor a block's size in bytes, the digits of a decimal nor the hours of a day, and does not look into logical types that it does not know.
var refusedHereOnly = []string{
	"varint is longer than 10 bytes", "int is outside 32 bits", "string is not valid UTF-8", "a block's size of", "is outside of 24 hours",
	"decimal has more than its", "duration has more months or days", "items that take no bytes",
}

// withinBigDecimal are the errors of what a big-decimal holds besides: its own length and ends.
var withinBigDecimal = []string{"big-decimal is not", "is beyond the body", "the body ends within the value"}

func (s *subject) goavroTakes(err error) bool {
	reasons := refusedHereOnly
	if strings.Contains(s.text, `"big-decimal"`) {
		reasons = slices.Concat(reasons, withinBigDecimal)
	}
	return slices.ContainsFunc(reasons, func(reason string) bool { return strings.Contains(err.Error(), reason) })
}

// TestDamagedBodiesAreRefusedWhereGoavroRefusesThem damages bodies. What both take has the same value; what goavro refuses is refused here, but for keys
// that a map repeats, which are kept.
func TestDamagedBodiesAreRefusedWhereGoavroRefusesThem(t *testing.T) {
	closeBooks(t)
	blocksOf(t, 1<<16) // what the limit of items that take no bytes is here; without one goavro allocates for any count
	failures, refused, taken := 0, 0, 0
	for seed := range uint64(cases) {
		s := newSubject(t, seed)
		p := s.plan(t, format.StructUnions)
		columns := p.NewColumns()
		a := p.Bind(columns)
		var read []any
		fail := func(format string, args ...any) {
			t.Errorf("seed %d: %s: %s", seed, s.text, fmt.Sprintf(format, args...))
			failures++
		}
		for range damagesPerCase {
			b := s.maker.damage(s.encode(t))
			v, rest, refusal := s.codec.NativeFromBinary(b)
			if refusal == nil && len(rest) > 0 {
				refusal = fmt.Errorf("%d bytes are left over", len(rest))
			}
			_, err := a.Append([]format.Body{body(b)})
			switch {
			case err == nil && refusal == nil:
				read = append(read, v)
				taken++
			case err == nil && strings.Contains(refusal.Error(), "duplicate key"):
				columns.Truncate(len(read))
			case err == nil:
				fail("%x is read here, and not by goavro: %v", b, refusal)
				columns.Truncate(len(read))
			case refusal == nil && !s.goavroTakes(err):
				fail("%x is refused here, and not by goavro: %v", b, err)
			default:
				refused++
			}
		}
		if err := s.check(columns, read); err != nil {
			fail("after damaged bodies: %v", err)
		}
		if failures >= maxFailures {
			return
		}
	}
	if refused < cases || taken < cases {
		t.Errorf("%d bodies were refused and %d taken: the damage tells nothing", refused, taken)
	}
}

// damage changes, drops, doubles or inserts a byte, cuts the end off or adds one. Of an empty body there is little to damage.
func (m *maker) damage(b []byte) []byte {
	if len(b) == 0 {
		return m.random(m.IntN(2))
	}
	i := m.IntN(len(b))
	switch m.IntN(6) {
	case 0:
		b[i] ^= 1 << m.IntN(8)
	case 1:
		b[i] = byte(m.Uint32())
	case 2:
		return slices.Delete(b, i, i+1)
	case 3:
		return slices.Insert(b, i, b[i])
	case 4:
		return slices.Insert(b, i, m.random(1+m.IntN(11))...)
	case 5:
		return b[:i]
	}
	return b
}
