package wire

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/linkedin/goavro/v2"
)

func TestASingleObjectIsAMarkerALittleEndianFingerprintAndTheBody(t *testing.T) {
	g := newGuarded(t)
	fingerprint, body, n, err := SingleObject(g.put([]byte{0xc3, 1, 8, 7, 6, 5, 4, 3, 2, 1, 'b', 'o'}))
	if err != nil || fingerprint != 0x0102030405060708 || string(unsafe.Slice((*byte)(body), n)) != "bo" {
		t.Errorf("fingerprint %x, %d bytes, %v", fingerprint, n, err)
	}
	if fingerprint, _, n, err := SingleObject(g.put([]byte{0xc3, 1, 1, 0, 0, 0, 0, 0, 0, 0})); err != nil || n != 0 || fingerprint != 1 {
		t.Errorf("an empty body: fingerprint %x, %d bytes, %v", fingerprint, n, err)
	}
}

func TestGoavrosSingleObjectsAreRead(t *testing.T) {
	codec, err := goavro.NewCodec(`"long"`)
	if err != nil {
		t.Fatal(err)
	}
	value, err := codec.SingleFromNative(nil, 64)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, body, n, err := SingleObject(newGuarded(t).put(value))
	if err != nil || fingerprint != codec.Rabin || !bytes.Equal(unsafe.Slice((*byte)(body), n), []byte{0x80, 1}) {
		t.Errorf("fingerprint %x, want %x, %d bytes, %v", fingerprint, codec.Rabin, n, err)
	}
}

func TestWhatIsNoSingleObjectIsToldApart(t *testing.T) {
	g := newGuarded(t)
	for _, c := range []struct {
		value []byte
		want  error
	}{
		{nil, ErrNull},
		{[]byte{}, ErrShortSingleObject},
		{[]byte{0xc3}, ErrShortSingleObject},
		{[]byte{0xc3, 1}, ErrShortSingleObject},
		{[]byte{0xc3, 1, 1, 2, 3, 4, 5, 6, 7}, ErrShortSingleObject},
		{[]byte("{"), MarkerError("{")},
		{[]byte{0xc3, 2}, MarkerError("\xc3\x02")}, // a version to come
		{[]byte{1, 0xc3, 1, 2, 3, 4, 5, 6, 7, 8, 9}, MarkerError("\x01\xc3")},
		{[]byte{0, 0, 0, 0, 17, 2, 2, 2, 2, 2, 2, 2}, MarkerError("\x00\x00")},
	} {
		if _, body, n, err := SingleObject(g.put(c.value)); !errors.Is(err, c.want) || body != nil || n != 0 {
			t.Errorf("%q: got %v and %d bytes, want %v", c.value, err, n, c.want)
		}
	}
	if _, _, _, err := SingleObject(nil, math.MinInt32); !errors.Is(err, ErrNull) {
		t.Errorf("the least length: %v", err)
	}
	if _, _, _, err := SingleObject(nil, 0); !errors.Is(err, ErrShortSingleObject) {
		t.Errorf("an empty value without an address: %v", err)
	}
	want := "the value begins with 0x7b 0x22 instead of 0xc3 0x01, Avro's single-object header"
	if got := MarkerError(`{"`).Error(); got != want {
		t.Errorf("got %s", got)
	}
}

// FuzzSingleObject splits any value as goavro does, and reads nothing after its end.
func FuzzSingleObject(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xc3})
	f.Add([]byte{0xc3, 1, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	g := newGuarded(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		if len(value) > g.page {
			return
		}
		at, length := g.put(value)
		fingerprint, body, n, err := SingleObject(at, length)
		want, rest, wrong := goavro.FingerprintFromSOE(value)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%x: %v, goavro: %v", value, err, wrong)
		}
		if err == nil && (fingerprint != want || !bytes.Equal(unsafe.Slice((*byte)(body), n), rest)) {
			t.Errorf("%x: %x and %d bytes, goavro: %x and %d", value, fingerprint, n, want, len(rest))
		}
	})
}
