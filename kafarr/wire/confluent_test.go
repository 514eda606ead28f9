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
