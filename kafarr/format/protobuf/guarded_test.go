package protobuf_test

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// TestNothingAfterABodyIsRead has bodies, and all that they begin with, at the end of memory: one byte too far ends the process.
func TestNothingAfterABodyIsRead(t *testing.T) {
	closeBooks(t)
	page := syscall.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(memory) }()
	if err := syscall.Mprotect(memory[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	p := compile(t, everything, format.Options{Recursion: format.JSON})
	columns := p.NewColumns()
	defer columns.Release()
	a := p.Bind(columns)
	text := whole()
	for from := range len(text) {
		for n := range len(text) - from + 1 {
			part := text[from : from+n]
			start := page - len(part)
			copy(memory[start:page], part)
			taken, err := a.Append([]format.Body{{Data: unsafe.Add(unsafe.Pointer(&memory[0]), start), Len: n}})
			if from == 0 && n == len(text) && (taken != 1 || err != nil) {
				t.Fatal(taken, err)
			}
		}
	}
}
