package protobuf

import (
	"math/big"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

const (
	// maxDigits is what Arrow's decimals hold.
	maxDigits = 76
	// maxScale bounds the zeros, and the digits, that a short message can ask for.
	maxScale = 100_000
)

// powers are the powers of ten to that of maxDigits.
var powers = func() (table [maxDigits + 1]*big.Int) {
	n := big.NewInt(1)
	for i := range table {
		table[i] = new(big.Int).Set(n)
		n.Mul(n, big.NewInt(10))
	}
	return table
}()

// decimal stores a confluent.type.Decimal: field 1 is an unscaled whole number, two's complement, big-endian, and field 3 its scale.
func (a *Appender) decimal(f *boundField, o op, base unsafe.Pointer, pos, end, row int) bool {
	var value []byte
	var scale int32
	for pos < end {
		u, next := format.Varint(base, pos, end)
		if next < 0 || u > 1<<32-1 {
			a.fail(faultNumber, f.more, 0)
			return false
		}
		var fault fault
		if pos, fault = skipValue(uint32(u), base, next, end, 1); fault != ok {
			a.fail(fault, f.more, int64(u))
			return false
		}
		switch u {
		case 1<<3 | wireBytes:
			_, start := format.Varint(base, next, end)
			value = format.Span(base, start, pos-start)
		case 3<<3 | wireVarint:
			s, _ := format.Varint(base, next, end)
			scale = int32(s) //nolint:gosec // the low bits, as the wire format says
		}
	}
	if len(value) > maxScale || scale > maxScale || scale < -maxScale {
		return a.outOfRange(f, faultScale)
	}
	if !a.effort.Spend(abs(int64(scale)) + int64(len(value))) {
		a.fail(faultSteps, f.more, 0)
		return false
	}
	n := new(big.Int).SetBytes(value)
	if len(value) > 0 && value[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(value))))
	}
	if o == opDecimalText {
		a.text = column.AppendDecimal(a.text[:0], n, int(scale))
		return a.put(f)
	}
	l := f.more.layout
	switch shift := int(l.scale) - int(scale); {
	case n.Sign() == 0:
	case shift > maxDigits || shift < -maxScale:
		return a.outOfRange(f, faultPrecision)
	case shift >= 0:
		n.Mul(n, powers[shift])
	default:
		rest := new(big.Int)
		if n.QuoRem(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-shift)), nil), rest); rest.Sign() != 0 {
			return a.outOfRange(f, faultPrecision)
		}
	}
	if n.CmpAbs(powers[l.digits]) >= 0 {
		return a.outOfRange(f, faultPrecision)
	}
	var words [4]uint64
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	for i, w := range n.Bits() {
		words[i] = uint64(w)
	}
	f.fixed.PutBytes(row, unsafe.Pointer(&words)) // the column takes as many of the words as it is wide
	return true
}

// put stores a.text at the row that is being written.
func (a *Appender) put(f *boundField) bool {
	if !f.text.Fits(len(a.text)) {
		a.fail(faultFull, nil, 0)
		return false
	}
	f.text.Put(unsafe.Pointer(unsafe.SliceData(a.text)), len(a.text))
	return true
}
