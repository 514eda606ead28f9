package kafarr_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// deletable is a source of the topics t and u, which may be deleted and created again.
type deletable struct {
	*replay.Source
	mu        sync.Mutex
	deleted   map[string]bool
	recreated map[string]time.Time
	busy      int // answers of Seek before which it is not ready
}

func (s *deletable) missing(topic string) error {
	return &source.Error{Code: status.TopicNotFoundError, Topic: topic, Partition: -1, Offset: -1, Err: errors.New("deleted")}
}

func (s *deletable) DeletedTopics() map[string]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]error{}
	for topic := range s.deleted {
		out[topic] = s.missing(topic)
	}
	return out
}

func (s *deletable) RecreatedTopics() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.recreated
	s.recreated = nil
	return out
}

// idOfT is the id that t has.
var idOfT = [16]byte{1}

func (s *deletable) TopicIDs(context.Context, []string) (map[string][16]byte, error) {
	return map[string][16]byte{"t": idOfT}, nil
}

func (s *deletable) ListOffsets(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	s.mu.Lock()
	for _, p := range positions {
		if s.deleted[p.Topic] {
			s.mu.Unlock()
			return nil, s.missing(p.Topic)
		}
	}
	s.mu.Unlock()
	return s.Source.ListOffsets(ctx, positions)
}

func (s *deletable) Seek(ctx context.Context, positions []source.Position) error {
	if s.busy > 0 {
		s.busy--
		return source.ErrNotFetching
	}
	return s.Source.Seek(ctx, positions)
}

// set changes what the cluster has.
func (s *deletable) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// ofU is a message of the topic u.
func ofU(offset int64, n byte) replay.Message {
	m := message(0, offset, 1, n)
	m.Topic = "u"
	return m
}

func openDeletable(t *testing.T, cfg kafarr.Config, messages ...replay.Message) (*kafarr.Listener, *deletable) {
	t.Helper()
	src := &deletable{Source: replay.New(messages...), deleted: map[string]bool{}}
	return openOver(t, cfg, src, src.Source), src
}

func wantGone(t *testing.T, l *kafarr.Listener, topic string) {
	t.Helper()
	_, err := l.Poll(context.Background(), 100, 10*time.Millisecond)
	var e *kafarr.Error
	if !errors.As(err, &e) || e.Code != kafarr.TopicNotFoundError || e.Topic != topic {
		t.Errorf("got %v, want an error that names the topic %s", err, topic)
	}
}

func TestADeletedTopicIsNamedByEveryPollThatGetsNothingWhileOthersAreReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{Topics: []string{"t", "u"}}, append(line(0, 2), ofU(0, 7))...)
		wantPolls(t, l, 100, "x.A 0 1 7")
		src.set(func() { src.deleted["u"] = true })
		for range 3 {
			wantGone(t, l, "u")
		}
		src.Add(message(0, 2, 1, 2))
		wantPolls(t, l, 100, "x.A 2")
		wantGone(t, l, "u")
		src.set(func() { delete(src.deleted, "u") })
		wantPolls(t, l, 100, "", "")
	})
}

func TestADeletedTopicIsAnErrorOnceThoughRowsOfOthersNeverEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{Topics: []string{"t", "u"}}, append(line(0, 30), ofU(0, 7))...)
		wantPolls(t, l, 2, "x.A 0 1")
		src.set(func() { src.deleted["u"] = true })
		wantGone(t, l, "u")
		wantPolls(t, l, 2, "x.A 2 3", "x.A 4 5")
	})
}

func TestATopicThatAPatternFoundMayBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{Topics: []string{"^[tu]$"}}, append(line(0, 2), ofU(0, 7))...)
		wantPolls(t, l, 100, "x.A 0 1 7")
		src.set(func() { src.deleted["u"] = true })
		wantPolls(t, l, 100, "", "")
	})
}

