package json

import (
	"encoding/base64"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// raw stores a value as its JSON text.
func (a *Appender) raw(f *field, base unsafe.Pointer, pos, end int) int {
	if isNull(base, pos, end) {
		return a.other(f, 0, base, pos, end)
	}
	if takes := f.more.takes; takes != 0 && pos < end && takes&valuesOf[at(base, pos)] == 0 {
		return a.fail(f, notA(base, pos, end, faultValue), pos)
	}
	next := a.skip(base, pos, end, 0)
	if next < 0 {
		return a.fail(f, next, a.stopped)
	}
	if !f.varlen.Fits(next - pos) {
		return a.fail(f, faultFull.position(), pos)
	}
	f.varlen.Put(unsafe.Add(base, pos), next-pos)
	return next
}

// valuesOf says which values begin with a byte.
var valuesOf = [256]Values{
	'{': Objects, '[': Arrays, '"': Strings, 't': Booleans, 'f': Booleans, '-': Numbers,
	'0': Numbers, '1': Numbers, '2': Numbers, '3': Numbers, '4': Numbers, '5': Numbers, '6': Numbers, '7': Numbers, '8': Numbers, '9': Numbers,
}

// whole reads a whole number that its field's bounds hold, in two's complement.
func (a *Appender) whole(f *field, base unsafe.Pointer, pos, end int) (v uint64, fits bool, next int) {
	v, negative, next := integer(base, pos, end)
	if next < 0 {
		return 0, false, a.other(f, next, base, pos, end)
	}
	if negative {
		return -v, v <= f.least, next
	}
	return v, v <= f.most, next
}

// narrow stores a whole number of 8 or 16 bits.
func (a *Appender) narrow(f *field, row int, base unsafe.Pointer, pos, end int) int {
	v, fits, next := a.whole(f, base, pos, end)
	if next < 0 || isNull(base, pos, end) {
		return next
	}
	if !fits {
		return a.fail(f, faultRange.position(), pos)
	}
	f.fixed.PutBytes(row, unsafe.Pointer(&v)) // the column takes as many of the bytes as it is wide
	return next
}

// epoch stores a whole number of units of time.
func (a *Appender) epoch(f *field, row int, base unsafe.Pointer, pos, end int) int {
	v, fits, next := a.whole(f, base, pos, end)
	if next < 0 || isNull(base, pos, end) {
		return next
	}
	if !fits {
		if f.least == 0 { // a time of day
			return a.outOfRange(f, next, faultTimeRange, pos)
		}
		return a.fail(f, faultRange.position(), pos)
	}
	if f.op == opEpoch32 {
		f.fixed.Put32(row, uint32(v)) //nolint:gosec // the lower half is the number
	} else {
		f.fixed.Put64(row, v)
	}
	return next
}

// bytes stores what a text is the base64 of.
func (a *Appender) bytes(f *field, text []byte, pos, next int) int {
	most := base64.StdEncoding.DecodedLen(len(text))
	if !f.varlen.Fits(most) {
		return a.fail(f, faultFull.position(), pos)
	}
	n, err := base64.StdEncoding.Decode(unsafe.Slice((*byte)(f.varlen.Room(most)), most), text)
	if err != nil {
		return a.fail(f, faultBase64.position(), pos)
	}
	f.varlen.Took(n)
	return next
}

// decimal stores a number with all its digits.
func (a *Appender) decimal(f *field, row int, base unsafe.Pointer, pos, end int) int {
	words, next, fits := shortDecimal(base, pos, end, f.more.precision, f.more.scale)
	if fits {
		f.fixed.PutBytes(row, unsafe.Pointer(&words)) // the column takes as many of the words as it is wide
		return next
	}
	var s scanned
	if pos < end && at(base, pos) == '"' {
		var text []byte
		if text, next = a.content(base, pos, end); next < 0 {
			return a.fail(f, next, pos)
		}
		if f.op == opUnscaled {
			return a.unscaled(f, row, text, pos, next)
		}
		var read int
		if s, read = scan(unsafe.Pointer(unsafe.SliceData(text)), 0, len(text)); read != len(text) {
			return a.fail(f, faultDecimal.position(), pos)
		}
	} else if s, next = scan(base, pos, end); next < 0 {
		return a.other(f, notA(base, pos, end, faultDecimal), base, pos, end)
	}
	words, bad := s.unscaled(f.more.precision, f.more.scale)
	if bad != ok {
		return a.outOfRange(f, next, bad, pos)
	}
	f.fixed.PutBytes(row, unsafe.Pointer(&words))
	return next
}

// unscaled stores the decimal whose unscaled value a text is the base64 of, in two's complement.
func (a *Appender) unscaled(f *field, row int, text []byte, pos, next int) int {
	most := base64.StdEncoding.DecodedLen(len(text))
	if cap(a.decoded) < most {
		a.decoded = make([]byte, 2*most)
	}
	n, err := base64.StdEncoding.Decode(a.decoded[:cap(a.decoded)], text)
	if err != nil {
		return a.fail(f, faultBase64.position(), pos)
	}
	words, fits := column.DecimalOf(unsafe.Pointer(unsafe.SliceData(a.decoded)), 0, n)
	if !fits || !column.DecimalFits(words, f.more.precision) {
		return a.outOfRange(f, next, faultPrecision, pos)
	}
	f.fixed.PutBytes(row, unsafe.Pointer(&words))
	return next
}
