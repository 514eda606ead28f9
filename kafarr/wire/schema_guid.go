package wire

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"unsafe"
)

// The message headers in which Confluent's serializers name the schema, where they leave value and key bare.
const (
	ValueSchemaHeader = "__value_schema_id"
	KeySchemaHeader   = "__key_schema_id"
)

// Such a header's value is a byte that says how the schema is named, and the name, big-endian. The message indexes follow
// where the schema is one of Protobuf; else what follows is ignored, as Confluent's own readers do.
const (
	namedByID   = 0x00
	namedByGUID = 0x01

	idHeaderLen   = 1 + 4
	guidHeaderLen = 1 + 16
)

// ErrShortSchemaHeader says that a schema header ends within its id or GUID.
var ErrShortSchemaHeader = errors.New("the schema header is shorter than the 17 bytes of a GUID, or the 5 bytes of an id, with its first byte")

// SchemaHeaderError is the first byte of a schema header that is neither of those known.
type SchemaHeaderError byte

func (e SchemaHeaderError) Error() string {
	return fmt.Sprintf("the schema header begins with byte 0x%02x instead of 0x01 (a GUID) or 0x00 (an id)", byte(e))
}

// GUID is the name of a schema that is the same in every registry.
type GUID [16]byte

// String gives the form that registries know: 8-4-4-4-12 hexadecimal digits, in lower case.
func (g GUID) String() string {
	var text [36]byte
	at := 0
	for i, b := range g {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		hex.Encode(text[at:], []byte{b})
		at += 2
	}
	return string(text[:])
}

// SchemaRef is how a header names a schema: by its GUID or, where ByID, by its id. Equal names are equal values.
type SchemaRef struct {
	GUID GUID
	ID   uint32
	ByID bool
}

// HeaderSchema reads the n bytes at value (n < 0: null) of a ValueSchemaHeader or KeySchemaHeader. The name takes the first length of them.
func HeaderSchema(value unsafe.Pointer, n int32) (name SchemaRef, length int, err error) {
	if n < 0 {
		return SchemaRef{}, 0, ErrNull
	}
	header := unsafe.Slice((*byte)(value), min(int(n), guidHeaderLen))
	switch {
	case len(header) == 0:
		return SchemaRef{}, 0, ErrShortSchemaHeader
	case header[0] == namedByID && len(header) >= idHeaderLen:
		return SchemaRef{ID: binary.BigEndian.Uint32(header[1:]), ByID: true}, idHeaderLen, nil
	case header[0] == namedByGUID && len(header) >= guidHeaderLen:
		return SchemaRef{GUID: GUID(header[1:])}, guidHeaderLen, nil
	case header[0] == namedByID, header[0] == namedByGUID:
		return SchemaRef{}, 0, ErrShortSchemaHeader
	}
	return SchemaRef{}, 0, SchemaHeaderError(header[0])
}
