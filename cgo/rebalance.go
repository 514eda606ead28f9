package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// tellRebalances has rebalances wait for listener_rebalanced_start. The functions are never called: the caller's own are, between slices.
func tellRebalances(cfg *kafarr.Config, onAssign, onRevoke bool) {
	if onAssign {
		cfg.OnAssign = func([]source.Position) ([]kafarr.PartitionOffset, error) { return nil, nil }
	}
	if onRevoke {
		cfg.OnRevoke = func([]source.Position, bool) {}
	}
}

// rebalance is the JSON of listener_rebalance.
type rebalance struct {
	Partitions [][2]any `json:"partitions"`
	Revoked    bool     `json:"revoked"`
	Lost       bool     `json:"lost"`
}

//export listener_rebalance
func listener_rebalance(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		r, waits := l.Rebalance()
		if !waits {
			return nil
		}
		partitions := make([][2]any, len(r.Partitions))
		for i, p := range r.Partitions {
			partitions[i] = [2]any{p.Topic, p.Partition}
		}
		return giveJSON(out, rebalance{partitions, r.Revoked, r.Lost})
	})
}

//export listener_rebalanced_start
func listener_rebalanced_start(handle C.int64_t, begin *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var in []offsetIn
		if begin != nil {
			if err := parse(begin, n, &in); err != nil {
				return err
			}
		}
		*op = C.int64_t(start(func() (string, error) { return "", l.Rebalanced(context.Background(), offsetsIn(in)...) }))
		return nil
	})
}

//export listener_leave_start
func listener_leave_start(handle C.int64_t, acknowledge C.int32_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) { return "", l.Leave(acknowledge != 0) }))
		return nil
	})
}
