package json

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// moment is a point in time, or a time of day, as it is read of a text.
type moment struct {
	seconds int64 // since 1970, or since midnight
	nanos   int64 // from 0 to a second
}

// clockLength is that of "hh:mm:ss", and dateLength that of "yyyy-mm-dd".
const (
	clockLength = 8
	dateLength  = 10
)

const daySeconds = 24 * 60 * 60

// number2 reads two digits; anything else is above 99.
func number2(text []byte) int {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return math.MaxInt32
	}
	return int(tens)*10 + int(ones)
}

// dateOf reads the days from 1970-01-01 to a date of the form yyyy-mm-dd.
func dateOf(text []byte) (days int64, valid bool) {
	if len(text) != dateLength || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	century, year, month, day := number2(text), number2(text[2:]), number2(text[5:]), number2(text[8:])
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year += century * 100
	if day > monthDays(year, month) {
		return 0, false
	}
	// Years begin with March, so that the day that some of them have more is their last.
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // of year 0 too it is a positive number
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	const to1970 = 719_468 + 146_097 // days from March of year -400
	return int64(year*365 + year/4 - year/100 + year/400 + dayOfYear - to1970), true
}

// monthDays is how many days a month has.
func monthDays(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// clockOf reads hh:mm:ss and the fraction of a second that may follow, and returns what is left of the text. Digits after the ninth are cut off.
func clockOf(text []byte) (m moment, left []byte, valid bool) {
	if len(text) < clockLength || text[2] != ':' || text[5] != ':' {
		return m, nil, false
	}
	hour, minute, second := number2(text), number2(text[3:]), number2(text[6:])
	if hour > 23 || minute > 59 || second > 59 {
		return m, nil, false
	}
	m.seconds = int64((hour*60+minute)*60 + second)
	left = text[clockLength:]
	if len(left) == 0 || left[0] != '.' {
		return m, left, true
	}
	left = left[1:]
	n := 0
	for unit := int64(100_000_000); n < len(left) && left[n]-'0' <= 9; n++ {
		m.nanos += int64(left[n]-'0') * unit
		unit /= 10
	}
	return m, left[n:], n > 0
}

// zoneOf reads the offset from UTC, in seconds: Z or ±hh:mm, and nothing after it.
func zoneOf(text []byte) (offset int64, valid bool) {
	if len(text) == 1 && text[0]|0x20 == 'z' {
		return 0, true
	}
	if len(text) != 6 || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, false
	}
	hours, minutes := number2(text[1:]), number2(text[4:])
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset = int64((hours*60 + minutes) * 60)
	if text[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// dateTimeOf reads a date and time as RFC 3339 writes it, with an offset where the column has a time zone and without one where it has none.
func dateTimeOf(text []byte, zoned bool) (moment, fault) {
	if len(text) < dateLength+1+clockLength {
		return moment{}, faultDateTime
	}
	days, valid := dateOf(text[:dateLength])
	if t := text[dateLength]; !valid || t|0x20 != 't' && t != ' ' {
		return moment{}, faultDateTime
	}
	m, left, valid := clockOf(text[dateLength+1:])
	if !valid {
		return moment{}, faultDateTime
	}
	m.seconds += days * daySeconds
	if len(left) == 0 {
		if zoned {
			return moment{}, faultNoZone
		}
		return m, ok
	}
	offset, valid := zoneOf(left)
	if !valid {
		return moment{}, faultDateTime
	}
	if !zoned {
		return moment{}, faultZone
	}
	m.seconds -= offset
	return m, ok
}

// timeOf reads a time of day: hh:mm:ss, a fraction, and, at the most, that it is UTC.
func timeOf(text []byte) (moment, bool) {
	m, left, valid := clockOf(text)
	return m, valid && (len(left) == 0 || len(left) == 1 && left[0]|0x20 == 'z')
}

// in converts a moment to units since 1970 or since midnight. What is finer than a unit is cut off. It reports whether 64 bits hold it.
func (m moment) in(unit arrow.TimeUnit) (value int64, fits bool) {
	switch unit {
	case arrow.Second:
		return m.seconds, true
	case arrow.Millisecond:
		return m.seconds*1000 + m.nanos/1_000_000, true
	case arrow.Microsecond:
		return m.seconds*1_000_000 + m.nanos/1000, true
	}
	const second = 1_000_000_000
	switch {
	case m.seconds > math.MaxInt64/second || m.seconds < math.MinInt64/second-1:
		return 0, false
	case m.seconds >= 0:
		value = m.seconds*second + m.nanos
		return value, value >= 0
	}
	whole, less := (m.seconds+1)*second, second-m.nanos
	return whole - less, whole > math.MinInt64+less // the least number is no time to pandas
}
