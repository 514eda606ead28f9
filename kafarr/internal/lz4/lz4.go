// Package lz4 compresses by the C library lz4, which is three times as fast as lz4 in Go. The library lies here as it was published: lz4_source.h is its lz4.c, lz4hc_source.h its
// lz4hc.c, under names that cgo does not compile by themselves.
package lz4

// #cgo CFLAGS: -O3
// #cgo noescape pykafarr_lz4_fast
// #cgo nocallback pykafarr_lz4_fast
// #cgo noescape pykafarr_lz4_high
// #cgo nocallback pykafarr_lz4_high
// int pykafarr_lz4_fast(const char* from, char* to, int length, int room);
// int pykafarr_lz4_high(const char* from, char* to, int length, int room, int level);
import "C"

import (
	"encoding/binary"
	"unsafe"
)

// Levels: below LeastHigh lz4 is fast, from there on it looks for longer matches, up to MostHigh.
const (
	LeastHigh = 3
	MostHigh  = 12
)

// A frame is: magic, flags, block size, a byte of their hash, blocks with their lengths, an end mark. Blocks are independent of each other and have no sums, as a record batch has one.
const (
	frameHeader  = 7
	blockHeader  = 4
	endMark      = 4
	stored       = 1 << 31 // a block that is not compressed
	independent  = 0x60    // the flags: version 1, independent blocks
	leastBlockID = 4       // 64 KiB; each following one is of four times as much
	mostBlockID  = 7
)

// hashes are the second bytes of the xxHash32 of flags and block size, by the latter.
var hashes = [...]byte{leastBlockID: 0x82, 5: 0xfb, 6: 0x51, mostBlockID: 0x73}

// Bound is how much room Frame needs for so many bytes.
func Bound(length int) int { return frameHeader + length + (length>>16+1)*blockHeader + endMark }

// Frame writes a frame of all that is in from, and returns its length. to must have Bound(len(from)) bytes.
func Frame(to, from []byte, level int) int {
	id := leastBlockID
	for id < mostBlockID && blockSize(id) < len(from) {
		id++
	}
	size := blockSize(id)
	binary.LittleEndian.PutUint32(to, 0x184d2204)
	to[4], to[5], to[6] = independent, byte(id)<<4, hashes[id]
	at := frameHeader
	for len(from) > 0 {
		part := from[:min(size, len(from))]
		from = from[len(part):]
		at += blockHeader
		n := block(to[at:at+len(part)], part, level)
		head := uint32(n)
		if n == 0 { // it does not become shorter
			n = copy(to[at:], part)
			head = uint32(n) | stored
		}
		binary.LittleEndian.PutUint32(to[at-blockHeader:], head)
		at += n
	}
	binary.LittleEndian.PutUint32(to[at:], 0)
	return at + endMark
}

func blockSize(id int) int { return 1 << (8 + 2*id) }

// block compresses into less than all of to, or returns 0.
func block(to, from []byte, level int) int {
	in, out := (*C.char)(unsafe.Pointer(unsafe.SliceData(from))), (*C.char)(unsafe.Pointer(unsafe.SliceData(to)))
	length, room := C.int(len(from)), C.int(len(to)-1)
	if level < LeastHigh {
		return int(C.pykafarr_lz4_fast(in, out, length, room))
	}
	return int(C.pykafarr_lz4_high(in, out, length, room, C.int(min(level, MostHigh))))
}
