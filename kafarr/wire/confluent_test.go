package wire

import (
	"errors"
	"testing"
	"unsafe"
)

func TestTheFramingIsAZeroAndABigEndianID(t *testing.T) {
	value := []byte{0, 0, 0, 1, 2, 'b', 'o'}
	id, body, n, err := Confluent(unsafe.Pointer(&value[0]), int32(len(value)))
	if err != nil || id != 258 || n != 2 || *(*byte)(body) != 'b' {
		t.Errorf("id %d, %d bytes, %v", id, n, err)
	}
	if _, _, n, err := Confluent(unsafe.Pointer(&value[0]), 5); err != nil || n != 0 {
		t.Errorf("a framed empty body: %d bytes, %v", n, err)
	}
}

func TestWhatIsNotFramedIsToldApart(t *testing.T) {
	for _, c := range []struct {
		value []byte
		want  error
	}{
		{nil, ErrNull},
		{[]byte{}, ErrShort},
		{[]byte{0, 0, 0, 1}, ErrShort},
		{[]byte("{"), MagicError('{')},
		{[]byte("{\"a\": 1}"), MagicError('{')},
	} {
		n := int32(len(c.value))
		if c.value == nil {
			n = -1
		}
		if _, _, _, err := Confluent(unsafe.Pointer(unsafe.SliceData(c.value)), n); !errors.Is(err, c.want) {
			t.Errorf("%q: got %v, want %v", c.value, err, c.want)
		}
	}
}

// Go's checkptr, which the race detector brings, refuses a pointer to what comes after an object: an empty body has none.
func TestAnEmptyBodyPointsIntoItsMessage(t *testing.T) {
	for header, split := range map[string]func(unsafe.Pointer, int32) (unsafe.Pointer, int, error){
		"\x00\x00\x00\x00\x01": func(value unsafe.Pointer, n int32) (unsafe.Pointer, int, error) {
			_, body, length, err := Confluent(value, n)
			return body, length, err
		},
		"\x00\x00\x00\x00\x00\x00\x00\x00\x01": func(value unsafe.Pointer, n int32) (unsafe.Pointer, int, error) {
			_, body, length, err := Apicurio(value, n)
			return body, length, err
		},
		"\xc3\x01abcdefgh": func(value unsafe.Pointer, n int32) (unsafe.Pointer, int, error) {
			_, body, length, err := SingleObject(value, n)
			return body, length, err
		},
	} {
		value := []byte(header)
		start := unsafe.Pointer(&value[0])
		body, length, err := split(start, int32(len(value)))
		if at := uintptr(body) - uintptr(start); err != nil || length != 0 || at >= uintptr(len(value)) {
			t.Errorf("%q: %d bytes at %d, %v", header, length, at, err)
		}
	}
}
