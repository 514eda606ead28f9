// Package status holds the one error type of this library and its codes. It is the lowest package: it imports none of ours, so that every package can say what its errors mean.
package status

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what sort of failure an Error is. The numbers are those of enum kafarr_status in cgo/kafarr.h.
type Code int

// The codes.
const (
	ConfigError             Code = 10
	BrokerError             Code = 11
	AuthenticationError     Code = 12
	GroupError              Code = 13
	RegistryError           Code = 14
	SchemaNotFoundError     Code = 15
	SchemaError             Code = 16
	IncompatibleSchemaError Code = 17
	DecodeError             Code = 18
	FramingError            Code = 19
	ClosedError             Code = 20
	ForkError               Code = 21 // raised by the Python side only
	StateError              Code = 22
	InternalError           Code = 23
	KeyDecodeError          Code = 24
	IncompleteError         Code = 25
	TopicNotFoundError      Code = 26
	RangeError              Code = 27
	EncodeError             Code = 28
	DeliveryError           Code = 29
)

// CodeNames are the names of the codes, the same in all languages.
var CodeNames = map[Code]string{
	ConfigError: "ConfigError", BrokerError: "BrokerError", AuthenticationError: "AuthenticationError", GroupError: "GroupError",
	RegistryError: "RegistryError", SchemaNotFoundError: "SchemaNotFoundError", SchemaError: "SchemaError",
	IncompatibleSchemaError: "IncompatibleSchemaError", DecodeError: "DecodeError", FramingError: "FramingError",
	ClosedError: "ClosedError", ForkError: "ForkError", StateError: "StateError", InternalError: "InternalError", KeyDecodeError: "KeyDecodeError",
	IncompleteError: "IncompleteError", TopicNotFoundError: "TopicNotFoundError", RangeError: "RangeError",
	EncodeError: "EncodeError", DeliveryError: "DeliveryError",
}

func (c Code) String() string { return CodeNames[c] }

// Error is every error that this library returns, with its place as far as it has one. errors.As finds it; errors.Is
// compares with ErrClosed and with causes.
type Error struct {
	Code      Code
	Topic     string // empty: none
	Partition int32  // -1: none
	Offset    int64  // -1: none
	SchemaID  int64  // -1: none
	Path      string // field path within the schema
	// Option is the option of the caller's that is at fault, such as "columns"; empty: none is. Such an error is raised at every poll that meets the message, and passes nothing.
	Option string
	Err    error
}

// ErrClosed is the cause of every ClosedError.
var ErrClosed = errors.New("the listener is closed")

// Error reads as place, schema, path, cause: "orders[3]@1042: schema 17: customer.zip: varint is longer than 10 bytes".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Topic != "" {
		b.WriteString(e.Topic)
		if e.Partition >= 0 {
			fmt.Fprintf(&b, "[%d]", e.Partition)
			if e.Offset >= 0 {
				fmt.Fprintf(&b, "@%d", e.Offset)
			}
		}
		b.WriteString(": ")
	}
	if e.SchemaID >= 0 {
		fmt.Fprintf(&b, "schema %d: ", e.SchemaID)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error without a place.
func Errorf(code Code, format string, args ...any) *Error {
	return New(code, fmt.Errorf(format, args...))
}

// New makes an error of its cause, without a place.
func New(code Code, cause error) *Error {
	return &Error{Code: code, Partition: -1, Offset: -1, SchemaID: -1, Err: cause}
}

// Coded is an error of a package that knows its code, and its place as far as it has one.
type Coded interface {
	error
	// Status returns a new Error each time. Its cause may be the error itself.
	Status() *Error
}

// Wrap returns err as an Error. Errors that are neither one nor Coded are bugs of this library.
func Wrap(err error) *Error {
	var mine *Error
	if errors.As(err, &mine) {
		return mine
	}
	var coded Coded
	if !errors.As(err, &coded) {
		return Errorf(InternalError, "%w", err)
	}
	e := coded.Status()
	if e.Err == error(coded) { //nolint:errorlint // the error is its own cause: keep the text that was put around it
		e.Err = err
	}
	return e
}

// At adds the place of a record, keeping what the error already says.
func (e *Error) At(topic string, partition int32, offset int64) *Error {
	placed := *e
	placed.Topic, placed.Partition, placed.Offset = topic, partition, offset
	return &placed
}

// Hint adds a text that says more; "": there is none.
func (e *Error) Hint(text string) *Error {
	if text == "" {
		return e
	}
	added := *e
	added.Err = fmt.Errorf("%w; %s", e.Err, text)
	return &added
}
