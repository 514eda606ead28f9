package wire

import (
	"bytes"
	"testing"
	"unsafe"
)

// FuzzConfluent splits any value: it is the header and the body, in place, or an error and nothing.
func FuzzConfluent(f *testing.F) {
	for _, seed := range []string{"", "\x00", "\x00\x00\x00\x01", "\x00\x00\x00\x00\x01", "\x00\xff\xff\xff\xff", "\x00\x00\x00\x01\x02body", "{\"a\": 1}", "\x01\x00\x00\x00\x00\x01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		id, body, n, err := Confluent(unsafe.Pointer(unsafe.SliceData(value)), int32(len(value)))
		if err != nil {
			if id != 0 || body != nil || n != 0 {
				t.Errorf("%v, and id %d with %d bytes", err, id, n)
			}
			if len(value) >= headerLen && value[0] == 0 {
				t.Errorf("%q: %v", value, err)
			}
			return
		}
		header := []byte{0, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}
		if again := append(header, unsafe.Slice((*byte)(body), n)...); !bytes.Equal(again, value) {
			t.Errorf("%q became id %d and %d bytes", value, id, n)
		}
	})
}
