package produce

import (
	"math/bits"
	"sync"
)

// Buffers of batches are powers of two, from 16 KiB on, and those up to 32 MiB are used again. A megabyte of zeroed memory takes as long as encoding a thousand rows.
const (
	leastShift = 14
	mostShift  = 25
)

var buffers [mostShift - leastShift + 1]sync.Pool

// get gives a buffer of at least so many bytes, whose content is of an earlier batch.
func get(size int) []byte {
	shift := max(bits.Len(uint(max(size, 1)-1)), leastShift)
	if shift > mostShift {
		return make([]byte, size)
	}
	if b, ok := buffers[shift-leastShift].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 1<<shift)
}

// Recycle takes the bytes of a sealed batch, or a part of them from their beginning on, to be used for a later batch. Nothing may read them afterwards.
func Recycle(b []byte) {
	b = b[:cap(b)]
	shift := bits.Len(uint(len(b))) - 1
	if shift < leastShift || shift > mostShift || len(b) != 1<<shift {
		return
	}
	buffers[shift-leastShift].Put(&b)
}
