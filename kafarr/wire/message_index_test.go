package wire

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
)

func TestMessageIndexesAreAPathWithItsLength(t *testing.T) {
	for _, c := range []struct {
		data   string
		path   []int
		length int
	}{
		{"\x00", []int{0}, 1},
		{"\x00body", []int{0}, 1},
		{"\x02\x00", []int{0}, 2},
		{"\x02\x04", []int{2}, 2},
		{"\x04\x02\x00", []int{1, 0}, 3},
		{"\x02\x80\x02x", []int{128}, 3},
		{"\x80\x00", []int{0}, 2}, // a 0 of two bytes
	} {
		path, length, err := MessageIndexes(nil, []byte(c.data))
		if err != nil || !slices.Equal(path, c.path) || length != c.length {
			t.Errorf("%q: %v of %d bytes, %v", c.data, path, length, err)
		}
	}
}

func TestMessageIndexesAreWrittenAsTheyAreRead(t *testing.T) {
	for path, want := range map[*[]int]string{{0}: "\x00", {2}: "\x02\x04", {1, 0}: "\x04\x02\x00", {128}: "\x02\x80\x02", {0, 0}: "\x04\x00\x00"} {
		got := AppendMessageIndexes([]byte("x"), *path)
		if string(got) != "x"+want {
			t.Errorf("%v: got %x", *path, got)
		}
		if again, _, err := MessageIndexes(nil, got[1:]); err != nil || !slices.Equal(again, *path) {
			t.Errorf("%v was read as %v, %v", *path, again, err)
		}
	}
}

func TestMessageIndexesThatCannotBeReadAreAnError(t *testing.T) {
	for data, want := range map[string]error{
		"":                         ErrShortIndexes,
		"\x02":                     ErrShortIndexes,
		"\x04\x02":                 ErrShortIndexes,
		"\x02\x80":                 ErrShortIndexes,
		"\x80":                     ErrShortIndexes,
		"\x01\x01":                 ErrNegativeIndexes,
		"\x42\x00":                 ErrManyIndexes, // 33
		"\x02\x01":                 ErrIndexRange,  // -1
		"\x02\xfe\xff\xff\xff\x1f": ErrIndexRange,  // 2^32 - 1
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": ErrManyIndexes,
	} {
		if path, _, err := MessageIndexes(nil, []byte(data)); !errors.Is(err, want) {
			t.Errorf("%q: %v and %v, want %v", data, path, err, want)
		}
	}
}

// FuzzMessageIndexes reads what Confluent's reader reads, but for paths that lead nowhere.
func FuzzMessageIndexes(f *testing.F) {
	for _, data := range []string{"", "\x00", "\x02\x04", "\x04\x02\x00", "\x01\x01", "\x02\x01", "\x42\x00", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if count, n := binary.Varint(data); n > 0 && count > 1000 {
			return // theirs makes room for as many
		}
		path, length, err := MessageIndexes(nil, data)
		want := serde.SchemaID{SchemaType: "PROTOBUF"}
		read, failed := want.FromBytes(append([]byte{0, 0, 0, 0, 1}, data...))
		if err == nil && (failed != nil || read-5 != length || !slices.Equal(path, want.MessageIndexes)) {
			t.Fatalf("%x: %v of %d bytes, want %v of %d, %v", data, path, length, want.MessageIndexes, read-5, failed)
		}
		if err != nil && failed == nil && len(want.MessageIndexes) <= maxIndexes && !slices.ContainsFunc(want.MessageIndexes, func(i int) bool { return i < 0 || i > 1<<31-1 }) {
			t.Fatalf("%x: %v, want %v", data, err, want.MessageIndexes)
		}
	})
}
