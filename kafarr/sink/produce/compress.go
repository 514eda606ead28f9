package produce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	pierrec "github.com/pierrec/lz4/v4"

	"github.com/pykafarr/pykafarr/kafarr/internal/lz4"
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

// mostLevels are the highest of each codec.
var mostLevels = [...]int{Gzip: gzip.BestCompression, Snappy: 0, LZ4: lz4.MostHigh, Zstd: 22}

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

// NewCompression reads compression.type and compression.level. Codecs have their own levels: 0 to 9 with gzip, 0 to 12 with lz4, 1 to 22 with zstd; snappy has none.
func NewCompression(codec string, level int) (Compression, error) {
	number := slices.Index(codecNames, codec)
	if number < 0 {
		return Compression{}, fmt.Errorf("compression.type is %q: it must be one of none, gzip, snappy, lz4, zstd", codec)
	}
	c := Compression{Codec: Codec(number), Level: level} //nolint:gosec // one of five
	if most := mostLevels[number]; c.Codec != None && (level < DefaultLevel || level > most) {
		return Compression{}, fmt.Errorf("compression.level is %d: with compression.type=%s it must be from 0 to %d, or -1 for the default", level, codec, most)
	}
	return c, nil
}

// compress gives the batch with its records compressed, in another buffer, and notes the codec in h; or the batch itself, where that is not shorter.
func (c Compression) compress(batch []byte, h *header) []byte {
	h.codec = None
	body := batch[headerSize:]
	var out []byte
	switch c.Codec {
	case None:
		return batch
	case Gzip:
		out = c.gzip(body)
	case Snappy:
		out = get(headerSize + s2.MaxEncodedLen(len(body)))
		out = out[:headerSize+len(s2.EncodeSnappy(out[headerSize:], body))]
	case LZ4:
		out = get(headerSize + lz4.Bound(len(body)))
		out = out[:headerSize+lz4.Frame(out[headerSize:], body, c.Level)]
	case Zstd:
		out = c.zstd(body)
	}
	if out == nil || len(out) >= len(batch) {
		Recycle(out)
		return batch
	}
	h.codec = c.Codec
	return out
}

// gzips and zstds are encoders by their levels. Each is used by one goroutine at a time.
var (
	gzips [gzip.BestCompression + 2]sync.Pool // the first one is of DefaultLevel
	zstds [zstd.SpeedBestCompression + 1]sync.Pool
)

// gzip gives room for a header and what body is compressed to, or nil where that is not shorter than body.
func (c Compression) gzip(body []byte) []byte {
	level := min(max(c.Level, DefaultLevel), gzip.BestCompression)
	pool := &gzips[level+1]
	w, ok := pool.Get().(*gzip.Writer)
	if !ok {
		var err error
		if w, err = gzip.NewWriterLevel(nil, level); err != nil {
			return nil
		}
	}
	defer pool.Put(w)
	out := bounded{get(headerSize + len(body)), headerSize}
	w.Reset(&out)
	_, err := w.Write(body)
	if err = errors.Join(err, w.Close()); err != nil {
		Recycle(out.buf)
		return nil
	}
	return out.buf[:out.at]
}

// bounded is a buffer that takes no more than it has room for.
type bounded struct {
	buf []byte
	at  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > len(b.buf)-b.at {
		return 0, io.ErrShortWrite
	}
	b.at += copy(b.buf[b.at:], p)
	return len(p), nil
}

// zstdWindow is as far back as zstd looks, and what each encoder keeps twice.
const zstdWindow = 1 << 20

func (c Compression) zstd(body []byte) []byte {
	level := zstd.SpeedDefault // librdkafka's and Java's default is 3
	if c.Level > 0 {
		level = zstd.EncoderLevelFromZstd(c.Level)
	}
	pool := &zstds[level]
	w, ok := pool.Get().(*zstd.Encoder)
	if !ok {
		var err error
		if w, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false)); err != nil {
			return nil
		}
	}
	defer pool.Put(w)
	out := get(headerSize + w.MaxEncodedSize(len(body)))
	return w.EncodeAll(body, out[:headerSize])
}

// expand gives the records of a batch of ours.
func expand(c Codec, body []byte) ([]byte, error) {
	switch c {
	case None:
		return body, nil
	case Gzip:
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case Snappy:
		return s2.Decode(nil, body)
	case LZ4:
		return io.ReadAll(pierrec.NewReader(bytes.NewReader(body)))
	case Zstd:
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return r.DecodeAll(body, nil)
	}
	return nil, fmt.Errorf("%v", c)
}
