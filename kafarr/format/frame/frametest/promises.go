//go:build unix

package frametest

import (
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Damaged writes the frame of a seed after so many damages. made is false where they leave no frame.
type Damaged func(t *testing.T, seed uint64, damages int) (made bool, err error)

// Written reports whether the frame was written. It may be refused, and by a ValueError only. Neither reads foreign memory.
func (d Damaged) Written(t *testing.T, seed uint64, damages int) bool {
	t.Helper()
	made, err := d(t, seed, damages)
	var v *format.ValueError
	if err != nil && !errors.As(err, &v) {
		t.Fatalf("seed %d: the error is %v", seed, err)
	}
	return made && err == nil
}

// Test tries so many frames, of which some are written and some refused.
func (d Damaged) Test(t *testing.T, frames int) {
	t.Helper()
	count := map[bool]int{}
	for seed := range uint64(frames) {
		count[d.Written(t, seed, 1+int(seed%4))]++
	}
	if count[true] == 0 || count[false] == 0 {
		t.Errorf("%d were written and %d refused", count[true], count[false])
	}
}

// Fuzz is the target of frames and damages by chance.
func (d Damaged) Fuzz(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed%4))
	}
	f.Fuzz(func(t *testing.T, seed uint64, damages uint8) { d.Written(t, seed, int(damages%8)) })
}

// WantLayouts fails unless each of the layouts was met that are not the usual ones.
func WantLayouts(t *testing.T, seen map[arrow.Type]int) {
	t.Helper()
	for _, kind := range []arrow.Type{arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.LARGE_LIST, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.RUN_END_ENCODED, arrow.DICTIONARY} {
		if seen[kind] == 0 {
			t.Errorf("%s was not met", kind)
		}
	}
}
