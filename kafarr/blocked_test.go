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
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// outage is a registry that cannot answer for one id until it is over.
type outage struct {
	id   int
	kind registry.Kind // of its answers until then

	mu    sync.Mutex
	over  bool
	asked int // for that id
}

func (o *outage) SchemaByID(ctx context.Context, id int) (registry.Schema, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if id == o.id {
		if o.asked++; !o.over {
			return registry.Schema{}, &registry.Error{Kind: o.kind, ID: id, URL: "http://registry", Err: errors.New("503")}
		}
	}
	return schemas.SchemaByID(ctx, id)
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
}

// needsB are x.A 0, x.B 1, x.A 2 and x.B 3 of partition 0, and x.A 10 and 11 of partition 1, which come after them.
func needsB() []replay.Message {
	return append(alternating(4), message(1, 0, 1, 10), message(1, 1, 1, 11))
}

// openInOutage has partition 0 of needsB blocked before x.B 1, and everything before that handed over.
func openInOutage(t *testing.T, cfg kafarr.Config) (*kafarr.Listener, *replay.Source, *outage) {
	t.Helper()
	o := &outage{id: 2}
	cfg.Registry.Client = o
	l, src := open(t, cfg, needsB()...)
	wantPolls(t, l, 100, "x.A 0 10 11")
	wantOutage(t, l)
	return l, src, o
}

func wantOutage(t *testing.T, l *kafarr.Listener) {
	t.Helper()
	_, err := l.Poll(context.Background(), 100, 10*time.Millisecond)
	var e *kafarr.Error
	if !errors.As(err, &e) || e.Code != kafarr.RegistryError || e.Topic != "t" || e.Partition != 0 || e.Offset != 1 || e.SchemaID != 2 {
		t.Fatalf("got %v, want the outage at t[0]@1", err)
	}
}

// wantInTheEnd polls until so many batches came, and once more. In between, polls raise the registry's error or bring nothing.
func wantInTheEnd(t *testing.T, l *kafarr.Listener, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(30 * time.Second); len(got) < len(want) && time.Now().Before(end); {
		if p := poll(t, l, 100); p != "" && !strings.Contains(p, "503") && !strings.Contains(p, "not one of its schemas") {
			got = append(got, p)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	wantPolls(t, l, 100, "")
}

func TestAnOutageOfOneSchemaHoldsUpItsPartitionOnly(t *testing.T) {
	for name, cfg := range map[string]kafarr.Config{
		"raise": {}, "skip": {Messages: kafarr.Messages{Errors: kafarr.Skip}}, "collect": {Messages: kafarr.Messages{Errors: kafarr.Collect}},
		"grouped": {Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, "grouped, collect": {Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Errors: kafarr.Collect}},
	} {
		inBubble(t, name, func(t *testing.T) {
			l, src, o := openInOutage(t, cfg)
			for i := range int64(3) {
				src.Add(message(1, 2+i, 1, byte(12+i)))
				wantPolls(t, l, 100, "x.A "+string(rune('1'))+string(rune('2'+i)))
				wantOutage(t, l)
			}
			wantPosition(t, l, 1, 5)
			if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 1 || src.Committed("t", 1) != 5 {
				t.Errorf("%v, committed %d and %d, want 1 and 5", err, src.Committed("t", 0), src.Committed("t", 1))
			}

			o.end()
			if cfg.Messages.Mixed == kafarr.GroupMixed {
				wantInTheEnd(t, l, "x.B 1 3", "x.A 2")
			} else {
				wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
			}
			if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 4 {
				t.Errorf("%v, committed %d, want 4", err, src.Committed("t", 0))
			}
			if s := l.Stats(); s.Skipped+s.Rejected != 0 {
				t.Errorf("an outage counts as bad messages: %+v", s)
			}
		})
	}
}

func TestARegistryInAnOutageIsAskedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, o := openInOutage(t, kafarr.Config{})
		for range 20 {
			wantOutage(t, l)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.asked < 2 || o.asked > 10 {
			t.Errorf("asked %d times in 20 polls", o.asked)
		}
	})
}

func TestASchemaThatTurnsOutToBeUnknownIsNoOutageAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outage{id: 99}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: o}, Messages: kafarr.Messages{Errors: kafarr.Collect, SchemaPatience: time.Millisecond}}, message(0, 0, 99, 0), message(0, 1, 1, 1), message(1, 0, 1, 10))
		wantPolls(t, l, 100, "x.A 10")
		o.end()
		wantInTheEnd(t, l, "x.A 1 rejected 1")
	})
}

