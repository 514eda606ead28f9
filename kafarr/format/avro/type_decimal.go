package avro

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// decimal is an unscaled whole number, two's complement, big-endian, in bytes or a fixed; the scale stands in the schema. It becomes decimal128 to 38 digits,
// decimal256 to 76, and beyond that, where Arrow has no type, the text of all its digits, as a big-decimal does.
func decimalLeaf(s *Schema) (leaf, bool) {
	if s.Type != Bytes && s.Type != Fixed || decimalFault(s) != "" {
		return leaf{}, false
	}
	p, scale := s.Logical.Precision, s.Logical.Scale
	code := decimalCode(s.Type, p)
	if p > decimal256Digits {
		l := stringLeaf(s)
		l.code, l.size = code, p
		l.shape = fmt.Sprintf("decimal(%d, %d)", p, scale) // two scales must not share a column
		return l, true
	}
	var t arrow.DataType = &arrow.Decimal128Type{Precision: int32(p), Scale: int32(scale)} //nolint:gosec // at most 76
	width := 16
	if p > 38 {
		t, width = &arrow.Decimal256Type{Precision: int32(p), Scale: int32(scale)}, 32 //nolint:gosec // at most 76
	}
	return leaf{dtype: t, code: code, size: p, make: func() column.Column { return column.NewFixed(t, width) }}, true
}

// decimalFault is why a decimal on bytes or a fixed is not valid; empty: it is.
func decimalFault(s *Schema) string {
	switch p, scale := s.Logical.Precision, s.Logical.Scale; {
	case p < 1:
		return "its precision is missing, or no whole number from 1"
	case p > maxDecimalDigits:
		return fmt.Sprintf("its precision %d exceeds %d", p, maxDecimalDigits)
	case scale < 0:
		return "its scale is no whole number from 0"
	case scale > p:
		return fmt.Sprintf("its scale %d exceeds its precision %d", scale, p)
	case s.Type == Fixed && (s.Size < 1 || p > fixedDigits(s.Size)):
		return fmt.Sprintf("a fixed of %d bytes does not hold its precision of %d digits", s.Size, p)
	}
	return ""
}

const (
	decimal256Digits = 76
	// maxDecimalDigits bounds the zeros that a short message can ask for.
	maxDecimalDigits = 100_000
)

// decimalCode is how a decimal that was written as bytes or as a fixed is read as one of so many digits.
func decimalCode(written Type, precision int) opcode {
	switch text := precision > decimal256Digits; {
	case text && written == Fixed:
		return opDecimalFixedText
	case text:
		return opDecimalText
	case written == Fixed:
		return opDecimalFixed
	}
	return opDecimalBytes
}

// fixedDigits is how many digits a fixed of n bytes always holds: floor(log10(2^(8n-1) - 1)).
func fixedDigits(n int) int {
	return int(math.Floor(float64(8*n-1) * math.Log10(2)))
}

func (a *Appender) decimal(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	var n int
	if s.code == opDecimalFixed {
		if n = s.more.more; end-pos < n {
			return a.fail(faultShort, i, 0)
		}
	} else if n, pos = a.length(i, base, pos, end); pos < 0 {
		return failed
	}
	words, fits := column.DecimalOf(base, pos, n)
	if !fits || !column.DecimalFits(words, int(s.size)) {
		return a.outOfRange(s, i, pos+n, faultPrecision, 0)
	}
	s.fixed.AppendBytes(unsafe.Pointer(&words)) // the column takes as many of the words as it is wide
	return pos + n
}

// decimalText appends a decimal of more digits than Arrow's types have.
func (a *Appender) decimalText(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	n := s.more.more
	if s.code == opDecimalFixedText {
		if end-pos < n {
			return a.fail(faultShort, i, 0)
		}
	} else if n, pos = a.length(i, base, pos, end); pos < 0 {
		return failed
	}
	if n > maxDecimalDigits {
		return a.outOfRange(s, i, pos+n, faultDecimalText, int64(n))
	}
	scale := s.more.schema.Logical.Scale
	if !a.effort.Spend(int64(scale + n)) {
		return a.fail(faultSteps, i, 0)
	}
	a.text = column.AppendDecimal(a.text[:0], bigInt(base, pos, n), scale)
	digits := len(bytes.TrimLeft(a.text, "-0."))
	if scale > 0 && digits > scale {
		digits-- // the point
	}
	if digits > int(s.size) {
		return a.outOfRange(s, i, pos+n, faultPrecision, 0)
	}
	if !s.varlen.Fits(len(a.text)) {
		return a.fail(faultFull, i, 0)
	}
	s.varlen.Append(unsafe.Pointer(unsafe.SliceData(a.text)), len(a.text))
	return pos + n
}

// bigInt reads n big-endian bytes as a number with a sign.
func bigInt(base unsafe.Pointer, pos, n int) *big.Int {
	v := new(big.Int).SetBytes(format.Span(base, pos, n))
	if n > 0 && *(*int8)(unsafe.Add(base, pos)) < 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return v
}

// big-decimal carries its scale in each value: bytes that hold the unscaled value, as bytes, and the scale, as an int. It becomes the exact text.
func bigDecimalLeaf(s *Schema) (leaf, bool) {
	l := stringLeaf(s)
	l.code = opBigDecimal
	return l, s.Type == Bytes
}

// maxBigDecimalScale bounds the zeros that a short message can ask for.
const maxBigDecimalScale = 100_000

func (a *Appender) bigDecimal(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	n, pos := a.length(i, base, pos, end)
	if pos < 0 {
		return failed
	}
	stop := pos + n
	digits, at := a.length(i, base, pos, stop)
	if at < 0 {
		return failed
	}
	scale, next := a.integer(32, i, base, at+digits, stop)
	if next < 0 {
		return failed
	}
	switch {
	case next != stop:
		return a.fail(faultBigDecimal, i, 0)
	case scale < -maxBigDecimalScale || scale > maxBigDecimalScale || digits > maxBigDecimalScale:
		return a.outOfRange(s, i, next, faultScale, 0)
	}
	if !a.effort.Spend(int64(max(int(scale), -int(scale)) + digits)) {
		return a.fail(faultSteps, i, 0)
	}
	a.text = column.AppendDecimal(a.text[:0], bigInt(base, at, digits), int(scale))
	if !s.varlen.Fits(len(a.text)) {
		return a.fail(faultFull, i, 0)
	}
	s.varlen.Append(unsafe.Pointer(unsafe.SliceData(a.text)), len(a.text))
	return next
}
