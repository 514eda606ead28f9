package kafarr_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// told notes what OnAssign and OnRevoke are told; revoking runs within OnRevoke.
type told struct {
	calls    []string
	revoking func()
}

func (n *told) config() kafarr.Config {
	return kafarr.Config{
		Messages: kafarr.Messages{Metadata: columns(kafarr.Partition)},
		OnAssign: func(p []source.Position) ([]kafarr.PartitionOffset, error) {
			n.calls = append(n.calls, fmt.Sprint("assigned ", p))
			return nil, nil
		},
		OnRevoke: func(p []source.Position, lost bool) {
			n.calls = append(n.calls, fmt.Sprint("revoked ", p, " lost ", lost))
			if n.revoking != nil {
				n.revoking()
			}
		},
	}
}

func (n *told) want(t *testing.T, calls ...string) {
	t.Helper()
	if !slices.Equal(n.calls, calls) {
		t.Errorf("told %q, want %q", n.calls, calls)
	}
}

func twoPartitions() []replay.Message {
	return []replay.Message{message(0, 0, 1, 0), message(1, 0, 1, 1), message(0, 1, 1, 2), message(1, 1, 1, 3)}
}

// nextPoll is a poll whose batch is kept.
func nextPoll(t *testing.T, l *kafarr.Listener, limit int) *kafarr.Batch {
	t.Helper()
	b, err := l.Poll(context.Background(), limit, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	return b
}

func TestOnAssignIsToldBeforeTheFirstRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, _ := open(t, n.config(), twoPartitions()...)
		n.want(t)
		wantPolls(t, l, 1, "x.A 0")
		n.want(t, "assigned [{t 0 0} {t 1 0}]")
		wantPolls(t, l, 1, "x.A 1")
		n.want(t, "assigned [{t 0 0} {t 1 0}]")
	})
}

func TestWhatOnRevokeCommitsIsCommittedBeforeThePartitionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, src := open(t, n.config(), twoPartitions()...)
		b := nextPoll(t, l, 2)
		n.revoking = func() {
			if err := l.Commit(context.Background(), b); err != nil {
				t.Error(err)
			}
		}
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		wantPolls(t, l, 2, "x.A 3")
		n.revoking = nil
		n.want(t, "assigned [{t 0 0} {t 1 0}]", "revoked [{t 0 0}] lost false")
		if got := src.Committed("t", 0); got != 1 {
			t.Errorf("committed %d, want 1", got)
		}
		if err := l.Commit(context.Background(), b); !hasCode(err, kafarr.GroupError) {
			t.Errorf("a commit after the partition was given up: %v", err)
		}
	})
}

func hasCode(err error, code kafarr.Code) bool {
	var e *kafarr.Error
	return errors.As(err, &e) && e.Code == code
}

func TestLostPartitionsCannotBeCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, src := open(t, n.config(), twoPartitions()...)
		b := nextPoll(t, l, 2)
		n.revoking = func() {
			if err := l.Commit(context.Background(), b); !hasCode(err, kafarr.GroupError) {
				t.Errorf("commit of the lost batch: %v", err)
			}
			if err := l.Commit(context.Background()); err != nil {
				t.Errorf("commit of what is left: %v", err)
			}
		}
		src.Lose(source.Position{Topic: "t", Partition: 0})
		wantPolls(t, l, 2, "x.A 3")
		n.revoking = nil
		n.want(t, "assigned [{t 0 0} {t 1 0}]", "revoked [{t 0 0}] lost true")
		if lost, kept := src.Committed("t", 0), src.Committed("t", 1); lost != -1 || kept != 1 {
			t.Errorf("committed %d of the lost partition, %d of the other", lost, kept)
		}
	})
}

