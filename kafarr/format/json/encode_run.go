package json

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Encoder writes the rows of one batch, which outlives it.
type Encoder struct {
	root source
	rows int
}

// Encode implements format.Encoder.
func (e *Encoder) Encode(dst []byte, row int) (n int, ok bool) {
	if uint(row) >= uint(e.rows) {
		panic("json: a row beyond the batch") // a bug of the caller, which must not read foreign memory
	}
	limit := len(dst) - format.EncodeMargin
	if limit < 0 {
		return 0, false
	}
	out := output{limit: limit}
	b := dst[:0:len(dst)] // which no append goes beyond: room is looked at before what is long
	if e.root.column == noColumn {
		b = out.members(b, &e.root, row)
	} else {
		b = out.value(b, &e.root, row)
	}
	return len(b), !out.full
}

// output writes one row. Once it is full, nothing is written any more.
type output struct {
	limit int
	full  bool
}

// room reports whether n bytes may follow, besides the short ones that the margin is for.
func (o *output) room(b []byte, n int) bool {
	if n > o.limit-len(b) {
		o.full = true
	}
	return !o.full
}

// value writes a value of a column.
func (o *output) value(b []byte, s *source, i int) []byte {
	if !o.room(b, 0) {
		return b
	}
	c := s.from
	if c == nil || c.IsNull(i) {
		return append(b, "null"...)
	}
	switch s.op {
	case opObject:
		return o.members(b, s, c.Place(i))
	case opArray:
		return o.items(b, s, i)
	case opMap, opEntries:
		return o.entries(b, s, i)
	case opUnion:
		kid, at := s.branch(i)
		if kid == nil {
			return append(b, "null"...)
		}
		return o.value(b, kid, at)
	case opBoolean:
		return strconv.AppendBool(b, c.Bool(i))
	case opInt8, opInt16, opInt32, opInt64:
		return s.whole(b, i)
	case opFloat, opDouble:
		return s.real(b, i)
	case opText, opEnum:
		if s.uuid {
			return appendUUID(b, c.Bytes(i))
		}
		return o.text(b, c.Bytes(i))
	case opBytes:
		return o.base64(b, c.Bytes(i))
	case opAny:
		text := c.Bytes(i)
		if !o.room(b, len(text)) {
			return b
		}
		return append(b, text...)
	case opDecimal, opUnscaled:
		if s.made != nil {
			return append(b, s.made[i]...)
		}
		var buf [maxDigits]byte
		digits, negative, scale := s.digits(&buf, i)
		return appendDigits(b, digits, negative, scale)
	case opEpoch32, opEpoch64:
		v, _ := s.scaled(c.Int(i))
		return strconv.AppendInt(b, v, 10)
	case opDateTime, opDate, opTime:
		return o.time(b, s, i)
	}
	return append(b, "null"...) // a branch of null
}

// isLeftOut tells whether a member is not written at all.
func (s *source) isLeftOut(at int) bool {
	if !s.writer.from.Optional {
		return false
	}
	if s.from == nil || s.from.IsNull(at) {
		return true
	}
	if s.op != opUnion {
		return false
	}
	kid, _ := s.branch(at)
	return kid == nil
}

func (o *output) members(b []byte, s *source, at int) []byte {
	b = append(b, '{')
	first := true
	for k := range s.kids {
		kid := &s.kids[k]
		if kid.isLeftOut(at) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		if !o.room(b, len(kid.member)) {
			return b
		}
		b = append(b, kid.member...)
		if b = o.value(b, kid, at); o.full {
			return b
		}
	}
	return append(b, '}')
}

func (o *output) items(b []byte, s *source, i int) []byte {
	from, to := s.from.Range(i)
	b = append(b, '[')
	for j := from; j < to; j++ {
		if j > from {
			b = append(b, ',')
		}
		if b = o.value(b, &s.kids[0], j); o.full {
			return b
		}
	}
	return append(b, ']')
}

func (o *output) entries(b []byte, s *source, i int) []byte {
	from, to := s.from.Range(i)
	entry := &s.kids[0]
	opening, closing := byte('{'), byte('}')
	if s.op == opEntries {
		opening, closing = '[', ']'
	}
	b = append(b, opening)
	for j := from; j < to; j++ {
		if j > from {
			b = append(b, ',')
		}
		at := entry.from.Place(j)
		switch {
		case s.op == opMap:
			b = append(o.value(b, &entry.kids[0], at), ':')
			b = o.value(b, &entry.kids[1], at)
		case s.pairs:
			b = append(o.value(append(b, '['), &entry.kids[0], at), ',')
			b = append(o.value(b, &entry.kids[1], at), ']')
		default:
			b = o.members(b, entry, at)
		}
		if o.full {
			return b
		}
	}
	return append(b, closing)
}

