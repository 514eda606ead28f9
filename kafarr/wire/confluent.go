// Package wire reads the framings that say which schema a message was written with.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// headerLen is the length of the Confluent framing: a zero byte and the schema id, big-endian, in 4 bytes
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
const headerLen = 5

// Why a message has no Confluent framing.
var (
	ErrNull  = errors.New("the value is null")
	ErrShort = errors.New("the value is shorter than the 5 bytes of the schema-registry header")
)

// MagicError is the first byte of a value that does not begin with the framing's zero.
type MagicError byte

func (e MagicError) Error() string {
	return fmt.Sprintf("the value begins with byte 0x%02x instead of 0x00, the first of the schema-registry header", byte(e))
}

// Confluent splits the n bytes at value (n < 0: null) into the schema id and the body, in place.
func Confluent(value unsafe.Pointer, n int32) (id uint32, body unsafe.Pointer, length int, err error) {
	if n < headerLen {
		switch {
		case n < 0:
			return 0, nil, 0, ErrNull
		case n > 0 && *(*byte)(value) != 0:
			return 0, nil, 0, MagicError(*(*byte)(value))
		}
		return 0, nil, 0, ErrShort
	}
	header := unsafe.Slice((*byte)(value), headerLen)
	if header[0] != 0 {
		return 0, nil, 0, MagicError(header[0])
	}
	body, length = After(value, headerLen, int(n))
	return binary.BigEndian.Uint32(header[1:]), body, length, nil
}

// After is the body that follows a header within n bytes. An empty one has no place of its own: the memory may end with the header, and nothing may point to what is
// after it, which may be another object.
func After(value unsafe.Pointer, header, n int) (body unsafe.Pointer, length int) {
	if n == header {
		return value, 0
	}
	return unsafe.Add(value, header), n - header
}
