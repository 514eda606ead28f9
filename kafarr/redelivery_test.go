package kafarr_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// TestAPauseRepeatsNoRowThatLiesBetweenOthers has all of A handed over, and B waiting, when the partition is paused.
func TestAPauseRepeatsNoRowThatLiesBetweenOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(9)...)
		wantPolls(t, l, 7, "x.A 0 2 4 6")
		pauseAndResume(t, l)
		wantPolls(t, l, 1, "x.B 1")
		pauseAndResume(t, l)
		wantPolls(t, l, 3, "x.B 3 5 7", "x.A 8", "")
		if err := l.Commit(ctx); err != nil || src.Committed("t", 0) != 9 {
			t.Errorf("%v, committed %d, want 9", err, src.Committed("t", 0))
		}
	})
}

// TestAPauseAmidARereadForgetsNoRow pauses again when some of the discarded rows were gathered again and others were not.
func TestAPauseAmidARereadForgetsNoRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tombstone := func(offset int64) replay.Message { return replay.Message{Topic: "t", Offset: offset} }
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Metadata: columns(kafarr.Offset)}},
			message(0, 0, 1, 0), message(0, 1, 2, 1), tombstone(2), message(0, 3, 1, 3), message(0, 4, 2, 4), tombstone(5))
		var ranges []kafarr.Range
		for _, limit := range []int{6, 2, 6, 6, 6} {
			b, err := l.Poll(context.Background(), limit, 10*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			ranges = append(ranges, b.Ranges...)
			b.Release()
			if len(ranges) < 3 {
				pauseAndResume(t, l)
			}
		}
		want := []kafarr.Range{rangeOf(0, 4, 2), rangeOf(1, 2, 1), rangeOf(2, 6, 2), rangeOf(4, 5, 1)} // A, the first of B, null, the rest of B
		if !slices.Equal(ranges, want) {
			t.Errorf("got %v, want %v", ranges, want)
		}
		if got := src.Stored("t", 0); got != 6 {
			t.Errorf("stored %d, want 6", got)
		}
	})
}

// TestBadRowsComeOnceOverAPause has bad rows on both sides of a good one that is handed over first.
func TestBadRowsComeOnceOverAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := func(offset int64) replay.Message {
			m := message(0, offset, 2, 0)
			m.Value = []byte("bad")
			return m
		}
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 2, 1), bad(2), message(0, 3, 1, 3), message(0, 4, 2, 4)}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Errors: kafarr.Collect}}, messages...)
		wantPolls(t, l, 5, "x.A 0 3 rejected 1")
		pauseAndResume(t, l)
		wantPolls(t, l, 5, "x.B 1 4", "")
	})
}

// TestASeekBackRepeatsWhatAPauseDoesNot moves a partition back after a pause: then all of it is asked for.
func TestASeekBackRepeatsWhatAPauseDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(4)...)
		wantPolls(t, l, 4, "x.A 0 2")
		pauseAndResume(t, l)
		if err := l.Seek(ctx, kafarr.PartitionOffset{Topic: "t", Offset: kafarr.OffsetSpec{Kind: kafarr.AtEarliest}}); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 4, "x.A 0 2", "x.B 1 3", "")
	})
}

// TestARebalanceRepeatsNoRowThatLiesBetweenOthers has all of A handed over, and B discarded, when the partition goes and comes back: at once, and when B is half read again.
func TestARebalanceRepeatsNoRowThatLiesBetweenOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := source.Position{Topic: "t"}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(9)...)
		wantPolls(t, l, 7, "x.A 0 2 4 6")
		pauseAndResume(t, l)
		src.Revoke(p)
		wantPolls(t, l, 7, "")
		src.Regain(p)
		src.FetchMax = 4
		if _, done, err := l.PollSlice(true, 100, time.Hour, 0); done || err != nil {
			t.Fatal(done, err)
		}
		wantPosition(t, l, 1)
		src.Lose(p)
		wantPolls(t, l, 7, "")
		src.Regain(p)
		wantPolls(t, l, 100, "x.B 1 3 5 7", "x.A 8", "")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 9 {
			t.Errorf("%v, committed %d, want 9", err, src.Committed("t", 0))
		}
	})
}

