package protobuf

import (
	"encoding/binary"
	"math/bits"
)

// noRoom is the position after a value that does not fit.
const noRoom = -1

// room is what tags, numbers, lengths and times take together at most, for which room is looked for once.
const room = 64

// putVarint writes a varint, for which there is room.
func putVarint(dst []byte, pos int, v uint64) int {
	for v >= 0x80 {
		dst[pos] = byte(v) | 0x80
		v >>= 7
		pos++
	}
	dst[pos] = byte(v)
	return pos + 1
}

// varintBytes is how long a varint is.
func varintBytes(v int) int { return (bits.Len64(uint64(v)|1) + 6) / 7 } //nolint:gosec // not negative

// putFields writes the fields of a message at a place of its columns.
func putFields(fields []boundWriter, dst []byte, pos, row int) int {
	for k := range fields {
		f := &fields[k]
		switch f.form {
		case writeSingle:
			if f.nulls && f.column.IsNull(row) {
				continue
			}
			pos = f.value.field(dst, pos, row, f.tag, f.of.presence || f.of.required)
		case writeList:
			from, to := f.column.Range(row)
			for j := from; j < to && pos >= 0; j++ {
				pos = f.value.field(dst, pos, j, f.tag, true)
			}
		case writePacked:
			pos = f.packed(dst, pos, row)
		case writeMap:
			from, to := f.column.Range(row)
			for j := from; j < to && pos >= 0; j++ {
				pos = f.entry(dst, pos, f.items.Place(j))
			}
		}
		if pos < 0 {
			return noRoom
		}
	}
	return pos
}

// packed writes a list of numbers without tags.
func (f *boundWriter) packed(dst []byte, pos, row int) int {
	from, to := f.column.Range(row)
	if from == to {
		return pos
	}
	if pos > len(dst)-room {
		return noRoom
	}
	start := putVarint(dst, pos, f.tag)
	pos = start + 1
	for j := from; j < to; j++ {
		if pos > len(dst)-room {
			return noRoom
		}
		pos = f.value.raw(dst, pos, j)
	}
	return putLength(dst, start, pos)
}

// entry writes an entry of a map, whose key and value are written even if they are zeros.
func (f *boundWriter) entry(dst []byte, pos, at int) int {
	if pos > len(dst)-room {
		return noRoom
	}
	start := putVarint(dst, pos, f.tag)
	if pos = f.key.field(dst, start+1, at, uint64(tagOf(f.key.of, valueOp(f.key.of))), true); pos < 0 {
		return noRoom
	}
	if pos = f.value.field(dst, pos, at, uint64(tagOf(f.value.of, valueOp(f.value.of))), true); pos < 0 {
		return noRoom
	}
	return putLength(dst, start, pos)
}

// putLength writes the length of what was written from start+1 to pos, which moves where the length takes more than a byte.
func putLength(dst []byte, start, pos int) int {
	n := pos - start - 1
	if n < 0x80 {
		dst[start] = byte(n) //nolint:gosec // less than 128
		return pos
	}
	more := varintBytes(n) - 1
	if pos > len(dst)-more {
		return noRoom
	}
	copy(dst[start+1+more:pos+more], dst[start+1:pos])
	putVarint(dst, start, uint64(n))
	return pos + more
}

// field writes a value with its tag. A zero is left out, unless it is always written.
func (b *boundValue) field(dst []byte, pos, i int, tag uint64, always bool) int {
	if pos > len(dst)-room {
		return noRoom
	}
	switch b.code {
	case writeNothing:
		return pos
	case writeText, writeBytes:
		text := b.column.Bytes(i)
		if len(text) == 0 && !always {
			return pos
		}
		pos = putVarint(dst, putVarint(dst, pos, tag), uint64(len(text)))
		if len(text) > len(dst)-pos {
			return noRoom
		}
		return pos + copy(dst[pos:], text)
	case writeStruct, writeWrapper, writeTime, writeMade:
		pos = putVarint(dst, pos, tag)
		if tag&7 == wireGroup {
			if pos = b.body(dst, pos, i); pos < 0 || pos > len(dst)-room {
				return noRoom
			}
			return putVarint(dst, pos, tag&^7|wireEnd)
		}
		start := pos
		if pos = b.body(dst, start+1, i); pos < 0 {
			return noRoom
		}
		return putLength(dst, start, pos)
	}
	v := b.bits(i)
	if v == 0 && !always {
		return pos
	}
	return b.put(dst, putVarint(dst, pos, tag), v)
}

// bits is what stands on the wire for a boolean, a number or an enum.
func (b *boundValue) bits(i int) uint64 {
	switch b.code {
	case writeBool:
		if b.column.Bool(i) {
			return 1
		}
		return 0
	case writeEnum:
		return uint64(b.numbers[b.column.Place(i)]) //nolint:gosec // a negative number takes ten bytes
	}
	v, _ := b.number(i)
	return v
}

// raw writes a number without a tag, for which there is room.
func (b *boundValue) raw(dst []byte, pos, i int) int { return b.put(dst, pos, b.bits(i)) }

// put writes the bits of a number, for which there is room.
func (b *boundValue) put(dst []byte, pos int, v uint64) int {
	switch b.wire {
	case opFixed32:
		binary.LittleEndian.PutUint32(dst[pos:], uint32(v)) //nolint:gosec // the low bits
		return pos + 4
	case opFixed64:
		binary.LittleEndian.PutUint64(dst[pos:], v)
		return pos + 8
	}
	return putVarint(dst, pos, v)
}

// body writes a message without its length.
func (b *boundValue) body(dst []byte, pos, i int) int {
	switch b.code {
	case writeStruct:
		return putFields(b.fields, dst, pos, b.column.Place(i))
	case writeWrapper:
		return b.inner.field(dst, pos, i, uint64(tagOf(b.inner.of, valueOp(b.inner.of))), false)
	case writeTime:
		if pos > len(dst)-room {
			return noRoom
		}
		return b.time(dst, pos, b.column.Int(i))
	}
	made := b.made[b.ends[i]:b.ends[i+1]]
	if len(made) > len(dst)-pos {
		return noRoom
	}
	return pos + copy(dst[pos:], made)
}
