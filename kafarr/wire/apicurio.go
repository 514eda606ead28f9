package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// apicurioHeaderLen is the length of Apicurio's own framing: a zero byte and the schema id, big-endian, in 8 bytes.
const apicurioHeaderLen = 9

// ErrShortApicurio says that a value ends within Apicurio's header.
var ErrShortApicurio = errors.New("the value is shorter than the 9 bytes of Apicurio's header (0x00 and the id in 8 bytes)")

// IDRangeError is an id of 8 bytes that does not fit into 4, as the ids of registries do.
type IDRangeError uint64

func (e IDRangeError) Error() string {
	return fmt.Sprintf("the id in 8 bytes is %d, more than any registry's", uint64(e))
}

// Apicurio splits the n bytes at value (n < 0: null) into the schema id and the body, in place.
func Apicurio(value unsafe.Pointer, n int32) (id uint32, body unsafe.Pointer, length int, err error) {
	if n < 0 {
		return 0, nil, 0, ErrNull
	}
	header := unsafe.Slice((*byte)(value), min(int(n), apicurioHeaderLen))
	if len(header) > 0 && header[0] != 0 {
		return 0, nil, 0, MagicError(header[0])
	}
	if len(header) < apicurioHeaderLen {
		return 0, nil, 0, ErrShortApicurio
	}
	wide := binary.BigEndian.Uint64(header[1:])
	if wide > math.MaxUint32 {
		return 0, nil, 0, IDRangeError(wide)
	}
	body, length = After(value, apicurioHeaderLen, int(n))
	return uint32(wide), body, length, nil
}
