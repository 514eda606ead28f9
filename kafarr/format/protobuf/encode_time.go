package protobuf

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	firstSecond     = -62_135_596_800 // of year 1
	lastSecond      = 253_402_300_799 // of year 9999
	durationSeconds = 315_576_000_000 // of ten thousand years, which a duration has at most
)

var perSecond = [...]int64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}

// checkTime says what is wrong with a value; empty: nothing.
func (b *boundValue) checkTime(v int64) string {
	per := perSecond[b.unit]
	switch b.of.message.known {
	case wellTimestamp:
		if s := floorDiv(v, per); s < firstSecond || s > lastSecond {
			return "is no moment of the years 1 to 9999, which a Timestamp must be"
		}
	case wellDuration:
		if s := v / per; s < -durationSeconds || s > durationSeconds {
			return fmt.Sprintf("is longer than %d seconds, which a Duration has at most", int64(durationSeconds))
		}
	case wellDate:
		if s := v * 86_400; s < firstSecond || s > lastSecond {
			return "is no date of the years 1 to 9999, which a google.type.Date of a year, a month and a day is here"
		}
	case wellTimeOfDay:
		if v < 0 || v/per >= 86_400 {
			return "is no time of day: one is from 00:00 to just before 24:00"
		}
	}
	return ""
}

func floorDiv(v, per int64) int64 {
	q := v / per
	if v%per < 0 {
		q--
	}
	return q
}

// time writes the body of a moment, a duration, a date or a time of day.
func (b *boundValue) time(dst []byte, pos int, v int64) int {
	per := perSecond[b.unit]
	switch b.of.message.known {
	case wellTimestamp:
		s := floorDiv(v, per)
		return putNumbers(dst, pos, s, (v-s*per)*(1e9/per), 0, 0)
	case wellDuration:
		return putNumbers(dst, pos, v/per, v%per*(1e9/per), 0, 0)
	case wellDate:
		day := time.Unix(v*86_400, 0).UTC()
		return putNumbers(dst, pos, int64(day.Year()), int64(day.Month()), int64(day.Day()), 0)
	}
	s := v / per
	return putNumbers(dst, pos, s/3600, s/60%60, s%60, v%per*(1e9/per))
}

// putNumbers writes the fields 1 to 4, but for zeros.
func putNumbers(dst []byte, pos int, values ...int64) int {
	for i, v := range values {
		if v != 0 {
			dst[pos] = byte(i+1)<<3 | wireVarint
			pos = putVarint(dst, pos+1, uint64(v)) //nolint:gosec // a negative number takes ten bytes
		}
	}
	return pos
}