// whole writes a whole number.
func (s *source) whole(b []byte, i int) []byte {
	switch c := s.from; {
	case c.IsFloat():
		return strconv.AppendInt(b, int64(c.Float(i)), 10)
	case c.IsUint64():
		return strconv.AppendUint(b, uint64(c.Int(i)), 10) //nolint:gosec // its bits
	default:
		return strconv.AppendInt(b, c.Int(i), 10)
	}
}

// real writes the shortest number that reads back as the same one.
func (s *source) real(b []byte, i int) []byte {
	c := s.from
	begin := len(b)
	if !c.IsFloat() {
		b = s.whole(b, i)
	} else {
		f, size := c.Float(i), 64
		if s.op == opFloat {
			size = 32
		}
		form := byte('f')
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			form = 'e'
		}
		b = strconv.AppendFloat(b, f, form, -1, size)
	}
	if s.fraction && isWholeText(b[begin:]) {
		b = append(b, ".0"...)
	}
	return b
}

func isWholeText(b []byte) bool {
	for _, c := range b {
		if c == '.' || c == 'e' {
			return false
		}
	}
	return true
}

// text writes a string.
func (o *output) text(b, text []byte) []byte {
	const longestEscape = 6
	if len(text) > (o.limit-len(b))/longestEscape && !o.room(b, escapedLen(text)) {
		return b
	}
	return appendText(b, text)
}

// escapedLen is how many bytes a text takes within quotes.
func escapedLen(text []byte) int {
	n := len(text)
	for _, c := range text {
		if escape := escapes[c]; escape != 0 {
			n++
			if escape == 'u' {
				n += 4
			}
		}
	}
	return n
}

// escapes are the letters after the backslash, for characters that do not stand as they are; 'u': four digits follow.
var escapes = func() (e [256]byte) {
	for c := range byte(' ') {
		e[c] = 'u'
	}
	e['"'], e['\\'], e['\b'], e['\f'], e['\n'], e['\r'], e['\t'] = '"', '\\', 'b', 'f', 'n', 'r', 't'
	return e
}()

// appendText writes a text, which is UTF-8, in quotes.
func appendText(b, text []byte) []byte {
	b = append(b, '"')
	base, end := unsafe.Pointer(unsafe.SliceData(text)), len(text)
	done := 0 // what was copied
	for pos := 0; pos < end; {
		if end-pos >= 8 {
			stop := special(format.Load64(base, pos))
			if stop == 0 {
				pos += 8
				continue
			}
			pos += bits.TrailingZeros64(stop) >> 3
		}
		c := text[pos]
		escape := escapes[c]
		if escape == 0 {
			if pos++; c >= utf8.RuneSelf {
				for pos < end && text[pos] >= utf8.RuneSelf {
					pos++
				}
			}
			continue
		}
		b = append(append(b, text[done:pos]...), '\\', escape)
		if escape == 'u' {
			const digits = "0123456789abcdef"
			b = append(b, '0', '0', digits[c>>4], digits[c&15])
		}
		pos++
		done = pos
	}
	return append(append(b, text[done:]...), '"')
}

func (o *output) base64(b, bytes []byte) []byte {
	n := base64.StdEncoding.EncodedLen(len(bytes))
	if !o.room(b, n) {
		return b
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), bytes), '"')
}

