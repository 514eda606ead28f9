package json_test

import (
	"strings"
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
	p := plan(t, flatFields+`,{"name":"a_name_of_more_than_a_word","type":"list","items":{"type":"double"}},{"name":"m","type":"map","items":{"type":"string"}},{"name":"t","type":"timestamp[us, tz=UTC]"},`+
		`{"name":"e","type":"dictionary","symbols":["A","B"]},{"name":"n","type":"decimal128(18, 4)"},{"name":"j","type":"json"},{"name":"x","type":"binary"}`)
	c := p.NewColumns()
	defer c.Release()
	a := p.Bind(c)
	text := strings.TrimSuffix(flatBody, "}") + `,"a_name_of_more_than_a_word":[1.5,12345678901234567890.5e-3,2.5],"m":{"a":"b\n","c":"dä"},"t":"2023-11-14T22:13:20.5Z","e":"B","n":12.5,"j":{"a":[true,false,null,"\u00e4"]},` +
		`"unknown":[{"a":"\ud834\udd1e"}],"x":"aGk="}`
	for from := range len(text) {
		for n := range len(text) - from + 1 {
			part := text[from : from+n]
			start := page - len(part)
			copy(memory[start:page], part)
			taken, err := a.Append([]format.Body{{Data: unsafe.Add(unsafe.Pointer(&memory[0]), start), Len: n}})
			if whole := from == 0 && n == len(text); whole != (taken == 1 && err == nil) && strings.HasPrefix(part, `{"`) && from == 0 {
				t.Fatalf("%q: %d, %v", part, taken, err)
			}
		}
	}
}
