package json

import (
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// IsDocument reports whether a body is an object with members, or an array that begins with one, from its first byte to its last but for white space. It costs a look at a few bytes where
// the body does not begin so. A short body of another format may be {} or [1] by chance; none is a document.
func IsDocument(b format.Body) bool {
	pos := blank(b.Data, 0, b.Len)
	begin := pos
	if pos < b.Len && at(b.Data, pos) == '[' {
		pos = blank(b.Data, pos+1, b.Len)
	}
	if pos >= b.Len || at(b.Data, pos) != '{' {
		return false
	}
	if pos = blank(b.Data, pos+1, b.Len); pos >= b.Len || at(b.Data, pos) != '"' {
		return false
	}
	a := &Appender{limits: format.DefaultLimits, effort: format.Effort{LookAt: b.Len}}
	end := a.skip(b.Data, begin, b.Len, 0)
	return end > 0 && blank(b.Data, end, b.Len) == b.Len
}

// isNullText reports whether a body is null and nothing else but white space.
func isNullText(b format.Body) bool {
	pos := blank(b.Data, 0, b.Len)
	return isNull(b.Data, pos, b.Len) && blank(b.Data, pos+4, b.Len) == b.Len
}
