package json

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// literals, as words from their first byte.
const (
	wordTrue = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordAlse = 'a' | 'l'<<8 | 's'<<16 | 'e'<<24
	wordNull = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
)

// blank returns the position of the next byte that is no white space.
func blank(base unsafe.Pointer, pos, end int) int {
	for pos < end {
		if c := at(base, pos); c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			break
		}
		pos++
	}
	return pos
}

func isNull(base unsafe.Pointer, pos, end int) bool {
	return end-pos >= 4 && format.Load32(base, pos) == wordNull
}

// boolean reads true or false. A negative position is a fault.
func boolean(base unsafe.Pointer, pos, end int) (value byte, next int) {
	if end-pos >= 4 {
		if format.Load32(base, pos) == wordTrue {
			return 1, pos + 4
		}
		if end-pos >= 5 && at(base, pos) == 'f' && format.Load32(base, pos+1) == wordAlse {
			return 0, pos + 5
		}
	}
	return 0, notA(base, pos, end, faultBoolean)
}

// skip returns the position after the value at pos, which no column takes, or which is taken as its text. All of it is checked: what is not JSON makes the row fail wherever it
// stands. A negative position is a fault, and a.stopped where it was found.
func (a *Appender) skip(base unsafe.Pointer, pos, end, depth int) int {
	if pos = blank(base, pos, end); pos >= end {
		return a.stop(faultShort, end)
	}
	var next int
	switch c := at(base, pos); c {
	case '"':
		next = a.checkString(base, pos+1, end)
	case '{', '[':
		return a.skipNested(c, base, pos+1, end, depth)
	case 't', 'f':
		if _, next = boolean(base, pos, end); next < 0 {
			next = faultSyntax.position()
		}
	case 'n':
		if next = pos + 4; !isNull(base, pos, end) {
			next = faultSyntax.position()
		}
	default:
		if c != '-' && c-'0' > 9 {
			return a.stop(faultSyntax, pos)
		}
		_, next = scan(base, pos, end)
	}
	if next < 0 {
		return a.stop(fault(-next), pos)
	}
	return next
}

// skipNested skips an object or an array that was opened by a bracket.
func (a *Appender) skipNested(bracket byte, base unsafe.Pointer, pos, end, depth int) int {
	if depth >= a.limits.ValueDepth {
		return a.stop(faultDepth, pos)
	}
	closing := bracket + 2 // in ASCII
	if pos = blank(base, pos, end); pos < end && at(base, pos) == closing {
		return pos + 1
	}
	for {
		if bracket == '{' {
			if pos = blank(base, pos, end); pos >= end || at(base, pos) != '"' {
				return a.stop(shortOr(pos, end, faultName), pos)
			}
			from := pos
			if pos = a.checkString(base, pos+1, end); pos < 0 {
				return a.stop(fault(-pos), from)
			}
			if pos = blank(base, pos, end); pos >= end || at(base, pos) != ':' {
				return a.stop(shortOr(pos, end, faultColon), pos)
			}
			pos++
		}
		if pos = a.skip(base, pos, end, depth+1); pos < 0 {
			return pos
		}
		if pos > a.effort.LookAt {
			a.effort.Passed(pos)
		}
		if pos = blank(base, pos, end); pos >= end {
			return a.stop(faultShort, pos)
		}
		switch at(base, pos) {
		case closing:
			return pos + 1
		case ',':
			pos++
		default:
			return a.stop(faultComma, pos)
		}
	}
}

// stop notes where a fault of a value that is skipped was found.
func (a *Appender) stop(f fault, pos int) int {
	a.stopped = pos
	return f.position()
}

// shortOr is a fault, or that the body ends.
func shortOr(pos, end int, f fault) fault {
	if pos >= end {
		return faultShort
	}
	return f
}
