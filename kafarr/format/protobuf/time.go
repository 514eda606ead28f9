package protobuf

import (
	"math"
	"math/big"
	"math/bits"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// outOfRange deals with a value that its Arrow type cannot hold: the row fails, or the value is a null.
func (a *Appender) outOfRange(f *boundField, fault fault) bool {
	if !a.plan.nulls {
		a.fail(fault, f.more, 0)
		return false
	}
	f.column.SetNull()
	a.count(&format.Counts{OutOfRange: 1})
	return true
}

// numbers reads the varints of the fields 1 to 4 of a message, and passes over what else it has.
func (a *Appender) numbers(f *boundField, base unsafe.Pointer, pos, end int) (values [5]uint64, read bool) {
	for pos < end {
		u, next := format.Varint(base, pos, end)
		if next < 0 || u > 1<<32-1 {
			a.fail(faultNumber, f.more, 0)
			return values, false
		}
		if u&7 == wireVarint && u>>3 >= 1 && u>>3 <= 4 {
			if values[u>>3], pos = format.Varint(base, next, end); pos < 0 {
				a.fail(varintFault(pos), f.more, 0)
				return values, false
			}
			continue
		}
		var fault fault
		if pos, fault = skipValue(uint32(u), base, next, end, 1); fault != ok {
			a.fail(fault, f.more, int64(u))
			return values, false
		}
	}
	return values, true
}

const (
	microsPerSecond = 1_000_000
	nanosPerSecond  = 1_000_000_000
)

// time stores a moment, a duration, a date or a time of day.
func (a *Appender) time(f *boundField, o op, base unsafe.Pointer, pos, end, row int) bool {
	v, read := a.numbers(f, base, pos, end)
	if !read {
		return false
	}
	switch o {
	case opDate:
		year, month, day := int32(v[1]), int32(v[2]), int32(v[3]) //nolint:gosec // the low bits, as the wire format says
		date := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
		if year < 1 || year > 9999 || date.Month() != time.Month(month) || date.Day() != int(day) {
			return a.outOfRange(f, faultDate)
		}
		f.fixed.Put32(row, uint32(date.Unix()/86_400)) //nolint:gosec // years of four digits
	case opTimeOfDay:
		hours, minutes, seconds, nanos := int32(v[1]), int32(v[2]), int32(v[3]), int32(v[4])                       //nolint:gosec // the low bits
		if uint32(hours) > 23 || uint32(minutes) > 59 || uint32(seconds) > 59 || uint32(nanos) >= nanosPerSecond { //nolint:gosec // a negative number becomes a huge one
			return a.outOfRange(f, faultTimeOfDay)
		}
		f.fixed.Put64(row, uint64((int64(hours)*60+int64(minutes))*60+int64(seconds))*nanosPerSecond+uint64(nanos))
	default:
		total, fits := scaled(int64(v[1]), int32(v[2]), a.plan.nanos, o == opDuration) //nolint:gosec // as the wire format says
		if !fits {
			if o == opDuration {
				return a.outOfRange(f, faultDuration)
			}
			return a.outOfRange(f, faultTimestamp)
		}
		f.fixed.Put64(row, uint64(total)) //nolint:gosec // the same bits
	}
	return true
}

// scaled is seconds and nanoseconds in one unit. What is less than a microsecond is cut off: of a moment towards the past, of a duration towards zero.
func scaled(seconds int64, nanos int32, inNanos, duration bool) (int64, bool) {
	per, part := int64(nanosPerSecond), int64(nanos)
	if !inNanos {
		per = microsPerSecond
		if part = int64(nanos) / 1000; nanos < 0 && nanos%1000 != 0 && !duration {
			part--
		}
	}
	high, low := bits.Mul64(uint64(abs(seconds)), uint64(per)) //nolint:gosec // not negative, but for the least number, which is its own and far too great
	if high != 0 || low > math.MaxInt64 {
		// The least numbers of nanoseconds are a second lower than what there is, and nanoseconds more.
		total := new(big.Int).Mul(big.NewInt(seconds), big.NewInt(per))
		total.Add(total, big.NewInt(part))
		return total.Int64(), total.IsInt64()
	}
	total := int64(low)
	if seconds < 0 {
		total = -total
	}
	sum := total + part
	return sum, (sum >= total) == (part >= 0)
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
