package wire

import (
	"encoding/binary"
	"errors"
	"math"
)

// maxIndexes bounds how deep a message type may lie in others.
const maxIndexes = 32

// Why message indexes cannot be read.
var (
	ErrShortIndexes    = errors.New("the value ends within its message indexes")
	ErrNegativeIndexes = errors.New("its number of message indexes is negative, as that of clients is which write plain varints (confluent-kafka-python before 1.8)")
	ErrManyIndexes     = errors.New("it has more than 32 message indexes")
	ErrIndexRange      = errors.New("one of its message indexes is negative, or larger than any type's")
)

// AppendMessageIndexes writes a path as MessageIndexes reads it: that of the first type as a count of 0.
func AppendMessageIndexes(data []byte, path []int) []byte {
	if len(path) == 1 && path[0] == 0 {
		return append(data, 0)
	}
	data = binary.AppendVarint(data, int64(len(path)))
	for _, index := range path {
		data = binary.AppendVarint(data, int64(index))
	}
	return data
}

// MessageIndexes reads Confluent's message indexes at the beginning of data, and appends them to path. They are a count and as many numbers, all of them zigzag varints: the index
// of a message type in its file of Protobuf, and those of the types within one another from there on. A count of 0 stands for the first type. length is how many bytes they take.
func MessageIndexes(path []int, data []byte) (indexes []int, length int, err error) {
	count, length := binary.Varint(data)
	switch {
	case length == 0:
		return nil, 0, ErrShortIndexes
	case length < 0 || count > maxIndexes:
		return nil, 0, ErrManyIndexes
	case count < 0:
		return nil, 0, ErrNegativeIndexes
	case count == 0:
		return append(path, 0), length, nil
	}
	for range count {
		index, n := binary.Varint(data[length:])
		switch {
		case n == 0:
			return nil, 0, ErrShortIndexes
		case n < 0 || index < 0 || index > math.MaxInt32:
			return nil, 0, ErrIndexRange
		}
		path, length = append(path, int(index)), length+n
	}
	return path, length, nil
}
