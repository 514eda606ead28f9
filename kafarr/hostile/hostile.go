// Package hostile says what decoding may take, whatever the schema and the body: the oracle of fuzz targets and seeded runs, for any format of messages.
package hostile

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Format is a format of messages.
type Format interface {
	// Compile makes columns of a schema's text; an error is a refusal.
	Compile(schema string) (Columns, error)
}

// Columns are what bodies are appended to.
type Columns interface {
	// Append appends a body; an error refuses it and leaves the columns as they were.
	Append(body []byte) error
	// Finish hands over the columns, which its caller releases.
	Finish() []arrow.ArrayData
}

// The bounds hold for schemas of at most MaxSchema bytes and bodies of at most MaxBody.
const (
	MaxSchema = 1 << 20
	MaxBody   = 64 << 10

	most        = slower * 10 * time.Second // a second, with a margin for a busy machine
	freeBytes   = 64 << 20
	bytesPerOne = 256
)

// Rounds is how many of n rounds a test of random schemas runs: a tenth under the race detector, where each takes ten times as long. `make test-go` runs the tests of formats without it, too.
func Rounds(n int) int { return n / slower }

// Unwatched skips a test of a single goroutine that would take minutes under the race detector: `make test-go` runs it without.
func Unwatched(t testing.TB) {
	t.Helper()
	if slower > 1 {
		t.Skip("make test-go runs it without the race detector")
	}
}

// Check compiles a schema, appends a body and hands the columns over. It fails the test where that takes too long or too much memory, or leaves some.
func Check(t testing.TB, f Format, schema string, body []byte) (refused error) {
	t.Helper()
	before, began := cmem.Live(), time.Now()
	columns, err := f.Compile(schema)
	if err != nil {
		refused = err
	} else {
		refused = columns.Append(body)
		if grown := cmem.Live() - before; grown > freeBytes+bytesPerOne*int64(len(body)) {
			t.Errorf("a body of %d bytes takes %d bytes of memory", len(body), grown)
		}
		for _, c := range columns.Finish() {
			c.Release()
		}
	}
	if took := time.Since(began); took > most {
		t.Errorf("a schema of %d bytes and a body of %d take %v", len(schema), len(body), took)
	}
	if after := cmem.Live(); after != before {
		t.Errorf("%d bytes are left", after-before)
	}
	return refused
}
