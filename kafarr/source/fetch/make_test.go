package fetch

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// rec is a record to be made.
type rec struct {
	delta, since int64
	key, value   []byte // nil: null
	headers      [][2][]byte
}

// batchOf is a batch to be made.
type batchOf struct {
	base, firstTime, lastTime int64
	producer                  int64 // 0: none
	epoch                     int32
	attributes                int16
	codec                     codec
	records                   []rec
	lastDelta                 int32 // 0: the last record's
	body                      []byte
	count                     int32 // with body
}

func (r rec) append(out []byte) []byte {
	b := []byte{0}
	b = binary.AppendVarint(b, r.since)
	b = binary.AppendVarint(b, r.delta)
	b = appendSpan(b, r.key)
	b = appendSpan(b, r.value)
	b = binary.AppendVarint(b, int64(len(r.headers)))
	for _, h := range r.headers {
		b = appendSpan(b, h[0])
		b = appendSpan(b, h[1])
	}
	return append(binary.AppendVarint(out, int64(len(b))), b...)
}

func appendSpan(b, of []byte) []byte {
	if of == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(of))), of...)
}

// bytes are the batch's.
func (o batchOf) bytes() []byte {
	body, count := o.body, o.count
	if body == nil {
		for _, r := range o.records {
			body = r.append(body)
		}
		body, count = compressed(o.codec, body), int32(len(o.records))
	}
	if n := len(o.records); o.lastDelta == 0 && n > 0 {
		o.lastDelta = int32(o.records[n-1].delta)
	}
	if o.producer == 0 {
		o.producer = -1
	}
	out := binary.BigEndian.AppendUint64(nil, uint64(o.base))
	out = binary.BigEndian.AppendUint32(out, uint32(headerSize-lengthEnd+len(body)))
	out = binary.BigEndian.AppendUint32(out, uint32(o.epoch))
	out = append(out, 2, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(o.attributes|int16(o.codec)))
	out = binary.BigEndian.AppendUint32(out, uint32(o.lastDelta))
	out = binary.BigEndian.AppendUint64(out, uint64(o.firstTime))
	out = binary.BigEndian.AppendUint64(out, uint64(o.lastTime))
	out = binary.BigEndian.AppendUint64(out, uint64(o.producer))
	out = append(out, 0, 0, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(count))
	return sum(append(out, body...))
}

// sum makes a batch's checksum that of its bytes.
func sum(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[sumEnd:], castagnoli))
	return raw
}

func compressed(c codec, body []byte) []byte {
	var out bytes.Buffer
	switch c {
	case codecGzip:
		w := gzip.NewWriter(&out)
		_, _ = w.Write(body)
		_ = w.Close()
	case codecSnappy:
		return s2.EncodeSnappy(nil, body)
	case codecLZ4:
		w := lz4.NewWriter(&out)
		_, _ = w.Write(body)
		_ = w.Close()
	case codecZstd:
		w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		return w.EncodeAll(body, nil)
	default:
		return body
	}
	return out.Bytes()
}

// marked is a transaction's end.
func marked(producer int64, kind byte) batchOf {
	return batchOf{producer: producer, attributes: transactional | control, records: []rec{{key: []byte{0, 0, 0, kind}, value: []byte{0, 0, 0, 0, 0, 0}}}}
}
