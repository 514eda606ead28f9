package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// notices keeps log lines and changes of the assignment until the caller takes them: nothing calls back over the boundary. It is the listener's slog.Handler.
type notices struct {
	count   atomic.Int64
	dropped atomic.Int64

	mu   sync.Mutex
	list []notice
}

// teller is what a handle stands for that has notices.
type teller interface{ tells() *notices }

// maxNotices bounds what is kept when nobody asks; the oldest go first.
const maxNotices = 1000

type notice struct {
	Kind       string  `json:"kind"`
	Level      int     `json:"level,omitempty"`
	Facility   string  `json:"facility,omitempty"`
	Message    string  `json:"message,omitempty"`
	Repeats    int64   `json:"repeats"`
	Partitions [][]any `json:"partitions,omitzero"`
}

// Enabled implements slog.Handler.
func (*notices) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler; the listener's logger has none.
func (n *notices) WithAttrs([]slog.Attr) slog.Handler { return n }

// WithGroup implements slog.Handler; the listener's logger has none.
func (n *notices) WithGroup(string) slog.Handler { return n }

// Handle implements slog.Handler.
func (n *notices) Handle(_ context.Context, r slog.Record) error {
	next := notice{Kind: "log", Level: syslogLevel(r.Level), Message: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "facility":
			next.Facility = a.Value.String()
		case "repeats":
			next.Repeats = a.Value.Int64()
		case "event":
			next = notice{Kind: a.Value.String(), Partitions: [][]any{}}
		case "partitions":
			for _, p := range a.Value.Any().([]source.Position) {
				next.Partitions = append(next.Partitions, []any{p.Topic, p.Partition, p.Offset})
			}
		}
		return true
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) >= maxNotices {
		n.list = append(n.list[:0], n.list[1:]...)
		n.dropped.Add(1)
	}
	n.list = append(n.list, next)
	n.count.Store(int64(len(n.list)))
	return nil
}

// take returns the notices as JSON and forgets them.
func (n *notices) take() (string, error) {
	n.mu.Lock()
	list := n.list
	n.list = nil
	n.count.Store(0)
	n.mu.Unlock()
	if list == nil {
		list = []notice{}
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
