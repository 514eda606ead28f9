// The C boundary of kafarr, built with -buildmode=c-shared. kafarr.h is the contract. An export translates and decides nothing: it guards against panics, finds its
// handle, makes one call and returns the result.
package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
// #include <stdlib.h>
import "C"

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

//export kafarr_live_bytes
func kafarr_live_bytes() C.int64_t { return C.int64_t(cmem.Live()) }

//export kafarr_free
func kafarr_free(text unsafe.Pointer) { C.free(text) }

func main() {}
