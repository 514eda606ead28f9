// Package cmem gives out counted C memory for Arrow buffers: 64-byte aligned, outside Go's heap, released by
// the holder of the last reference, be it Go or a consumer of the Arrow C Data Interface.
//
// arrow-go's own Mallocator is not used: it decides by errno whether an allocation failed, and it keeps a map of all
// live blocks under a lock.
package cmem

// #include "block.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// NoMemory is what Alloc and Resize panic with when the system has no memory: the bytes that were asked for.
type NoMemory int

func (n NoMemory) Error() string { return fmt.Sprintf("cmem: no memory for %d bytes", int(n)) }

// Alloc returns a block of n bytes, not zeroed, with one reference. It panics with NoMemory when the system has none.
func Alloc(n int) unsafe.Pointer {
	p := C.kafarr_block_new(C.size_t(n))
	if p == nil {
		panic(NoMemory(n))
	}
	return p
}

// Resize moves the first `used` bytes of a block to a new one of n bytes and releases the old one. p may be nil.
func Resize(p unsafe.Pointer, used, n int) unsafe.Pointer {
	q := C.kafarr_block_resize(p, C.size_t(used), C.size_t(n))
	if q == nil {
		panic(NoMemory(n))
	}
	return q
}

// Retain adds a reference to a block.
func Retain(p unsafe.Pointer) { C.kafarr_block_retain(p) }

// Release drops a reference; the last one frees the block. nil is allowed.
func Release(p unsafe.Pointer) {
	if p != nil {
		C.kafarr_block_release(p)
	}
}

// Size returns the number of bytes that a block was allocated with.
func Size(p unsafe.Pointer) int { return int(C.kafarr_block_size(p)) }

// Live returns the number of bytes in blocks that are not yet freed, over the whole process.
func Live() int64 { return int64(C.kafarr_block_live()) }

// ReleaseFunc returns the address of the C function that releases a block, for release callbacks in other C code
// (cgo packages cannot refer to each other's C symbols).
func ReleaseFunc() unsafe.Pointer { return C.kafarr_block_release }

// Buffer wraps the first n bytes of a block as an Arrow buffer, which takes over the caller's reference.
func Buffer(p unsafe.Pointer, n int) *memory.Buffer {
	return memory.NewBufferWithAllocator(unsafe.Slice((*byte)(p), n), Allocator{})
}

// Allocator lets arrow-go allocate and release blocks.
type Allocator struct{}

// Allocate implements memory.Allocator. The bytes are zero, as arrow-go's own allocators have them.
func (Allocator) Allocate(n int) []byte {
	b := unsafe.Slice((*byte)(Alloc(n)), n)
	clear(b)
	return b
}

// Reallocate implements memory.Allocator.
func (a Allocator) Reallocate(n int, b []byte) []byte {
	if n <= len(b) {
		return b[:n]
	}
	grown := a.Allocate(n)
	copy(grown, b)
	a.Free(b)
	return grown
}

// Free implements memory.Allocator.
func (Allocator) Free(b []byte) { Release(unsafe.Pointer(unsafe.SliceData(b))) }