// TestAPauseOfAPartitionSetAsideIsItsUsers has the registry answer while its user has paused the partition.
func TestAPauseOfAPartitionSetAsideIsItsUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, o := openInOutage(t, kafarr.Config{})
		if err := l.Pause(nil); err != nil {
			t.Fatal(err)
		}
		wantPolls(t, l, 100, "")
		o.end()
		for range 30 {
			wantPolls(t, l, 100, "")
		}
		if err := l.Resume(nil); err != nil {
			t.Fatal(err)
		}
		wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
	})
}

func TestAResumeOfAPartitionSetAsideChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, o := openInOutage(t, kafarr.Config{})
		if err := l.Resume(nil); err != nil {
			t.Fatal(err)
		}
		wantOutage(t, l)
		o.end()
		wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
	})
}

func TestASeekLeadsAPartitionSetAsideElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src, o := openInOutage(t, kafarr.Config{})
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2})
		wantPolls(t, l, 100, "x.A 2")
		if got := poll(t, l, 100); !strings.HasPrefix(got, "t[0]@3: ") {
			t.Errorf("got %q, want the outage at the next B", got)
		}
		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtLatest})
		src.Add(message(0, 4, 1, 4))
		wantPolls(t, l, 100, "x.A 4", "")

		seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtEarliest})
		o.end()
		wantInTheEnd(t, l, "x.A 0", "x.B 1", "x.A 2", "x.B 3", "x.A 4")
	})
}

// TestAPartitionSetAsideIsGivenUpAndComesBack by a rebalance, before the registry answers and after.
func TestAPartitionSetAsideIsGivenUpAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := source.Position{Topic: "t"}
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			l, src, o := openInOutage(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed}})
			src.Revoke(p)
			wantPolls(t, l, 100, "")
			src.Regain(p)
			wantOutage(t, l)
			src.Lose(p)
			wantPolls(t, l, 100, "")
			o.end()
			wantPolls(t, l, 100, "")
			src.Regain(p)
			if mixed == kafarr.GroupMixed {
				wantInTheEnd(t, l, "x.B 1 3", "x.A 2")
			} else {
				wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
			}
		}
	})
}

// TestRowsGatheredBeforeAPartitionIsSetAsideComeOnce interrupts the poll that gathered them.
func TestRowsGatheredBeforeAPartitionIsSetAsideComeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outage{id: 2}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: o}}, needsB()...)
		if _, done, err := l.PollSlice(true, 100, time.Hour, 100*time.Millisecond); done || err != nil {
			t.Fatal(done, err)
		}
		wantPosition(t, l, 0, 0)
		wantPolls(t, l, 2, "x.A 0 10", "x.A 11")
		wantOutage(t, l)
		o.end()
		wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
	})
}

func TestABatchThatIsGivenBackComesBeforeTheRecordThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outage{id: 2}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: o}}, needsB()...)
		giveBack(t, l, 100, "x.A 0 10 11")
		wantPolls(t, l, 100, "x.A 0 10 11")
		wantOutage(t, l)
		o.end()
		wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
	})
}

// immovable is a source without positions.
type immovable struct{ source.Source }

func TestWhereTheSourceHasNoPositionsAnOutageIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, src := &outage{id: 2}, replay.New(needsB()...)
		l, err := kafarr.Open(kafarr.Config{
			Registry: kafarr.Registry{Client: o},
			Source:   func(h source.Handler) (source.Source, error) { s, err := src.Open(h); return immovable{s}, err },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		wantPolls(t, l, 100, "x.A 0")
		wantOutage(t, l)
		o.end()
		wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3", "x.A 10 11")
	})
}

func TestAnOutageOfAKeysSchemaHoldsUpItsPartitionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := func(id byte) []byte { return []byte{0, 0, 0, 0, id, 2} }
		other := message(1, 0, 1, 10)
		other.Key = key(1)
		o := &outage{id: 3}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: o}, Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key)}}, keyed(0, 1, 0, key(1)), keyed(1, 1, 1, key(3)), other)
		wantPolls(t, l, 100, "x.A 0 10")
		var e *kafarr.Error
		if _, err := l.Poll(context.Background(), 100, 10*time.Millisecond); !errors.As(err, &e) || e.Code != kafarr.RegistryError || e.SchemaID != 3 || e.Offset != 1 {
			t.Errorf("got %v", err)
		}
		o.end()
		wantInTheEnd(t, l, "x.A 1")
	})
}
