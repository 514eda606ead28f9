// The C boundary of kafarr, built with -buildmode=c-shared. An export translates and decides nothing: guard, handle, one call, result.
// kafarr.h is the contract.
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
