package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"time"
)

// operation is something that waits, under way in a goroutine of its own while the caller waits for it in slices.
type operation struct {
	done   chan struct{}
	result string // JSON; empty: none
	err    error
	cancel context.CancelFunc
}

// start begins an operation that ends by itself, and returns its handle.
func start(work func() (string, error)) int64 {
	return startCancelled(func(context.Context) (string, error) { return work() })
}

// startCancelled begins an operation that kafarr_cancel ends early.
func startCancelled(work func(ctx context.Context) (string, error)) int64 {
	ctx, cancel := context.WithCancel(context.Background())
	op := &operation{done: make(chan struct{}), cancel: cancel}
	h := newHandle(op)
	spawn(func() {
		defer cancel()
		op.result, op.err = work(ctx)
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

//export kafarr_cancel
func kafarr_cancel(handle C.int64_t) {
	guard(nil, func() error {
		op, err := get[*operation](int64(handle))
		if err == nil {
			op.cancel()
		}
		return err
	})
}

//export kafarr_forget
func kafarr_forget(handle C.int64_t) {
	guard(nil, func() error {
		_, err := take[*operation](int64(handle))
		return err
	})
}
