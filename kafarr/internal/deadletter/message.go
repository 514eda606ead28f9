package deadletter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Message is a rejected message as it is written to the dead-letter topic, and the place where it was read. Its memory is its own.
type Message struct {
	source.TopicPartition
	Offset int64
	sink.Message

	bytes int
	cut   cut
}

// cut is what was left out of a message that the brokers refuse for good as it is: without an end to that, its partition could never be committed.
type cut int

const (
	whole      cut = iota
	valueCut       // the value, whose place in the topic it came from is in the headers
	contentCut     // the key and the headers that it came with, too
)

// Prefix begins the names of the headers that say why a message was rejected, and where it was read.
const Prefix = "pykafarr."

// Reason is why a message was rejected.
type Reason struct {
	Error    string // the name of its class
	Message  string
	SchemaID int64 // below 0: none
}

// NewMessage copies a message, which belongs to the source, and adds the headers that say why it was rejected.
func NewMessage(from source.TopicPartition, r *source.Record, why Reason) *Message {
	m := &Message{TopicPartition: from, Offset: r.Offset}
	m.Key, m.Value = copied(r.Key, r.KeyLen), copied(r.Value, r.ValueLen)
	if r.TimestampType != 0 {
		m.Timestamp = r.Timestamp
	}
	for _, h := range r.HeaderList() {
		m.Headers = append(m.Headers, sink.Header{Name: string(copied(h.Name, h.NameLen)), Value: copied(h.Value, h.ValueLen)})
	}
	m.note("error", why.Error)
	m.note("message", why.Message)
	m.note("topic", from.Topic)
	m.note("partition", strconv.Itoa(int(from.Partition)))
	m.note("offset", strconv.FormatInt(r.Offset, 10))
	if why.SchemaID >= 0 {
		m.note("schema_id", strconv.FormatInt(why.SchemaID, 10))
	}
	m.bytes = len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		m.bytes += len(h.Name) + len(h.Value)
	}
	return m
}

// note adds a header.
func (m *Message) note(name, value string) {
	m.Headers = append(m.Headers, sink.Header{Name: Prefix + name, Value: []byte(value)})
}

// adapt changes a message that the brokers have refused into one that they may take. false: nothing is left that could be changed.
func (m *Message) adapt(why error) bool {
	switch {
	case errors.Is(why, sink.ErrTimestampRefused) && m.Timestamp != 0:
		m.note("timestamp", strconv.FormatInt(m.Timestamp, 10))
		m.Timestamp = 0
	case errors.Is(why, sink.ErrMessageTooLarge) && m.cut == whole:
		m.note("truncated", fmt.Sprintf("the value of %d bytes is left out: with it, the letter is larger than the topic takes", len(m.Value)))
		m.Value, m.cut = nil, valueCut
	case errors.Is(why, sink.ErrMessageTooLarge) && m.cut == valueCut:
		m.Headers = slices.DeleteFunc(m.Headers, func(h sink.Header) bool { return !strings.HasPrefix(h.Name, Prefix) })
		m.note("truncated", fmt.Sprintf("the key of %d bytes and the headers are left out", len(m.Key)))
		m.Key, m.cut = nil, contentCut
	default:
		return false
	}
	return true
}

// copied is nil for null.
func copied(from unsafe.Pointer, n int32) []byte {
	if n < 0 {
		return nil
	}
	return append([]byte{}, unsafe.Slice((*byte)(from), int(n))...)
}
