// Package async starts goroutines that cannot end the process.
package async

import (
	"runtime/debug"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Go runs f in a goroutine. A panic in f is given to failed, as an InternalError, instead of ending the process.
func Go(f func(), failed func(error)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				failed(status.Errorf(status.InternalError, "panic: %v\n%s", p, debug.Stack()))
			}
		}()
		f()
	}()
}
