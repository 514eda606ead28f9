package avro

import (
	"bytes"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// decimalWriter writes decimals that have the field's scale already.
type decimalWriter struct {
	target
	width int // bytes of Arrow's
	scale int
	made  bool // the values have another scale, or one of each value
}

// decimalColumn takes decimals of any width and scale, whole numbers, the text of a number (which decimals of more than 76 digits and big-decimals are read as), and, for a decimal,
// the bytes as they are to be written.
func decimalColumn(to target, t arrow.DataType, code opcode) writer {
	big := code == opBigDecimal
	st := frame.Storage(t)
	switch d := st.(type) {
	case arrow.DecimalType:
		w := &decimalWriter{target: to, width: d.(arrow.FixedWidthDataType).Bytes(), scale: int(d.GetScale())}
		w.made = big || w.scale != to.schema.Logical.Scale
		return w
	case *arrow.FixedSizeBinaryType:
		if big || to.schema.Type == Fixed && d.ByteWidth != to.schema.Size {
			return nil
		}
		return &madeWriter{to, spanWriter{target: to, layout: frame.FixedSize, width: d.ByteWidth, size: -1}, decimalBytes}
	}
	if load, ok := frame.Loads[st.ID()]; ok && load < frame.Float16 {
		return &wholeDecimalWriter{to, conversion{load: load}}
	}
	switch source := (spanWriter{target: to, layout: spanLayout(t), size: -1}); {
	case frame.IsText(t):
		return &madeWriter{to, source, decimalText}
	case frame.IsBinary(t) && !big:
		return &madeWriter{to, source, decimalBytes}
	}
	return nil
}

func (w *decimalWriter) bind(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, writeDecimal)
	if err != nil {
		return err
	}
	if o.data, err = s.Buffer(w.path, 1, w.width, s.N); err != nil {
		return err
	}
	if w.made {
		return w.rescaled(b, s, o)
	}
	digits := min(w.schema.Logical.Precision, decimal256Digits)
	wide := w.schema.Logical.Precision > decimal256Digits // Arrow's have fewer digits
	if s.Live == nil && w.width == 16 && !wide && decimalsFit(unsafe.Slice((*[2]uint64)(o.data), s.N), column.DecimalLimits[digits]) {
		return w.add(b, o)
	}
	err = s.Each(w.path, nulls, func(i int) error {
		words := frame.DecimalWords(o.data, i, w.width)
		if wide || column.DecimalFits(words, digits) {
			return nil
		}
		return w.wrong(&s, i, w.text(words), "has more digits than %s, whose precision is %d", w.schema.describe(), w.schema.Logical.Precision)
	})
	if err != nil {
		return err
	}
	return w.add(b, o)
}

func (w *decimalWriter) add(b *binder, o writeOp) error {
	if w.schema.Type == Fixed {
		o.size = int32(w.schema.Size) //nolint:gosec // at most maxFixedSize
	}
	if w.width == 16 && w.schema.Type == Bytes {
		o.code = writeDecimal128
	} else {
		o.more = &writeMore{width: w.width}
	}
	b.add(o, 36)
	return nil
}

// decimalsFit is a quick look at decimals of 16 bytes, null or not: whether all lie within a power of ten. false: look closer.
func decimalsFit(values [][2]uint64, limit [4]uint64) bool {
	fit := true
	for i := range values {
		low, high := values[i][0], values[i][1]
		sign := uint64(int64(high) >> 63) //nolint:gosec // the sign, in all bits
		low, borrow := bits.Sub64(low^sign, sign, 0)
		high, _ = bits.Sub64(high^sign, sign, borrow)
		_, less := bits.Sub64(low, limit[0], 0)
		_, less = bits.Sub64(high, limit[1], less)
		fit = fit && (less != 0 || limit[2] != 0)
	}
	return fit
}

// rescaled writes values whose scale is not the field's.
func (w *decimalWriter) rescaled(b *binder, s frame.Segment, o writeOp) error {
	return makeDecimals(b, s, &w.target, o, func(i int) (string, *big.Int, int) {
		words := frame.DecimalWords(o.data, i, w.width)
		return w.text(words), wordsInt(words), w.scale
	})
}

func (w *decimalWriter) text(words [4]uint64) string {
	if w.scale < 0 || w.scale > maxDecimalDigits {
		return wordsInt(words).String() + "e" + strconv.Itoa(-w.scale)
	}
	return string(column.AppendDecimal(nil, wordsInt(words), w.scale))
}

// wordsInt is a number of words from the lowest.
func wordsInt(words [4]uint64) *big.Int {
	var b [32]byte
	for k := range b {
		at := 31 - k
		b[k] = byte(words[at>>3] >> (at & 7 << 3)) //nolint:gosec // the lowest byte
	}
	return bigInt(unsafe.Pointer(&b), 0, 32)
}

// wholeDecimalWriter writes whole numbers as decimals.
type wholeDecimalWriter struct {
	target
	convert conversion
}

func (w *wholeDecimalWriter) bind(b *binder, s frame.Segment) error {
	o, _, err := b.start(&w.target, &s, writeSpan)
	if err != nil {
		return err
	}
	if o.data, err = s.Buffer(w.path, 1, w.convert.load.Bytes(), s.N); err != nil {
		return err
	}
	return makeDecimals(b, s, &w.target, o, func(i int) (string, *big.Int, int) {
		v, ok := w.convert.load.Whole(o.data, i)
		n := big.NewInt(v)
		if !ok {
			n.SetUint64(uint64(v)) //nolint:gosec // it has none of the sign
		}
		return w.convert.text(o.data, i), n, 0
	})
}

