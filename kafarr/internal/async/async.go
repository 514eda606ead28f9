// Package async starts goroutines that cannot end the process.
package async

import (
	"runtime/debug"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Go runs f in a goroutine. A panic in f is given to failed, as an InternalError, instead of ending the process.
func Go(f func(), failed func(error)) {
	go func() {
		if err := Catch(f); err != nil {
			failed(err)
		}
	}()
}

// Catch runs f and returns a panic in it as an InternalError.
func Catch(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(status.InternalError, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	f()
	return nil
}
