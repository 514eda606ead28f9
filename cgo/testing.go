//go:build kafarr_testing

package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"runtime"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

//export kafarr_testing_panic
func kafarr_testing_panic(e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error { panic("on purpose") })
}

//export kafarr_testing_panic_start
func kafarr_testing_panic_start(op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		*op = C.int64_t(start(func() (string, error) { panic("on purpose") }))
		return nil
	})
}

//export kafarr_testing_leak
func kafarr_testing_leak(n C.int64_t) {
	cmem.Alloc(int(n))
}

//export kafarr_testing_goroutines
func kafarr_testing_goroutines() C.int64_t { return C.int64_t(runtime.NumGoroutine()) }

//export kafarr_testing_handles
func kafarr_testing_handles() C.int64_t {
	handles.Lock()
	defer handles.Unlock()
	return C.int64_t(len(handles.table))
}
