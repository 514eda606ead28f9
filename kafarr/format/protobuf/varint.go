package protobuf

import (
	"math/bits"
	"unsafe"
)

// The two ways in which reading a varint fails, in the place of the next position.
const (
	varintShort = -1
	varintLong  = -2
)

func varintFault(pos int) fault {
	if pos == varintLong {
		return faultVarintLong
	}
	return faultShort
}

// varint reads a varint of at most 10 bytes at base[pos:end] and returns the position after it.
//
// Where eight bytes are left they are loaded at once and the 7-bit groups pushed together, which costs the same for 2 to 8 bytes: a loop mispredicts its end on mixed lengths.
func varint(base unsafe.Pointer, pos, end int) (uint64, int) {
	if end-pos >= 8 {
		x := load64(base, pos)
		if stop := ^x & 0x8080808080808080; stop != 0 {
			n := bits.TrailingZeros64(stop) // index of the last byte's highest bit
			x &= stop ^ (stop - 1)          // only the bytes up to it
			x &= 0x7f7f7f7f7f7f7f7f
			x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
			x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
			x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
			return x, pos + n>>3 + 1
		}
	}
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		if pos >= end {
			return 0, varintShort
		}
		b := *(*byte)(unsafe.Add(base, pos))
		pos++
		if b < 0x80 {
			if shift == 63 && b > 1 { // the tenth byte has room for one bit
				return 0, varintLong
			}
			return v | uint64(b)<<shift, pos
		}
		v |= uint64(b&0x7f) << shift
	}
	return 0, varintLong
}

// part is the bytes base[pos:end]. Of none it makes no pointer: after the last byte of a body may lie another allocation, or none.
func part(base unsafe.Pointer, pos, end int) []byte {
	if pos == end {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(base, pos)), end-pos)
}

// load32 and load64 read little-endian words, as all platforms of this library have them, from any address.
func load32(base unsafe.Pointer, pos int) uint32 { return *(*uint32)(unsafe.Add(base, pos)) }
func load64(base unsafe.Pointer, pos int) uint64 { return *(*uint64)(unsafe.Add(base, pos)) }
