// Package replay is a source of records from memory, for tests, examples and benchmarks, and for records that were kept.
package replay

import (
	"context"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Message is a record to be replayed. A nil Value or Key is null.
type Message struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp int64 // milliseconds since 1970; 0: none
	Key       []byte
	Value     []byte
	Headers   []Header
	// LeaderEpoch is -1 where it is not known.
	LeaderEpoch int32
}

// TopicPartition names the partition that the message is of.
func (m Message) TopicPartition() source.TopicPartition {
	return source.TopicPartition{Topic: m.Topic, Partition: m.Partition}
}

// of reports whether the message is of one of these partitions.
func (m Message) of(partitions []source.Position) bool {
	return slices.ContainsFunc(partitions, func(p source.Position) bool { return p.TopicPartition() == m.TopicPartition() })
}

// Header is a header of a message. A nil Value is null.
type Header struct {
	Name  string
	Value []byte
}

// Source replays messages in their order.
type Source struct {
	// FetchMax bounds what one Fetch brings; 0: no bound.
	FetchMax int

	handler source.Handler

	mu        sync.Mutex
	all       []Message // ever added
	wait      []Message // to be read, all in their turn
	paused    map[source.TopicPartition]bool
	committed map[source.TopicPartition]int64
	stored    map[source.TopicPartition]int64
	assigned  bool
	closed    bool
	resets    []source.Position
	revoke    []source.Position // with the next ServeEvents, as is regain
	lost      bool              // what revoke names
	regain    []source.Position

	waiting func() // gives up what the handler wanted to keep
}

// New returns a source of these messages, for Config.Source.
func New(messages ...Message) *Source {
	return &Source{
		all: slices.Clone(messages), wait: slices.Clone(messages), paused: map[source.TopicPartition]bool{},
		committed: map[source.TopicPartition]int64{}, stored: map[source.TopicPartition]int64{},
	}
}

// Open is a Config.Source.
func (s *Source) Open(h source.Handler) (source.Source, error) {
	s.handler = h
	return s, nil
}

// Add appends messages to those that wait.
func (s *Source) Add(messages ...Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, messages...)
	s.wait = append(s.wait, messages...)
}

// Reset reports offsets that a client asked for and the log did not have.
func (s *Source) Reset(asked ...source.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resets = append(s.resets, asked...)
}

// Resets implements source.ResetReporter.
func (s *Source) Resets() []source.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.resets
	s.resets = nil
	return out
}

// Committed returns the committed offset of a partition, -1 where there is none.
func (s *Source) Committed(topic string, partition int32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.committed[source.TopicPartition{Topic: topic, Partition: partition}]; ok {
		return o
	}
	return -1
}

// Stored returns the offset that was passed on to the background commit, -1 where there is none.
func (s *Source) Stored(topic string, partition int32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.stored[source.TopicPartition{Topic: topic, Partition: partition}]; ok {
		return o
	}
	return -1
}

// Fetch implements source.Source.
func (s *Source) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.FetchMax > 0 {
		limit = min(limit, s.FetchMax)
	}
	var take, rest []Message
	for _, m := range s.wait {
		if len(take) < limit && !s.paused[m.TopicPartition()] {
			take = append(take, m)
		} else {
			rest = append(rest, m)
		}
	}
	if len(take) == 0 {
		s.mu.Unlock()
		time.Sleep(wait)
		s.mu.Lock()
		return nil, nil
	}
	var chunks []source.Chunk
	for _, m := range take {
		last := len(chunks) - 1
		if last < 0 || chunks[last].Topic != m.Topic || chunks[last].Partition != m.Partition {
			chunks = append(chunks, source.Chunk{Topic: m.Topic, Partition: m.Partition})
			last++
		}
		chunks[last].Records = append(chunks[last].Records, m.Record())
	}
	s.wait = rest
	return chunks, nil
}

// Record is the message as a source has it; its memory is that of the message.
func (m Message) Record() source.Record {
	r := source.Record{Offset: m.Offset, ValueLen: -1, KeyLen: -1, LeaderEpoch: m.LeaderEpoch}
	if m.Value != nil {
		r.Value, r.ValueLen = unsafe.Pointer(unsafe.SliceData(m.Value)), int32(len(m.Value)) //nolint:gosec // messages of tests are short
	}
	if m.Key != nil {
		r.Key, r.KeyLen = unsafe.Pointer(unsafe.SliceData(m.Key)), int32(len(m.Key)) //nolint:gosec // messages of tests are short
	}
	if len(m.Headers) > 0 {
		headers := make([]source.Header, len(m.Headers))
		for i, h := range m.Headers {
			headers[i] = source.Header{Name: unsafe.Pointer(unsafe.StringData(h.Name)), NameLen: int32(len(h.Name)), ValueLen: -1} //nolint:gosec // headers of tests are short
			if h.Value != nil {
				headers[i].Value, headers[i].ValueLen = unsafe.Pointer(unsafe.SliceData(h.Value)), int32(len(h.Value)) //nolint:gosec // headers of tests are short
			}
		}
		r.Headers, r.HeaderCount = unsafe.SliceData(headers), int32(len(headers)) //nolint:gosec // headers of tests are few
	}
	if m.Timestamp != 0 {
		r.Timestamp, r.TimestampType = m.Timestamp, 1
	}
	return r
}

// Release implements source.Source. The memory is Go's.
func (s *Source) Release() {}

// Ready implements source.Source.
func (s *Source) Ready() (bool, string) { return true, "" }

// UnavailableTopics implements source.Source.
func (s *Source) UnavailableTopics() map[string]error { return nil }

// LastConnectError implements source.Source.
func (s *Source) LastConnectError() error { return nil }

// Store implements source.Source.
func (s *Source) Store(positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		s.stored[p.TopicPartition()] = p.Offset
	}
	return nil
}

// Commit implements source.Source.
func (s *Source) Commit(_ context.Context, positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		s.committed[p.TopicPartition()] = p.Offset
	}
	return nil
}

// Close implements source.Source.
func (s *Source) Close() error {
	if s.closed {
		return source.ErrClosed
	}
	s.closed = true
	return nil
}
