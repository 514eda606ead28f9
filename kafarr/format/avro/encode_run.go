package avro

import (
	"math/bits"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// writeCode says how an op's value is written.
type writeCode uint8

const (
	writeBoolean writeCode = iota
	writeInt               // 32 bits
	writeLong              // 64 bits
	writeFloat
	writeDouble
	writeText // with offsets of 32 bits
	writeFixed
	writeDecimal128 // as bytes
	writeRecord     // its fields follow
	writeList       // with offsets of 32 bits
	writeRoom       // from here on the loop calls a function
	writeNull       // nothing at all
	writeConst
	writeNumber
	writeLargeText // with offsets of 64 bits
	writeSpan      // texts and bytes in every other layout
	writeDecimal
	writeUUID
	writeDuration
	writeIndexed // the value that an index says: a dictionary's, or a run's
	writeListOf  // lists in every other layout
	writeStructUnion
	writeArrowUnion
	writePlainUnion
)

// writeOp is one thing to write, joined to the memory that it is in. Pointers are to the value of row 0 (or item 0), so that slices need no care here, but for bits.
type writeOp struct {
	code  writeCode
	null  int8           // the union branch that is null: 0, 1 or notNullable
	size  int32          // of a fixed, in bytes
	end   int32          // the op after this one and those below it
	voff  int            // the place of the first bit in valid, and in data of booleans
	valid unsafe.Pointer // the bits of values that are not null; nil: all
	data  unsafe.Pointer
	offs  unsafe.Pointer
	last  uintptr // of a text: one past the last byte of data; of a list: the item that the ops below know as item 0
	more  *writeMore
}

// writeMore is what rare ops need besides.
type writeMore struct {
	bytes    []byte // writeConst
	convert  conversion
	layout   frame.Layout
	interval interval       // writeDuration
	length   bool           // writeSpan: the length stands before the bytes
	buffers  []frame.Memory // of views
	sizes    unsafe.Pointer // of list views
	keep     any            // Go memory that data and offs are in
	kids     []branchOps    // of unions; of an Arrow union by type code
	null     int            // of unions and indices: the index of null; -1: none
	width    int            // of a decimal in Arrow; items of a list of fixed size
}

// branchOps are the ops of a union's branch.
type branchOps struct{ branch, lo, end int }

// noRoom is the position of a run that found no room.
const noRoom = -1

func put64(dst unsafe.Pointer, pos int, v uint64) { *(*uint64)(unsafe.Add(dst, pos)) = v }
func put32(dst unsafe.Pointer, pos int, v uint32) { *(*uint32)(unsafe.Add(dst, pos)) = v }
func put8(dst unsafe.Pointer, pos int, v byte)    { *(*byte)(unsafe.Add(dst, pos)) = v }

// putVarint writes up to 10 bytes, and 8 in any case: the 7-bit groups are spread over a word, which costs the same for each length, where a loop mispredicts its end.
func putVarint(dst unsafe.Pointer, pos int, u uint64) int {
	n := (bits.Len64(u|1)*9 + 64) >> 6
	x := u & (1<<56 - 1)
	x = x&0x000000000fffffff | x&0x00fffffff0000000<<4
	x = x&0x00003fff00003fff | x&0x0fffc0000fffc000<<2
	x = x&0x007f007f007f007f | x&0x3f803f803f803f80<<1
	if n <= 8 {
		put64(dst, pos, x|0x8080808080808080&(1<<(8*uint(n-1))-1))
		return pos + n
	}
	put64(dst, pos, x|0x8080808080808080)
	u >>= 56
	if n == 9 {
		put8(dst, pos+8, byte(u))
	} else {
		put8(dst, pos+8, byte(u)|0x80)
		put8(dst, pos+9, byte(u>>7))
	}
	return pos + n
}

// run writes the ops [lo, hi) of one row, or item. Up to limit, room is looked at; dst goes on for format.EncodeMargin bytes after it. It returns the position after what was
// written, or noRoom.
//
// It is the reader's loop turned round: one switch, with the types of most fields spelled out. Measured on the records of bench/encode (ns a row): columns in blocks, sizes first
// and then scattered, 1.2 times this; a loop for each varint instead of a word 1.3 times; memmove for short texts instead of 16 or 48 bytes at once 1.14 times (wide).
func (e *Encoder) run(lo, hi, row int, dst unsafe.Pointer, pos, limit int) int {
	ops := e.ops
	for i := lo; i < hi; i++ {
		o := &ops[i]
		if o.null >= 0 {
			if o.valid != nil && frame.Bit(o.valid, o.voff+row) == 0 {
				put8(dst, pos, byte(o.null)<<1)
				pos++
				i = int(o.end) - 1
				continue
			}
			put8(dst, pos, byte(1-o.null)<<1) //nolint:gosec // 0 or 1
			pos++
		}
		switch o.code {
		case writeBoolean:
			put8(dst, pos, frame.Bit(o.data, o.voff+row))
			pos++
		case writeInt:
			v := *(*int32)(unsafe.Add(o.data, row*4))
			u := uint64(uint32(v<<1) ^ uint32(v>>31)) //nolint:gosec // the encoding's definition
			if u < 0x80 {
				put8(dst, pos, byte(u))
				pos++
			} else {
				pos = putVarint(dst, pos, u)
			}
		case writeLong:
			v := *(*int64)(unsafe.Add(o.data, row*8))
			u := uint64(v<<1) ^ uint64(v>>63) //nolint:gosec // the encoding's definition
			if u < 0x80 {
				put8(dst, pos, byte(u))
				pos++
			} else {
				pos = putVarint(dst, pos, u)
			}
		case writeFloat:
			put32(dst, pos, format.Load32(o.data, row*4))
			pos += 4
		case writeDouble:
			put64(dst, pos, format.Load64(o.data, row*8))
			pos += 8
		case writeText:
			from := int(*(*int32)(unsafe.Add(o.offs, row*4)))
			n := int(*(*int32)(unsafe.Add(o.offs, row*4+4))) - from
			if n < 64 {
				put8(dst, pos, byte(n)<<1) //nolint:gosec // less than 64
				pos++
			} else {
				pos = putVarint(dst, pos, uint64(n)<<1)
			}
			if n <= 16 && o.last-uintptr(o.data)-uintptr(from) >= 16 && pos <= limit {
				*(*[16]byte)(unsafe.Add(dst, pos)) = *(*[16]byte)(unsafe.Add(o.data, from))
				pos += n
			} else if pos = putBytes(dst, pos, limit, o.data, from, n, o.last); pos < 0 {
				return noRoom
			}
		case writeFixed:
			n := int(o.size)
			src := unsafe.Add(o.data, row*n)
			if n == 16 {
				put64(dst, pos, format.Load64(src, 0))
				put64(dst, pos+8, format.Load64(src, 8))
				pos += 16
				continue
			}
			if pos > limit-n {
				return noRoom
			}
			copy(unsafe.Slice((*byte)(unsafe.Add(dst, pos)), n), unsafe.Slice((*byte)(src), n))
			pos += n
		case writeDecimal128:
			pos = putDecimal128(dst, pos, format.Load64(o.data, row*16), format.Load64(o.data, row*16+8))
		case writeRecord: // its fields follow
		case writeList:
			from, to := int(*(*int32)(unsafe.Add(o.offs, row*4))), int(*(*int32)(unsafe.Add(o.offs, row*4+4)))
			if pos = e.items(o, i+1, from-int(o.last), to-from, dst, pos, limit); pos < 0 {
				return noRoom
			}
			i = int(o.end) - 1
		default:
			if pos = e.rare(o, i, row, dst, pos, limit); pos < 0 {
				return noRoom
			}
			i = int(o.end) - 1
		}
	}
	return pos
}

// putBytes copies n bytes at base[from:]. Short ones are copied as whole words, as far as the source reaches: last is its end.
func putBytes(dst unsafe.Pointer, pos, limit int, base unsafe.Pointer, from, n int, last uintptr) int {
	left := last - uintptr(base) - uintptr(from)
	switch d := unsafe.Add(dst, pos); {
	case pos > limit:
		return noRoom
	case n <= 16 && left >= 16:
		*(*[16]byte)(d) = *(*[16]byte)(unsafe.Add(base, from))
	case n <= 48 && left >= 48:
		*(*[16]byte)(d) = *(*[16]byte)(unsafe.Add(base, from))
		*(*[32]byte)(unsafe.Add(d, 16)) = *(*[32]byte)(unsafe.Add(base, from+16))
	case n == 0: // what lies after the last byte may be another allocation, or none
	case n > limit-pos:
		return noRoom
	default:
		copy(unsafe.Slice((*byte)(d), n), unsafe.Slice((*byte)(unsafe.Add(base, from)), n))
	}
	return pos + n
}

// putDecimal128 writes the shortest two's complement, big-endian, with its length.
func putDecimal128(dst unsafe.Pointer, pos int, low, high uint64) int {
	sign := uint64(int64(low) >> 63) //nolint:gosec // the sign, in all bits
	if high == sign {
		n := (bits.Len64(low^sign) + 8) >> 3
		put8(dst, pos, byte(n)<<1) //nolint:gosec // at most 8
		put64(dst, pos+1, bits.ReverseBytes64(low<<(64-8*uint(n))))
		return pos + 1 + n
	}
	n := (bits.Len64(high^uint64(int64(high)>>63)) + 8) >> 3 //nolint:gosec // of the upper word, whose sign is not counted
	put8(dst, pos, byte(8+n)<<1)                             //nolint:gosec // at most 16
	put64(dst, pos+1, bits.ReverseBytes64(high<<(64-8*uint(n))))
	put64(dst, pos+1+n, bits.ReverseBytes64(low))
	return pos + 1 + n + 8
}

// items writes a block of n items from one on, and the end of blocks.
func (e *Encoder) items(o *writeOp, lo, from, n int, dst unsafe.Pointer, pos, limit int) int {
	if n > 0 {
		pos = putVarint(dst, pos, uint64(n)<<1)
		if pos > limit {
			return noRoom
		}
		if only := &e.ops[lo]; only.code == writeDouble && only.null == notNullable && int(o.end) == lo+1 {
			if n > (limit-pos)/8 {
				return noRoom
			}
			copy(unsafe.Slice((*byte)(unsafe.Add(dst, pos)), n*8), unsafe.Slice((*byte)(unsafe.Add(only.data, from*8)), n*8))
			pos += n * 8
		} else {
			for j := from; j < from+n; j++ {
				if pos = e.run(lo, int(o.end), j, dst, pos, limit); pos < 0 || pos > limit {
					return noRoom
				}
			}
		}
	}
	put8(dst, pos, 0)
	return pos + 1
}
