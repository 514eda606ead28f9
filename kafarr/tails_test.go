package kafarr_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// tailed is a source whose log goes from low to end, with nothing after its last message but what brings no records.
type tailed struct {
	*replay.Source
	mu       sync.Mutex
	low, end int64
	reset    []source.Position // to be told
	asked    []source.Position
	messages []replay.Message
	silent   bool // nothing comes
}

// unread stands for a partition of which nothing comes.
var unread = message(0, 14, 1, 0)

func (s *tailed) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	if s.silent {
		time.Sleep(wait)
		return nil, nil
	}
	return s.Source.Fetch(limit, wait)
}

func (s *tailed) ListOffsets(_ context.Context, positions []source.Position) ([]source.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(positions)
	for i := range out {
		if out[i].Offset == source.Beginning {
			out[i].Offset = s.low
		} else {
			out[i].Offset = s.end
		}
	}
	return out, nil
}

func (s *tailed) FindNext(_ context.Context, positions []source.Position) ([]source.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, positions...)
	out := slices.Clone(positions)
	for i := range out {
		next := s.end
		for _, m := range s.messages {
			if m.Offset >= out[i].Offset {
				next = min(next, m.Offset)
			}
		}
		out[i].Offset = max(out[i].Offset, next)
	}
	return out, nil
}

func (s *tailed) Resets() []source.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.reset
	s.reset = nil
	return out
}

// tailedBy opens a listener of a log of these messages that goes from low to end.
func tailedBy(t *testing.T, cfg kafarr.Config, low, end int64, messages ...replay.Message) (*kafarr.Listener, *tailed) {
	t.Helper()
	src := &tailed{Source: replay.New(messages...), low: low, end: end, messages: messages, silent: messages[0].Offset >= end}
	return openOver(t, cfg, src, src.Source), src
}

// soonAt polls until the position is there.
func soonAt(t *testing.T, l *kafarr.Listener, want int64) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		if got := poll(t, l, 100); got != "" {
			t.Fatalf("%q came", got)
		}
		found, err := l.Position(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 1 && found[0].Offset == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the positions are %v, not %d", found, want)
		}
	}
}

func TestWhatBringsNoRowsAtTheEndOfALogIsPassedAndCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := tailedBy(t, kafarr.Config{}, 0, 6, line(0, 2)...)
		wantPolls(t, l, 100, "x.A 0 1")
		soonAt(t, l, 6)
		lags, err := l.Lag(context.Background())
		if err != nil || lags[0].Lag != 0 {
			t.Errorf("%v, %v", lags, err)
		}
		if err := l.Close(); err != nil || src.Committed("t", 0) != 6 {
			t.Errorf("%v, committed %d", err, src.Committed("t", 0))
		}
	})
}

func TestNoCommitPassesARowThatWasNotAcknowledgedForTheEndBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := tailedBy(t, kafarr.Config{Acknowledge: kafarr.OnCommit}, 0, 6, line(0, 2)...)
		b, err := l.Poll(context.Background(), 100, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		soonAt(t, l, 6)
		wantPolls(t, l, 100, "")
		if stored := src.Stored("t", 0); stored > 0 {
			t.Errorf("%d was stored before the rows were acknowledged", stored)
		}
		if err := l.Commit(context.Background(), b); err != nil || src.Committed("t", 0) != 6 {
			t.Errorf("%v, committed %d", err, src.Committed("t", 0))
		}
	})
}

func TestTheEndIsKnownOfALogOfWhichNothingWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := tailedBy(t, kafarr.Config{Cluster: kafarr.Cluster{Properties: map[string]string{"auto.offset.reset": "earliest"}}}, 10, 14, unread)
		_ = src.Commit(context.Background(), []source.Position{{Topic: "t", Offset: 3}})
		soonAt(t, l, 14)
		if err := l.Close(); err != nil || src.Committed("t", 0) != 14 {
			t.Errorf("%v, committed %d", err, src.Committed("t", 0))
		}
	})
}

func TestNothingIsCommittedWhereAResetLeadsToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := tailedBy(t, kafarr.Config{}, 10, 14, unread)
		_ = src.Commit(context.Background(), []source.Position{{Topic: "t", Offset: 3}})
		soonAt(t, l, 14)
		wantPolls(t, l, 100, "", "", "")
		if err := l.Close(); err != nil || src.Committed("t", 0) != 3 {
			t.Errorf("%v, committed %d: rows may lie between the end that the client has found and this one", err, src.Committed("t", 0))
		}
	})
}

func TestThePositionFollowsAResetBeforeThereIsARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := tailedBy(t, kafarr.Config{Cluster: kafarr.Cluster{Properties: map[string]string{"auto.offset.reset": "earliest"}}}, 0, 5, line(0, 5)...)
		wantPolls(t, l, 100, "x.A 0 1 2 3 4")
		wantPosition(t, l, 5)
		src.mu.Lock()
		src.end, src.reset, src.messages = 2, []source.Position{{Topic: "t", Offset: 5}}, nil
		src.mu.Unlock()
		wantPosition(t, l, 0)
		lags, err := l.Lag(context.Background())
		if err != nil || lags[0].Lag != 2 {
			t.Errorf("%v, %v", lags, err)
		}
	})
}
