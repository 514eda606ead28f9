package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/json"

	"github.com/pykafarr/pykafarr/kafarr"
)

// begun is the JSON of producer_begin_start's result.
type begun struct {
	Transaction int64 `json:"transaction"`
}

//export producer_begin_start
func producer_begin_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		p, err := get[*producer](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) {
			t, err := p.Begin(ctx)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(begun{newHandle(t)})
			return string(text), err
		}))
		return nil
	})
}

// endTransaction starts an operation that ends a transaction.
func endTransaction(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error, end func(*kafarr.Transaction, context.Context) error) C.int32_t {
	return guard(e, func() error {
		t, err := get[*kafarr.Transaction](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) { return "", end(t, ctx) }))
		return nil
	})
}

//export transaction_commit_start
func transaction_commit_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return endTransaction(handle, op, e, (*kafarr.Transaction).Commit)
}

//export transaction_abort_start
func transaction_abort_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return endTransaction(handle, op, e, (*kafarr.Transaction).Abort)
}

//export transaction_commit_offsets
func transaction_commit_offsets(handle, reader C.int64_t, batches *C.char, n C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		t, err := get[*kafarr.Transaction](int64(handle))
		if err != nil {
			return err
		}
		l, err := get[*listener](int64(reader))
		if err != nil {
			return err
		}
		var in batchesIn
		if err := parse(batches, n, &in); err != nil {
			return err
		}
		return t.CommitBatchIDs(l.Listener, in.IDs, in.ranges())
	})
}

//export transaction_free
func transaction_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		_, err := take[*kafarr.Transaction](int64(handle))
		return err
	})
}
