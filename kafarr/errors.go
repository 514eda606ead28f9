package kafarr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
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
)

// CodeNames are the names of the codes, the same in all languages.
var CodeNames = map[Code]string{
	ConfigError: "ConfigError", BrokerError: "BrokerError", AuthenticationError: "AuthenticationError", GroupError: "GroupError",
	RegistryError: "RegistryError", SchemaNotFoundError: "SchemaNotFoundError", SchemaError: "SchemaError",
	IncompatibleSchemaError: "IncompatibleSchemaError", DecodeError: "DecodeError", FramingError: "FramingError",
	ClosedError: "ClosedError", ForkError: "ForkError", StateError: "StateError", InternalError: "InternalError", KeyDecodeError: "KeyDecodeError",
	IncompleteError: "IncompleteError", TopicNotFoundError: "TopicNotFoundError", RangeError: "RangeError",
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

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Partition: -1, Offset: -1, SchemaID: -1, Err: fmt.Errorf(format, args...)}
}

// wrap gives an error of the packages below its code and place. Errors that have none are bugs of this library.
func wrap(err error) *Error {
	var (
		mine    *Error
		fromSrc *source.Error
		fromReg *registry.Error
		regConf *registry.ConfigError
		schema  *avro.SchemaError
		differ  *avro.IncompatibleError
		decode  *avro.DecodeError
	)
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &fromSrc):
		codes := map[source.Kind]Code{source.Broker: BrokerError, source.Authentication: AuthenticationError, source.Group: GroupError, source.Config: ConfigError, source.NoTopic: TopicNotFoundError}
		return &Error{Code: codes[fromSrc.Kind], Topic: fromSrc.Topic, Partition: fromSrc.Partition, Offset: fromSrc.Offset, SchemaID: -1, Err: fromSrc.Err}
	case errors.As(err, &regConf):
		return errorf(ConfigError, "%w", err)
	case errors.As(err, &fromReg):
		code := RegistryError
		if fromReg.Kind == registry.NotFound {
			code = SchemaNotFoundError
		}
		return errorf(code, "%w", err)
	case errors.As(err, &schema):
		e := errorf(SchemaError, "%s", schema.Msg)
		e.Path = schema.Path
		return e
	case errors.As(err, &differ):
		e := errorf(IncompatibleSchemaError, "%s", differ.Msg)
		e.Path = differ.Path
		return e
	case errors.As(err, &decode):
		e := errorf(DecodeError, "%s", decode.Msg)
		e.Path = decode.Path
		return e
	case errors.Is(err, source.ErrClosed):
		return errorf(ClosedError, "%w", ErrClosed)
	}
	return errorf(InternalError, "%w", err)
}

// at adds the place of a record, keeping what the error already says.
func (e *Error) at(topic string, partition int32, offset int64) *Error {
	placed := *e
	placed.Topic, placed.Partition, placed.Offset = topic, partition, offset
	return &placed
}
