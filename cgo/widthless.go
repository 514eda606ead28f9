package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
// #include <stdlib.h>
import "C"

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// A fixed-size binary of no bytes, which Avro's fixed of size 0 becomes, is refused by the Arrow library when it imports a schema, and by no other part of it. So its schema is imported as
// one of this width, which no other column of the frame has, and gets its own width after that.
const stand = 1<<31 - 7

const (
	widthless = "w:0"
	standing  = "w:2147483641"
)

// schemaCopy is a copy of a schema's structs, whose texts are still those of the original.
type schemaCopy struct {
	root   *C.struct_ArrowSchema
	blocks []unsafe.Pointer // of C's memory
}

// withoutWidth is a copy of a schema with the width that stands for none; nil: it has no such column. The depth bounds what a hostile schema can do.
func withoutWidth(schema *C.struct_ArrowSchema) *schemaCopy {
	if !anyFormat(schema, widthless, maxDepth) || anyFormat(schema, standing, maxDepth) {
		return nil
	}
	c := &schemaCopy{}
	c.root = c.copy(schema)
	return c
}

// maxDepth is more than the limits of schemas allow.
const maxDepth = 1000

// anyFormat reports whether a schema, or one below it, has a format.
func anyFormat(s *C.struct_ArrowSchema, format string, depth int) bool {
	if s == nil || depth == 0 {
		return false
	}
	if hasFormat(s, format) || anyFormat(s.dictionary, format, depth-1) {
		return true
	}
	for _, child := range childrenOf(s) {
		if anyFormat(child, format, depth-1) {
			return true
		}
	}
	return false
}

// hasFormat looks at the first letter first, so that other columns cost nothing.
func hasFormat(s *C.struct_ArrowSchema, format string) bool {
	return s.format != nil && byte(*s.format) == format[0] && C.GoString(s.format) == format
}

func childrenOf(s *C.struct_ArrowSchema) []*C.struct_ArrowSchema {
	if s.n_children <= 0 || s.children == nil {
		return nil
	}
	return unsafe.Slice(s.children, s.n_children)
}

func (c *schemaCopy) block(size uintptr) unsafe.Pointer {
	p := C.calloc(1, C.size_t(size))
	c.blocks = append(c.blocks, p)
	return p
}

// copy leaves the callbacks out, so that importing the copy releases nothing.
func (c *schemaCopy) copy(s *C.struct_ArrowSchema) *C.struct_ArrowSchema {
	if s == nil {
		return nil
	}
	made := (*C.struct_ArrowSchema)(c.block(unsafe.Sizeof(*s)))
	*made = *s
	made.release, made.private_data = nil, nil
	if hasFormat(s, widthless) {
		made.format = C.CString(standing)
		c.blocks = append(c.blocks, unsafe.Pointer(made.format))
	}
	if children := childrenOf(s); len(children) > 0 {
		made.children = (**C.struct_ArrowSchema)(c.block(uintptr(len(children)) * unsafe.Sizeof(uintptr(0))))
		for i, child := range children {
			unsafe.Slice(made.children, len(children))[i] = c.copy(child)
		}
	}
	made.dictionary = c.copy(s.dictionary)
	return made
}

func (c *schemaCopy) free() {
	for _, p := range c.blocks {
		C.free(p)
	}
}

// restoreWidth gives the columns their own width again.
func restoreWidth(t arrow.DataType) {
	switch t := t.(type) {
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth == stand {
			t.ByteWidth = 0
		}
	case *arrow.DictionaryType:
		restoreWidth(t.ValueType)
	case arrow.NestedType:
		for _, f := range t.Fields() {
			restoreWidth(f.Type)
		}
	}
}
