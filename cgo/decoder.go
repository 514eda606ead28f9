package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/avro"
)

//export decoder_new
func decoder_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c struct {
			Schema string `json:"schema"`
		}
		if err := parse(config, n, &c); err != nil {
			return err
		}
		d, err := kafarr.NewDecoder(c.Schema)
		if err == nil {
			*handle = C.int64_t(newHandle(d))
		}
		return err
	})
}

//export decoder_decode
func decoder_decode(handle C.int64_t, data *C.uint8_t, offsets *C.int64_t, rows C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		d, err := get[*kafarr.Decoder](int64(handle))
		if err != nil {
			return err
		}
		ends := unsafe.Slice((*int64)(unsafe.Pointer(offsets)), int(rows)+1)
		bodies := make([]avro.Body, int(rows))
		for i := range bodies {
			bodies[i] = avro.Body{Data: unsafe.Add(unsafe.Pointer(data), ends[i]), Len: int(ends[i+1] - ends[i])}
		}
		b, err := d.Decode(bodies)
		if err != nil {
			return err
		}
		return handOver(b, out)
	})
}

//export decoder_free
func decoder_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		_, err := take[*kafarr.Decoder](int64(handle))
		return err
	})
}