func appendUUID(b, id []byte) []byte {
	b = append(b, '"')
	for i, part := range [...][]byte{id[0:4], id[4:6], id[6:8], id[8:10], id[10:16]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return append(b, '"')
}

// maxDigits is how many digits a number of 256 bits may have.
const maxDigits = 80

// digits are those of a decimal or of a whole number, without leading zeros: none at all of zero, whose scale is 0, since that of a column may be any number.
func (s *source) digits(buf *[maxDigits]byte, i int) (digits []byte, negative bool, scale int) {
	var words [4]uint64
	if decimal, is := s.values.(arrow.DecimalType); is {
		words, scale = s.from.Words(i), int(decimal.GetScale())
		negative = int64(words[3]) < 0 //nolint:gosec // the sign
	} else {
		v := s.from.Int(i)
		words[0] = uint64(v) //nolint:gosec // its bits
		if negative = v < 0 && !s.from.IsUint64(); negative {
			words[1], words[2], words[3] = math.MaxUint64, math.MaxUint64, math.MaxUint64
		}
	}
	if negative {
		carry := uint64(1)
		for k, word := range words {
			words[k], carry = bits.Add64(^word, 0, carry)
		}
	}
	at := len(buf)
	top := 3
	for {
		for top >= 0 && words[top] == 0 { //nolint:gosec // at most 3, and not negative
			top--
		}
		if top < 0 {
			if at == len(buf) {
				scale = 0
			}
			return buf[at:], negative, scale
		}
		const chunk = 10_000_000_000_000_000_000 // 10^19
		var rest uint64
		for k := top; k >= 0; k-- {
			words[k], rest = bits.Div64(rest, words[k], chunk)
		}
		last := words[0]|words[1]|words[2]|words[3] == 0
		for n := 0; n < 19 && (!last || rest > 0); n++ {
			at--
			buf[at] = '0' + byte(rest%10)
			rest /= 10
		}
	}
}

// appendDigits writes digits with the point that a scale says, which may be negative.
func appendDigits(b, digits []byte, negative bool, scale int) []byte {
	if negative {
		b = append(b, '-')
	}
	if len(digits) <= scale || len(digits) == 0 {
		b = append(b, '0')
	} else {
		b = append(b, digits[:len(digits)-max(scale, 0)]...)
	}
	if len(digits) > 0 {
		for range -scale {
			b = append(b, '0')
		}
	}
	if scale <= 0 {
		return b
	}
	b = append(b, '.')
	for range scale - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits[max(len(digits)-scale, 0):]...)
}

// time writes a date or a time as RFC 3339 has it.
func (o *output) time(b []byte, s *source, i int) []byte {
	c := s.from
	if frame.IsText(s.values) {
		return o.text(b, c.Bytes(i))
	}
	v := c.Int(i)
	b = append(b, '"')
	if s.op == opDate {
		if s.values.ID() == arrow.DATE64 {
			v /= dayMillis
		}
		return append(appendDate(b, v), '"')
	}
	unit := unitNanos[unitOf(s.values)]
	perSecond := 1e9 / unit
	seconds := floorDiv(v, perSecond)
	nanos := (v - seconds*perSecond) * unit
	if s.op == opDateTime {
		days := floorDiv(seconds, daySeconds)
		b = append(appendDate(b, days), 'T')
		seconds -= days * daySeconds
	}
	b = appendClock(b, seconds, nanos)
	if s.op == opDateTime && s.zoned || s.op == opTime && s.writer.from.Type.Arrow == nil {
		b = append(b, 'Z')
	}
	return append(b, '"')
}

// appendDate writes yyyy-mm-dd of the days since 1970. Years begin with March, as in dateOf.
func appendDate(b []byte, days int64) []byte {
	z := days + 719_468 + 146_097 // from March of year -400
	era := z / 146_097
	ofEra := z - era*146_097
	year := (ofEra - ofEra/1460 + ofEra/36_524 - ofEra/146_096) / 365
	ofYear := ofEra - (365*year + year/4 - year/100)
	m := (5*ofYear + 2) / 153
	day := ofYear - (153*m+2)/5 + 1
	month := m + 3
	year += era*400 - 400
	if month > 12 {
		month -= 12
		year++
	}
	b = append2(append2(b, year/100), year%100)
	b = append2(append(b, '-'), month)
	return append2(append(b, '-'), day)
}

// append2 writes two digits.
func append2(b []byte, n int64) []byte { return append(b, digitOf(n/10), digitOf(n)) }

// digitOf is the last digit of a number.
func digitOf(n int64) byte { return "0123456789"[n%10] }

// appendClock writes hh:mm:ss, and what there is of a second, in 3, 6 or 9 digits.
func appendClock(b []byte, seconds, nanos int64) []byte {
	b = append2(b, seconds/3600)
	b = append2(append(b, ':'), seconds/60%60)
	b = append2(append(b, ':'), seconds%60)
	if nanos == 0 {
		return b
	}
	digits := 9
	for ; nanos%1000 == 0; digits -= 3 {
		nanos /= 1000
	}
	b = append(b, '.')
	for unit := pow10(digits - 1); unit > 0; unit /= 10 {
		b = append(b, digitOf(nanos/unit))
	}
	return b
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
