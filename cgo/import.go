package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
// static void release_schema(struct ArrowSchema *s) { if (s->release) s->release(s); }
// static void release_array(struct ArrowArray *a) { if (a->release) a->release(a); }
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/pykafarr/pykafarr/kafarr"
)

// frameIn is a frame on its way in: record batches that refer to the caller's memory, and are released once.
type frameIn struct {
	schema  *arrow.Schema
	batches []arrow.RecordBatch
}

// importFrame takes over the structs: the release callback of each has been called, or will be by release, whatever happens. The memory of the structs themselves stays the caller's.
func importFrame(schema *C.struct_ArrowSchema, arrays *C.struct_ArrowArray, n int) (*frameIn, error) {
	given := unsafe.Slice(arrays, n)
	frame := &frameIn{}
	var err error
	if frame.schema, err = importSchema(schema); err == nil {
		for i := range given {
			var batch arrow.RecordBatch
			if batch, err = importBatch(&given[i], frame.schema); err != nil {
				break
			}
			frame.batches = append(frame.batches, batch)
		}
	}
	if err == nil {
		return frame, nil
	}
	frame.release()
	for i := range given {
		C.release_array(&given[i]) // those that were imported have no callback any more
	}
	return nil, coded(kafarr.ConfigError, "the frame cannot be taken over by Arrow's C data interface: %w", err)
}

// importBatch takes an array over as a record batch. The Arrow library makes arrays of what it is given, and panics where their lengths contradict one another: that is
// the caller's mistake and not the end of this library, whose state was not touched. The damaged array is not released then, as nobody knows what of it was taken over.
func importBatch(array *C.struct_ArrowArray, schema *arrow.Schema) (batch arrow.RecordBatch, err error) {
	defer func() { err = orPanic(err, recover()) }()
	return cdata.ImportCRecordBatchWithSchema((*cdata.CArrowArray)(unsafe.Pointer(array)), schema)
}

// orPanic makes what a function panicked with its error.
func orPanic(err error, found any) error {
	if found != nil {
		return fmt.Errorf("its arrays are damaged: %v", found)
	}
	return err
}

// importSchema takes a schema over.
func importSchema(schema *C.struct_ArrowSchema) (imported *arrow.Schema, err error) {
	defer func() { err = orPanic(err, recover()) }()
	defer C.release_schema(schema)
	copied := withoutWidth(schema)
	if copied == nil {
		return cdata.ImportCArrowSchema((*cdata.CArrowSchema)(unsafe.Pointer(schema)))
	}
	defer copied.free()
	if imported, err = cdata.ImportCArrowSchema((*cdata.CArrowSchema)(unsafe.Pointer(copied.root))); err != nil {
		return nil, err
	}
	for _, f := range imported.Fields() {
		restoreWidth(f.Type)
	}
	return imported, nil
}

// release gives the memory back to the caller.
func (f *frameIn) release() {
	for _, b := range f.batches {
		b.Release()
	}
	f.batches = nil
}
