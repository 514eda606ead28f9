// Package sink says where messages go: the mirror of package source. Dead letters are written to a sink.
package sink

import "errors"

// Message is a message to be written. Its memory is its own.
type Message struct {
	Key, Value []byte // nil: null
	Timestamp  int64  // milliseconds since 1970; 0: none
	Headers    []Header
}

// Header is a header of a message.
type Header struct {
	Name  string
	Value []byte // nil: null
}

// Sink writes messages to a topic. Its methods may be called from any goroutine.
type Sink interface {
	// Write hands a message over and does not wait. done is called once, on any goroutine, perhaps before Write returns: with nil once the brokers have the message, or
	// with the reason why they do not take it.
	Write(message *Message, done func(error))
	// Close gives up the messages that were not delivered yet; their done is never called.
	Close()
}

// ErrMessageTooLarge and ErrTimestampRefused are why brokers refuse a message for good. A sink wraps them once no other message can be the cause.
var (
	ErrMessageTooLarge  = errors.New("the message is larger than max.message.bytes of the topic")
	ErrTimestampRefused = errors.New("the timestamp is outside of what message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic allow")
)
