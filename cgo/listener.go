package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
)

// listener is a Listener with what waits to be told about it.
type listener struct {
	*kafarr.Listener
	events *events
	closed atomic.Bool
}

// listenerConfig is the JSON of listener_new.
type listenerConfig struct {
	Servers        string                     `json:"servers"`
	Group          string                     `json:"group"`
	Topics         []string                   `json:"topics"`
	RegistryURL    string                     `json:"registry_url"`
	Config         map[string]string          `json:"config"`
	RegistryConfig map[string]string          `json:"registry_config"`
	Metadata       [][2]kafarr.MetadataColumn `json:"metadata"`
	Errors         string                     `json:"errors"`
	ReadyTimeoutMS int64                      `json:"ready_timeout_ms"`
	ReaderSchemas  []string                   `json:"reader_schemas"`
	Assign         []partitionIn              `json:"assign"`
	Start          []startIn                  `json:"start"`
	columnOptions
}

// parse reads a JSON text that came over the boundary.
func parse(text *C.char, n C.int64_t, into any) error {
	if err := json.Unmarshal(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(n)), into); err != nil {
		return configError("the configuration is no valid JSON: %w", err)
	}
	return nil
}

var errorModes = map[string]kafarr.ErrorMode{"": kafarr.Raise, "raise": kafarr.Raise, "skip": kafarr.Skip, "collect": kafarr.Collect}

//export listener_new
func listener_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c listenerConfig
		if err := parse(config, n, &c); err != nil {
			return err
		}
		mode, ok := errorModes[c.Errors]
		if !ok {
			return configError(`errors is %q: it must be "raise", "skip" or "collect"`, c.Errors)
		}
		metadata := make([]kafarr.Metadata, len(c.Metadata))
		for i, m := range c.Metadata {
			metadata[i] = kafarr.Metadata{Column: m[0], As: string(m[1])}
		}
		options, err := c.options()
		if err != nil {
			return err
		}
		l := &listener{events: &events{}}
		l.Listener, err = kafarr.Open(kafarr.Config{
			Servers: c.Servers, Group: c.Group, Topics: c.Topics, Assign: partitionsIn(c.Assign), Start: startsIn(c.Start), RegistryURL: c.RegistryURL,
			Properties: c.Config, RegistryProperties: c.RegistryConfig, Metadata: metadata, Errors: mode,
			Readers: c.ReaderSchemas, Columns: options.Columns, Unions: options.Unions, Recursion: options.Recursion,
			ReadyTimeout: time.Duration(c.ReadyTimeoutMS) * time.Millisecond, Logger: slog.New(l.events),
		})
		if err != nil {
			return err
		}
		*handle = C.int64_t(newHandle(l))
		return nil
	})
}

//export listener_poll
func listener_poll(handle C.int64_t, begin C.int32_t, numMessages, maxTimeMS, sliceMS C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		b, done, err := l.PollSlice(begin != 0, int(numMessages), milliseconds(maxTimeMS), milliseconds(sliceMS))
		out.events = C.int64_t(l.events.count.Load())
		switch {
		case err != nil:
			return err
		case !done:
			return errPending
		}
		return handOver(b, out)
	})
}

// milliseconds is a duration; what would overflow is as good as for ever.
func milliseconds(n C.int64_t) time.Duration {
	const forever = 1 << 40 // 34 years
	return time.Duration(min(n, forever)) * time.Millisecond
}

// handOver moves a batch over the boundary.
func handOver(b *kafarr.Batch, out *C.struct_kafarr_batch) error {
	defer b.Release()
	if b.Record == nil && b.Rejected == nil {
		return nil
	}
	info, err := json.Marshal(struct {
		MessageType string  `json:"message_type"`
		Ranges      [][]any `json:"ranges"`
	}{b.MessageType, rangesOut(b.Ranges)})
	if err != nil {
		return err
	}
	if b.Record != nil {
		if err := exportRecord(b.Record, &out.array, &out.schema); err != nil {
			return err
		}
		out.rows = C.int64_t(b.Record.NumRows())
	}
	if b.Rejected != nil {
		if err := exportRecord(b.Rejected, &out.rejected, &out.rejected_schema); err != nil {
			discard(&out.array, &out.schema)
			return err
		}
		out.rejected_rows = C.int64_t(b.Rejected.NumRows())
	}
	out.info = C.CString(string(info))
	return nil
}

func rangesOut(ranges []kafarr.Range) [][]any {
	out := make([][]any, len(ranges))
	for i, r := range ranges {
		out[i] = []any{r.Topic, r.Partition, r.First, r.Next, r.Rows}
	}
	return out
}

//export listener_events
func listener_events(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		text, err := l.events.take()
		if err == nil {
			*out = C.CString(text)
		}
		return err
	})
}

// rangeIn is a range as it comes back: [topic, partition, first, next].
type rangeIn struct{ kafarr.Range }

func (r *rangeIn) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&r.Topic, &r.Partition, &r.First, &r.Next})
}

//export listener_commit_start
func listener_commit_start(handle C.int64_t, ranges *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var in []rangeIn
		if ranges != nil {
			if err := parse(ranges, n, &in); err != nil {
				return err
			}
		}
		list := make([]kafarr.Range, len(in))
		for i, r := range in {
			list[i] = r.Range
		}
		all := ranges == nil
		*op = C.int64_t(start(func() (string, error) { return "", l.CommitRanges(context.Background(), all, list) }))
		return nil
	})
}

//export listener_stats
func listener_stats(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		text, err := json.Marshal(struct {
			kafarr.Stats
			LogLinesDropped int64 `json:"log_lines_dropped"`
		}{l.Stats(), l.events.dropped.Load()})
		if err == nil {
			*out = C.CString(string(text))
		}
		return err
	})
}

//export listener_close_start
func listener_close_start(handle C.int64_t, acknowledge C.int32_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		l.closed.Store(true)
		end := l.Close
		if acknowledge == 0 {
			end = l.Abort
		}
		*op = C.int64_t(start(func() (string, error) { return "", end() }))
		return nil
	})
}

//export listener_free
func listener_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := take[*listener](int64(handle))
		if err != nil {
			return err
		}
		if !l.closed.Swap(true) {
			spawn(func() { _ = l.Abort() }, func(error) {})
		}
		return nil
	})
}
