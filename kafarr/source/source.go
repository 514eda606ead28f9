// Package source says where records come from: chunks of consecutive records of one partition, as spans into memory that
// the source owns until Release. There is no interface, call or allocation per message.
package source

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Record is one message as it lies in memory. Its layout is that of struct kafarr_record in kafka/fetch.h, so that C
// fills slices of it.
type Record struct {
	Value         unsafe.Pointer
	Key           unsafe.Pointer
	Offset        int64
	Timestamp     int64 // milliseconds since 1970, UTC; valid where TimestampType is not 0
	ValueLen      int32 // -1: null
	KeyLen        int32 // -1: null
	TimestampType int32 // 0 none, 1 create time, 2 log append time
	HeaderCount   int32
	Headers       *Header // HeaderCount of them
	LeaderEpoch   int32   // -1: unknown
	_             int32
}

// Header is one header of a message.
type Header struct {
	Name     unsafe.Pointer
	Value    unsafe.Pointer
	NameLen  int32
	ValueLen int32 // -1: null
}

// HeaderList returns the record's headers, in place.
func (r *Record) HeaderList() []Header { return unsafe.Slice(r.Headers, int(r.HeaderCount)) }

// Chunk is a run of records of one partition, in the order of their offsets.
type Chunk struct {
	Topic     string
	Partition int32
	Records   []Record
}

// TopicPartition names the partition that the records are of.
func (c *Chunk) TopicPartition() TopicPartition { return TopicPartition{c.Topic, c.Partition} }

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// At is the position of an offset in the partition.
func (p TopicPartition) At(offset int64) Position {
	return Position{Topic: p.Topic, Partition: p.Partition, Offset: offset}
}

// Position is a place in a partition.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// TopicPartition names the partition that the position lies in.
func (p Position) TopicPartition() TopicPartition { return TopicPartition{p.Topic, p.Partition} }

// Stored is the Offset of a Position that means "where the group left off", with auto.offset.reset as the fallback.
const Stored = int64(-1000)

// Handler is told what happens to the assignment. It is called within Serve and Close, on their goroutine.
type Handler interface {
	// Assigning is told the partitions that the group gives, by a Keeper. true: the source takes them with Answer, and fetches nothing of them
	// before.
	Assigning(partitions []Position) bool
	// Assigned is told the partitions that are about to be read and returns where each begins. committed asks the group.
	Assigned(partitions []Position, committed func([]Position) ([]Position, error)) []Position
	// Revoking is told the partitions that the group wants back, by a Keeper. true: the source keeps them until Answer. lost: another member
	// may already own them.
	Revoking(partitions []Position, lost bool) bool
	// Revoked is told the partitions that are about to be given up.
	Revoked(partitions []Position, lost bool)
}

// Source is where a listener's records come from. Serve, Fetch, Release and Close belong to one goroutine at a time, the rest may
// be called from any.
type Source interface {
	// Serve hears what the client has to tell: assignments, errors. An error is told once.
	Serve() error
	// Fetch waits up to wait for records and returns at most max. The chunks live until Release, which comes before the next Fetch.
	Fetch(max int, wait time.Duration) ([]Chunk, error)
	// Release gives back the memory of the last Fetch.
	Release()
	// Ready tells whether there is an assignment, and what is being waited for: nothing, once all of it is being fetched.
	Ready() (joined bool, waitingFor string)
	// Missing are the topics asked for that the cluster does not have or does not show, with the reason.
	Missing() map[string]error
	// Down returns why no broker can be reached, until one answers; nil else.
	Down() error
	// Store notes positions for the background commit. Partitions that are not assigned are passed over.
	Store(positions []Position) error
	// Commit commits positions and waits.
	Commit(ctx context.Context, positions []Position) error
	// Close leaves the group.
	Close() error
}

// Resetter is a Source that knows where its client asked in vain.
type Resetter interface {
	// Resets are the offsets that were not in the log (any more), each told once, before the records that the client went on with.
	Resets() []Position
}

// Kind says which sort of failure an Error is.
type Kind int

// The kinds of failure.
const (
	Broker Kind = iota
	Authentication
	Group
	Config
	NoTopic // the cluster does not have it, or does not show it
)

// Error is a failure of the source, with its place where it has one.
type Error struct {
	Kind      Kind
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

var codes = map[Kind]status.Code{
	Broker: status.BrokerError, Authentication: status.AuthenticationError, Group: status.GroupError, Config: status.ConfigError, NoTopic: status.TopicNotFoundError,
}

// Status implements status.Coded.
func (e *Error) Status() *status.Error {
	return &status.Error{Code: codes[e.Kind], Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, SchemaID: -1, Err: e.Err}
}

// Errorf returns an Error without a place.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Partition: -1, Offset: -1, Err: fmt.Errorf(format, args...)}
}

// ErrClosed is returned by calls on a closed source.
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "source is closed" }

// Status implements status.Coded: who uses a source is a listener.
func (closedError) Status() *status.Error {
	return status.New(status.ClosedError, status.ErrClosed)
}

// ErrMessageTooLarge and ErrTimestampRefused are why brokers refuse a letter for good. DeadLetters wraps them, once no other letter can be the cause.
var (
	ErrMessageTooLarge  = errors.New("the message is larger than max.message.bytes of the topic")
	ErrTimestampRefused = errors.New("the timestamp is outside of what message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic allow")
)

// ErrNotFetching is Seek's answer for a partition whose fetching has not begun yet.
var ErrNotFetching = errors.New("the partition is not being fetched yet")

// NotFetching is an ErrNotFetching of some partitions: the others of the same Seek have moved.
type NotFetching struct{ Left []Position }

func (e *NotFetching) Error() string { return ErrNotFetching.Error() }

// Is makes it an ErrNotFetching.
func (e *NotFetching) Is(target error) bool { return target == ErrNotFetching }
