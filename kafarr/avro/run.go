package avro

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// Body is one Avro value as it lies in memory. It is read in place and not kept.
type Body struct {
	Data unsafe.Pointer
	Len  int
}

// Appender appends bodies of one plan to one set of columns.
type Appender struct {
	columns *Columns
	steps   []boundStep
}

// boundStep is a step joined to its column: one cache line, so that a row of few fields lives in the first-level cache.
type boundStep struct {
	code   opcode
	null   int8
	size   int32
	fixed  *column.Fixed
	varlen *column.Varlen
	bits   *column.Bits
	any    column.Column
	path   string
}

// Bind joins the plan to columns made by a plan of the same Shape.
func (p *Plan) Bind(c *Columns) *Appender {
	a := &Appender{columns: c, steps: make([]boundStep, len(p.steps))}
	for i, s := range p.steps {
		b := boundStep{code: s.code, null: s.null, size: int32(s.size), any: c.list[s.column], path: s.path} //nolint:gosec // sizes are bounded by the parser
		switch col := b.any.(type) {
		case *column.Fixed:
			b.fixed = col
		case *column.Dictionary:
			b.fixed = &col.Fixed
		case *column.Varlen:
			b.varlen = col
		case *column.Bits:
			b.bits = col
		}
		a.steps[i] = b
	}
	return a
}

// Append appends bodies in order until one fails, and returns how many it appended. The failed row has left no trace in
// the columns. The error is a *DecodeError, or ErrFull.
func (a *Appender) Append(bodies []Body) (int, error) {
	for i := range bodies {
		if f := a.row(bodies[i].Data, bodies[i].Len); f.fault != ok {
			a.columns.Truncate(a.columns.rows)
			return i, f.err(a, bodies[i].Len)
		}
		a.columns.rows++
	}
	return len(bodies), nil
}

// fault is why a row failed. Faults travel as small integers: building an error in the loop would make every step pay
// for what hardly ever happens.
type fault uint8

const (
	ok fault = iota
	faultShort
	faultVarintLong
	faultIntRange
	faultBoolean
	faultUnion
	faultEnum
	faultLength
	faultUTF8
	faultTrailing
	faultFull
)

type failure struct {
	fault fault
	step  int
	value int64 // what was found: an index, a length, a byte
}

func (f failure) err(a *Appender, length int) error {
	path := ""
	if f.step < len(a.steps) {
		path = a.steps[f.step].path
	}
	var msg string
	switch f.fault {
	case faultShort:
		msg = fmt.Sprintf("the body ends within the value (%d bytes)", length)
	case faultVarintLong:
		msg = "varint is longer than 10 bytes"
	case faultIntRange:
		msg = "int is outside 32 bits"
	case faultBoolean:
		msg = fmt.Sprintf("boolean is %d, neither 0 nor 1", f.value)
	case faultUnion:
		msg = fmt.Sprintf("union index %d is out of range", f.value)
	case faultEnum:
		msg = fmt.Sprintf("enum index %d is out of range", f.value)
	case faultLength:
		msg = fmt.Sprintf("length %d is beyond the body (%d bytes)", f.value, length)
	case faultUTF8:
		msg = "string is not valid UTF-8"
	case faultTrailing:
		msg = fmt.Sprintf("%d bytes are left over after the last field", f.value)
	case faultFull:
		return ErrFull
	}
	return &DecodeError{Path: path, Msg: msg}
}

// row runs the steps over one body: base[0:end].
//
// The loop keeps base, pos and end in registers and dispatches with one switch. What was tried on the flat record of
// bench/decode (6 fields, ns a message): one closure a field 160, arrow-go's builders 150, this loop 80.
func (a *Appender) row(base unsafe.Pointer, end int) failure {
	pos := 0
	steps := a.steps
	for i := range steps {
		s := &steps[i]
		if s.null != notNullable {
			if pos >= end {
				return failure{fault: faultShort, step: i}
			}
			// A union index is a zigzag varint: 0 is branch 0, 2 is branch 1. Nothing else is in range.
			b := *(*byte)(unsafe.Add(base, pos))
			if b > 2 || b == 1 {
				return unionFailure(base, pos, end, i)
			}
			pos++
			if int8(b>>1) == s.null { // 0 or 1
				s.any.AppendNull()
				continue
			}
		}
		switch s.code {
		case opNull:
			s.any.AppendNull()
		case opBoolean:
			if pos >= end {
				return failure{fault: faultShort, step: i}
			}
			b := *(*byte)(unsafe.Add(base, pos))
			if b > 1 {
				return failure{fault: faultBoolean, step: i, value: int64(b)}
			}
			pos++
			s.bits.Append(b)
		case opInt, opEnum:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = varint(base, pos, end); pos < 0 {
				return failure{fault: varintFault(pos), step: i}
			}
			if u > math.MaxUint32 {
				return failure{fault: faultIntRange, step: i}
			}
			v := int32(u>>1) ^ -int32(u&1)                       // zigzag; u is within 32 bits
			if s.code == opEnum && uint32(v) >= uint32(s.size) { //nolint:gosec // a negative index becomes a huge one, which is out of range too
				return failure{fault: faultEnum, step: i, value: int64(v)}
			}
			s.fixed.Append32(uint32(v)) //nolint:gosec // bit pattern
		case opLong:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = varint(base, pos, end); pos < 0 {
				return failure{fault: varintFault(pos), step: i}
			}
			s.fixed.Append64(u>>1 ^ -(u & 1))
		case opFloat:
			if end-pos < 4 {
				return failure{fault: faultShort, step: i}
			}
			s.fixed.Append32(load32(base, pos))
			pos += 4
		case opDouble:
			if end-pos < 8 {
				return failure{fault: faultShort, step: i}
			}
			s.fixed.Append64(load64(base, pos))
			pos += 8
		case opString, opBytes:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = varint(base, pos, end); pos < 0 {
				return failure{fault: varintFault(pos), step: i}
			}
			n := int(u>>1) ^ -int(u&1)   // zigzag; checked in the next line
			if uint(n) > uint(end-pos) { // a negative length becomes a huge one
				return failure{fault: faultLength, step: i, value: int64(n)}
			}
			if !s.varlen.Fits(n) {
				return failure{fault: faultFull, step: i}
			}
			if s.code == opBytes {
				s.varlen.Append(unsafe.Add(base, pos), n)
			} else if !appendString(s.varlen, base, pos, n) {
				return failure{fault: faultUTF8, step: i}
			}
			pos += n
		case opFixed:
			n := int(s.size)
			if end-pos < n {
				return failure{fault: faultShort, step: i}
			}
			s.fixed.AppendBytes(unsafe.Add(base, pos))
			pos += n
		}
	}
	if pos != end {
		return failure{fault: faultTrailing, step: len(steps), value: int64(end - pos)}
	}
	return failure{}
}

// unionFailure reads a union index that is out of range, for the message only.
func unionFailure(base unsafe.Pointer, pos, end, step int) failure {
	u, next := varint(base, pos, end)
	if next < 0 {
		return failure{fault: varintFault(next), step: step}
	}
	return failure{fault: faultUnion, step: step, value: zigzag(u)}
}
