//go:build unix

package mock

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// redirectStderr points descriptor 2 at file until the function that it returns is called.
func redirectStderr(t *testing.T, file *os.File) (restore func()) {
	t.Helper()
	saved, err := unix.Dup(2)
	must(t, err)
	must(t, unix.Dup2(int(file.Fd()), 2))
	return func() {
		must(t, unix.Dup2(saved, 2))
		must(t, unix.Close(saved))
	}
}
