package produce

import (
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Batch is a sealed record batch of one partition. Its bytes are complete but for the producer's id, its epoch, the sequence, the transactional bit and the CRC: the Producer
// stamps those when it first sends the batch.
type Batch struct {
	Topic     string
	Partition int32
	Bytes     []byte // of a record batch in format v2, compressed. They belong to the Producer until Done is called
	Records   int32
	Raw       int // bytes before compression
	// Done is called once for a batch that Send has taken, on a goroutine of the Producer. It must not block, and must not call the Producer.
	Done func(Outcome)
	// Sealed is when the batch was complete: delivery.timeout.ms counts from here. Zero: from the call of Send.
	Sealed time.Time
}

// State is what became of a batch.
type State int8

// The states. Only Unknown leaves open whether the rows are in the log.
const (
	Written State = iota // the brokers have acknowledged it
	Refused              // the brokers have it not, and said why
	NotSent              // no broker has seen it
	Unknown              // it was sent, and no answer says whether it was written
)

func (s State) String() string {
	return [...]string{"written", "refused", "not sent", "unknown"}[s]
}

// Outcome is what became of a batch.
type Outcome struct {
	State         State
	BaseOffset    int64         // of the first record, where Written; -1: a duplicate whose offset the brokers do not know any more, or acks=0
	LastOffset    int64         // of the last record; -1 as BaseOffset
	LogAppendTime int64         // milliseconds since 1970; -1: records keep the times that they were given
	Err           error         // a *status.Error that names topic and partition, the cause, and what to do; nil where Written
	Records       []RecordError // which records the brokers complain about; empty: they do not say
	// Parts are set where the brokers found the batch too large, so that it was cut. They are in the order of the records and name each once. State is then that of the worst part.
	Parts []Part
}

// Part is what became of some records of a batch that was cut.
type Part struct {
	First, Records int32 // the first record's index in the batch, and how many there are
	Outcome
}

// RecordError is what the brokers say of one record (KIP-467).
type RecordError struct {
	Index   int32 // in the batch
	Message string
}

// GroupMember is a member of a consumer group whose offsets are committed in a transaction.
type GroupMember = source.GroupMember