func TestLagAndPositionAnswerForTheOtherTopicsWhenOneIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{Topics: []string{"t", "u"}}, append(line(0, 2), ofU(0, 7))...)
		wantPolls(t, l, 2, "x.A 0 1")
		src.set(func() { src.deleted["u"] = true })
		lags, err := l.Lag(context.Background())
		if err != nil || len(lags) != 1 || lags[0] != (kafarr.Lag{Topic: "t", Position: 2, End: 2}) {
			t.Errorf("%v, %v", lags, err)
		}
		wantPosition(t, l, 2) // nothing was read of u, and where it begins cannot be asked any more
		src.set(func() { src.deleted["t"] = true })
		if lags, err = l.Lag(context.Background()); err == nil || !strings.Contains(err.Error(), "deleted") {
			t.Errorf("%v, %v", lags, err)
		}
	})
}

// recreate makes t another topic of so many rows.
func (s *deletable) recreate(last time.Time) {
	s.set(func() { s.recreated = map[string]time.Time{"t": last} })
}

func wantWentBack(t *testing.T, b *kafarr.Batch, old, next int64) {
	t.Helper()
	went := slices.DeleteFunc(b.Events, func(e kafarr.Event) bool { return e.Kind == kafarr.PartitionAssigned })
	if len(went) != 1 || went[0] != (kafarr.Event{Kind: kafarr.LogWentBack, Topic: "t", Old: old, New: next}) {
		t.Errorf("events %v", went)
	}
}

func TestARecreatedTopicThatHasGrownPastThePositionIsReadFromItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{}, line(0, 4)...)
		src.busy = 1 // it is tried again
		wantPolls(t, l, 100, "x.A 0 1 2 3")
		src.recreate(time.Now())
		wantPolls(t, l, 100, "")
		time.Sleep(500 * time.Millisecond)
		b, err := l.Poll(context.Background(), 100, 100*time.Millisecond)
		if err != nil || text(b) != "x.A 0 1 2 3" {
			t.Fatalf("%v, %v", b, err)
		}
		defer b.Release()
		wantWentBack(t, b, 4, 0)
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 4 {
			t.Errorf("%v, committed %d", err, src.Committed("t", 0))
		}
	})
}

func TestARecreatedTopicIsNotReadTwiceWhereTheClientHasBegunAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{}, line(0, 4)...)
		wantPolls(t, l, 100, "x.A 0 1 2 3")
		seen := time.Now()
		src.Reset(source.Position{Topic: "t", Offset: 4})
		wantPosition(t, l, 4)
		src.recreate(seen)
		wantPolls(t, l, 100, "", "")
	})
}

func TestARecreatedTopicIsAnErrorWithResetToErrorAndThenReadFromItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := openDeletable(t, kafarr.Config{Cluster: kafarr.Cluster{Properties: map[string]string{"auto.offset.reset": "error"}}}, line(0, 2)...)
		wantPolls(t, l, 100, "x.A 0 1")
		src.recreate(time.Now())
		if got := poll(t, l, 100); !strings.Contains(got, "t: the topic was deleted and created again") {
			t.Errorf("got %q", got)
		}
		wantPolls(t, l, 100, "x.A 0 1", "")
	})
}

func TestAListenerWhoseStartIsOfADeletedTopicSaysSoAndReadsTheTopicFromItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := []kafarr.PartitionOffset{{Topic: "t", Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2, TopicID: [16]byte{7}}}}
		l, _ := openDeletable(t, kafarr.Config{Start: start}, line(0, 4)...)
		if got := poll(t, l, 100); !strings.Contains(got, "t[0]: offset 2 is of the topic with the id 07") {
			t.Errorf("got %q", got)
		}
		wantPolls(t, l, 100, "x.A 0 1 2 3")
	})
}

func TestASeekToAnOffsetOfADeletedTopicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := openDeletable(t, kafarr.Config{}, line(0, 4)...)
		wantPolls(t, l, 2, "x.A 0 1")
		at := kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 1, TopicID: [16]byte{7}}
		err := l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Offset: at})
		if err == nil || !strings.Contains(err.Error(), "deleted and created again") {
			t.Errorf("%v", err)
		}
		at.TopicID = idOfT
		if err := l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Offset: at}); err != nil {
			t.Error(err)
		}
		wantPolls(t, l, 100, "x.A 1 2 3")
	})
}
