package source

import "unsafe"

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
