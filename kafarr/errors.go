package kafarr

import "github.com/pykafarr/pykafarr/kafarr/status"

// Error is every error that this library returns, with its place as far as it has one. errors.As finds it; errors.Is
// compares with ErrClosed and with causes.
type Error = status.Error

// Code says what sort of failure an Error is.
type Code = status.Code

// The codes.
const (
	ConfigError             = status.ConfigError
	BrokerError             = status.BrokerError
	AuthenticationError     = status.AuthenticationError
	GroupError              = status.GroupError
	RegistryError           = status.RegistryError
	SchemaNotFoundError     = status.SchemaNotFoundError
	SchemaError             = status.SchemaError
	IncompatibleSchemaError = status.IncompatibleSchemaError
	DecodeError             = status.DecodeError
	FramingError            = status.FramingError
	ClosedError             = status.ClosedError
	ForkError               = status.ForkError
	StateError              = status.StateError
	InternalError           = status.InternalError
	KeyDecodeError          = status.KeyDecodeError
	IncompleteError         = status.IncompleteError
	TopicNotFoundError      = status.TopicNotFoundError
	RangeError              = status.RangeError
	EncodeError             = status.EncodeError
	DeliveryError           = status.DeliveryError
)

// CodeNames are the names of the codes, the same in all languages.
var CodeNames = status.CodeNames

// ErrClosed is the cause of every ClosedError.
var ErrClosed = status.ErrClosed

func errorf(code Code, format string, args ...any) *Error {
	return status.Errorf(code, format, args...)
}

func wrap(err error) *Error { return status.Wrap(err) }
