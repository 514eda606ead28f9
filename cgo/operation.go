package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"time"
)

// operation is something that waits, under way in a goroutine of its own while the caller waits for it in slices.
type operation struct {
	done   chan struct{}
	result string // JSON; empty: none
	err    error
}

// start begins an operation and returns its handle.
func start(work func() (string, error)) int64 {
	op := &operation{done: make(chan struct{})}
	h := newHandle(op)
	spawn(func() {
		op.result, op.err = work()
		close(op.done)
	}, func(err error) {
		op.err = err
		close(op.done)
	})
	return h
}

//export kafarr_wait
func kafarr_wait(handle, sliceMS C.int64_t, result **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		op, err := get[*operation](int64(handle))
		if err != nil {
			return err
		}
		select {
		case <-op.done:
		default:
			select {
			case <-op.done:
			case <-time.After(time.Duration(sliceMS) * time.Millisecond):
				return errPending
			}
		}
		if _, err := take[*operation](int64(handle)); err != nil {
			return err
		}
		if op.err == nil && op.result != "" && result != nil {
			*result = C.CString(op.result)
		}
		return op.err
	})
}

//export kafarr_forget
func kafarr_forget(handle C.int64_t) {
	guard(nil, func() error {
		_, err := take[*operation](int64(handle))
		return err
	})
}
