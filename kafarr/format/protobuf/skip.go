package protobuf

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// maxDepth is how deep groups, and messages as JSON, may nest, as in other implementations.
const maxDepth = 100

// skip passes over the value of a field that nobody wants, or knows, and returns the position after it.
func (a *Appender) skip(m *boundMessage, tag uint32, base unsafe.Pointer, pos, end, depth int) int {
	next, f := skipValue(tag, base, pos, end, depth)
	if f != ok {
		a.fail(f, nil, int64(tag))
		a.failure.path = m.plan.path
		return failed
	}
	if next > a.effort.LookAt {
		a.effort.Passed(next)
	}
	return next
}

// skipValue returns the position after a value.
func skipValue(tag uint32, base unsafe.Pointer, pos, end, depth int) (int, fault) {
	if tag>>3 == 0 {
		return 0, faultNumber
	}
	switch tag & 7 {
	case wireVarint:
		if _, pos = format.Varint(base, pos, end); pos < 0 {
			return 0, varintFault(pos)
		}
	case wireFixed64:
		pos += 8
	case wireFixed32:
		pos += 4
	case wireBytes:
		var u uint64
		if u, pos = format.Varint(base, pos, end); pos < 0 {
			return 0, varintFault(pos)
		}
		if u > uint64(end-pos) { //nolint:gosec // not negative
			return 0, faultUnknownLength
		}
		pos += int(u) //nolint:gosec // within the body
	case wireGroup:
		_, next, f := groupEnd(tag>>3, base, pos, end, depth+1)
		return next, f
	case wireEnd:
		return 0, faultStrayEnd
	default:
		return 0, faultWire
	}
	if pos > end {
		return 0, faultShort
	}
	return pos, ok
}

// groupEnd finds the end of a group: where its content stops, and the position after its end tag.
func groupEnd(number uint32, base unsafe.Pointer, pos, end, depth int) (stop, next int, f fault) {
	if depth > maxDepth {
		return 0, 0, faultDepth
	}
	for {
		stop = pos
		u, after := format.Varint(base, pos, end)
		if after < 0 {
			return 0, 0, varintFault(after)
		}
		if u > 1<<32-1 {
			return 0, 0, faultNumber
		}
		tag := uint32(u)
		if tag == number<<3|wireEnd {
			return stop, after, ok
		}
		if pos, f = skipValue(tag, base, after, end, depth); f != ok {
			return 0, 0, f
		}
	}
}

// group finds the end of the group that is a field's value.
func (a *Appender) group(f *boundField, base unsafe.Pointer, pos, end int) (stop, next int) {
	stop, next, fault := groupEnd(f.tag>>3, base, pos, end, 1)
	if fault != ok {
		return 0, a.fail(fault, f.more, 0)
	}
	return stop, next
}
