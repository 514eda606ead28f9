package kafarr_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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

// member is a source whose group assigns nothing yet.
type member struct {
	*replay.Source
	joined, answers atomic.Bool
	stuck           error
	missing         map[string]error
	fatal           bool
}

func (m *member) Ready() (bool, string) {
	if m.joined.Load() {
		return true, ""
	}
	return false, "the group to assign partitions"
}
func (m *member) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	if !m.joined.Load() {
		time.Sleep(wait)
		return nil, nil
	}
	return m.Source.Fetch(limit, wait)
}
func (m *member) UnavailableTopics() map[string]error { return maps.Clone(m.missing) }
func (m *member) AnsweredSince(time.Time) bool        { return m.answers.Load() }
func (m *member) Stuck() (bool, error)                { return m.fatal, m.stuck }

// lines counts the lines of a log that hold a text.
type lines struct {
	slog.Handler
	text  string
	count atomic.Int64
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.text) {
		l.count.Add(1)
	}
	return nil
}

// both is a log of two.
type both struct {
	*lines
	other *lines
}

func (b both) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(b.lines.Handle(ctx, r), b.other.Handle(ctx, r))
}

func openMember(t *testing.T, m *member, log *lines) *kafarr.Listener {
	t.Helper()
	m.Source = replay.New(message(0, 0, 1, 0), message(0, 1, 1, 1))
	l, err := kafarr.Open(kafarr.Config{
		Registry:     kafarr.Registry{Client: schemas},
		ReadyTimeout: 50 * time.Millisecond,
		Logger:       slog.New(log),
		Source: func(h source.Handler) (source.Source, error) {
			_, err := m.Open(h)
			return m, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAWaitForTheGroupIsNoFailureWhileTheClusterAnswers(t *testing.T) {
	m, log := &member{}, &lines{text: "a member that ended without leaving holds the group for session.timeout.ms (45 s)"}
	m.answers.Store(true)
	l := openMember(t, m, log)
	wantPolls(t, l, 10, "", "", "")
	if !l.Waiting() || log.count.Load() != 1 {
		t.Errorf("waiting %v, %d lines: once a wait", l.Waiting(), log.count.Load())
	}
	m.joined.Store(true)
	wantPolls(t, l, 10, "x.A 0 1", "")
	if l.Waiting() {
		t.Error("still waiting")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestATopicThatDoesNotExistIsNamedInTheLogBeforeTheReadyTimeout has a group that waits for the topic, which is no dead member's fault.
func TestATopicThatDoesNotExistIsNamedInTheLogBeforeTheReadyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, dead := &lines{text: "topics that cannot be read: tt (Unknown topic; did you mean t?); they are waited for"}, &lines{text: "a member that ended"}
		m := &member{missing: map[string]error{"tt": errors.New("Unknown topic; did you mean t?"), "^x": errors.New("none matches")}}
		m.answers.Store(true)
		m.Source = replay.New()
		l, err := kafarr.Open(kafarr.Config{
			Registry:     kafarr.Registry{Client: schemas},
			ReadyTimeout: 5500 * time.Millisecond,
			Logger:       slog.New(both{names, dead}),
			Source: func(h source.Handler) (source.Source, error) {
				_, err := m.Open(h)
				return m, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := poll(t, l, 10); !strings.Contains(got, "; topics that cannot be read: ^x (none matches), tt (Unknown topic") {
			t.Errorf("got %q", got)
		}
		if names.count.Load() != 1 || dead.count.Load() != 0 {
			t.Errorf("%d lines name the topic, %d speak of a member", names.count.Load(), dead.count.Load())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAWaitForTheGroupIsAnErrorWhereNoBrokerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &member{}
		l := openMember(t, m, &lines{})
		for range 2 {
			if got := poll(t, l, 10); !strings.Contains(got, "still waiting for the group") {
				t.Errorf("got %q", got)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAListenerThatCannotContinueSaysSoAtEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fatal := range []bool{false, true} {
			m := &member{stuck: source.Errorf(status.GroupError, "fenced"), fatal: fatal}
			l := openMember(t, m, &lines{})
			ctx := context.Background()
			for range 3 {
				if got := poll(t, l, 10); got != "fenced" {
					t.Errorf("got %q", got)
				}
			}
			if !fatal {
				if err := l.Broken(); err != nil {
					t.Error(err)
				}
				_ = l.Close()
				continue
			}
			_, position := l.Position(ctx)
			_, lag := l.Lag(ctx)
			_, committed := l.Committed(ctx)
			for name, err := range map[string]error{"position": position, "lag": lag, "committed": committed, "commit": l.Commit(ctx), "broken": l.Broken()} {
				var e *kafarr.Error
				if !errors.As(err, &e) || e.Code != kafarr.GroupError || err.Error() != "fenced" {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := l.Close(); err != nil { // nothing was handed over, so there is nothing to commit
				t.Error(err)
			}
		}
	})
}
