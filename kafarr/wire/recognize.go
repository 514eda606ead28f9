package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Form is what the first bytes of a value look like. It is for error messages: bytes that look like a form may be another one by chance.
type Form int

// The forms, and what they begin with.
const (
	Unrecognized     Form = iota
	ContainerFile         // "Obj" and 1: an Avro object-container file
	SingleObjectForm      // 0xC3 0x01 and a fingerprint of 8 bytes
	GlueForm              // 0x03, 0x00 or 0x05 (zlib), and a UUID of 16 bytes: AWS Glue's schema registry
	AzureForm             // 4 zero bytes and 32 hexadecimal digits: Azure's schema registry
	ApicurioForm          // 0x00 and an id of 8 bytes, which fits into 4
	ConfluentForm         // 0x00 and an id of 4 bytes, which is not 0
	JSONForm              // an object or an array in JSON
	EnvelopeForm          // such an object that begins as Connect's JsonConverter writes it with schemas.enable
)

// Look is what a value looks like.
type Look struct {
	Form      Form
	HeaderLen int    // the bytes before the body
	Header    string // what those bytes are, for a message
}

// The lengths of headers.
const (
	glueHeaderLen  = 18
	azureHeaderLen = 36
)

// Recognize says what a value looks like.
func Recognize(value []byte) Look {
	switch n := len(value); {
	case bytes.HasPrefix(value, []byte("Obj\x01")):
		return Look{ContainerFile, 0, `an Avro object-container file ("Obj" and 0x01)`}
	case n >= singleObjectHeaderLen && string(value[:2]) == singleObjectMarker:
		return Look{SingleObjectForm, singleObjectHeaderLen, fmt.Sprintf("Avro's single-object header (0xc3 0x01 and the schema fingerprint %016x)", binary.LittleEndian.Uint64(value[2:]))}
	case n >= glueHeaderLen && value[0] == 3 && (value[1] == 0 || value[1] == glueZlib):
		packed := "not compressed"
		if value[1] == glueZlib {
			packed = "compressed with zlib"
		}
		id := value[2:glueHeaderLen]
		return Look{GlueForm, glueHeaderLen, fmt.Sprintf("the header of AWS Glue's schema registry (0x03, %s, schema version %x-%x-%x-%x-%x)", packed, id[:4], id[4:6], id[6:8], id[8:10], id[10:])}
	case n >= azureHeaderLen && string(value[:4]) == "\x00\x00\x00\x00" && allHex(value[4:azureHeaderLen]):
		return Look{AzureForm, azureHeaderLen, fmt.Sprintf("the header of Azure's schema registry (4 zero bytes and the schema id %s)", value[4:azureHeaderLen])}
	case n >= apicurioHeaderLen && value[0] == 0 && binary.BigEndian.Uint64(value[1:]) <= math.MaxUint32 && binary.BigEndian.Uint64(value[1:]) > 0:
		return Look{ApicurioForm, apicurioHeaderLen, fmt.Sprintf("Apicurio's header (0x00 and the id %d in 8 bytes)", binary.BigEndian.Uint64(value[1:]))}
	case n >= headerLen && value[0] == 0 && binary.BigEndian.Uint32(value[1:]) > 0:
		return Look{ConfluentForm, headerLen, fmt.Sprintf("the schema registry's header (0x00 and the id %d in 4 bytes)", binary.BigEndian.Uint32(value[1:]))}
	case beginsAsEnvelope(value):
		return Look{EnvelopeForm, 0, `an envelope of Kafka Connect, {"schema": …, "payload": …}`}
	case n >= 2 && (value[0] == '{' && (value[1] == '"' || value[1] == '}') || value[0] == '[' && value[1] == '{'):
		return Look{JSONForm, 0, "an object or array in JSON"}
	}
	return Look{}
}

// beginsAsEnvelope tells whether a value begins as one of Connect's envelopes, with or without white space.
func beginsAsEnvelope(value []byte) bool {
	const look = 64
	if len(value) == 0 || value[0] != '{' {
		return false
	}
	begin := bytes.Join(bytes.Fields(value[:min(look, len(value))]), nil)
	return bytes.HasPrefix(begin, []byte(`{"schema":{"type":"`)) || bytes.HasPrefix(begin, []byte(`{"schema":null,"payload":`))
}

// glueZlib is the compression byte of Glue's header for a body compressed with zlib.
const glueZlib = 5

func allHex(digits []byte) bool {
	for _, c := range digits {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
