package avro

import (
	"math"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// date is the days since 1970-01-01.
func dateLeaf(s *Schema) (leaf, bool) {
	return fixedWidth(arrow.FixedWidthTypes.Date32, 4, opInt), s.Type == Int
}

// time-millis and time-micros are the time since midnight. Arrow refuses what lies outside of a day.
func timeLeaf(s *Schema) (leaf, bool) {
	if s.Logical.Name == "time-millis" {
		return fixedWidth(arrow.FixedWidthTypes.Time32ms, 4, opTimeMillis), s.Type == Int
	}
	return fixedWidth(arrow.FixedWidthTypes.Time64us, 8, opTimeMicros), s.Type == Long
}

const dayMillis = 24 * 60 * 60 * 1000

func (a *Appender) timeOfDay(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	bits, day := 32, int64(dayMillis)
	if s.code == opTimeMicros {
		bits, day = 64, dayMillis*1000
	}
	n, next := a.integer(bits, i, base, pos, end)
	if next < 0 {
		return failed
	}
	if n < 0 || n >= day {
		return a.outOfRange(s, i, next, faultTime, n)
	}
	if bits == 32 {
		s.fixed.Append32(uint32(n)) //nolint:gosec // within a day
	} else {
		s.fixed.Append64(uint64(n)) // within a day
	}
	return next
}

// timestamp-* is a point in time, UTC; local-timestamp-* is a date and time without a zone. Both are a long.
func timestampLeaf(s *Schema) (leaf, bool) {
	t := &arrow.TimestampType{TimeZone: "UTC"}
	name, local := strings.CutPrefix(s.Logical.Name, "local-")
	if local {
		t.TimeZone = ""
	}
	switch name {
	case "timestamp-millis":
		t.Unit = arrow.Millisecond
	case "timestamp-micros":
		t.Unit = arrow.Microsecond
	default:
		t.Unit = arrow.Nanosecond
	}
	return fixedWidth(t, 8, opLong), s.Type == Long
}

// duration is months, days and milliseconds, each in 32 bits without a sign, little-endian, in a fixed of 12 bytes.
func durationLeaf(s *Schema) (leaf, bool) {
	return fixedWidth(arrow.FixedWidthTypes.MonthDayNanoInterval, 16, opDuration), s.Type == Fixed && s.Size == 12
}

func (a *Appender) duration(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	if end-pos < 12 {
		return a.fail(faultShort, i, 0)
	}
	months, days, millis := format.Load32(base, pos), format.Load32(base, pos+4), format.Load32(base, pos+8)
	if months > math.MaxInt32 || days > math.MaxInt32 {
		return a.outOfRange(s, i, pos+12, faultDuration, 0)
	}
	value := struct {
		months, days uint32
		nanos        uint64
	}{months, days, uint64(millis) * 1_000_000}
	s.fixed.AppendBytes(unsafe.Pointer(&value))
	return pos + 12
}
