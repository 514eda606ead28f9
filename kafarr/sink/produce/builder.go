package produce

import (
	"encoding/binary"
	"math/bits"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/sink"
)

// Bounds are how large a record batch may be, in bytes before compression, header included.
type Bounds struct {
	// Batch is where a batch is full (batch.size).
	Batch int
	// Message is what a batch of one record may have (max.message.bytes of the topic): a record that is larger than Batch is a batch of its own.
	Message int
}

// Record is a record that is to be appended: a value, which an encoder writes, and what surrounds it.
type Record struct {
	Value     format.Encoder // nil: a tombstone, whose value is null
	Row       int            // of Value
	Prefix    []byte         // the framing, before what Value writes
	Key       []byte         // nil: null
	Headers   []sink.Header
	Timestamp int64 // milliseconds since 1970
}

// Result is what became of a record.
type Result int

const (
	// Added means that the record is in the batch.
	Added Result = iota
	// Full means that it is not: the batch is sealed first, and the record begins the next one.
	Full
	// TooLarge means that no batch may hold the record: it has more than Bounds.Message bytes.
	TooLarge
)

// Builder collects records of one partition into a record batch of format 2. It belongs to one goroutine, and is used for one batch after the other. Nothing is allocated for a
// record.
type Builder struct {
	bounds      Bounds
	compression Compression
	buf         []byte // from a pool; all of its length may be written
	at          int    // where the next record begins
	count       int32
	first, most int64 // timestamps
	// How many bytes the lengths of the last record and of its value take. The next record is written after as much room, and moved if that was not right.
	lengthSize, valueSize int
	before                int // bytes of the batch before, so that the buffer of the next one is as large at once
}

// NewBuilder makes a Builder whose batch is empty.
func NewBuilder(bounds Bounds, compression Compression) *Builder {
	return &Builder{bounds: bounds, compression: compression, lengthSize: 1, valueSize: 1}
}

// Records says how many records the batch holds.
func (b *Builder) Records() int32 { return b.count }

// Bytes says how large the batch is, before compression.
func (b *Builder) Bytes() int {
	if b.count == 0 {
		return 0
	}
	return b.at
}

// Append adds a record unless the batch is full.
func (b *Builder) Append(r *Record) Result {
	if b.count == 0 {
		b.begin(r.Timestamp)
	}
	end, ok := b.fit(r)
	if !ok || end > b.limit() {
		if b.count == 0 {
			return TooLarge
		}
		return Full
	}
	b.at = end
	b.count++
	b.most = max(b.most, r.Timestamp)
	return Added
}

// AppendRows adds the rows [from, to) of a value, without keys and headers, until the batch is full. It returns the first row that was not added, and why; to and Added where all
// of them were.
func (b *Builder) AppendRows(value format.Encoder, from, to int, prefix []byte, timestamp int64) (int, Result) {
	r := Record{Value: value, Prefix: prefix, Timestamp: timestamp}
	for r.Row = from; r.Row < to; {
		if result := b.Append(&r); result != Added {
			return r.Row, result
		}
		r.Row = b.run(&r, r.Row+1, to)
	}
	return to, Added
}

// run adds rows for as long as each has lengths of as many bytes as the row before, and fits; it returns the first row that Append has to look at. It does what write does, in half
// the time.
func (b *Builder) run(r *Record, row, to int) int {
	buf, at, count := b.buf, b.at, b.count
	lengthSize, valueSize := b.lengthSize, b.valueSize
	if lengthSize > 2 || valueSize > 2 {
		return row
	}
	limit := min(b.bounds.Batch, len(buf)-1)
	last := len(buf) - recordMargin - len(r.Prefix)
	var sinceFirst [binary.MaxVarintLen64]byte
	sinceFirstSize := putVarint(sinceFirst[:], 0, r.Timestamp-b.first)
	for ; row < to && at <= last; row++ {
		next := at + lengthSize
		buf[next] = 0 // attributes
		buf[next+1] = sinceFirst[0]
		if next += 2; sinceFirstSize > 1 {
			next += copy(buf[next:], sinceFirst[1:sinceFirstSize])
		}
		next = putVarint(buf, next, int64(count))
		buf[next] = null // key
		next++
		body := next + valueSize + copy(buf[next+valueSize:], r.Prefix)
		n, ok := r.Value.Encode(buf[body:], row)
		end := body + n
		if !ok || end >= limit {
			break
		}
		buf[end] = 0 // headers
		end++
		length := end - at - lengthSize
		if !putShort(buf, next, body+n-next-valueSize, valueSize) || !putShort(buf, at, length, lengthSize) {
			break
		}
		at = end
		count++
	}
	b.at, b.count = at, count
	b.most = max(b.most, r.Timestamp)
	return row
}

// putShort writes a length as a varint of size bytes, one or two, if it is one of those.
func putShort(buf []byte, at, length, size int) bool {
	u := uint(length) << 1
	if size == 1 {
		buf[at] = byte(u) //nolint:gosec // it fits where this returns true
		return length < 1<<6
	}
	buf[at], buf[at+1] = byte(u)|0x80, byte(u>>7) //nolint:gosec // it fits where this returns true
	return length >= 1<<6 && length < 1<<13
}

// Measure returns how many bytes a batch of this record alone takes, before compression. The batch must be empty, and stays so. It is Bounds.Message + 1 where the record takes
// far more than that.
func (b *Builder) Measure(r *Record) int {
	b.begin(r.Timestamp)
	end, ok := b.fit(r)
	if !ok {
		return b.bounds.Message + 1
	}
	return end
}

