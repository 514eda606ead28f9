package avro

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// skipAll skips consecutive values that no column takes and returns the position after them. It checks what it needs to find the end, and no more.
// Most values are numbers and texts, which are skipped here without a call: reading 3 of 25 fields spends its time in this loop.
func (a *Appender) skipAll(list []*Schema, base unsafe.Pointer, pos, end, depth int) (int, fault) {
	for _, s := range list {
	again:
		switch s.Type {
		case Null:
		case Union:
			var u uint64
			if u, pos = format.Varint(base, pos, end); pos < 0 {
				return 0, varintFault(pos)
			}
			if u&1 != 0 || u>>1 >= uint64(len(s.Branches)) { // odd is negative
				return 0, faultUnion
			}
			s = s.Branches[u>>1] // no union itself
			goto again
		case Int, Long, Enum:
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				pos++
			} else if _, pos = format.Varint(base, pos, end); pos < 0 {
				return 0, varintFault(pos)
			}
		case Bytes, String:
			var u uint64
			if pos < end && *(*byte)(unsafe.Add(base, pos)) < 0x80 {
				u = uint64(*(*byte)(unsafe.Add(base, pos)))
				pos++
			} else if u, pos = format.Varint(base, pos, end); pos < 0 {
				return 0, varintFault(pos)
			}
			n := format.Zigzag(u)
			if n < 0 || n > int64(end-pos) {
				return 0, faultLength
			}
			pos += int(n)
		case Boolean, Float, Double, Fixed:
			if pos += s.width(); pos > end {
				return 0, faultShort
			}
		default:
			if s.empty {
				continue
			}
			var f fault
			if pos, f = a.skip(s, base, pos, end, depth); f != ok {
				return 0, f
			}
		}
	}
	return pos, ok
}

// width is how many bytes each value of a type takes; 0 where that varies, and for null.
func (s *Schema) width() int {
	switch s.Type {
	case Boolean:
		return 1
	case Float:
		return 4
	case Double:
		return 8
	case Fixed:
		return s.Size
	}
	return 0
}

// skip skips a record, array or map. A block that begins with its size is skipped as a whole.
func (a *Appender) skip(s *Schema, base unsafe.Pointer, pos, end, depth int) (int, fault) {
	if depth > a.limits.ValueDepth {
		return 0, faultDepth
	}
	if s.Type == Record {
		return a.skipAll(s.types, base, pos, end, depth+1)
	}
	return a.skipBlocks(s, base, pos, end, depth)
}

// mapKey is the schema of every map's keys.
var mapKey = &Schema{Type: String}

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
		if count > int64(a.limits.BlockItems) {
			return 0, faultBlockItems
		}
		if width := int64(s.Items.width()); width > 0 && s.Type == Array {
			if count > int64(end-pos)/width {
				return 0, faultShort
			}
			pos += int(count * width)
			continue
		}
		items := []*Schema{mapKey, s.Items}
		if s.Type == Array {
			items = items[1:]
		}
		for range count {
			var f fault
			from := pos
			if pos, f = a.skipAll(items, base, pos, end, depth+1); f != ok {
				return 0, f
			}
			if pos > a.effort.LookAt {
				a.effort.Passed(pos)
			}
			if pos == from { // what takes bytes is bounded by the body
				if a.emptyItems++; a.emptyItems > int64(a.limits.EmptyItems) {
					return 0, faultEmptyItems
				}
			}
		}
	}
}
