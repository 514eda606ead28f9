package kafarr_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// line is n messages of a partition, {n: offset}, with the timestamps 1000 + offset.
func line(partition int32, n int) []replay.Message {
	var out []replay.Message
	for i := range n {
		out = append(out, message(partition, int64(i), 1, byte(i)))
	}
	return out
}

// afterTwo is a line whose type changes after the first two: a poll of it leaves the rest fetched.
func afterTwo(n int) []replay.Message {
	out := line(0, 2)
	for i := 2; i < n; i++ {
		out = append(out, message(0, int64(i), 2, byte(i)))
	}
	return out
}

func lineOfB(partition int32, n int) []replay.Message {
	var out []replay.Message
	for i := range n {
		out = append(out, message(partition, int64(i), 2, byte(i)))
	}
	return out
}

func seek(t *testing.T, l *kafarr.Listener, partition int32, to kafarr.OffsetSpec) {
	t.Helper()
	if err := l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Partition: partition, Offset: to}); err != nil {
		t.Fatal(err)
	}
}

func wantPosition(t *testing.T, l *kafarr.Listener, want ...int64) {
	t.Helper()
	found, err := l.Position(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int64, len(found))
	for i, p := range found {
		got[i] = p.Offset
	}
	if !slices.Equal(got, want) {
		t.Errorf("positions %v, want %v", got, want)
	}
}

func TestTheMostExactStartCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := slices.Concat(line(0, 6), line(1, 6), line(2, 6))
		l, _ := open(t, kafarr.Config{Start: []kafarr.PartitionOffset{
			{Topic: "t", Partition: 1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtTime, Value: 1005}},
			{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtLatest}},
			{Topic: "t", Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 4}},
		}}, messages...)
		wantPolls(t, l, 100, "x.A 4 5 5 4 5", "")
		wantPosition(t, l, 6, 6, 6)
	})
}

func TestAStartOutsideTheLogIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Start: []kafarr.PartitionOffset{{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 9}}}}, line(0, 3)...)
		wantPolls(t, l, 100, "t[0]: offset 9 is not in the log, which goes from 0 to 3; if rows before that offset were there once, the topic was deleted and created again, or the log was truncated", "")
	})
}

// mute is a source whose cluster does not answer questions about its log until it is well.
type mute struct {
	*replay.Source
	well *atomic.Bool
}

func (m mute) ListOffsets(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	if !m.well.Load() {
		return nil, source.Errorf(status.BrokerError, "no answer")
	}
	return m.Source.ListOffsets(ctx, positions)
}

// openMute has a partition of three rows that begins with the second.
func openMute(t *testing.T) (*kafarr.Listener, *atomic.Bool) {
	t.Helper()
	src, well := replay.New(line(0, 3)...), &atomic.Bool{}
	l, err := kafarr.Open(kafarr.Config{
		Registry: kafarr.Registry{Client: schemas},
		Start:    []kafarr.PartitionOffset{{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtTime, Value: 1001}}},
		Source:   func(h source.Handler) (source.Source, error) { _, err := src.Open(h); return mute{src, well}, err },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, well
}

const placeUnknown = "t[0]: the cluster has not answered yet at which offset it starts; nothing is read of it until then: no answer"

func TestAPartitionThatBeginsNobodyKnowsWhereIsToldOfByEveryPollAndReadWhenTheClusterAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, well := openMute(t)
		wantPolls(t, l, 100, placeUnknown, placeUnknown)
		well.Store(true)
		wantWhenPlaced(t, l, "x.A 1 2")
	})
}

// wantWhenPlaced polls until the cluster has said where the partition begins.
func wantWhenPlaced(t *testing.T, l *kafarr.Listener, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(30 * time.Second); (got == "" || got == placeUnknown) && time.Now().Before(end); {
		got = poll(t, l, 100)
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wantPolls(t, l, 100, "")
}

func TestAPartitionWithoutAPlaceIsItsUsersToSeekAndPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, well := openMute(t)
		wantPolls(t, l, 100, placeUnknown)
		well.Store(true)
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2})
		wantPolls(t, l, 100, "x.A 2", "")

		l, well = openMute(t)
		wantPolls(t, l, 100, placeUnknown)
		if err := errors.Join(l.Pause(nil), l.Resume(nil)); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 100, placeUnknown) // and not what lies at another place
		if err := l.Pause(nil); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 100, "")
		well.Store(true)
		wantPolls(t, l, 100, "")
		if err := l.Resume(nil); err != nil {
			t.Fatal(err)
		}
		wantWhenPlaced(t, l, "x.A 1 2")
	})
}

func TestASeekGoesToEveryKindOfPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Cluster: kafarr.Cluster{Properties: map[string]string{"auto.offset.reset": "earliest"}}}, line(0, 6)...)
		wantPolls(t, l, 3, "x.A 0 1 2")
		for _, c := range []struct {
			to   kafarr.OffsetSpec
			want string
		}{
			{kafarr.OffsetSpec{Kind: kafarr.AtEarliest}, "x.A 0 1 2 3 4 5"},
			{kafarr.OffsetSpec{Kind: kafarr.AtLatest}, ""},
			{kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 4}, "x.A 4 5"},
			{kafarr.OffsetSpec{Kind: kafarr.AtTime, Value: 1003}, "x.A 3 4 5"},
			{kafarr.OffsetSpec{Kind: kafarr.AtTime, Value: 2000}, ""},
			{kafarr.OffsetSpec{}, "x.A 0 1 2 3 4 5"}, // nothing is committed: auto.offset.reset
		} {
			seek(t, l, 0, c.to)
			if got := poll(t, l, 100); got != c.want {
				t.Errorf("%v: got %q, want %q", c.to, got, c.want)
			}
		}
	})
}

func TestASeekDropsWhatWasFetchedOfItsPartitionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, slices.Concat(afterTwo(6), lineOfB(1, 6))...)
		wantPolls(t, l, 100, "x.A 0 1")
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 5})
		wantPosition(t, l, 5, 0)
		wantPolls(t, l, 100, "x.B 0 1 2 3 4 5 5")
	})
}

func TestCommitsFollowASeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, line(0, 6)...)
		wantPolls(t, l, 6, "x.A 0 1 2 3 4 5")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 6 {
			t.Fatal(err, src.Committed("t", 0))
		}
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2})
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 2 {
			t.Error(err, src.Committed("t", 0))
		}
		wantPolls(t, l, 2, "x.A 2 3")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 4 {
			t.Error(err, src.Committed("t", 0))
		}
	})
}

func TestTheFirstBackgroundCommitAfterALeapBackIsOurs(t *testing.T) {
	for _, auto := range []string{"true", "false"} {
		l, src := open(t, kafarr.Config{Cluster: kafarr.Cluster{Properties: map[string]string{"enable.auto.commit": auto}}}, line(0, 6)...)
		wantPolls(t, l, 6, "x.A 0 1 2 3 4 5")
		if err := l.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2})
		wantPolls(t, l, 1, "x.A 2")
		want := map[string]int64{"true": 2, "false": 6}[auto]
		for end := time.Now().Add(5 * time.Second); src.Committed("t", 0) != want && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got := src.Committed("t", 0); got != want {
			t.Errorf("enable.auto.commit=%s: committed %d, want %d", auto, got, want)
		}
	}
}

func TestPausedPartitionsGiveNothingAndLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, slices.Concat(afterTwo(4), lineOfB(1, 4))...)
		wantPolls(t, l, 100, "x.A 0 1")
		if err := l.Pause([]source.Position{{Topic: "t", Partition: 0}}); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 100, "x.B 0 1 2 3", "")
		wantPosition(t, l, 2, 4)
		if err := l.Resume(nil); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 100, "x.B 2 3")
	})
}

func TestLagIsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Start: []kafarr.PartitionOffset{{Topic: "t", Partition: 1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtLatest}}}}, slices.Concat(line(0, 6), line(1, 3))...)
		wantPolls(t, l, 2, "x.A 0 1")
		if err := l.Pause([]source.Position{{Topic: "t", Partition: 1}}); err != nil {
			t.Fatal(err)
		}
		lag, err := l.Lag(context.Background())
		if want := []kafarr.Lag{{"t", 0, 2, 6, 4, false}, {"t", 1, 3, 3, 0, true}}; err != nil || !slices.Equal(lag, want) {
			t.Errorf("got %v, %v, want %v", lag, err, want)
		}
	})
}

func TestPartitionsOfOthersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, line(0, 3)...)
		wantPolls(t, l, 1, "x.A 0")
		for name, err := range map[string]error{
			"seek":   l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Partition: 1}),
			"pause":  l.Pause([]source.Position{{Topic: "t", Partition: 1}}),
			"resume": l.Resume([]source.Position{{Topic: "u", Partition: -1}}),
		} {
			var e *kafarr.Error
			if !errors.As(err, &e) || e.Code != kafarr.StateError || !strings.Contains(e.Error(), "not assigned") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSeeksAreSafeBesideAPoll(t *testing.T) {
	l, _ := open(t, kafarr.Config{}, line(0, 60)...)
	wantPolls(t, l, 1, "x.A 0")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			if err := l.Seek(context.Background(), kafarr.PartitionOffset{Topic: "t", Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: int64(i)}}); err != nil {
				t.Error(err)
			}
			if _, err := l.Position(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		b, err := l.Poll(context.Background(), 7, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Ranges {
			if r.Next-r.First != r.Rows {
				t.Errorf("a batch across a seek: %v", r)
			}
		}
		b.Release()
	}
}

func TestWrongPositionsInAConfigAreRefused(t *testing.T) {
	for want, cfg := range map[string]kafarr.Config{
		`start is "here"`:                 {Topics: []string{"t"}, Start: []kafarr.PartitionOffset{{Offset: kafarr.OffsetSpec{Kind: "here"}}}},
		"the offset -3 is negative":       {Topics: []string{"t"}, Start: []kafarr.PartitionOffset{{Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: -3}}}},
		"the time -1 is negative":         {Topics: []string{"t"}, Start: []kafarr.PartitionOffset{{Offset: kafarr.OffsetSpec{Kind: kafarr.AtTime, Value: -1}}}},
		"start: u is none of the topics":  {Topics: []string{"t"}, Start: []kafarr.PartitionOffset{{Topic: "u", Partition: -1}}},
		"start: t[2] is none of":          {Assign: []source.Position{{Topic: "t", Partition: 1}}, Start: []kafarr.PartitionOffset{{Topic: "t", Partition: -1}, {Topic: "t", Partition: 2}}},
		"topics and assign exclude":       {Topics: []string{"t"}, Assign: []source.Position{{Topic: "t"}}},
		"assign holds t[1] twice":         {Assign: []source.Position{{Topic: "t", Partition: 1}, {Topic: "t", Partition: 1}}},
		`assign: "^t" is no topic's name`: {Assign: []source.Position{{Topic: "^t"}}},
		"assign: t has no partition -1":   {Assign: []source.Position{{Topic: "t", Partition: -1}}},
		`topics: "^(" is no regular expr`: {Topics: []string{"^(", "u"}},
	} {
		cfg.Cluster.Servers, cfg.Group, cfg.Registry.Client = "127.0.0.1:1", "g", schemas
		l, err := kafarr.Open(cfg)
		if err == nil {
			_ = l.Abort()
		}
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAStartMayNameAnyTopicThatAnExpressionMayFind(t *testing.T) {
	l, err := kafarr.Open(kafarr.Config{
		Cluster:  kafarr.Cluster{Servers: "127.0.0.1:1"},
		Registry: kafarr.Registry{Client: schemas},
		Group:    "g",
		Topics:   []string{"t", "^u"},
		Start:    []kafarr.PartitionOffset{{Topic: "t", Partition: 7}, {Topic: "uv", Partition: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Abort(); err != nil {
		t.Error(err)
	}
}

func TestABatchThatIsGivenBackComesAgainAndAcknowledgesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, slices.Concat(afterTwo(4), lineOfB(1, 2))...)
		giveBack(t, l, 100, "x.A 0 1")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != -1 {
			t.Error(err, src.Committed("t", 0))
		}
		wantPolls(t, l, 100, "x.B 0 1", "x.A 0 1", "x.B 2 3", "")
		if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 4 || src.Committed("t", 1) != 2 {
			t.Error(err, src.Committed("t", 0), src.Committed("t", 1))
		}
	})
}

func TestAHalfBuiltBatchLosesTheRowsOfASoughtPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, slices.Concat(line(0, 3), line(1, 3))...)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.Poll(ctx, 100, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		wantPosition(t, l, 0, 0)
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2})
		wantPosition(t, l, 2, 0)
		wantPolls(t, l, 100, "x.A 0 1 2", "x.A 2", "")
	})
}

func TestStartsOutsideTheLogAreToldOfAllPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := slices.Concat(line(0, 3), line(1, 3), line(2, 3))
		l, _ := open(t, kafarr.Config{Start: []kafarr.PartitionOffset{
			{Topic: "t", Partition: 0, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 9}},
			{Topic: "t", Partition: 1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 3}},
			{Topic: "t", Partition: 2, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 8}},
		}}, messages...)
		const hint = ", which goes from 0 to 3; if rows before that offset were there once, the topic was deleted and created again, or the log was truncated"
		wantPolls(t, l, 100, "t[0]: offset 9 is not in the log"+hint+"; t[2]: offset 8 is not in the log"+hint, "")
	})
}
