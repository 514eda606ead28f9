package json

import (
	"math"
	"math/big"
	"math/bits"
	"sync"
)

// The powers of ten that a double of up to 19 digits may be multiplied by.
const (
	leastPower = -348
	mostPower  = 347
)

// widePower holds the highest 128 bits of a power of ten, cut off.
type widePower struct{ low, high uint64 }

var (
	widePowers     [mostPower - leastPower + 1]widePower
	makeWidePowers = sync.OnceFunc(func() {
		for e := leastPower; e <= mostPower; e++ {
			p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil)
			if e < 0 { // 1/p with 128 bits before the point
				p.Quo(new(big.Int).Lsh(big.NewInt(1), uint(p.BitLen()+127)), p)
			}
			if n := p.BitLen() - 128; n > 0 {
				p.Rsh(p, uint(n))
			} else {
				p.Lsh(p, uint(-n))
			}
			low := new(big.Int).And(p, new(big.Int).SetUint64(math.MaxUint64))
			widePowers[e-leastPower] = widePower{low.Uint64(), p.Rsh(p, 64).Uint64()}
		}
	})
)

// eiselLemire returns the double nearest to m·10^e, and whether it is sure of it: "Number Parsing at a Gigabyte per Second", Daniel Lemire, 2021. The product of m and the highest bits
// of the power is so close to the number that it decides the rounding nearly always. makeWidePowers comes before.
func eiselLemire(m uint64, e int) (f float64, sure bool) {
	if m == 0 {
		return 0, true
	}
	if e < leastPower || e > mostPower {
		return 0, false
	}
	const (
		exponentBias = 1023
		mantissaBits = 52
		cut          = 0x1FF // the bits of the product's upper half that a mantissa and its rounding bit do not take
	)
	power := &widePowers[e-leastPower]
	zeros := bits.LeadingZeros64(m)
	m <<= zeros
	exponent := uint64(217706*e>>16+64+exponentBias) - uint64(zeros) //nolint:gosec // 217706/2^16 is log2(10); positive in this range

	high, low := bits.Mul64(m, power.high)
	if high&cut == cut && low+m < m { // what is cut off of the power could carry into the rounding bit
		nextHigh, nextLow := bits.Mul64(m, power.low)
		sum, carry := bits.Add64(low, nextHigh, 0)
		top := high + carry
		if top&cut == cut && sum+1 == 0 && nextLow+m < m {
			return 0, false
		}
		high, low = top, sum
	}
	msb := high >> 63
	mantissa := high >> (msb + 9) // 54 bits, the last of which rounds
	exponent -= 1 ^ msb
	if low == 0 && high&cut == 0 && mantissa&3 == 1 {
		return 0, false // in the middle, as far as can be seen
	}
	mantissa += mantissa & 1
	mantissa >>= 1
	if mantissa>>(mantissaBits+1) > 0 {
		mantissa >>= 1
		exponent++
	}
	if exponent-1 >= 0x7FF-1 {
		return 0, false // too small for a normal double, or too large
	}
	return math.Float64frombits(exponent<<mantissaBits | mantissa&(1<<mantissaBits-1)), true
}
