package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
// static void release_schema(struct ArrowSchema *s) { if (s->release) s->release(s); }
// static void release_array(struct ArrowArray *a) { if (a->release) a->release(a); }
import "C"

import (
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
			batch, err = cdata.ImportCRecordBatchWithSchema((*cdata.CArrowArray)(unsafe.Pointer(&given[i])), frame.schema)
			if err != nil {
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

// importSchema takes a schema over.
func importSchema(schema *C.struct_ArrowSchema) (*arrow.Schema, error) {
	found, err := cdata.ImportCArrowSchema((*cdata.CArrowSchema)(unsafe.Pointer(schema)))
	C.release_schema(schema)
	return found, err
}

// release gives the memory back to the caller.
func (f *frameIn) release() {
	for _, b := range f.batches {
		b.Release()
	}
	f.batches = nil
}
