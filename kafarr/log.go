package kafarr

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// logSink passes the client's log lines on to the user's logger. A dead broker prints dozens a second that differ in a number:
// alike lines are passed on once in repeatPause and counted in between.
type logSink struct {
	logger *slog.Logger

	mu   sync.Mutex
	seen map[string]*repeated
}

type repeated struct {
	last       time.Time
	suppressed int
}

const (
	repeatPause = 10 * time.Second
	maxSeen     = 1000
)

func newLogSink(logger *slog.Logger) *logSink {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &logSink{logger: logger, seen: map[string]*repeated{}}
}

// client takes a line of librdkafka's; level is syslog's (0 emergency to 7 debug).
func (s *logSink) client(level int, facility, message string) {
	repeats, pass := s.repeats(facility, message)
	if !pass {
		return
	}
	s.pass(level, facility, message, repeats)
}

// warn passes on a line that no other stands for, however much they are alike.
func (s *logSink) warn(facility, message string) { s.pass(4, facility, message, 0) }

func (s *logSink) pass(level int, facility, message string, repeats int) {
	s.logger.LogAttrs(context.Background(), slogLevel(level), message, slog.String("facility", facility), slog.Int("repeats", repeats))
}

// assignment tells of a rebalance.
func (s *logSink) assignment(what string, partitions []source.Position) {
	s.logger.LogAttrs(context.Background(), slog.LevelInfo, "partitions "+what, slog.String("event", what), slog.Any("partitions", partitions))
}

// repeats tells whether a line passes, and how many alike were held back since the last that did.
func (s *logSink) repeats(facility, message string) (int, bool) {
	key := facility + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, message)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	r := s.seen[key]
	if r == nil {
		if len(s.seen) >= maxSeen {
			clear(s.seen)
		}
		s.seen[key] = &repeated{last: now}
		return 0, true
	}
	if now.Sub(r.last) < repeatPause {
		r.suppressed++
		return 0, false
	}
	n := r.suppressed
	r.last, r.suppressed = now, 0
	return n, true
}

func slogLevel(syslog int) slog.Level {
	switch {
	case syslog <= 3:
		return slog.LevelError
	case syslog == 4:
		return slog.LevelWarn
	case syslog <= 6:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
