package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// singleObjectMarker begins Avro's single-object encoding, version 1; the fingerprint of the writer's schema follows,
// little-endian, in 8 bytes (https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding).
const (
	singleObjectMarker    = "\xc3\x01"
	singleObjectHeaderLen = len(singleObjectMarker) + 8
)

// ErrShortSingleObject says that a value begins as the single-object encoding does and ends within its header.
var ErrShortSingleObject = errors.New("the value is shorter than the 10 bytes of Avro's single-object header")

// MarkerError is what a value begins with, at most two bytes, that does not begin with the single-object marker.
type MarkerError string

func (e MarkerError) Error() string {
	return fmt.Sprintf("the value begins with % #x instead of % #x, Avro's single-object header",
		string(e), singleObjectMarker)
}

// SingleObject splits the n bytes at value (n < 0: null) into the CRC-64-AVRO fingerprint of the writer's schema and
// the body, in place.
func SingleObject(value unsafe.Pointer, n int32) (fingerprint uint64, body unsafe.Pointer, length int, err error) {
	if n < 0 {
		return 0, nil, 0, ErrNull
	}
	header := unsafe.Slice((*byte)(value), min(int(n), singleObjectHeaderLen))
	marker := string(header[:min(len(header), len(singleObjectMarker))])
	if marker != singleObjectMarker[:len(marker)] {
		return 0, nil, 0, MarkerError(marker)
	}
	if len(header) < singleObjectHeaderLen {
		return 0, nil, 0, ErrShortSingleObject
	}
	body, length = After(value, singleObjectHeaderLen, int(n))
	return binary.LittleEndian.Uint64(header[len(marker):]), body, length, nil
}
