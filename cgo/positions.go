package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// partitionIn is [topic, partition].
type partitionIn struct{ source.Position }

func (p *partitionIn) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&p.Topic, &p.Partition})
}

func partitionsIn(in []partitionIn) []source.Position {
	out := make([]source.Position, len(in))
	for i, p := range in {
		out[i] = p.Position
	}
	return out
}

// offsetIn is [topic, partition, kind, number], and perhaps the topic's id, of a PartitionOffset.
type offsetIn struct{ kafarr.PartitionOffset }

func (s *offsetIn) UnmarshalJSON(text []byte) error {
	var id string
	if err := json.Unmarshal(text, &[]any{&s.Topic, &s.Partition, &s.Offset.Kind, &s.Offset.Value, &id}); err != nil {
		return err
	}
	if digits, err := hex.DecodeString(id); err != nil || copy(s.Offset.TopicID[:], digits) != len(digits) {
		return configError("%q is no id of a topic", id)
	}
	return nil
}

func offsetsIn(in []offsetIn) []kafarr.PartitionOffset {
	out := make([]kafarr.PartitionOffset, len(in))
	for i, s := range in {
		out[i] = s.PartitionOffset
	}
	return out
}

// startOn begins an operation on a listener whose result is JSON.
func startOn[T any](handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error, work func(*listener) (T, error)) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) {
			out, err := work(l)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(out)
			return string(text), err
		}))
		return nil
	})
}

//export listener_seek_start
func listener_seek_start(handle C.int64_t, targets *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var in []offsetIn
		if err := parse(targets, n, &in); err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) { return "", l.Seek(context.Background(), offsetsIn(in)...) }))
		return nil
	})
}

//export listener_give_back_start
func listener_give_back_start(handle C.int64_t, batches *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var in batchesIn
		if err := parse(batches, n, &in); err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) { return "", l.GiveBack(in.IDs, in.ranges()) }))
		return nil
	})
}

//export listener_pause_start
func listener_pause_start(handle C.int64_t, pause C.int32_t, partitions *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var list []source.Position
		if partitions != nil {
			var in []partitionIn
			if err := parse(partitions, n, &in); err != nil {
				return err
			}
			list = partitionsIn(in)
		}
		change := l.Resume
		if pause != 0 {
			change = l.Pause
		}
		*op = C.int64_t(start(func() (string, error) { return "", change(list) }))
		return nil
	})
}

//export listener_position_start
func listener_position_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return startOn(handle, op, e, func(l *listener) ([][]any, error) {
		found, err := l.Position(context.Background())
		return positionsOut(found), err
	})
}

//export listener_committed_start
func listener_committed_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return startOn(handle, op, e, func(l *listener) ([][]any, error) {
		found, err := l.Committed(context.Background())
		return positionsOut(found), err
	})
}

//export listener_lag_start
func listener_lag_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return startOn(handle, op, e, func(l *listener) ([][]any, error) {
		found, err := l.Lag(context.Background())
		out := make([][]any, len(found))
		for i, f := range found {
			out[i] = []any{f.Topic, f.Partition, f.Position, f.End, f.Lag, f.Paused}
		}
		return out, err
	})
}

//export listener_assignment
func listener_assignment(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		if err := l.Broken(); err != nil {
			return err
		}
		list := [][]any{}
		for _, p := range l.Assignment() {
			list = append(list, []any{p.Topic, p.Partition})
		}
		return giveJSON(out, list)
	})
}

func positionsOut(positions []source.Position) [][]any {
	out := make([][]any, len(positions))
	for i, p := range positions {
		out[i] = []any{p.Topic, p.Partition, p.Offset}
	}
	return out
}