// TestHalfBuiltRowsWaitForTheAnswer takes a partition away while its rows are half-built, and asks before they are dropped.
func TestHalfBuiltRowsWaitForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, src := open(t, n.config(), twoPartitions()...)
		slice := func(begin bool) (*kafarr.Batch, bool) {
			t.Helper()
			b, done, err := l.PollSlice(begin, 100, 50*time.Millisecond, 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			return b, done
		}
		wantRebalance := func(want kafarr.Rebalance) {
			t.Helper()
			for range 2 { // it is told until it is answered
				if _, done := slice(true); done {
					t.Fatal("the poll does not wait for the answer")
				}
				if r, waits := l.Rebalance(); !waits || fmt.Sprint(r) != fmt.Sprint(want) {
					t.Fatalf("got %v, %v; want %v", r, waits, want)
				}
			}
			if err := l.Rebalanced(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		p := []source.Position{{Topic: "t", Partition: 0}, {Topic: "t", Partition: 1}}
		wantRebalance(kafarr.Rebalance{Partitions: p})
		if _, done := slice(true); done {
			t.Fatal("done before its time")
		}
		src.Revoke(p[0])
		wantRebalance(kafarr.Rebalance{Partitions: p[:1], Revoked: true})
		if err := l.Rebalanced(context.Background()); !hasCode(err, kafarr.StateError) {
			t.Errorf("an answer to nothing: %v", err)
		}
		wantPolls(t, l, 100, "x.A 1", "x.A 3", "")
		n.want(t) // PollSlice calls nothing
	})
}

func TestCloseTellsOfTheAssignmentWhileItCanBeCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		cfg := n.config()
		cfg.Acknowledge = kafarr.OnCommit
		l, src := open(t, cfg, twoPartitions()...)
		b := nextPoll(t, l, 4)
		n.calls = nil
		n.revoking = func() {
			if err := l.Commit(context.Background(), b); err != nil {
				t.Error(err)
			}
			if _, err := l.Poll(context.Background(), 1, 0); !errors.Is(err, kafarr.ErrClosed) {
				t.Errorf("a poll while closing: %v", err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		n.want(t, "revoked [{t 0 0} {t 1 0}] lost false")
		if a, b := src.Committed("t", 0), src.Committed("t", 1); a != 2 || b != 2 {
			t.Errorf("committed %d and %d, want 2 and 2", a, b)
		}
		if err := l.Commit(context.Background(), b); !errors.Is(err, kafarr.ErrClosed) {
			t.Errorf("a commit after Close: %v", err)
		}
	})
}

func TestACloseWithinOnRevokeEndsThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, src := open(t, n.config(), twoPartitions()...)
		wantPolls(t, l, 2, "x.A 0 1")
		n.calls = nil
		n.revoking = func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		if _, err := l.Poll(context.Background(), 2, time.Hour); !errors.Is(err, kafarr.ErrClosed) {
			t.Errorf("got %v", err)
		}
		n.want(t, "revoked [{t 0 0}] lost false")
	})
}

func TestAPanicOfOnRevokeLeavesThePartitionGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{revoking: func() { panic("mine") }}
		l, src := open(t, n.config(), twoPartitions()...)
		wantPolls(t, l, 2, "x.A 0 1")
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		func() {
			defer func() {
				if p := recover(); p != "mine" {
					t.Errorf("recovered %v", p)
				}
			}()
			nextPoll(t, l, 2)
		}()
		n.revoking = nil
		wantPolls(t, l, 2, "x.A 3")
	})
}

func TestAListenerThatNobodyPollsAnyMoreClosesWithARevocationUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		l, src := open(t, n.config(), twoPartitions()...)
		wantPolls(t, l, 2, "x.A 0 1")
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		if _, done, err := l.PollSlice(true, 1, time.Hour, time.Millisecond); done || err != nil {
			t.Fatal(done, err)
		}
		n.calls = nil
		if err := l.Abort(); err != nil {
			t.Fatal(err)
		}
		n.want(t, "revoked [{t 0 0}] lost false", "revoked [{t 1 0}] lost false")
	})
}

// late is ready some time after it was asked for the first time.
type late struct {
	*replay.Source
	after time.Duration
	asked time.Time
}

func (s *late) Ready() (bool, string) {
	if s.asked.IsZero() {
		s.asked = time.Now()
	}
	if time.Since(s.asked) < s.after {
		return true, "the first fetch"
	}
	return true, ""
}