// TestAnotherMembersProgressCountsMoreThanWhatThisOneHandedOver has another member commit the first rows of A and B meanwhile.
func TestAnotherMembersProgressCountsMoreThanWhatThisOneHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := source.Position{Topic: "t"}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(7)...)
		wantPolls(t, l, 7, "x.A 0 2 4 6")
		pauseAndResume(t, l)
		src.Revoke(p)
		wantPolls(t, l, 7, "")
		if err := src.Commit(context.Background(), []source.Position{{Topic: "t", Offset: 4}}); err != nil {
			t.Fatal(err)
		}
		src.Regain(p)
		wantPolls(t, l, 7, "x.A 4 6", "x.B 5", "")
	})
}

func giveBack(t *testing.T, l *kafarr.Listener, limit int, want string) {
	t.Helper()
	b := nextPoll(t, l, limit)
	if got := text(b); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if err := l.GiveBack([]int64{b.ID()}, b.Ranges); err != nil {
		t.Fatal(err)
	}
}

// TestABatchThatIsGivenBackRepeatsNoRowThatLiesBetweenItsOwn has A handed over when a batch of B, whole or cut, is given back.
func TestABatchThatIsGivenBackRepeatsNoRowThatLiesBetweenItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(9)...)
		wantPolls(t, l, 7, "x.A 0 2 4 6")
		giveBack(t, l, 7, "x.B 1 3 5")
		giveBack(t, l, 2, "x.B 1 3")
		wantPolls(t, l, 2, "x.B 1 3")
		giveBack(t, l, 7, "x.B 5 7")
		giveBack(t, l, 7, "x.B 5 7")
		wantPolls(t, l, 7, "x.B 5 7", "x.A 8", "")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 9 {
			t.Errorf("%v, committed %d, want 9", err, src.Committed("t", 0))
		}
	})
}

// TestABatchThatIsGivenBackBringsItsRejectedRowsAgain has bad rows beside good ones of another type, which were handed over.
func TestABatchThatIsGivenBackBringsItsRejectedRowsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := message(0, 3, 2, 0)
		bad.Value = bad.Value[:5]
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 2, 1), message(0, 2, 1, 2), bad, message(0, 4, 1, 4)}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Errors: kafarr.Collect}}, messages...)
		wantPolls(t, l, 5, "x.A 0 2 4")
		giveBack(t, l, 5, "x.B 1 rejected 1")
		wantPolls(t, l, 5, "x.B 1 rejected 1", "")
	})
}

// TestABatchThatIsGivenBackLeavesNoWaitingRowOut has a batch wait whose row of partition 1 lies before the given one's.
func TestABatchThatIsGivenBackLeavesNoWaitingRowOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := []replay.Message{message(0, 0, 1, 0), message(1, 0, 2, 10), message(1, 1, 1, 11), message(0, 1, 2, 1)}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, messages...)
		giveBack(t, l, 4, "x.A 0 11")
		var rows []string
		for range 4 {
			rows = append(rows, strings.Fields(poll(t, l, 4))...)
		}
		slices.Sort(rows)
		if want := []string{"0", "1", "10", "11", "x.A", "x.A", "x.B", "x.B"}; !slices.Equal(slices.Compact(rows), slices.Compact(want)) {
			t.Errorf("got %q", rows)
		}
	})
}

func pauseAndResume(t *testing.T, l *kafarr.Listener) {
	t.Helper()
	if err := errors.Join(l.Pause(nil), wantNothing(l), l.Resume(nil)); err != nil {
		t.Fatal(err)
	}
}

func wantNothing(l *kafarr.Listener) error {
	b, err := l.Poll(context.Background(), 10, 5*time.Millisecond)
	if err == nil && b.NumRows() > 0 {
		err = errors.New("a paused partition gave rows")
	}
	return err
}

func rangeOf(first, next, rows int64) kafarr.Range {
	return kafarr.Range{Topic: "t", Partition: 0, First: first, Next: next, Rows: rows}
}
