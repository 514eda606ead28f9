package json

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

const (
	lowBits = 0x0101010101010101
	// shortText is how long a text may be that is copied while its end is looked for.
	shortText = 64
)

// special has the highest bit set in each byte of a word that is a quote, a backslash, a control character or not ASCII. Of the bits that are set, the lowest is right: a byte may be
// taken for one after such a one.
func special(x uint64) uint64 {
	quote, backslash := x^'"'*lowBits, x^'\\'*lowBits
	return ((quote-lowBits)&^quote | (backslash-lowBits)&^backslash | (x-' '*lowBits)&^x | x) & highBits
}

// What stands in a string besides plain ASCII.
const (
	hasEscapes = 1 << iota
	hasHighBytes
)

// endOfString finds the closing quote of the string whose content begins at pos. A negative position is a fault. What lies between is checked but for its escapes and its UTF-8.
func endOfString(base unsafe.Pointer, pos, end int) (quote int, has uint8) {
	for {
		for end-pos >= 8 {
			stop := special(format.Load64(base, pos))
			if stop != 0 {
				pos += bits.TrailingZeros64(stop) >> 3
				break
			}
			pos += 8
		}
		if pos >= end {
			return faultShort.position(), 0
		}
		switch c := at(base, pos); {
		case c == '"':
			return pos, has
		case c == '\\':
			has |= hasEscapes
			pos += 2
		case c < ' ':
			return faultControl.position(), 0
		case c < utf8.RuneSelf: // one of the last bytes
			pos++
		default:
			has |= hasHighBytes
			for pos < end && at(base, pos) >= utf8.RuneSelf {
				pos++
			}
		}
	}
}

// checkString finds the position after the string whose content begins at pos, and checks all of it.
func (a *Appender) checkString(base unsafe.Pointer, pos, end int) int {
	quote, has := endOfString(base, pos, end)
	if quote < 0 {
		return quote
	}
	if has&hasHighBytes != 0 && !utf8.Valid(format.Span(base, pos, quote-pos)) {
		return faultUTF8.position()
	}
	if has&hasEscapes != 0 {
		a.scratch = grown(a.scratch, quote-pos)
		if _, f := unescape(a.scratch, format.Span(base, pos, quote-pos)); f != ok {
			return f.position()
		}
	}
	return quote + 1
}

// content returns the content of the string at pos, and the position after it. It lies in the body, or, where it has escapes, in the appender's scratch until the next call.
func (a *Appender) content(base unsafe.Pointer, pos, end int) (text []byte, next int) {
	if pos >= end || at(base, pos) != '"' {
		return nil, notA(base, pos, end, faultString)
	}
	pos++
	quote, has := endOfString(base, pos, end)
	if quote < 0 {
		return nil, quote
	}
	text = format.Span(base, pos, quote-pos)
	if has == 0 {
		return text, quote + 1
	}
	if has&hasHighBytes != 0 && !utf8.Valid(text) {
		return nil, faultUTF8.position()
	}
	if has&hasEscapes != 0 {
		a.scratch = grown(a.scratch, len(text))
		n, f := unescape(a.scratch, text)
		if f != ok {
			return nil, f.position()
		}
		text = a.scratch[:n]
	}
	return text, quote + 1
}

// grown returns scratch memory of n bytes or more.
func grown(scratch []byte, n int) []byte {
	if n <= cap(scratch) {
		return scratch[:cap(scratch)]
	}
	return make([]byte, max(n, 2*cap(scratch), 256))
}

// text stores the string at pos as a text at the row that is being written, and returns the position after it.
func (a *Appender) text(f *field, base unsafe.Pointer, pos, end int) int {
	if pos >= end || at(base, pos) != '"' {
		return a.other(f, notA(base, pos, end, faultString), base, pos, end)
	}
	pos++
	c := f.varlen
	if !c.Fits(shortText) {
		return a.longText(f, base, pos, end)
	}
	// Most texts are short and plain: they are copied in words until one has the quote.
	room := c.Room(shortText)
	most := min(shortText, end-pos) - 8
	for n := 0; n <= most; n += 8 {
		x := format.Load64(base, pos+n)
		*(*uint64)(unsafe.Add(room, n)) = x
		stop := special(x)
		if stop == 0 {
			continue
		}
		n += bits.TrailingZeros64(stop) >> 3
		if at(base, pos+n) != '"' {
			break
		}
		c.Took(n)
		return pos + n + 1
	}
	return a.longText(f, base, pos, end)
}

// longText stores a string whose content begins at pos and that is long, or not plain.
//
//go:noinline
func (a *Appender) longText(f *field, base unsafe.Pointer, pos, end int) int {
	quote, has := endOfString(base, pos, end)
	if quote < 0 {
		return a.fail(f, quote, pos)
	}
	content := format.Span(base, pos, quote-pos)
	c := f.varlen
	if !c.Fits(len(content)) {
		return a.fail(f, faultFull.position(), pos)
	}
	room := unsafe.Slice((*byte)(c.Room(len(content))), len(content))
	n := len(content)
	if has&hasHighBytes != 0 && !utf8.Valid(content) {
		return a.fail(f, faultUTF8.position(), pos)
	}
	if has&hasEscapes == 0 {
		copy(room, content)
	} else {
		var bad fault
		if n, bad = unescape(room, content); bad != ok {
			return a.fail(f, bad.position(), pos)
		}
	}
	c.Took(n)
	return quote + 1
}

// unescape writes a string's content without its escapes to dst, which is at least as long, and returns how many bytes it wrote.
func unescape(dst, content []byte) (n int, f fault) {
	for i := 0; i < len(content); {
		c := content[i]
		if c != '\\' {
			dst[n] = c
			n++
			i++
			continue
		}
		c = content[i+1] // a backslash is never the last: the quote after it would be escaped
		i += 2
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, valid := hexRune(content[i:])
			if !valid {
				return 0, faultEscape
			}
			i += 4
			if utf16.IsSurrogate(r) {
				if len(content)-i < 6 || content[i] != '\\' || content[i+1] != 'u' {
					return 0, faultSurrogate
				}
				low, valid := hexRune(content[i+2:])
				if !valid {
					return 0, faultEscape
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return 0, faultSurrogate
				}
				i += 6
			}
			n += utf8.EncodeRune(dst[n:], r) // at the most 4 bytes of 12, or 3 of 6
			continue
		default:
			return 0, faultEscape
		}
		dst[n] = c
		n++
	}
	return n, ok
}

// hexRune reads four hexadecimal digits.
func hexRune(digits []byte) (r rune, valid bool) {
	if len(digits) < 4 {
		return 0, false
	}
	for _, c := range digits[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
