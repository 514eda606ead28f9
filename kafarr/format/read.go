package format

import (
	"math/bits"
	"unsafe"
)

// The two ways in which reading a varint fails, in the place of the next position.
const (
	VarintShort = -1 // the body ends within it
	VarintLong  = -2 // it is longer than 10 bytes
)

// Varint reads an unsigned varint of at most 10 bytes at base[pos:end] and returns the position after it, as Avro and Protobuf write numbers.
//
// Where eight bytes are left they are loaded at once and the 7-bit groups pushed together, which costs the same for 2 to 8
// bytes: a loop mispredicts its end on mixed lengths.
func Varint(base unsafe.Pointer, pos, end int) (uint64, int) {
	if end-pos >= 8 {
		x := Load64(base, pos)
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
			return 0, VarintShort
		}
		b := *(*byte)(unsafe.Add(base, pos))
		pos++
		if b < 0x80 {
			if shift == 63 && b > 1 { // the tenth byte has room for one bit
				return 0, VarintLong
			}
			return v | uint64(b)<<shift, pos
		}
		v |= uint64(b&0x7f) << shift
	}
	return 0, VarintLong
}

// Zigzag is the signed number that an unsigned one stands for.
func Zigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) } // the encoding's definition

// Span is the n bytes at base[pos:]. Of none it makes no pointer: after the last byte of a body may lie another allocation, or none.
func Span(base unsafe.Pointer, pos, n int) []byte {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(base, pos)), n)
}

// Load32 and Load64 read little-endian words, as all platforms of this library have them, from any address.
func Load32(base unsafe.Pointer, pos int) uint32 { return *(*uint32)(unsafe.Add(base, pos)) }

// Load64 is Load32 for eight bytes.
func Load64(base unsafe.Pointer, pos int) uint64 { return *(*uint64)(unsafe.Add(base, pos)) }
