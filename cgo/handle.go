package main

import (
	"sync"

	"github.com/pykafarr/pykafarr/kafarr"
)

// handles is the table behind the integers that callers hold. A handle is never used twice, so a stale one is found out.
var handles = struct {
	sync.Mutex
	last  int64
	table map[int64]any
}{table: map[int64]any{}}

func newHandle(v any) int64 {
	handles.Lock()
	defer handles.Unlock()
	handles.last++
	handles.table[handles.last] = v
	return handles.last
}

// get returns what a handle stands for.
func get[T any](h int64) (T, error) {
	handles.Lock()
	defer handles.Unlock()
	if v, ok := handles.table[h].(T); ok {
		return v, nil
	}
	var none T
	return none, closed(h)
}

// take removes a handle from the table.
func take[T any](h int64) (T, error) {
	handles.Lock()
	defer handles.Unlock()
	if v, ok := handles.table[h].(T); ok {
		delete(handles.table, h)
		return v, nil
	}
	var none T
	return none, closed(h)
}

func closed(h int64) error {
	return coded(kafarr.ClosedError, "it is closed: the listener, stream, producer, report or transaction of this call (handle %d)", h)
}
