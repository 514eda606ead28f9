package fetch

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Why records cannot be read. They are values, so that the hot path makes none.
var (
	errTruncated = errors.New("a record extends past the end of its record batch")
	errVarint    = errors.New("a record has a number of more than its 32 or 64 bits")
	errLength    = errors.New("a record's length is not that of its fields")
	errNegative  = errors.New("a record has a length below -1")
	errOffset    = errors.New("a record's offset is outside its record batch, or not after the previous one")
	errHeaders   = errors.New("a record claims more headers than it has bytes")
	errName      = errors.New("a record has a header without a name")
	errTrailing  = errors.New("bytes are left over after a record batch's last record")
)

// records reads what a batch holds, some at a time.
type records struct {
	batch
	body   []byte // decompressed
	at     int
	left   int32
	before int64 // the distance from the base of the last record that was read
	slab   []source.Header
}

// begin points at a batch's first record. The batch's header bounds left; body bounds what is read.
func (r *records) begin(b batch, body []byte) {
	r.batch, r.body, r.at, r.left, r.before = b, body, 0, b.count, -1
}

// take appends records of [from, end), until out has room for no more, and says whether there may be others.
//
// A record is: length, attributes, time and offset as distances from the batch's, key, value, headers; numbers are zigzag varints, of which most take one byte. One of six flat fields takes 20 ns, and
// nothing is allocated (BenchmarkRecords), which is less than half of what an answer's way from the broker takes.
func (r *records) take(out []source.Record, from, end int64, headers bool) ([]source.Record, bool, error) {
	timeType := int32(1)
	if r.has(logAppendTime) {
		timeType = 2
	}
	for len(out) < cap(out) && r.left > 0 {
		n := len(out)
		out = out[:n+1]
		rec := &out[n]
		stop, err := r.one(rec, headers)
		if err != nil {
			return out[:n], false, err
		}
		r.at = stop
		r.left--
		if rec.Offset >= end {
			r.left = 0
			return out[:n], false, nil
		}
		if rec.Offset < from {
			out = out[:n]
			continue
		}
		rec.TimestampType = timeType
		if timeType == 2 {
			rec.Timestamp = r.lastTime
		}
	}
	if r.left == 0 && r.at != len(r.body) {
		return out, false, errTrailing
	}
	return out, r.left > 0, nil
}

// one reads a record and returns where it ends.
func (r *records) one(rec *source.Record, headers bool) (int, error) {
	length, at := varint(r.body, r.at)
	if at < 0 || length < 0 || length > int64(len(r.body)-at) {
		return 0, bad(at, errTruncated)
	}
	stop := at + int(length)
	b := r.body[:stop]
	at++ // attributes, of which none is in use
	if at > stop {
		return 0, errTruncated
	}
	sinceFirst, at := varint(b, at)
	if at < 0 {
		return 0, bad(at, errTruncated)
	}
	distance, at := varint(b, at)
	if at < 0 {
		return 0, bad(at, errTruncated)
	}
	if distance <= r.before || distance > r.last-r.base {
		return 0, errOffset
	}
	rec.Offset, rec.Timestamp, rec.LeaderEpoch = r.base+distance, r.firstTime+sinceFirst, r.leaderEpoch
	var err error
	if rec.Key, rec.KeyLen, at, err = span(b, at); err != nil {
		return 0, err
	}
	if rec.Value, rec.ValueLen, at, err = span(b, at); err != nil {
		return 0, err
	}
	rec.Headers, rec.HeaderCount = nil, 0
	count, at := varint(b, at)
	switch {
	case at < 0:
		return 0, bad(at, errTruncated)
	case count == 0:
	case count < 0 || count > int64(stop-at)/2: // a header takes two bytes at least
		return 0, errHeaders
	default:
		if at, err = r.headers(rec, b, at, int(count), headers); err != nil {
			return 0, err
		}
	}
	if at != stop {
		return 0, errLength
	}
	r.before = distance
	return stop, nil
}

// headers reads a record's headers, and keeps them if they are wanted.
func (r *records) headers(rec *source.Record, b []byte, at, count int, keep bool) (int, error) {
	var err error
	if keep {
		if len(r.slab)+count > cap(r.slab) { // records point into the old one, which lives as long as they do
			r.slab = make([]source.Header, 0, max(1024, count))
		}
	}
	first := len(r.slab)
	for range count {
		var h source.Header
		if h.Name, h.NameLen, at, err = span(b, at); err != nil {
			return 0, err
		}
		if h.NameLen < 0 {
			return 0, errName
		}
		if h.Value, h.ValueLen, at, err = span(b, at); err != nil {
			return 0, err
		}
		if keep {
			r.slab = append(r.slab, h)
		}
	}
	if keep {
		rec.Headers, rec.HeaderCount = &r.slab[first], int32(count) //nolint:gosec // bounded by an int32 of bytes
	}
	return at, nil
}

// span reads a length and points at as many bytes; -1 is null.
func span(b []byte, at int) (unsafe.Pointer, int32, int, error) {
	length, at := varint(b, at)
	switch {
	case at < 0:
		return nil, 0, 0, bad(at, errTruncated)
	case length > int64(len(b)-at):
		return nil, 0, 0, errTruncated
	case length > 0:
		return unsafe.Pointer(&b[at]), int32(length), at + int(length), nil //nolint:gosec // a buffer is shorter than 2 GiB
	case length == 0: // not a pointer past the end, which might point into another allocation
		return unsafe.Pointer(&b[0]), 0, at, nil
	case length == -1:
		return nil, -1, at, nil
	}
	return nil, 0, 0, errNegative
}

// tooLong is varint's answer in the place of an index for a number that does not end; below 0 otherwise: the bytes end.
const tooLong = -2

// varint reads a zigzag varint and returns the index after it, below 0 if there is none.
func varint(b []byte, at int) (int64, int) {
	if at < len(b) {
		if c := int64(b[at]); c < 0x80 {
			return c>>1 ^ -(c & 1), at + 1
		}
	}
	return longVarint(b, at)
}

func longVarint(b []byte, at int) (int64, int) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if at >= len(b) {
			return 0, -1
		}
		c := b[at]
		at++
		if shift == 63 && c > 1 {
			return 0, tooLong
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(v>>1) ^ -int64(v&1), at
		}
	}
	return 0, tooLong
}

func bad(at int, err error) error {
	if at == tooLong {
		return errVarint
	}
	return err
}

// marker reads a control batch: whether it ends its producer's transaction by an abort.
func marker(b batch, body []byte) (aborts bool, err error) {
	var r records
	r.begin(b, body)
	var out [1]source.Record
	got, more, err := r.take(out[:0:1], math.MinInt64, math.MaxInt64, false)
	switch {
	case err != nil:
		return false, fmt.Errorf("a transaction marker: %w", err)
	case more:
		return false, errors.New("a control batch of several records")
	case len(got) == 0: // compaction took the marker and left the batch
		return false, nil
	case got[0].KeyLen < 4:
		return false, fmt.Errorf("a transaction marker whose key has %d bytes", got[0].KeyLen)
	}
	key := unsafe.Slice((*byte)(got[0].Key), 4) // version, type: 0 abort, 1 commit, others are the broker's own
	return key[2] == 0 && key[3] == 0, nil
}
