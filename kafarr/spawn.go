package kafarr

import "runtime/debug"

// spawn runs a goroutine of ours: a panic in it becomes an error instead of the end of the process.
func spawn(f func(), failed func(error)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				failed(errorf(InternalError, "panic: %v\n%s", p, debug.Stack()))
			}
		}()
		f()
	}()
}
