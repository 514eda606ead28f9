package kafarr_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
)

// verbs are what any goroutine may call at any time.
var verbs = map[string]func(context.Context, *kafarr.Listener) error{
	"poll": func(ctx context.Context, l *kafarr.Listener) error {
		b, err := l.Poll(ctx, 7, time.Millisecond)
		if err == nil {
			b.Release()
		}
		return err
	},
	"poll a slice": func(_ context.Context, l *kafarr.Listener) error {
		b, _, err := l.PollSlice(true, 7, time.Millisecond, time.Millisecond)
		if b != nil {
			b.Release()
		}
		return err
	},
	"commit a batch": func(ctx context.Context, l *kafarr.Listener) error {
		b, err := l.Poll(ctx, 3, 0)
		if err != nil {
			return err
		}
		defer b.Release()
		return l.Commit(ctx, b)
	},
	"give a batch back": func(ctx context.Context, l *kafarr.Listener) error {
		b, err := l.Poll(ctx, 3, 0)
		if err != nil {
			return err
		}
		defer b.Release()
		return l.GiveBack([]int64{b.ID()}, b.Ranges)
	},
	"commit":     func(ctx context.Context, l *kafarr.Listener) error { return l.Commit(ctx) },
	"seek":       func(ctx context.Context, l *kafarr.Listener) error { return l.Seek(ctx, target(3)) },
	"pause":      func(_ context.Context, l *kafarr.Listener) error { return l.Pause(nil) },
	"resume":     func(_ context.Context, l *kafarr.Listener) error { return l.Resume(nil) },
	"position":   func(ctx context.Context, l *kafarr.Listener) error { _, err := l.Position(ctx); return err },
	"committed":  func(ctx context.Context, l *kafarr.Listener) error { _, err := l.Committed(ctx); return err },
	"lag":        func(ctx context.Context, l *kafarr.Listener) error { _, err := l.Lag(ctx); return err },
	"assignment": func(_ context.Context, l *kafarr.Listener) error { l.Assignment(); return nil },
	"stats":      func(_ context.Context, l *kafarr.Listener) error { l.Stats(); return nil },
	"inferred":   func(_ context.Context, l *kafarr.Listener) error { _, err := l.InferredSchema("t"); return err },
}

func target(offset int64) kafarr.PartitionOffset {
	return kafarr.PartitionOffset{Topic: "t", Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: offset}}
}

// The race detector is the judge of this; besides, each call ends well, or says that another poll is under way, or that the listener is closed.
func TestEveryPairOfMethodsMayBeCalledAtOnce(t *testing.T) {
	names := slices.Sorted(maps.Keys(verbs))
	for i, first := range names {
		for _, second := range names[i:] {
			t.Run(first+" and "+second, func(t *testing.T) {
				l, _ := open(t, kafarr.Config{}, append(line(0, 20), lineOfB(1, 20)...)...)
				if b, err := l.Poll(t.Context(), 5, 0); err == nil { // it has its partitions
					b.Release()
				}
				var calls sync.WaitGroup
				for _, name := range []string{first, second} {
					calls.Go(func() {
						for range 15 {
							accept(t, name, verbs[name](t.Context(), l))
						}
					})
				}
				calls.Wait()
			})
		}
	}
}

func TestACloseAtAnyMomentEndsWhatIsUnderWay(t *testing.T) {
	for range 20 {
		l, _ := open(t, kafarr.Config{}, append(line(0, 60), lineOfB(1, 60)...)...)
		var calls sync.WaitGroup
		for name, call := range verbs {
			calls.Go(func() {
				for {
					err := call(t.Context(), l)
					accept(t, name, err)
					if errors.Is(err, kafarr.ErrClosed) || name == "stats" || name == "assignment" {
						return
					}
				}
			})
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		var ends sync.WaitGroup
		var ended atomic.Int32
		for range 2 { // of two at once, one closes
			ends.Go(func() {
				if l.Close() == nil {
					ended.Add(1)
				}
			})
		}
		ends.Wait()
		calls.Wait()
		if ended.Load() != 1 {
			t.Errorf("%d of two calls closed the listener", ended.Load())
		}
	}
}

// accept fails the test for an error that no caller of two goroutines has to expect.
func accept(t *testing.T, name string, err error) {
	var e *kafarr.Error
	switch {
	case err == nil, errors.Is(err, kafarr.ErrClosed):
	case errors.As(err, &e) && (e.Code == kafarr.StateError || e.Code == kafarr.ClosedError):
	default:
		t.Errorf("%s: %v", name, err)
	}
}
