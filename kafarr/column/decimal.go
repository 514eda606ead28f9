package column

import (
	"math"
	"math/big"
	"math/bits"
	"unsafe"
)

// DecimalLimits are the powers of ten, as words from the lowest: a decimal of p digits lies strictly between -DecimalLimits[p] and DecimalLimits[p].
var DecimalLimits = func() (table [77][4]uint64) {
	n := big.NewInt(1)
	for p := range table {
		for i, w := range n.Bits() {
			table[p][i] = uint64(w)
		}
		n.Mul(n, big.NewInt(10))
	}
	return table
}()

// DecimalFits reports whether a decimal, in two's complement, has no more digits than its precision.
func DecimalFits(words [4]uint64, precision int) bool {
	return below(magnitude(words), DecimalLimits[precision])
}

// DecimalOf reads n big-endian bytes in two's complement as words from the lowest, with the sign extended, as Arrow has decimals. It reports whether they fit; no bytes are a zero.
func DecimalOf(base unsafe.Pointer, pos, n int) (words [4]uint64, fits bool) {
	if n == 0 {
		return words, true
	}
	var fill uint64
	if *(*int8)(unsafe.Add(base, pos)) < 0 {
		fill = math.MaxUint64
	}
	for n > 32 { // more bytes than needed, if they say nothing but the sign
		if *(*byte)(unsafe.Add(base, pos)) != byte(fill) { // all ones or all zeros
			return words, false
		}
		pos++
		n--
	}
	if n == 32 && (*(*int8)(unsafe.Add(base, pos)) < 0) != (fill != 0) {
		return words, false
	}
	k := 0
	for ; n >= 8; k++ {
		n -= 8
		words[k] = bits.ReverseBytes64(*(*uint64)(unsafe.Add(base, pos+n)))
	}
	if n > 0 {
		w := fill
		for i := range n {
			w = w<<8 | uint64(*(*byte)(unsafe.Add(base, pos+i)))
		}
		words[k] = w
		k++
	}
	for ; k < 4; k++ {
		words[k] = fill
	}
	return words, true
}

func magnitude(w [4]uint64) [4]uint64 {
	if int64(w[3]) >= 0 { //nolint:gosec // the sign bit
		return w
	}
	var carry uint64 = 1
	for i := range w {
		w[i], carry = bits.Add64(^w[i], 0, carry)
	}
	return w
}

func below(a, b [4]uint64) bool {
	for i := 3; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// AppendDecimal writes a number with all of its digits: 12345 with scale 2 is 123.45, with scale -2 1234500.
func AppendDecimal(to []byte, unscaled *big.Int, scale int) []byte {
	if unscaled.Sign() < 0 {
		to = append(to, '-')
	}
	digits := new(big.Int).Abs(unscaled).Append(nil, 10)
	if scale <= 0 {
		to = append(to, digits...)
		for ; scale < 0 && unscaled.Sign() != 0; scale++ {
			to = append(to, '0')
		}
		return to
	}
	if zeros := scale - len(digits); zeros >= 0 {
		to = append(to, "0."...)
		for range zeros {
			to = append(to, '0')
		}
		return append(to, digits...)
	}
	to = append(to, digits[:len(digits)-scale]...)
	to = append(to, '.')
	return append(to, digits[len(digits)-scale:]...)
}
