package json

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Lengths of numbers that need no care: so many digits fit into 64 bits whatever they are, and so many may.
const (
	safeDigits = 19
	mostDigits = 20
)

const highBits = 0x8080808080808080

func at(base unsafe.Pointer, pos int) byte { return *(*byte)(unsafe.Add(base, pos)) }

// remaining loads the fewer than 8 bytes up to the end as a word whose other bytes are zero: nothing may be read after the end.
//
//go:noinline
func remaining(base unsafe.Pointer, pos, end int) (x uint64) {
	for i := 0; pos+i < end; i++ {
		x |= uint64(at(base, pos+i)) << (8 * i)
	}
	return x
}

// word loads the eight bytes at pos, or the fewer ones up to the end.
func word(base unsafe.Pointer, pos, end int) uint64 {
	if end-pos >= 8 {
		return format.Load64(base, pos)
	}
	return remaining(base, pos, end)
}

// digits reads the digits that a word begins with: their value, and how many they are. It is small enough to be inlined.
func digits(x uint64) (value uint64, n int) {
	x ^= 0x3030303030303030                                          // a digit is its value now
	n = bits.TrailingZeros64((x+0x7676767676767676|x)&highBits) >> 3 // bits that are set in bytes above 9; only such bytes carry into the next one. 8 where none is
	x <<= 64 - 8*uint(n)                                             // the last digit is in the highest byte, and zeros stand before the first
	x = x*10 + x>>8                                                  // pairs of digits, then fours, then all eight
	return (x&0x000000FF000000FF*0x000F424000000064 + x>>16&0x000000FF000000FF*0x0000271000000001) >> 32, n
}

// powersOfTen are those that fit into 64 bits.
var powersOfTen = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// integer reads a whole number: its magnitude and sign, and the position after it. A negative position is a fault.
func integer(base unsafe.Pointer, pos, end int) (magnitude uint64, negative bool, next int) {
	from := pos
	if pos < end && at(base, pos) == '-' {
		negative = true
		pos++
	}
	first := pos
	v, n := digits(word(base, pos, end))
	pos += n
	if n == 8 {
		w, k := digits(word(base, pos, end))
		pos += k
		v = v*powersOfTen[k] + w
		if k == 8 {
			if w, k = digits(word(base, pos, end)); k > mostDigits-16 {
				return slowInteger(base, from, end)
			}
			pos += k
			high, low := bits.Mul64(v, powersOfTen[k])
			low, carry := bits.Add64(low, w, 0)
			if high|carry != 0 {
				return slowInteger(base, from, end)
			}
			v = low
		}
	}
	if pos == first || pos-first > 1 && at(base, first) == '0' {
		return 0, false, faultNumber.position()
	}
	if pos < end {
		if c := at(base, pos); c == '.' || c|0x20 == 'e' {
			return slowInteger(base, from, end)
		}
	}
	return v, negative, pos
}

// slowInteger reads a whole number that is long, or written with a point or an exponent.
//
//go:noinline
func slowInteger(base unsafe.Pointer, pos, end int) (magnitude uint64, negative bool, next int) {
	s, next := scan(base, pos, end)
	if next < 0 {
		return 0, false, next
	}
	s.strip()
	n := s.count()
	switch {
	case n == 0:
		return 0, false, next
	case s.exponent < 0:
		return 0, false, faultFraction.position()
	case n+s.exponent > mostDigits:
		return 0, false, faultRange.position()
	}
	for i := range n + s.exponent {
		high, low := bits.Mul64(magnitude, 10)
		low, carry := bits.Add64(low, uint64(s.digit(i)), 0)
		if high|carry != 0 {
			return 0, false, faultRange.position()
		}
		magnitude = low
	}
	return magnitude, s.negative, next
}

// scanned is the text of a number, taken apart: its digits, of which those of the whole part come first, times ten to the power of the exponent.
type scanned struct {
	negative        bool
	whole, fraction []byte
	exponent        int // at the most maxExponent away from zero
}

// maxExponent is beyond all that any type holds, and far from an overflow.
const maxExponent = 1 << 30

