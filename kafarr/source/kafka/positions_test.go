package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

func at(offset int64) []source.Position { return []source.Position{{Topic: "t", Offset: offset}} }

func TestNothingFetchedBeforeASeekComesAfterIt(t *testing.T) {
	k := cluster(t, "t", 1, []byte("a"), []byte("b"), []byte("c"), []byte("d"))
	s, _ := open(t, k, "t", nil)
	defer func() { _ = s.Close() }()
	fetch(t, s, 1, nil) // the others are in the client's queue
	for _, to := range []int64{3, 0, 2} {
		if err := s.Seek(context.Background(), at(to)); err != nil {
			t.Fatal(err)
		}
		want := []string{"0@0=a", "0@1=b", "0@2=c", "0@3=d"}[to:]
		if got := fetch(t, s, len(want), nil); !slices.Equal(got, want) {
			t.Errorf("after a seek to %d: got %q, want %q", to, got, want)
		}
	}
}

func TestAPartitionThatIsNotFetchedYetCannotBeSought(t *testing.T) {
	k := cluster(t, "t", 1, []byte("a"))
	s, _ := open(t, k, "t", nil)
	defer func() { _ = s.Close() }()
	if err := s.Seek(context.Background(), at(0)); !errors.Is(err, source.ErrNotFetching) {
		t.Error(err)
	}
}

func TestAPausedPartitionIsNotWaitedForAndGoesOnWhereItWas(t *testing.T) {
	k := cluster(t, "t", 1, []byte("a"), []byte("b"), []byte("c"))
	s, _ := open(t, k, "t", nil)
	defer func() { _ = s.Close() }()
	fetch(t, s, 1, nil)
	if err := s.Pause(at(0)); err != nil {
		t.Fatal(err)
	}
	if joined, waiting := s.Ready(); !joined || waiting != "" {
		t.Errorf("joined %v, waiting for %q", joined, waiting)
	}
	for range 10 {
		if chunks, err := s.Fetch(10, 20*time.Millisecond); err != nil || len(chunks) > 0 {
			t.Fatal(chunks, err)
		}
	}
	if err := s.Resume(at(1)); err != nil {
		t.Fatal(err)
	}
	if got, want := fetch(t, s, 2, nil), []string{"0@1=b", "0@2=c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheClusterIsAskedForPositions(t *testing.T) {
	k := cluster(t, "t", 1, []byte("a"), []byte("b"))
	s, _ := open(t, k, "t", nil)
	defer func() { _ = s.Close() }()
	fetch(t, s, 2, nil)
	ctx := context.Background()
	for ask, want := range map[int64]int64{source.Beginning: 0, source.End: 2} {
		if got, err := s.ListOffsets(ctx, at(ask)); err != nil || got[0].Offset != want {
			t.Errorf("%d: got %v, %v, want %d", ask, got, err, want)
		}
	}
	if got, err := s.CommittedOffsets(ctx, at(0)); err != nil || got[0].Offset >= 0 {
		t.Error(got, err)
	}
	if err := s.Commit(ctx, at(1)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.CommittedOffsets(ctx, at(0)); err != nil || got[0].Offset != 1 {
		t.Error(got, err)
	}
}

func TestQuestionsToAClusterThatDoesNotAnswerEndWithTheirContext(t *testing.T) {
	k := cluster(t, "t", 1)
	s, _ := open(t, k, "t", func(c *kafka.Config) { c.Servers = "127.0.0.1:1" })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.ListOffsets(ctx, at(source.End)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.ListOffsets(context.Background(), at(source.End)); !errors.Is(err, source.ErrClosed) {
		t.Error(err)
	}
}

func TestAQuestionAboutAPartitionThatDoesNotExistFailsAtOnce(t *testing.T) {
	k := cluster(t, "t", 1)
	s, _ := open(t, k, "t", nil)
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := s.ListOffsets(ctx, []source.Position{{Topic: "t", Offset: source.End}, {Topic: "t", Partition: 7, Offset: source.End}})
	if ctx.Err() != nil || err == nil || !strings.HasPrefix(err.Error(), "t[7]: ") {
		t.Errorf("%v, the context: %v", err, ctx.Err())
	}
}

func TestAssignedPartitionsAreReadWithoutTheGroup(t *testing.T) {
	k := cluster(t, "t", 3, []byte("a"), []byte("b"), []byte("c"))
	assign := func(c *kafka.Config) { c.Topics, c.Assign = nil, []source.Position{{Topic: "t", Partition: 1}} }
	one, h := open(t, k, "t", assign)
	two, _ := open(t, k, "t", assign)
	for _, s := range []*kafka.Kafka{one, two} {
		if got := fetch(t, s, 1, nil); got[0] != "1@0=b" {
			t.Error(got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(h.assigned) != 1 || len(h.revoked) != 0 {
		t.Errorf("assigned %v, revoked %v", h.assigned, h.revoked)
	}
}
