package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// events keeps what happened until the caller asks: nothing calls back over the boundary. It is the listener's slog.Handler.
type events struct {
	count   atomic.Int64
	dropped atomic.Int64

	mu   sync.Mutex
	list []event
}

// teller is what a handle stands for that has events.
type teller interface{ tells() *events }

// maxEvents bounds what is kept when nobody asks; the oldest go first.
const maxEvents = 1000

type event struct {
	Event      string  `json:"event"`
	Level      int     `json:"level,omitempty"`
	Facility   string  `json:"facility,omitempty"`
	Message    string  `json:"message,omitempty"`
	Repeats    int64   `json:"repeats"`
	Partitions [][]any `json:"partitions,omitzero"`
}

// Enabled implements slog.Handler.
func (*events) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler; the listener's logger has none.
func (e *events) WithAttrs([]slog.Attr) slog.Handler { return e }

// WithGroup implements slog.Handler; the listener's logger has none.
func (e *events) WithGroup(string) slog.Handler { return e }

// Handle implements slog.Handler.
func (e *events) Handle(_ context.Context, r slog.Record) error {
	ev := event{Event: "log", Level: syslogLevel(r.Level), Message: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "facility":
			ev.Facility = a.Value.String()
		case "repeats":
			ev.Repeats = a.Value.Int64()
		case "event":
			ev = event{Event: a.Value.String(), Partitions: [][]any{}}
		case "partitions":
			for _, p := range a.Value.Any().([]source.Position) {
				ev.Partitions = append(ev.Partitions, []any{p.Topic, p.Partition, p.Offset})
			}
		}
		return true
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.list) >= maxEvents {
		e.list = append(e.list[:0], e.list[1:]...)
		e.dropped.Add(1)
	}
	e.list = append(e.list, ev)
	e.count.Store(int64(len(e.list)))
	return nil
}

// take returns the events as JSON and forgets them.
func (e *events) take() (string, error) {
	e.mu.Lock()
	list := e.list
	e.list = nil
	e.count.Store(0)
	e.mu.Unlock()
	if list == nil {
		list = []event{}
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func syslogLevel(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}
