package produce

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOneRecord is why a batch cannot be cut: it holds a single record.
var ErrOneRecord = errors.New("a record batch of one record cannot be cut in two")

// errDamaged cannot be of a batch that a Builder has sealed.
var errDamaged = errors.New("a sealed record batch is damaged")

// Split cuts a sealed batch in two, for a topic that takes only smaller ones: the first has `records` of its records, the second has the others. Stamped with the sequence of the
// whole, and with that plus `records`, the two take the place of the whole, so that later batches keep their sequences. The whole stays as it is.
func Split(batch []byte) (first, second []byte, records int32, err error) {
	if len(batch) < headerSize {
		return nil, nil, 0, errDamaged
	}
	count := int32(binary.BigEndian.Uint32(batch[57:])) //nolint:gosec // checked below
	codec := Codec(binary.BigEndian.Uint16(batch[21:]) & codecMask)
	base := int64(binary.BigEndian.Uint64(batch[27:])) //nolint:gosec // bits
	if count < 2 {
		return nil, nil, 0, ErrOneRecord
	}
	body, err := expand(codec, batch[headerSize:])
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%w: %w", errDamaged, err)
	}
	records = count / 2
	compression := Compression{Codec: codec, Level: DefaultLevel}
	if first, body, err = part(body, base, records, compression); err != nil {
		return nil, nil, 0, err
	}
	if second, body, err = part(body, base, count-records, compression); err != nil {
		return nil, nil, 0, err
	}
	if len(body) != 0 {
		return nil, nil, 0, errDamaged
	}
	return first, second, records, nil
}

// part makes a batch of the first records of a body, whose timestamps count from base, and returns what is left of the body.
func part(body []byte, base int64, records int32, compression Compression) (batch, rest []byte, err error) {
	batch = get(headerSize + len(body) + int(records)*binary.MaxVarintLen64) // offsets become smaller, distances of timestamps may become larger
	at := headerSize
	h := header{count: records}
	for i := range records {
		length, size := binary.Varint(body)
		if size <= 0 || length < 1 || length > int64(len(body)-size) {
			return nil, nil, errDamaged
		}
		record := body[size : size+int(length)]
		body = body[size+int(length):]
		distance, n := binary.Varint(record[1:])
		if n <= 0 {
			return nil, nil, errDamaged
		}
		_, m := binary.Varint(record[1+n:])
		if m <= 0 {
			return nil, nil, errDamaged
		}
		timestamp, tail := base+distance, record[1+n+m:]
		if i == 0 {
			h.first, h.most = timestamp, timestamp
		}
		h.most = max(h.most, timestamp)
		var head [2 * binary.MaxVarintLen64]byte
		end := putVarint(head[:], 0, timestamp-h.first)
		end = putVarint(head[:], end, int64(i))
		at = putVarint(batch, at, int64(1+end+len(tail)))
		batch[at] = record[0]
		at++
		at += copy(batch[at:], head[:end])
		at += copy(batch[at:], tail)
	}
	whole := batch[:at]
	batch = compression.compress(whole, &h)
	if &batch[0] != &whole[0] {
		Recycle(whole)
	}
	h.write(batch)
	return batch, body, nil
}
