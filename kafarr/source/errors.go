package source

import (
	"errors"
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Error is a failure of the source, with its place where it has one.
type Error struct {
	Code      status.Code
	Topic     string
	Partition int32 // -1: none
	Offset    int64 // -1: none
	Err       error
}

func (e *Error) Error() string {
	if e.Topic == "" || e.Partition < 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s[%d]: %v", e.Topic, e.Partition, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Status implements status.Coded.
func (e *Error) Status() *status.Error {
	return &status.Error{Code: e.Code, Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, SchemaID: -1, Err: e.Err}
}

// Errorf returns an Error without a place.
func Errorf(code status.Code, format string, args ...any) *Error {
	return &Error{Code: code, Partition: -1, Offset: -1, Err: fmt.Errorf(format, args...)}
}

// ErrClosed is returned by calls on a closed source.
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "source is closed" }

// Status implements status.Coded: who uses a source is a listener.
func (closedError) Status() *status.Error {
	return status.New(status.ClosedError, status.ErrClosed)
}

// ErrNotFetching is Seek's answer for a partition whose fetching has not begun yet.
var ErrNotFetching = errors.New("the partition is not being fetched yet")

// NotFetching is an ErrNotFetching of some partitions: the others of the same Seek have moved.
type NotFetching struct{ Left []TopicPartition }

func (e *NotFetching) Error() string { return ErrNotFetching.Error() }

// Is makes it an ErrNotFetching.
func (e *NotFetching) Is(target error) bool { return target == ErrNotFetching }