// Reserve makes room for a first record whose key, value and headers have so many bytes, which would be found by and by otherwise, in buffers of up to four times the size.
func (b *Builder) Reserve(bytes int) {
	if b.buf == nil {
		b.buf = get(headerSize + min(bytes, b.bounds.Message) + recordMargin + format.EncodeMargin)
	}
}

// Seal ends the batch and begins the next one. bytes are the batch with all but what Stamp writes, compressed; raw is how many they were before. The batch must not be empty. Its
// bytes belong to the caller, who may give them to Recycle.
func (b *Builder) Seal() (bytes []byte, records int32, raw int) {
	records, raw, b.before = b.count, b.at, b.at
	h := header{count: b.count, first: b.first, most: b.most}
	bytes = b.compression.compress(b.buf[:b.at], &h)
	h.write(bytes)
	if &bytes[0] != &b.buf[0] {
		Recycle(b.buf)
	}
	b.buf, b.at, b.count = nil, 0, 0
	return bytes, records, raw
}

// Discard gives up the batch and begins the next one.
func (b *Builder) Discard() {
	Recycle(b.buf)
	b.buf, b.at, b.count = nil, 0, 0
}

func (b *Builder) begin(timestamp int64) {
	if b.buf == nil {
		b.buf = get(min(b.before, b.bounds.Batch) + format.EncodeMargin)
	}
	b.at, b.first, b.most = headerSize, timestamp, timestamp
}

// limit is where the batch must end.
func (b *Builder) limit() int {
	if b.count == 0 {
		return b.bounds.Message
	}
	return b.bounds.Batch
}

// fit writes a record after the others, and has a larger buffer where that is what it takes.
func (b *Builder) fit(r *Record) (end int, ok bool) {
	for {
		if end, ok = b.write(r); ok {
			return end, true
		}
		most := b.limit() + format.EncodeMargin + recordMargin
		if len(b.buf) >= most {
			return 0, false
		}
		grown := get(min(4*len(b.buf), most))
		copy(grown, b.buf[:b.at])
		Recycle(b.buf)
		b.buf = grown
	}
}

// recordMargin is more than a record has besides key, headers, prefix and value.
const recordMargin = 64

// write writes a record after the others and returns where it ends. The batch is as it was before until that becomes its end. ok is false where the buffer is too small.
//
// A record is: length, attributes, timestamp and offset as distances from the batch's, key, value, headers; numbers are zigzag varints.
func (b *Builder) write(r *Record) (end int, ok bool) {
	buf, start := b.buf, b.at
	if start+recordMargin+len(r.Key)+len(r.Prefix) > len(buf) {
		return 0, false
	}
	body := start + b.lengthSize
	buf[body] = 0 // attributes: none is in use
	at := putVarint(buf, body+1, r.Timestamp-b.first)
	at = putVarint(buf, at, int64(b.count))
	if r.Key == nil {
		buf[at] = null
		at++
	} else {
		at = putVarint(buf, at, int64(len(r.Key)))
		at += copy(buf[at:], r.Key)
	}
	if r.Value == nil {
		buf[at] = null
		at++
	} else if at, ok = b.value(r, at); !ok {
		return 0, false
	}
	if len(r.Headers) == 0 {
		if at >= len(buf) {
			return 0, false
		}
		buf[at] = 0
		at++
	} else if at, ok = putHeaders(buf, at, r.Headers); !ok {
		return 0, false
	}
	length := at - body
	if size := varintSize(int64(length)); size != b.lengthSize {
		if at += size - b.lengthSize; at > len(buf) {
			return 0, false
		}
		copy(buf[start+size:at], buf[body:body+length])
		b.lengthSize = size
	}
	putVarint(buf, start, int64(length))
	return at, true
}

// value writes the length of a value and the value.
func (b *Builder) value(r *Record, at int) (end int, ok bool) {
	buf, start := b.buf, at+b.valueSize
	body := start + copy(buf[start:], r.Prefix)
	n, ok := r.Value.Encode(buf[body:], r.Row)
	if !ok {
		return 0, false
	}
	length := body - start + n
	end = start + length
	if size := varintSize(int64(length)); size != b.valueSize {
		if end += size - b.valueSize; end > len(buf) {
			return 0, false
		}
		copy(buf[at+size:end], buf[start:start+length])
		b.valueSize = size
	}
	putVarint(buf, at, int64(length))
	return end, true
}

func putHeaders(buf []byte, at int, headers []sink.Header) (end int, ok bool) {
	const margin = 3 * binary.MaxVarintLen32
	if at+margin > len(buf) {
		return 0, false
	}
	at = putVarint(buf, at, int64(len(headers)))
	for i := range headers {
		h := &headers[i]
		if at+margin+len(h.Name)+len(h.Value) > len(buf) {
			return 0, false
		}
		at = putVarint(buf, at, int64(len(h.Name)))
		at += copy(buf[at:], h.Name)
		if h.Value == nil {
			buf[at] = null
			at++
			continue
		}
		at = putVarint(buf, at, int64(len(h.Value)))
		at += copy(buf[at:], h.Value)
	}
	return at, true
}

// null is the length of what is null: -1, as a varint.
const null = 1

// putVarint writes a zigzag varint and returns where it ends.
func putVarint(buf []byte, at int, v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63) //nolint:gosec // bits
	for u >= 0x80 {
		buf[at] = byte(u) | 0x80
		u >>= 7
		at++
	}
	buf[at] = byte(u)
	return at + 1
}

// varintSize is how many bytes putVarint writes of a number that is not negative.
func varintSize(v int64) int { return (bits.Len64(uint64(v)<<1|1)*9 + 64) >> 6 } //nolint:gosec // not negative
