package avro

import (
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// putKind is how a number is written.
type putKind uint8

const (
	putWhole putKind = iota // an int or a long
	putSingle
	putDouble
	putTruth // a boolean
)

// conversion makes an Avro number of an Arrow number, if that loses nothing.
type conversion struct {
	load     frame.Load
	put      putKind
	mul, div int64 // of units of time; 0: as it is
	lo, hi   int64 // what a whole number may be
	times    *times
}

// times are what errors say of a conversion of times; nil: its numbers are no times.
type times struct {
	unit  arrow.TimeUnit // of the column
	into  string         // the field's unit: "ms"
	point bool           // it counts from 1970, and not from midnight
}

// direct is the op that writes the numbers as they are, and whether no value can be wrong.
func (c *conversion) direct() (code writeCode, always bool) {
	if c.mul != 0 || c.div != 0 {
		return writeNumber, false
	}
	switch {
	case c.put == putSingle:
		if c.load == frame.Float32 {
			return writeFloat, true
		}
		return writeNumber, c.load == frame.Float16
	case c.put == putDouble:
		if c.load == frame.Float64 {
			return writeDouble, true
		}
		return writeNumber, c.load != frame.Int64 && c.load != frame.Uint64
	case c.load >= frame.Float16:
		return writeNumber, false
	case c.load == frame.Int32: // a varint is the same for an int and a long
		return writeInt, c.lo <= math.MinInt32
	case c.load == frame.Int64:
		return writeLong, c.lo == math.MinInt64
	}
	return writeNumber, c.lo != 0 && (c.load < frame.Uint32 || c.load == frame.Uint32 && c.hi > math.MaxUint32)
}

// allFit is a quick look at all values, null or not, of the commonest conversions; false: look closer.
func (c *conversion) allFit(data unsafe.Pointer, n int) bool {
	if n == 0 {
		return true
	}
	bad := false
	switch {
	case c.mul != 0 || c.div != 0 || c.put != putWhole:
		return false
	case c.load == frame.Int64:
		for _, v := range unsafe.Slice((*int64)(data), n) {
			bad = bad || v < c.lo || v > c.hi
		}
		return !bad
	case c.load == frame.Int32:
		for _, v := range unsafe.Slice((*int32)(data), n) {
			bad = bad || int64(v) < c.lo || int64(v) > c.hi
		}
		return !bad
	}
	return false
}

// why says what is wrong with a value, and what to do.
func (c *conversion) why(data unsafe.Pointer, i int) string {
	switch {
	case c.put != putWhole:
		return "cast the column, and see what becomes of the value"
	case c.load >= frame.Float16:
		if f := c.load.Real(data, i); f == 0 {
			return "it is a negative zero, which only floats have: add 0 to the column"
		}
		return fmt.Sprintf("it must be a whole number from %d to %d; write null for a number that is missing", c.lo, c.hi)
	case c.times == nil:
		return fmt.Sprintf("it must be from %d to %d", c.lo, c.hi)
	}
	v, _ := c.load.Whole(data, i)
	switch {
	case c.div != 0 && v%c.div != 0:
		if c.times.point {
			return fmt.Sprintf("it is finer than the field's unit (%s): round the column, as dt.floor(%q) of pandas does", c.times.into, c.times.into)
		}
		return fmt.Sprintf("it is finer than the field's unit (%s): round it", c.times.into)
	case c.lo == 0:
		return "a time of day is from 00:00 to just before 24:00"
	}
	return fmt.Sprintf("it is too far from 1970 for the field's unit (%s)", c.times.into)
}

// value is the bits of the number to write, of a whole one or a float; false: it does not fit.
func (c *conversion) value(data unsafe.Pointer, i int) (uint64, bool) {
	if c.load >= frame.Float16 {
		f := c.load.Real(data, i)
		switch c.put {
		case putDouble:
			return math.Float64bits(f), true
		case putSingle:
			return uint64(math.Float32bits(float32(f))), float64(float32(f)) == f || math.IsNaN(f)
		}
		ok := f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 && !(f == 0 && math.Signbit(f))
		if !ok {
			return 0, false
		}
		v := int64(f)
		return uint64(v), v >= c.lo && v <= c.hi //nolint:gosec // two's complement
	}
	v, ok := c.load.Whole(data, i)
	switch c.put {
	case putTruth:
		return min(uint64(v), 1), true //nolint:gosec // zero or not
	case putSingle:
		f := float32(v)
		return uint64(math.Float32bits(f)), ok && exact(float64(f), v)
	case putDouble:
		f := float64(v)
		return math.Float64bits(f), ok && exact(f, v)
	}
	if c.mul != 0 {
		scaled := v * c.mul
		ok = ok && scaled/c.mul == v
		v = scaled
	} else if c.div != 0 {
		ok = ok && v%c.div == 0
		v /= c.div
	}
	return uint64(v), ok && v >= c.lo && v <= c.hi //nolint:gosec // two's complement
}

// exact reports whether a float is a whole number; 2^63, which a float can be, is none of 64 bits.
func exact(f float64, v int64) bool { return f < 1<<63 && int64(f) == v }

// write writes the number.
func (c *conversion) write(data unsafe.Pointer, i int, dst unsafe.Pointer, pos int) int {
	v, _ := c.value(data, i)
	switch c.put {
	case putSingle:
		put32(dst, pos, uint32(v)) //nolint:gosec // the bits of a float
		return pos + 4
	case putDouble:
		put64(dst, pos, v)
		return pos + 8
	case putTruth:
		put8(dst, pos, byte(v)) //nolint:gosec // 0 or 1
		return pos + 1
	}
	return putVarint(dst, pos, v<<1^uint64(int64(v)>>63)) //nolint:gosec // the encoding's definition
}

// text is the value as it stands, for an error; a point in time is one of the calendar.
func (c *conversion) text(data unsafe.Pointer, i int) string {
	if c.times == nil {
		return c.load.Text(data, i)
	}
	v, _ := c.load.Whole(data, i) // times are not of 64 bits without a sign
	perSecond := int64(1e9) / unitNanos[c.times.unit]
	if seconds := v / perSecond; c.times.point && seconds > -yearTenThousand && seconds < yearTenThousand {
		return arrow.Timestamp(v).ToTime(c.times.unit).Format("2006-01-02 15:04:05.999999999")
	}
	return strconv.FormatInt(v, 10) + " " + c.times.unit.String()
}

// yearTenThousand is about so many seconds from 1970.
const yearTenThousand = 250_000_000_000
