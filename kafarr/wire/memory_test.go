package wire

import (
	"syscall"
	"testing"
	"unsafe"
)

// guarded copies values to the end of memory after which nothing may be read: one byte too far ends the process.
type guarded struct {
	memory []byte // the last page is the one that may not be read
	page   int
}

func newGuarded(t testing.TB) *guarded {
	t.Helper()
	page := syscall.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(memory) })
	if err := syscall.Mprotect(memory[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return &guarded{memory, page}
}

// put returns where the value is and its length, -1 for nil.
func (g *guarded) put(value []byte) (unsafe.Pointer, int32) {
	if value == nil {
		return nil, -1
	}
	at := g.page - len(value)
	copy(g.memory[at:g.page], value)
	return unsafe.Add(unsafe.Pointer(&g.memory[0]), at), int32(len(value))
}
