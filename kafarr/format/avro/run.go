package avro

import (
	"math"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Appender appends bodies of one plan to one set of columns.
type Appender struct {
	columns *format.Columns
	steps   []boundStep

	limits     format.Limits
	maxRows    int
	failure    failure
	emptyItems int64 // of this row, items that take no bytes
	effort     format.Effort
	text       []byte       // JSON and decimals on their way into a column
	keys       format.Keys  // of values that are encrypted
	nulls      bool         // values out of range are nulls
	tally      format.Tally // of them
}

// failed is the position of a run that did not come to its end; a.failure says why.
const failed = -1

// Append appends bodies in order until one fails, and returns how many it appended: without an error fewer than there are, where they take long, so that the caller may
// look at the clock. The failed row has left no trace in the columns. The error is a *DecodeError, an *IncompatibleError, ErrFull or ErrLong.
func (a *Appender) Append(bodies []format.Body) (appended int, err error) {
	if len(bodies) == 0 {
		return 0, nil
	}
	a.effort.Begin(bodies)
	a.tally = a.tally[:0]
	defer func() {
		if p := recover(); p != nil {
			appended, err = a.effort.Appended(), a.recovered(p)
		}
		a.effort.End()
	}()
	return a.append(bodies)
}

func (a *Appender) append(bodies []format.Body) (int, error) {
	n := len(a.steps)
	all := len(bodies)
	bodies = bodies[:min(all, max(0, a.maxRows-a.columns.Rows()))]
	for i := range bodies {
		b := &bodies[i]
		a.emptyItems = 0
		a.effort.Row()
		if b.Len < 0 {
			a.columns.AppendNull()
			continue
		}
		if pos := a.run(0, n, b.Data, 0, b.Len); pos != b.Len {
			if pos >= 0 {
				a.fail(faultTrailing, n, int64(b.Len-pos))
			}
			a.columns.Truncate(a.columns.Rows())
			return i, a.failure.err(a, b.Len)
		}
		a.columns.Appended()
		if a.effort.Enough() {
			return i + 1, nil
		}
	}
	if len(bodies) < all {
		return len(bodies), format.ErrFull
	}
	return all, nil
}

// fail notes why a row failed and returns failed.
func (a *Appender) fail(f fault, step int, value int64) int {
	a.failure = failure{fault: f, step: step, value: value}
	return failed
}

// run runs the steps [lo, hi) over base[pos:end] and returns the position after what they read, or failed.
//
// The loop keeps base, pos and end in registers and dispatches with one switch; the types of most fields are spelled out in it, since a call would cost more
// than the work. What was tried on the flat record of bench/decode (6 fields, ns a message): one closure a field 160, arrow-go's builders 150, columns
// that check room and bitmap one after the other 80, this 28.
func (a *Appender) run(lo, hi int, base unsafe.Pointer, pos, end int) int {
	steps := a.steps
	for i := lo; i < hi; i++ {
		s := &steps[i]
		if s.null != notNullable {
			if pos >= end {
				return a.fail(faultShort, i, 0)
			}
			// A union index is a zigzag varint: 0 is branch 0, 2 is branch 1. Nothing else is in range.
			b := *(*byte)(unsafe.Add(base, pos))
			if b > 2 || b == 1 {
				return a.badUnion(base, pos, end, i)
			}
			pos++
			if int8(b>>1) == s.null { // 0 or 1
				if s.code == opRecord && !a.effort.Spend(int64(s.more.work)) {
					return a.fail(faultSteps, i, 0)
				}
				s.any.AppendNull()
				i = int(s.end) - 1
				continue
			}
		}
		switch s.code {
		case opBoolean:
			if pos >= end {
				return a.fail(faultShort, i, 0)
			}
			b := *(*byte)(unsafe.Add(base, pos))
			if b > 1 {
				return a.fail(faultBoolean, i, int64(b))
			}
			pos++
			s.bits.Append(b)
		case opInt:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = format.Varint(base, pos, end); pos < 0 {
				return a.fail(varintFault(pos), i, 0)
			}
			if u > math.MaxUint32 {
				return a.fail(faultIntRange, i, 0)
			}
			s.fixed.Append32(uint32(u>>1) ^ -uint32(u&1)) // zigzag; u is within 32 bits
		case opLong:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = format.Varint(base, pos, end); pos < 0 {
				return a.fail(varintFault(pos), i, 0)
			}
			s.fixed.Append64(u>>1 ^ -(u & 1))
		case opFloat:
			if end-pos < 4 {
				return a.fail(faultShort, i, 0)
			}
			s.fixed.Append32(format.Load32(base, pos))
			pos += 4
		case opDouble:
			if end-pos < 8 {
				return a.fail(faultShort, i, 0)
			}
			s.fixed.Append64(format.Load64(base, pos))
			pos += 8
		case opString, opBytes:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = format.Varint(base, pos, end); pos < 0 {
				return a.fail(varintFault(pos), i, 0)
			}
			n := int(u>>1) ^ -int(u&1)   // zigzag; checked in the next line
			if uint(n) > uint(end-pos) { // a negative length becomes a huge one
				return a.fail(faultLength, i, int64(n))
			}
			if !s.varlen.Fits(n) {
				return a.fail(faultFull, i, 0)
			}
			if n == 0 { // as in span
				s.varlen.Took(0)
			} else if s.code == opBytes {
				s.varlen.Append(unsafe.Add(base, pos), n)
			} else if !appendString(s.varlen, base, pos, n) {
				return a.fail(faultUTF8, i, 0)
			}
			pos += n
		case opFixed:
			n := int(s.size)
			if end-pos < n {
				return a.fail(faultShort, i, 0)
			}
			if n == 0 { // as in span
				s.any.AppendZero()
			} else {
				s.fixed.AppendBytes(unsafe.Add(base, pos))
			}
			pos += n
		case opRecord: // its fields follow
			if !a.effort.Spend(int64(s.size)) {
				return a.fail(faultSteps, i, 0)
			}
		case opRecordEnd:
			s.record.Took()
		case opArray:
			if pos = a.array(s, i+1, int(s.end), base, pos, end); pos < 0 {
				return failed
			}
			i = int(s.end) - 1
		default:
			if pos = a.rare(s, i, base, pos, end); pos < 0 {
				return failed
			}
			i = int(s.end) - 1
		}
	}
	return pos
}

// rare runs one step, and those below it, of the kinds that are not worth a place in the loop.
func (a *Appender) rare(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	switch s.code {
	case opNull, opNullUnion:
		if !a.effort.Spend(int64(s.more.work)) {
			return a.fail(faultSteps, i, 0)
		}
		s.any.AppendNull()
		return pos
	case opEnum:
		return a.enum(s, i, base, pos, end)
	case opTimeMillis, opTimeMicros:
		return a.timeOfDay(s, i, base, pos, end)
	case opDecimalBytes, opDecimalFixed:
		return a.decimal(s, i, base, pos, end)
	case opDecimalText, opDecimalFixedText:
		return a.decimalText(s, i, base, pos, end)
	case opBigDecimal:
		return a.bigDecimal(s, i, base, pos, end)
	case opDuration:
		return a.duration(s, i, base, pos, end)
	case opIntToLong, opIntToFloat, opIntToDouble, opLongToFloat, opLongToDouble, opFloatToDouble:
		return a.promoted(s, i, base, pos, end)
	case opBranches:
		return a.branch(s, i, base, pos, end)
	case opMember:
		return a.member(s, i, base, pos, end)
	case opDefault:
		if !a.effort.Spend(int64(s.more.work)) {
			return a.fail(faultSteps, i, 0)
		}
		body := s.more.body
		if a.run(i+1, int(s.end), unsafe.Pointer(unsafe.SliceData(body)), 0, len(body)) < 0 {
			return failed
		}
		return pos
	case opSkip:
		next, f := a.skipAll(s.more.skipped, base, pos, end, 0)
		if f != ok {
			return a.fail(f, i, 0)
		}
		return next
	case opRest:
		n := end - pos
		if !s.varlen.Fits(n) {
			return a.fail(faultFull, i, 0)
		}
		if Type(s.size) == String { //nolint:gosec // a type that was put there
			if !appendString(s.varlen, base, pos, n) {
				return a.fail(faultUTF8, i, 0)
			}
			return end
		}
		s.varlen.Append(unsafe.Add(base, pos), n)
		return end
	case opSealed:
		return a.sealed(s, i, base, pos, end)
	case opJSON:
		return a.json(s, i, base, pos, end)
	}
	panic("avro: a step without a meaning") // a bug of Compile's, found by the first row of any test
}

// branch reads a union's index and runs the steps of that branch.
func (a *Appender) branch(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	u, pos := format.Varint(base, pos, end)
	if pos < 0 {
		return a.fail(varintFault(pos), i, 0)
	}
	table := s.more.table
	k := format.Zigzag(u)
	if k < 0 || k >= int64(len(table)) {
		return a.fail(faultUnion, i, k)
	}
	lo := table[k]
	if lo < 0 {
		return a.fail(faultBranch, i, k)
	}
	return a.run(lo, int(a.steps[lo].end), base, pos, end)
}

// member reads a union's branch into its member.
func (a *Appender) member(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	if pos = a.run(i+1, int(s.end), base, pos, end); pos < 0 {
		return failed
	}
	if s.dense != nil {
		s.dense.Took(int(s.size))
		return pos
	}
	if !a.effort.Spend(int64(s.more.work)) {
		return a.fail(faultSteps, i, 0)
	}
	for k, m := range s.record.Members {
		if k != int(s.size) {
			m.AppendNull()
		}
	}
	s.record.Took()
	return pos
}

// badUnion reads an optional's union index that is out of range, for the message only.
func (a *Appender) badUnion(base unsafe.Pointer, pos, end, step int) int {
	u, next := format.Varint(base, pos, end)
	if next < 0 {
		return a.fail(varintFault(next), step, 0)
	}
	return a.fail(faultUnion, step, format.Zigzag(u))
}

// integer reads an int or a long that another opcode is made of.
func (a *Appender) integer(bits int, i int, base unsafe.Pointer, pos, end int) (int64, int) {
	u, next := format.Varint(base, pos, end)
	if next < 0 {
		return 0, a.fail(varintFault(next), i, 0)
	}
	if bits == 32 && u > math.MaxUint32 {
		return 0, a.fail(faultIntRange, i, 0)
	}
	return format.Zigzag(u), next
}

// length reads a length that lies within the body.
func (a *Appender) length(i int, base unsafe.Pointer, pos, end int) (int, int) {
	u, next := format.Varint(base, pos, end)
	if next < 0 {
		return 0, a.fail(varintFault(next), i, 0)
	}
	n := format.Zigzag(u)
	if n < 0 || n > int64(end-next) {
		return 0, a.fail(faultLength, i, n)
	}
	return int(n), next
}
