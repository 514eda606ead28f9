package fetch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A record batch of format 2, the only one that brokers since 4.0 write:
//
//	0 base offset, 8 length of what follows, 12 leader epoch, 16 magic, 17 CRC-32C of what follows, 21 attributes, 23 last offset delta, 27 first time, 35 last time,
//	43 producer id, 51 producer epoch, 53 first sequence, 57 number of records, 61 records
const (
	lengthEnd  = 12 // the length counts from here
	magicAt    = 16
	sumEnd     = 21 // the sum is over what follows
	headerSize = 61
)

// Attributes of a batch.
const (
	codecMask     = 0x07
	logAppendTime = 0x08
	transactional = 0x10
	control       = 0x20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is a record batch as it lies in an answer.
type batch struct {
	base, last  int64 // offsets; last stands even where compaction took the record
	firstTime   int64
	lastTime    int64
	producer    int64
	leaderEpoch int32
	count       int32
	attributes  int16
	records     []byte // still compressed
}

func (b *batch) codec() codec { return codec(b.attributes & codecMask) }

func (b *batch) has(attribute int16) bool { return b.attributes&attribute != 0 }

// errPartial: an answer ends within a batch, as it does wherever the broker's limit of bytes falls.
var errPartial = errors.New("the batch is not all there")

// nextBatch takes the first batch off. An error names no place; errPartial is none of the batch's.
func nextBatch(from []byte, checkSum bool) (b batch, rest []byte, err error) {
	if len(from) <= magicAt {
		return b, nil, errPartial
	}
	length := int32(binary.BigEndian.Uint32(from[8:])) //nolint:gosec // checked below
	switch magic := int8(from[magicAt]); {             //nolint:gosec // the byte is signed
	case magic == 0 || magic == 1:
		return b, nil, fmt.Errorf("messages of format %d, from before Kafka 0.11, are not read: only those of format 2 are", magic)
	case magic != 2:
		return b, nil, fmt.Errorf("a record batch of the unknown format %d", magic)
	case length < headerSize-lengthEnd:
		return b, nil, fmt.Errorf("a record batch of %d bytes, less than its header", length)
	case int(length) > len(from)-lengthEnd:
		return b, nil, errPartial
	}
	whole := from[:lengthEnd+int(length)]
	if sum := binary.BigEndian.Uint32(whole[17:]); checkSum && sum != crc32.Checksum(whole[sumEnd:], castagnoli) {
		return b, nil, errors.New("the checksum (CRC-32C) of a record batch does not fit its content")
	}
	delta := int32(binary.BigEndian.Uint32(whole[23:])) //nolint:gosec // checked below
	b = batch{
		base:        int64(binary.BigEndian.Uint64(whole)),      //nolint:gosec // checked below
		leaderEpoch: int32(binary.BigEndian.Uint32(whole[12:])), //nolint:gosec // -1 is none
		attributes:  int16(binary.BigEndian.Uint16(whole[21:])), //nolint:gosec // bits
		firstTime:   int64(binary.BigEndian.Uint64(whole[27:])), //nolint:gosec // -1 is none
		lastTime:    int64(binary.BigEndian.Uint64(whole[35:])), //nolint:gosec // -1 is none
		producer:    int64(binary.BigEndian.Uint64(whole[43:])), //nolint:gosec // -1 is none
		count:       int32(binary.BigEndian.Uint32(whole[57:])), //nolint:gosec // checked below
		records:     whole[headerSize:len(whole):len(whole)],
	}
	b.last = b.base + int64(delta)
	switch {
	case b.base < 0 || delta < 0 || b.base > math.MaxInt64-int64(delta)-1:
		return b, nil, fmt.Errorf("a record batch from offset %d on has %d as its last offset's distance", b.base, delta)
	case b.count < 0 || int64(b.count) > int64(delta)+1:
		return b, nil, fmt.Errorf("a record batch of %d offsets claims %d records", int64(delta)+1, b.count)
	case b.count == 0 && len(b.records) > 0: // a batch that compaction has emptied is its header alone
		return b, nil, fmt.Errorf("a record batch claims no records and has %d bytes of them", len(b.records))
	}
	return b, from[len(whole):], nil
}
