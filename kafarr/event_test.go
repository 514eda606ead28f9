package kafarr_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// eventsOf polls one batch and renders its events as "kind old new".
func eventsOf(t *testing.T, l *kafarr.Listener, limit int) []string {
	t.Helper()
	b, err := l.Poll(context.Background(), limit, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	var out []string
	for _, e := range b.Events {
		out = append(out, fmt.Sprintf("%s %d %d", e.Kind, e.Old, e.New))
	}
	return out
}

func askedInVain(src *replay.Source, offset int64) {
	src.Reset(source.Position{Topic: "t", Offset: offset})
}

func TestRecordsThatWereDeletedBeforeTheyWereReadAreAnEventWithBothOffsets(t *testing.T) {
	l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 1, 1), message(0, 9, 1, 2))
	eventsOf(t, l, 1)
	askedInVain(src, 2) // offset 1 was fetched before that
	if got := eventsOf(t, l, 2); !slices.Equal(got, []string{"offset_reset 2 9"}) {
		t.Error(got)
	}
}

func TestAGapThatTheClientDidNotFallIntoIsNoEvent(t *testing.T) {
	l, _ := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 9, 1, 2))
	eventsOf(t, l, 1)
	if got := eventsOf(t, l, 1); got != nil {
		t.Error(got)
	}
}

func TestALogThatGoesBackIsAnEventBeAnythingReadOrNot(t *testing.T) {
	l, src := open(t, kafarr.Config{}, message(0, 100, 1, 0), message(0, 0, 1, 1))
	askedInVain(src, 200) // what was committed; 100 is the first there is
	if got := eventsOf(t, l, 2); !slices.Equal(got, []string{"assigned -1 -1", "log_went_back 200 100", "log_went_back 101 0"}) {
		t.Error(got)
	}
}

func TestASeekMakesAResetThatWasBeforeItMeaningless(t *testing.T) {
	l, src := open(t, kafarr.Config{}, message(0, 5, 1, 0), message(0, 6, 1, 1), message(1, 0, 1, 2))
	eventsOf(t, l, 1)
	askedInVain(src, 3)
	if err := l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Partition: 0, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 6}}); err != nil {
		t.Fatal(err)
	}
	if got := eventsOf(t, l, 1); got != nil {
		t.Error(got)
	}
}

func TestTakenPartitionsAreAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(1, 0, 1, 1))
		eventsOf(t, l, 1)
		src.Revoke(source.Position{Topic: "t", Partition: 1})
		wantPolls(t, l, 1, "")
		src.Add(message(0, 1, 1, 2))
		if got := eventsOf(t, l, 1); !slices.Equal(got, []string{"revoked -1 -1"}) {
			t.Error(got)
		}
	})
}
