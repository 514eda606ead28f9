package protobuf

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// wholeOf is a number of 256 bits in two's complement.
func wholeOf(words [4]uint64) *big.Int {
	n := new(big.Int)
	for i := 3; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(words[i]))
	}
	if words[3]>>63 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	return n
}

// decimalText is a decimal of a column as it stands.
func decimalText(words [4]uint64, scale int32) string {
	return string(column.AppendDecimal(nil, wholeOf(words), int(scale)))
}

func (b *boundValue) decimalOfWords(dst []byte, words [4]uint64) ([]byte, error) {
	return b.appendDecimal(dst, wholeOf(words), int(b.scale))
}

// decimalOfText reads a text such as -12.50 or 1e3, whose digits after the point are the scale.
func (b *boundValue) decimalOfText(dst, text []byte) ([]byte, error) {
	const form = errorText("it must be a decimal number, such as -12.50")
	s := string(text)
	scale := 0
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(s[at+1:])
		if err != nil || exponent > maxScale || exponent < -maxScale {
			return nil, form
		}
		s, scale = s[:at], -exponent
	}
	if len(s) > maxScale {
		return nil, errorText(fmt.Sprintf("it has more than %d digits", maxScale))
	}
	if whole, part, found := strings.Cut(s, "."); found {
		s, scale = whole+part, scale+len(part)
	}
	if digits := strings.TrimLeft(s, "+-"); digits == "" || len(s)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return nil, form
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, form
	}
	return b.appendDecimal(dst, n, scale)
}

// appendDecimal writes a confluent.type.Decimal, of the scale that confluent.field_meta declares, if it does.
func (b *boundValue) appendDecimal(dst []byte, n *big.Int, scale int) ([]byte, error) {
	given := b.of.meta.params
	if precision, err := strconv.Atoi(given["precision"]); err == nil && precision <= maxDigits {
		declared, _ := strconv.Atoi(given["scale"])
		switch shift := declared - scale; {
		case n.Sign() == 0:
			scale = declared
		case shift > maxDigits || shift < -maxScale:
			return nil, errorText(fmt.Sprintf("it does not fit into decimal(%d, %d), which the field declares", precision, declared))
		case -shift > n.BitLen(): // ten to that power is greater than the number
			return nil, errorText(fmt.Sprintf("it has digits beyond the scale %d, which the field declares: round the column", declared))
		case shift >= 0:
			n, scale = new(big.Int).Mul(n, powers[shift]), declared
		default:
			q, rest := new(big.Int).QuoRem(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-shift)), nil), new(big.Int))
			if rest.Sign() != 0 {
				return nil, errorText(fmt.Sprintf("it has digits beyond the scale %d, which the field declares: round the column", declared))
			}
			n, scale = q, declared
		}
		if precision >= 0 && n.CmpAbs(powers[precision]) >= 0 {
			return nil, errorText(fmt.Sprintf("it has more than the %d digits that the field declares", precision))
		}
	}
	body := bytesOf(n)
	dst = protowire.AppendTag(dst, 1, protowire.BytesType)
	dst = protowire.AppendBytes(dst, body)
	if f := b.of.message.field(2); f != nil && (f.kind == kindUint32 || f.kind == kindInt32) {
		dst = protowire.AppendTag(dst, 2, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(len(new(big.Int).Abs(n).String())))
	}
	if scale != 0 {
		dst = protowire.AppendTag(dst, 3, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(int64(scale))) //nolint:gosec // a negative number takes ten bytes
	}
	return dst, nil
}

// bytesOf is the shortest two's complement, big-endian, as BigInteger.toByteArray of Java has it.
func bytesOf(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	size := uint(new(big.Int).Not(n).BitLen()/8 + 1)
	b := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 8*size)).Bytes()
	return b
}
