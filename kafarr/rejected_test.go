package kafarr_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
)

// TestACommitOfALaterBatchPassesTheErrorsBeforeIt has a bad row between two batches: nothing names it, so that the commit of the later batch has to acknowledge it, whether rows of several
// types are split or grouped.
func TestACommitOfALaterBatchPassesTheErrorsBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			bad := message(0, 1, 1, 0)
			bad.Value = []byte("bad")
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed}, Acknowledge: kafarr.OnCommit}, message(0, 0, 1, 0), bad, message(0, 2, 1, 2))
			var last *kafarr.Batch
			failures := 0
			for range 4 {
				b, err := l.Poll(context.Background(), 1, 10*time.Millisecond)
				switch {
				case err != nil:
					failures++
				case b.NumRows() > 0:
					last = b
					b.Release()
					if err := l.Commit(context.Background(), b); err != nil {
						t.Fatal(err)
					}
				}
			}
			if failures != 1 || last == nil || src.Committed("t", 0) != 3 {
				t.Errorf("mixed %d: %d errors, committed %d, want 1 and 3", mixed, failures, src.Committed("t", 0))
			}
		}
	})
}
