package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codec is how a batch's records are compressed.
type codec int16

const (
	codecNone codec = iota
	codecGzip
	codecSnappy
	codecLZ4
	codecZstd
)

func (c codec) String() string {
	switch c {
	case codecNone:
		return "none"
	case codecGzip:
		return "gzip"
	case codecSnappy:
		return "snappy"
	case codecLZ4:
		return "lz4"
	case codecZstd:
		return "zstd"
	}
	return fmt.Sprintf("unknown compression %d", int16(c))
}

// decompressor keeps what the codecs keep between two batches. It belongs to one goroutine.
type decompressor struct {
	bound int // of the bytes that a batch may become
	src   bytes.Reader
	gzip  *gzip.Reader
	lz4   *lz4.Reader
	zstd  *zstd.Decoder
}

// errBound is what a batch that becomes too large fails with.
var errBound = errors.New("becomes more")

// zstdWindow is what any decoder of zstd has to grant (RFC 8878): a frame may claim it and be small.
const zstdWindow = 8 << 20

// expand decompresses into out's room, or into a larger buffer.
func (d *decompressor) expand(c codec, src, out []byte) ([]byte, error) {
	out, err := d.decode(c, src, out[:0])
	switch {
	case errors.Is(err, errBound), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		advice := "memory_limit: each partition that is read at a time has its part, of which a batch may become a sixteenth"
		if d.bound == defaultExpandedBytes {
			advice = "the bound without memory_limit; with one, each partition that is read at a time has its part, of which a batch may become a sixteenth"
		}
		return nil, fmt.Errorf("a record batch of %d bytes (%v) %w than the %d bytes that are allowed (%s)", len(src), c, errBound, d.bound, advice)
	case err != nil:
		return nil, fmt.Errorf("a record batch of %d bytes is not what %v makes: %w", len(src), c, err)
	}
	return out, nil
}

func (d *decompressor) decode(c codec, src, out []byte) (_ []byte, err error) {
	switch c {
	case codecGzip:
		d.src.Reset(src)
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if err := d.gzip.Reset(&d.src); err != nil {
			return nil, err
		}
		return d.drain(d.gzip, out, len(src))
	case codecLZ4:
		d.src.Reset(src)
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(&d.src)
		return d.drain(d.lz4, out, len(src))
	case codecSnappy:
		return d.snappy(src, out)
	case codecZstd:
		if d.zstd == nil {
			most := uint64(max(d.bound, zstdWindow))
			if d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(most)); err != nil {
				return nil, err
			}
		}
		if out, err = d.zstd.DecodeAll(src, out); len(out) > d.bound {
			err = errBound
		}
		return out, err
	}
	return nil, errors.New("no such compression")
}

// drain reads all of a stream, into a buffer that begins at four times what is compressed and doubles.
func (d *decompressor) drain(from io.Reader, out []byte, compressed int) ([]byte, error) {
	out = slices.Grow(out, min(max(4*compressed, 512), d.bound+1))
	for {
		n, err := from.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case len(out) > d.bound:
			return nil, errBound
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(out) == cap(out):
			out = slices.Grow(out, min(len(out), d.bound+1-len(out)))
		}
	}
}

// xerial is how Java's snappy streams begin; 8 bytes of versions and then blocks with their lengths follow.
var xerial = []byte("\x82SNAPPY\x00")

const xerialHeader = 16

func (d *decompressor) snappy(src, out []byte) ([]byte, error) {
	if !bytes.HasPrefix(src, xerial) {
		return d.block(src, out)
	}
	if len(src) < xerialHeader {
		return nil, io.ErrUnexpectedEOF
	}
	for src = src[xerialHeader:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		size := binary.BigEndian.Uint32(src)
		if src = src[4:]; uint64(size) > uint64(len(src)) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if out, err = d.block(src[:size], out); err != nil {
			return nil, err
		}
		src = src[size:]
	}
	return out, nil
}

// block appends a block of snappy.
func (d *decompressor) block(src, out []byte) ([]byte, error) {
	size, err := s2.DecodedLen(src)
	if err != nil {
		return nil, err
	}
	if size > d.bound-len(out) {
		return nil, errBound
	}
	out = slices.Grow(out, size)
	if _, err := s2.Decode(out[len(out):len(out)+size], src); err != nil {
		return nil, err
	}
	return out[:len(out)+size], nil
}