// makeDecimals writes numbers of any scale.
func makeDecimals(b *binder, s frame.Segment, to *target, o writeOp, number func(i int) (text string, unscaled *big.Int, scale int)) error {
	m := &made{ends: make([]int64, s.N+1)}
	for i := range s.N {
		if s.Counts(i) && !o.isNull(i) {
			text, unscaled, scale := number(i)
			var err error
			if m.bytes, err = appendScaled(m.bytes, to.schema, unscaled, scale); err != nil {
				return to.wrong(&s, i, text, "cannot be written as %s: %v", to.schema.describe(), err)
			}
		}
		m.ends[i+1] = int64(len(m.bytes))
	}
	m.add(b, o)
	return nil
}

// appendScaled appends a number as a decimal of the schema's scale and precision, or as a big-decimal of its own.
func appendScaled(dst []byte, s *Schema, unscaled *big.Int, scale int) ([]byte, error) {
	if s.Logical.Name == "big-decimal" {
		inner := appendTwosComplement(nil, unscaled)
		size := len(inner)
		inner = appendZigzag(append(appendZigzag(nil, int64(size)), inner...), int64(scale))
		return append(appendZigzag(dst, int64(len(inner))), inner...), nil
	}
	switch by := s.Logical.Scale - scale; {
	case unscaled.Sign() == 0: // of any scale
	case by > maxDecimalDigits: // the scale of a column is any number of 32 bits, and its power would be made for minutes
		return nil, fmt.Errorf("it has more digits than the precision of %d", s.Logical.Precision)
	case -by > maxDecimalDigits:
		return nil, fmt.Errorf("its scale is %d, and the value has more digits after the point: round it", s.Logical.Scale)
	case by > 0:
		unscaled = new(big.Int).Mul(unscaled, powerOfTen(by))
	case by < 0:
		quotient, rest := new(big.Int).QuoRem(unscaled, powerOfTen(-by), new(big.Int))
		if rest.Sign() != 0 {
			return nil, fmt.Errorf("its scale is %d, and the value has more digits after the point: round it", s.Logical.Scale)
		}
		unscaled = quotient
	}
	if len(new(big.Int).Abs(unscaled).Append(nil, 10)) > s.Logical.Precision && unscaled.Sign() != 0 {
		return nil, fmt.Errorf("it has more digits than the precision of %d", s.Logical.Precision)
	}
	return appendDecimalBytes(dst, s, appendTwosComplement(nil, unscaled))
}

// appendDecimalBytes appends a two's complement as bytes or as a fixed.
func appendDecimalBytes(dst []byte, s *Schema, b []byte) ([]byte, error) {
	if s.Type != Fixed {
		return append(appendZigzag(dst, int64(len(b))), b...), nil
	}
	if len(b) > s.Size {
		return nil, fmt.Errorf("it does not fit into %d bytes", s.Size)
	}
	var fill byte
	if b[0]&0x80 != 0 {
		fill = 0xff
	}
	for range s.Size - len(b) {
		dst = append(dst, fill)
	}
	return append(dst, b...), nil
}

// appendTwosComplement appends the shortest big-endian two's complement.
func appendTwosComplement(dst []byte, n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	b := new(big.Int).Not(n).Bytes() // -n - 1, whose bits are those of n turned round
	if len(b) == 0 || b[0]&0x80 != 0 {
		dst = append(dst, 0xff)
	}
	for _, c := range b {
		dst = append(dst, ^c)
	}
	return dst
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// decimalText reads the text of a number, such as -12.50 or 1E+3.
func decimalText(to *target, dst, text []byte) ([]byte, error) {
	unscaled, scale, err := parseDecimal(text)
	if err != nil {
		return nil, err
	}
	return appendScaled(dst, to.schema, unscaled, scale)
}

func parseDecimal(text []byte) (*big.Int, int, error) {
	wrong := errorText("it must be a number, such as -12.50")
	number, power, hasPower := bytes.Cut(bytes.ToLower(text), []byte("e"))
	exponent := 0
	if hasPower {
		var err error
		if exponent, err = strconv.Atoi(string(power)); err != nil {
			return nil, 0, wrong
		}
	}
	if len(number) > maxDecimalDigits+3 || exponent > maxDecimalDigits || exponent < -maxDecimalDigits {
		return nil, 0, fmt.Errorf("it has more than %d digits", maxDecimalDigits)
	}
	whole, fraction, hasPoint := bytes.Cut(number, []byte("."))
	digits := append(bytes.Clone(whole), fraction...)
	sign := 0
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		sign = 1
	}
	if len(digits) == sign || hasPoint && len(whole) == 0 && sign == 1 {
		return nil, 0, wrong
	}
	for _, c := range digits[sign:] {
		if c < '0' || c > '9' {
			return nil, 0, wrong
		}
	}
	unscaled, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return nil, 0, wrong
	}
	return unscaled, len(fraction) - exponent, nil
}

// decimalBytes checks the two's complement of a decimal.
func decimalBytes(to *target, dst, b []byte) ([]byte, error) {
	if len(b) == 0 || len(b) > maxDecimalDigits {
		return nil, fmt.Errorf("%d bytes are no number", len(b))
	}
	n := bigInt(unsafe.Pointer(unsafe.SliceData(b)), 0, len(b))
	return appendScaled(dst, to.schema, n, to.schema.Logical.Scale)
}