// scan takes a number apart, as RFC 8259 writes numbers. A negative position is a fault.
func scan(base unsafe.Pointer, pos, end int) (s scanned, next int) {
	if pos < end && at(base, pos) == '-' {
		s.negative = true
		pos++
	}
	first := pos
	pos = afterDigits(base, pos, end)
	if pos == first || pos-first > 1 && at(base, first) == '0' {
		return s, faultNumber.position()
	}
	s.whole = format.Span(base, first, pos-first)
	if pos < end && at(base, pos) == '.' {
		pos++
		first = pos
		if pos = afterDigits(base, pos, end); pos == first {
			return s, faultNumber.position()
		}
		s.fraction = format.Span(base, first, pos-first)
	}
	if pos < end && at(base, pos)|0x20 == 'e' {
		pos++
		negative := false
		if pos < end && (at(base, pos) == '-' || at(base, pos) == '+') {
			negative = at(base, pos) == '-'
			pos++
		}
		first = pos
		if pos = afterDigits(base, pos, end); pos == first {
			return s, faultNumber.position()
		}
		for _, c := range format.Span(base, first, pos-first) {
			s.exponent = min(s.exponent*10+int(c-'0'), maxExponent)
		}
		if negative {
			s.exponent = -s.exponent
		}
	}
	s.exponent -= len(s.fraction)
	return s, pos
}

// afterDigits returns the position after the digits at pos.
func afterDigits(base unsafe.Pointer, pos, end int) int {
	for pos < end && at(base, pos)-'0' <= 9 {
		pos++
	}
	return pos
}

// strip drops the zeros before the first other digit and those after the last.
func (s *scanned) strip() {
	for len(s.whole) > 0 && s.whole[0] == '0' {
		s.whole = s.whole[1:]
	}
	if len(s.whole) == 0 {
		for len(s.fraction) > 0 && s.fraction[0] == '0' {
			s.fraction = s.fraction[1:]
		}
	}
	for n := len(s.fraction); n > 0 && s.fraction[n-1] == '0'; n-- {
		s.fraction = s.fraction[:n-1]
		s.exponent++
	}
	if len(s.fraction) > 0 {
		return
	}
	for n := len(s.whole); n > 0 && s.whole[n-1] == '0'; n-- {
		s.whole = s.whole[:n-1]
		s.exponent++
	}
}

// count is how many digits there are.
func (s *scanned) count() int { return len(s.whole) + len(s.fraction) }

// digit returns the value of a digit; after the last there are zeros.
func (s *scanned) digit(i int) byte {
	if i < len(s.whole) {
		return s.whole[i] - '0'
	}
	if i -= len(s.whole); i < len(s.fraction) {
		return s.fraction[i] - '0'
	}
	return 0
}

// exactPowers are the powers of ten that a double holds exactly.
var exactPowers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// plain reads the digits of a number, after its sign and up to its exponent: as a whole number, and how many of them stand after the point. A negative position is a fault, or
// `failed` where the digits are too many for 64 bits.
func plain(base unsafe.Pointer, pos, end int) (m uint64, fraction, next int) {
	first := pos
	count := 1
	if end-pos >= 2 && at(base, pos+1) == '.' && at(base, pos)-'0' <= 9 { // most numbers with a fraction
		m = uint64(at(base, pos) - '0')
		pos++
	} else {
		var n int
		m, n = digits(word(base, pos, end))
		pos += n
		if n == 8 {
			if m, pos = moreDigits(m, 8, base, pos, end); pos < 0 {
				return 0, 0, failed
			}
		}
		if count = pos - first; count == 0 || count > 1 && at(base, first) == '0' {
			return 0, 0, faultNumber.position()
		}
		if pos >= end || at(base, pos) != '.' {
			return m, 0, pos
		}
	}
	pos++
	first = pos
	if m == 0 {
		count = 0 // and zeros after the point count, though they need not
	}
	w, n := digits(word(base, pos, end))
	if count+n > safeDigits {
		return 0, 0, failed
	}
	m = m*powersOfTen[n] + w
	pos += n
	if n == 8 {
		if m, pos = moreDigits(m, count+8, base, pos, end); pos < 0 {
			return 0, 0, failed
		}
	}
	if pos == first {
		return 0, 0, faultNumber.position()
	}
	return m, pos - first, pos
}

// double reads a number as the double that is nearest to it, and returns the position after it. A negative position is a fault.
func double(base unsafe.Pointer, pos, end int) (f float64, next int) {
	from := pos
	negative := false
	if pos < end && at(base, pos) == '-' {
		negative = true
		pos++
	}
	m, fraction, pos := plain(base, pos, end)
	if pos < 0 {
		if pos == failed {
			return slowDouble(base, from, end)
		}
		return 0, pos
	}
	exponent := -fraction
	if pos < end && at(base, pos)|0x20 == 'e' {
		pos++
		below := false
		if pos < end && (at(base, pos) == '-' || at(base, pos) == '+') {
			below = at(base, pos) == '-'
			pos++
		}
		w, n := digits(word(base, pos, end))
		if n == 0 {
			return 0, faultNumber.position()
		}
		if n == 8 {
			return slowDouble(base, from, end)
		}
		pos += n
		if below {
			exponent -= int(w) //nolint:gosec // seven digits
		} else {
			exponent += int(w) //nolint:gosec // seven digits
		}
	}
	switch {
	case m>>53 == 0 && exponent <= 0 && exponent >= -22:
		f = float64(m) / exactPowers[-exponent] // both are exact, so that the quotient is rounded once
	case m>>53 == 0 && exponent > 0 && exponent <= 22:
		f = float64(m) * exactPowers[exponent]
	default:
		nearest, sure := eiselLemire(m, exponent)
		if !sure {
			return slowDouble(base, from, end)
		}
		f = nearest
	}
	if negative {
		f = -f
	}
	return f, pos
}