func TestTheReadyTimeoutIsNotUsedUpByOnAssign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &late{Source: replay.New(message(0, 0, 1, 0)), after: 50 * time.Millisecond}
		l, err := kafarr.Open(kafarr.Config{
			Registry:     kafarr.Registry{Client: schemas},
			ReadyTimeout: 500 * time.Millisecond,
			OnAssign: func([]source.Position) ([]kafarr.PartitionOffset, error) {
				time.Sleep(600 * time.Millisecond)
				return nil, nil
			},
			Source: func(h source.Handler) (source.Source, error) {
				_, err := s.Open(h)
				return s, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 1, "x.A 0")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func at(partition int32, offset int64) kafarr.PartitionOffset {
	return kafarr.PartitionOffset{Topic: "t", Partition: partition, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: offset}}
}

func TestPartitionsBeginWhereOnAssignSaysAndHoldNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := []kafarr.PartitionOffset{at(0, 2), at(7, 1)} // another member's, of a book that has them all
		l, src := open(t, kafarr.Config{OnAssign: func([]source.Position) ([]kafarr.PartitionOffset, error) { return begin, nil }}, slices.Concat(line(0, 4), line(1, 2))...)
		wantPolls(t, l, 100, "x.A 2 3 0 1")
		if err := l.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		begin = []kafarr.PartitionOffset{at(0, 1)} // it counts, though this listener was further
		p := source.Position{Topic: "t", Partition: 0}
		src.Revoke(p)
		wantPolls(t, l, 100, "")
		src.Regain(p)
		wantPolls(t, l, 100, "x.A 1 2 3")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 4 {
			t.Error(err, src.Committed("t", 0))
		}
	})
}

func TestOnAssignIsAskedAgainUntilItSucceedsAndNothingIsReadBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := errors.New("the sink does not answer")
		answers := []func() ([]kafarr.PartitionOffset, error){
			func() ([]kafarr.PartitionOffset, error) { return nil, mine },
			func() ([]kafarr.PartitionOffset, error) { return []kafarr.PartitionOffset{at(0, 9)}, nil },
			func() ([]kafarr.PartitionOffset, error) {
				return []kafarr.PartitionOffset{{Topic: "u", Partition: -1}, {Topic: "t", Partition: -1}}, nil
			},
			func() ([]kafarr.PartitionOffset, error) { panic("mine") },
			func() ([]kafarr.PartitionOffset, error) { return []kafarr.PartitionOffset{at(-1, 1)}, nil },
		}
		l, _ := open(t, kafarr.Config{Topics: []string{"t"}, OnAssign: func([]source.Position) ([]kafarr.PartitionOffset, error) {
			next := answers[0]
			answers = answers[1:]
			return next()
		}}, line(0, 3)...)
		if _, err := l.Poll(context.Background(), 9, 0); !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
		wantPolls(t, l, 9, "t[0]: offset 9 is not in the log, which goes from 0 to 3; if rows before that offset were there once, the topic was deleted and created again, or the log was truncated", "on_assign: u is none of the topics that are read")
		func() {
			defer func() { _ = recover() }()
			nextPoll(t, l, 9)
		}()
		wantPolls(t, l, 9, "x.A 1 2")
	})
}

func TestASeekInOnAssignIsWhereItsPartitionBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l *kafarr.Listener
		l, _ = open(t, kafarr.Config{OnAssign: func(p []source.Position) ([]kafarr.PartitionOffset, error) {
			if got := l.Assignment(); !slices.Equal(got, p) {
				t.Errorf("assignment %v", got)
			}
			return nil, l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Partition: 0, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2}})
		}}, line(0, 3)...)
		wantPolls(t, l, 9, "x.A 2")
	})
}

func TestACloseWhileOnAssignFailsGivesUpWhatWasNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		cfg := n.config()
		cfg.OnAssign = func([]source.Position) ([]kafarr.PartitionOffset, error) { return nil, errors.New("mine") }
		l, src := open(t, cfg, line(0, 3)...)
		wantPolls(t, l, 9, "mine")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		n.want(t)
		if got := src.Committed("t", 0); got != -1 {
			t.Errorf("committed %d", got)
		}
	})
}
