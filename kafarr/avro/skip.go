package avro

import "unsafe"

// maxValueDepth bounds how deep a value of a recursive type may nest: Go cannot recover from a stack that overflows.
const maxValueDepth = 256

// skip passes over a value that no column takes and returns the position behind it. It checks what it needs to find the end, and no more. Blocks that tell
// their size are jumped over.
func (a *Appender) skip(s *Schema, base unsafe.Pointer, pos, end, depth int) (int, fault) {
	if depth > maxValueDepth {
		return 0, faultDepth
	}
	switch s.Type {
	case Null:
		return pos, ok
	case Boolean:
		return within(pos+1, end)
	case Int, Long, Enum:
		_, next := varint(base, pos, end)
		if next < 0 {
			return 0, varintFault(next)
		}
		return next, ok
	case Float:
		return within(pos+4, end)
	case Double:
		return within(pos+8, end)
	case Bytes, String:
		u, next := varint(base, pos, end)
		if next < 0 {
			return 0, varintFault(next)
		}
		n := zigzag(u)
		if n < 0 || n > int64(end-next) {
			return 0, faultLength
		}
		return next + int(n), ok
	case Fixed:
		return within(pos+s.Size, end)
	case Record:
		for i := range s.Fields {
			var f fault
			if pos, f = a.skip(s.Fields[i].Type, base, pos, end, depth+1); f != ok {
				return 0, f
			}
		}
		return pos, ok
	case Union:
		u, next := varint(base, pos, end)
		if next < 0 {
			return 0, varintFault(next)
		}
		if k := zigzag(u); k >= 0 && k < int64(len(s.Branches)) {
			return a.skip(s.Branches[k], base, next, end, depth+1)
		}
		return 0, faultUnion
	}
	return a.skipBlocks(s, base, pos, end, depth)
}

// mapKey is the schema of every map's keys.
var mapKey = &Schema{Type: String}

func within(pos, end int) (int, fault) {
	if pos > end {
		return 0, faultShort
	}
	return pos, ok
}

func (a *Appender) skipBlocks(s *Schema, base unsafe.Pointer, pos, end, depth int) (int, fault) {
	for {
		count, size, next := blockHeader(base, pos, end)
		if next < 0 {
			return 0, varintFault(next)
		}
		if pos = next; count == 0 {
			return pos, ok
		}
		if size >= 0 {
			if size > int64(end-pos) {
				return 0, faultBlockSize
			}
			pos += int(size)
			continue
		}
		for range count {
			var f fault
			from := pos
			if s.Type == Map {
				if pos, f = a.skip(mapKey, base, pos, end, depth+1); f != ok {
					return 0, f
				}
			}
			if pos, f = a.skip(s.Items, base, pos, end, depth+1); f != ok {
				return 0, f
			}
			if pos == from { // what takes bytes is bounded by the body
				if a.emptyItems++; a.emptyItems > maxEmptyItems {
					return 0, faultEmptyItems
				}
			}
		}
	}
}
