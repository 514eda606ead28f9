package avro

import (
	"encoding/hex"
	"math/bits"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// rare writes one op, and those below it, of the kinds that are not worth a place in the loop.
func (e *Encoder) rare(o *writeOp, i, row int, dst unsafe.Pointer, pos, limit int) int {
	switch o.code {
	case writeNull:
		return pos
	case writeRoom:
		if pos > limit {
			return noRoom
		}
		return pos
	case writeConst:
		b := o.more.bytes
		if len(b) > limit-pos {
			return noRoom
		}
		copy(unsafe.Slice((*byte)(unsafe.Add(dst, pos)), len(b)), b)
		return pos + len(b)
	case writeNumber:
		return o.more.convert.write(o.data, row, dst, pos)
	case writeLargeText: // pandas' str
		from := int(*(*int64)(unsafe.Add(o.offs, row*8)))
		n := int(*(*int64)(unsafe.Add(o.offs, row*8+8))) - from
		if n < 64 {
			put8(dst, pos, byte(n)<<1) //nolint:gosec // less than 64
			pos++
		} else {
			pos = putVarint(dst, pos, uint64(n)<<1)
		}
		return putBytes(dst, pos, limit, o.data, from, n, o.last)
	case writeSpan:
		if o.more.layout == frame.Views && o.more.length {
			if view := unsafe.Add(o.data, row*16); format.Load32(view, 0) <= frame.InlineView { // a length without a sign, as it was checked
				if pos > limit {
					return noRoom
				}
				put8(dst, pos, byte(format.Load32(view, 0))<<1) //nolint:gosec // at most 12
				put64(dst, pos+1, format.Load64(view, 4))
				put32(dst, pos+9, format.Load32(view, 12))
				return pos + 1 + int(format.Load32(view, 0))
			}
		}
		base, from, n, last := o.span(row)
		if o.more.length {
			pos = putVarint(dst, pos, uint64(n)<<1) //nolint:gosec // a length
		}
		return putBytes(dst, pos, limit, base, from, n, last)
	case writeDecimal:
		return putDecimal(frame.DecimalWords(o.data, row, o.more.width), int(o.size), dst, pos, limit)
	case writeUUID:
		var text [36]byte
		formatUUID(&text, unsafe.Slice((*byte)(unsafe.Add(o.data, row*16)), 16))
		put8(dst, pos, 36<<1)
		copy(unsafe.Slice((*byte)(unsafe.Add(dst, pos+1)), 36), text[:])
		return pos + 37
	case writeDuration:
		months, days, millis, _ := o.more.interval.read(o.data, row)
		put32(dst, pos, months)
		put32(dst, pos+4, days)
		put32(dst, pos+8, millis)
		return pos + 12
	case writeIndexed:
		if o.isNull(row) {
			return putVarint(dst, pos, uint64(max(o.more.null, 0))<<1)
		}
		return e.branch(i+1, int(o.end), int(*(*int32)(unsafe.Add(o.data, row*4))), dst, pos, limit)
	case writeListOf:
		from, n := o.listed(row)
		return e.items(o, i+1, from-int(o.last), n, dst, pos, limit)
	case writePlainUnion:
		k := &o.more.kids[0]
		if nullAt(e.ops, k.lo, row) {
			return putVarint(dst, pos, uint64(o.more.null)<<1) //nolint:gosec // an index of a branch
		}
		return e.branch(k.lo, k.end, row, dst, putVarint(dst, pos, uint64(k.branch)<<1), limit) //nolint:gosec // an index of a branch
	case writeStructUnion:
		if o.valid == nil || frame.Bit(o.valid, o.voff+row) != 0 {
			for k := range o.more.kids {
				if k := &o.more.kids[k]; !nullAt(e.ops, k.lo, row) {
					return e.branch(k.lo, k.end, row, dst, putVarint(dst, pos, uint64(k.branch)<<1), limit) //nolint:gosec // an index of a branch
				}
			}
		}
		return putVarint(dst, pos, uint64(o.more.null)<<1) //nolint:gosec // an index of a branch
	case writeArrowUnion:
		k := &o.more.kids[*(*uint8)(unsafe.Add(o.data, row))]
		if o.offs != nil {
			row = int(*(*int32)(unsafe.Add(o.offs, row*4)))
		}
		if nullAt(e.ops, k.lo, row) {
			return putVarint(dst, pos, uint64(o.more.null)<<1) //nolint:gosec // an index of a branch
		}
		return e.branch(k.lo, k.end, row, dst, putVarint(dst, pos, uint64(k.branch)<<1), limit) //nolint:gosec // an index of a branch
	}
	panic("avro: an op without a meaning") // a bug of Bind's, found by the first row of any test
}

// branch writes ops that begin and end with a look at the room.
func (e *Encoder) branch(lo, hi, row int, dst unsafe.Pointer, pos, limit int) int {
	if pos > limit {
		return noRoom
	}
	if pos = e.run(lo, hi, row, dst, pos, limit); pos > limit {
		return noRoom
	}
	return pos
}

// nullAt reports whether the value of the ops from lo on is null.
func nullAt(ops []writeOp, lo, row int) bool {
	o := &ops[lo]
	for o.code == writeIndexed {
		if o.isNull(row) {
			return true
		}
		row = int(*(*int32)(unsafe.Add(o.data, row*4)))
		lo++
		o = &ops[lo]
	}
	return o.code == writeNull || o.isNull(row)
}

func (o *writeOp) isNull(row int) bool { return o.valid != nil && frame.Bit(o.valid, o.voff+row) == 0 }

// span is where a text or bytes lies: base[from:from+n], in memory that ends at last.
func (o *writeOp) span(row int) (base unsafe.Pointer, from, n int, last uintptr) {
	switch o.more.layout {
	case frame.Offsets64:
		from = int(*(*int64)(unsafe.Add(o.offs, row*8)))
		return o.data, from, int(*(*int64)(unsafe.Add(o.offs, row*8+8))) - from, o.last
	case frame.Views:
		view := unsafe.Add(o.data, row*16)
		n = int(*(*int32)(view))
		if n <= frame.InlineView {
			return view, 4, n, uintptr(view) + 16
		}
		b := &o.more.buffers[*(*int32)(unsafe.Add(view, 8))]
		return b.Base, int(*(*int32)(unsafe.Add(view, 12))), n, b.Last
	case frame.FixedSize:
		return o.data, row * int(o.size), int(o.size), o.last
	}
	from = int(*(*int32)(unsafe.Add(o.offs, row*4)))
	return o.data, from, int(*(*int32)(unsafe.Add(o.offs, row*4+4))) - from, o.last
}

// listed is which items a list has.
func (o *writeOp) listed(row int) (from, n int) {
	switch o.more.layout {
	case frame.Offsets64:
		from = int(*(*int64)(unsafe.Add(o.offs, row*8)))
		return from, int(*(*int64)(unsafe.Add(o.offs, row*8+8))) - from
	case frame.Views32:
		return int(*(*int32)(unsafe.Add(o.offs, row*4))), int(*(*int32)(unsafe.Add(o.more.sizes, row*4)))
	case frame.Views64:
		return int(*(*int64)(unsafe.Add(o.offs, row*8))), int(*(*int64)(unsafe.Add(o.more.sizes, row*8)))
	case frame.FixedSize:
		return row * o.more.width, o.more.width
	}
	from = int(*(*int32)(unsafe.Add(o.offs, row*4)))
	return from, int(*(*int32)(unsafe.Add(o.offs, row*4+4))) - from
}

// putDecimal writes a number as a fixed of so many bytes, or, for 0, as the shortest bytes with their length.
func putDecimal(words [4]uint64, size int, dst unsafe.Pointer, pos, limit int) int {
	sign := uint64(int64(words[3]) >> 63) //nolint:gosec // the sign, in all bits
	n := size
	if size == 0 {
		n = 1
		for k := 3; k >= 0; k-- {
			if l := bits.Len64(words[k] ^ sign); l > 0 {
				n = (64*k + l + 8) >> 3
				break
			}
		}
		put8(dst, pos, byte(n)<<1) //nolint:gosec // at most 32
		pos++
	}
	if pos > limit-n {
		return noRoom
	}
	for k := range n {
		w := sign
		if at := n - 1 - k; at < 32 {
			w = words[at>>3] >> (at & 7 << 3)
		}
		put8(dst, pos+k, byte(w))
	}
	return pos + n
}

func formatUUID(text *[36]byte, b []byte) {
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
}
