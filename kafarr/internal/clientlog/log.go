// Package clientlog passes log lines of clients on to the user's logger.
package clientlog

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Log passes a client's log lines on to the user's logger. A dead broker prints dozens a second that differ in a number:
// alike lines are passed on once in repeatPause and counted in between.
type Log struct {
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

// New returns a Log; nil drops all lines.
func New(logger *slog.Logger) *Log {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Log{logger: logger, seen: map[string]*repeated{}}
}

// Client takes a line of a client's; level is syslog's (0 emergency to 7 debug).
func (l *Log) Client(level int, facility, message string) {
	repeats, pass := l.repeats(facility, message)
	if !pass {
		return
	}
	l.pass(level, facility, message, repeats)
}

// Warn passes on a line that no other stands for, however much they are alike.
func (l *Log) Warn(facility, message string) { l.pass(4, facility, message, 0) }

// Note passes on a line that is no reason to worry.
func (l *Log) Note(facility, message string) { l.pass(6, facility, message, 0) }

func (l *Log) pass(level int, facility, message string, repeats int) {
	l.logger.LogAttrs(context.Background(), slogLevel(level), message, slog.String("facility", facility), slog.Int("repeats", repeats))
}

// Assignment tells of a rebalance.
func (l *Log) Assignment(what string, partitions []source.Position) {
	l.logger.LogAttrs(context.Background(), slog.LevelInfo, "partitions "+what, slog.String("event", what), slog.Any("partitions", partitions))
}

// repeats tells whether a line passes, and how many alike were held back since the last that did.
func (l *Log) repeats(facility, message string) (int, bool) {
	key := facility + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, message)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	r := l.seen[key]
	if r == nil {
		if len(l.seen) >= maxSeen {
			clear(l.seen)
		}
		l.seen[key] = &repeated{last: now}
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