// moreDigits adds the digits at pos to a number that has so many. The position is negative where they are too many for 64 bits.
func moreDigits(m uint64, count int, base unsafe.Pointer, pos, end int) (sum uint64, next int) {
	w, n := digits(word(base, pos, end))
	if count+n > safeDigits {
		return 0, failed
	}
	m = m*powersOfTen[n] + w
	pos += n
	if n < 8 {
		return m, pos
	}
	for count += 8; pos < end && at(base, pos)-'0' <= 9; pos++ { // few, as a double has no more than 17
		if count++; count > safeDigits {
			return 0, failed
		}
		m = m*10 + uint64(at(base, pos)-'0')
	}
	return m, pos
}

// slowDouble reads any number with strconv.
//
//go:noinline
func slowDouble(base unsafe.Pointer, pos, end int) (f float64, next int) {
	return parsed(base, pos, end, 64)
}

// parsed reads a number of 32 or 64 bits with strconv. That a number is too small for its type is no error: it is a zero.
func parsed(base unsafe.Pointer, pos, end, size int) (f float64, next int) {
	_, next = scan(base, pos, end)
	if next < 0 {
		return 0, next
	}
	f, err := strconv.ParseFloat(unsafe.String((*byte)(unsafe.Add(base, pos)), next-pos), size)
	if err != nil {
		return 0, faultRange.position()
	}
	return f, next
}

// float reads a number as the float of 32 bits that is nearest to it.
func float(base unsafe.Pointer, pos, end int) (f float32, next int) {
	d, next := double(base, pos, end)
	if next < 0 {
		return 0, next
	}
	const (
		dropped  = 1<<29 - 1 // the bits of a double that a float does not have
		halfway  = 1 << 28
		smallest = 0x1p-126 // below it a float has fewer bits
	)
	if math.Float64bits(d)&dropped == halfway || d != 0 && math.Abs(d) < smallest {
		// Rounding twice is not rounding once: the double may lie in the middle between two floats, and the number does not.
		d, next = parsed(base, pos, end, 32)
		return float32(d), next
	}
	if f = float32(d); math.IsInf(float64(f), 0) {
		return 0, faultRange.position()
	}
	return f, next
}

// shortDecimal reads a number that is written without an exponent and has no more digits than 64 bits hold, times ten to the power of the scale: most decimals. It reports whether it
// is one, and fits.
func shortDecimal(base unsafe.Pointer, pos, end, precision, scale int) (words [4]uint64, next int, fits bool) {
	negative := false
	if pos < end && at(base, pos) == '-' {
		negative = true
		pos++
	}
	m, fraction, next := plain(base, pos, end)
	if next < 0 || fraction > scale || next < end && at(base, next)|0x20 == 'e' {
		return words, 0, false
	}
	shift := scale - fraction
	if next-pos+shift > min(precision, safeDigits) {
		return words, 0, false
	}
	words[0] = m * powersOfTen[shift]
	if negative && m != 0 {
		words = [4]uint64{-words[0], math.MaxUint64, math.MaxUint64, math.MaxUint64}
	}
	return words, next, true
}

// unscaled is the number times ten to the power of the scale, in two's complement, its words from the lowest.
func (s *scanned) unscaled(precision, scale int) (words [4]uint64, f fault) {
	s.strip()
	n := s.count()
	shift := s.exponent + scale // zeros after the last digit
	switch {
	case n == 0:
		return words, ok
	case shift < 0:
		return words, faultScale
	case n+shift > precision:
		return words, faultPrecision
	}
	for i := 0; i < n+shift; {
		var part uint64
		k := min(safeDigits, n+shift-i)
		for range k {
			part = part*10 + uint64(s.digit(i))
			i++
		}
		for w := range words {
			high, low := bits.Mul64(words[w], powersOfTen[k])
			low, carry := bits.Add64(low, part, 0)
			words[w], part = low, high+carry
		}
	}
	if s.negative {
		var carry uint64 = 1
		for w := range words {
			words[w], carry = bits.Add64(^words[w], 0, carry)
		}
	}
	return words, ok
}
