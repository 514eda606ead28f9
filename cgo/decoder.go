package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"cmp"
	"errors"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// decoderConfig is the JSON of decoder_new.
type decoderConfig struct {
	Value        string    `json:"value"`
	Schema       [2]string `json:"schema"` // text and message type
	MessageType  string    `json:"message_type"`
	Framing      string    `json:"framing"`
	ReaderSchema string    `json:"reader_schema"`
	columnOptions
}

//export decoder_new
func decoder_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c decoderConfig
		if err := parse(config, n, &c); err != nil {
			return err
		}
		options, err := c.options()
		if err != nil {
			return err
		}
		cfg := kafarr.DecoderConfig{Schema: c.Schema[0], MessageType: cmp.Or(c.MessageType, c.Schema[1]), Reader: c.ReaderSchema, Options: options}
		if err := errors.Join(choose("value", c.Value, bodies, &cfg.Value), choose("framing", c.Framing, bodyFramings, &cfg.Framing)); err != nil {
			return err
		}
		d, err := kafarr.NewDecoder(cfg)
		if err == nil {
			*handle = C.int64_t(newHandle(d))
		}
		return err
	})
}

// bodyFramings are what bodies of a decoder may have.
var bodyFramings = map[string]kafarr.Framing{"": kafarr.Bare, "bare": kafarr.Bare, "connect": kafarr.Connect}

// columnOptions are the parts of a configuration that say how schemas become columns.
type columnOptions struct {
	Columns    []string      `json:"columns"`
	Unions     string        `json:"unions"`
	Recursion  string        `json:"recursion"`
	OutOfRange string        `json:"out_of_range"`
	Timestamps string        `json:"timestamps"`
	Enums      string        `json:"enums"`
	Formats    string        `json:"formats"`
	Unknown    string        `json:"unknown_members"`
	Limits     format.Limits `json:"limits"`
}

func (c *columnOptions) options() (format.Options, error) {
	o := format.Options{Columns: c.Columns, Limits: c.Limits}
	switch c.Unions {
	case "", "struct":
	case "dense":
		o.Unions = format.DenseUnions
	default:
		return o, configError(`unions is %q: it must be "struct" or "dense"`, c.Unions)
	}
	switch c.Recursion {
	case "", "refuse":
	case "json":
		o.Recursion = format.JSON
	default:
		return o, configError(`recursion is %q: it must be "refuse" or "json"`, c.Recursion)
	}
	switch c.OutOfRange {
	case "", "raise":
	case "null":
		o.OutOfRange = format.NullOutOfRange
	default:
		return o, configError(`out_of_range is %q: it must be "raise" or "null"`, c.OutOfRange)
	}
	return o, errors.Join(
		choose("timestamps", c.Timestamps, timestamps, &o.Timestamps), choose("enums", c.Enums, enums, &o.Enums),
		choose("formats", c.Formats, textFormats, &o.Formats), choose("unknown_members", c.Unknown, unknownMembers, &o.UnknownMembers),
	)
}

//export decoder_decode
func decoder_decode(handle C.int64_t, data *C.uint8_t, offsets *C.int64_t, rows, sliceMS C.int64_t, decoding *C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		g, err := decodingOf(int64(handle), data, offsets, int(rows), int64(*decoding))
		if err != nil {
			return err
		}
		b, err := g.Slice(time.Duration(sliceMS) * time.Millisecond)
		if b == nil && err == nil {
			if *decoding == 0 {
				*decoding = C.int64_t(newHandle(g))
			}
			return errPending
		}
		g.Stop()
		if *decoding != 0 {
			_, _ = take[*kafarr.Decoding](int64(*decoding)) // it is there
			*decoding = 0
		}
		if err != nil {
			return err
		}
		return handOver(b, out)
	})
}

// decodingOf finds what an earlier call has begun, or begins.
func decodingOf(decoder int64, data *C.uint8_t, offsets *C.int64_t, rows int, begun int64) (*kafarr.Decoding, error) {
	if begun != 0 {
		return get[*kafarr.Decoding](begun)
	}
	d, err := get[*kafarr.Decoder](decoder)
	if err != nil {
		return nil, err
	}
	ends := unsafe.Slice((*int64)(unsafe.Pointer(offsets)), rows+1)
	bodies := make([]format.Body, rows)
	for i := range bodies {
		bodies[i] = format.Body{Data: unsafe.Add(unsafe.Pointer(data), ends[i]), Len: int(ends[i+1] - ends[i])}
	}
	return d.Start(bodies), nil
}

//export decoder_stop
func decoder_stop(decoding C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		g, err := take[*kafarr.Decoding](int64(decoding))
		if err == nil {
			g.Stop()
		}
		return err
	})
}

//export decoder_stats
func decoder_stats(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		d, err := get[*kafarr.Decoder](int64(handle))
		if err != nil {
			return err
		}
		return giveJSON(out, d.Stats())
	})
}

//export decoder_free
func decoder_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		_, err := take[*kafarr.Decoder](int64(handle))
		return err
	})
}
