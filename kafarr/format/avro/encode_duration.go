package avro

import (
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// interval is how a span of time lies in Arrow memory: what a value counts, and of a duration, its unit in nanoseconds.
type interval struct {
	kind arrow.Type
	unit int64
}

// durationWriter writes spans of time as months, days and milliseconds.
type durationWriter struct {
	target
	interval interval
	width    int
}

// durationColumn takes Arrow's intervals, durations that are whole milliseconds, and the 12 bytes as they are to be written.
func durationColumn(to target, t arrow.DataType) writer {
	switch t := frame.Storage(t).(type) {
	case *arrow.MonthDayNanoIntervalType:
		return &durationWriter{to, interval{kind: t.ID()}, 16}
	case *arrow.DayTimeIntervalType:
		return &durationWriter{to, interval{kind: t.ID()}, 8}
	case *arrow.MonthIntervalType:
		return &durationWriter{to, interval{kind: t.ID()}, 4}
	case *arrow.DurationType:
		return &durationWriter{to, interval{t.ID(), unitNanos[t.Unit]}, 8}
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth == to.schema.Size {
			return &fixedWriter{to}
		}
	}
	return nil
}

func (w *durationWriter) bind(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, writeDuration)
	if err != nil {
		return err
	}
	if o.data, err = s.Buffer(w.path, 1, w.width, s.N); err != nil {
		return err
	}
	if err := s.Each(w.path, nulls, func(i int) error {
		if _, _, _, ok := w.interval.read(o.data, i); !ok {
			return w.wrong(&s, i, w.interval.text(o.data, i), "cannot be written as %s, which counts whole milliseconds, and has no sign: months and days are at most %d, milliseconds %d", w.schema.describe(), math.MaxInt32, uint32(math.MaxUint32))
		}
		return nil
	}); err != nil {
		return err
	}
	o.more = &writeMore{interval: w.interval}
	b.add(o, 13)
	return nil
}

// read reads a value; false: it does not fit. The reader takes months and days of 31 bits.
func (v interval) read(data unsafe.Pointer, i int) (months, days, millis uint32, ok bool) {
	switch v.kind {
	case arrow.INTERVAL_MONTH_DAY_NANO:
		months, days = format.Load32(data, i*16), format.Load32(data, i*16+4)
		millis, ok = wholeMillis(int64(format.Load64(data, i*16+8)), 1) //nolint:gosec // two's complement
	case arrow.INTERVAL_DAY_TIME:
		days, millis = format.Load32(data, i*8), format.Load32(data, i*8+4)
		ok = millis <= math.MaxInt32
	case arrow.INTERVAL_MONTHS:
		months, ok = format.Load32(data, i*4), true
	default:
		millis, ok = wholeMillis(int64(format.Load64(data, i*8)), v.unit) //nolint:gosec // two's complement
	}
	return months, days, millis, ok && months <= math.MaxInt32 && days <= math.MaxInt32
}

// wholeMillis makes milliseconds of a count of units, if they are whole and fit.
func wholeMillis(n, unit int64) (uint32, bool) {
	const milli = 1_000_000
	if n < 0 {
		return 0, false
	}
	if unit > milli {
		n = min(n, math.MaxUint32+1) * (unit / milli)
	} else {
		if per := milli / unit; n%per != 0 {
			return 0, false
		}
		n /= milli / unit
	}
	return uint32(n), n <= math.MaxUint32 //nolint:gosec // checked here
}

func (v interval) text(data unsafe.Pointer, i int) string {
	switch v.kind {
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return fmt.Sprintf("%d months, %d days, %d ns", int32(format.Load32(data, i*16)), int32(format.Load32(data, i*16+4)), int64(format.Load64(data, i*16+8))) //nolint:gosec // two's complement
	case arrow.INTERVAL_DAY_TIME:
		return fmt.Sprintf("%d days, %d ms", int32(format.Load32(data, i*8)), int32(format.Load32(data, i*8+4))) //nolint:gosec // two's complement
	case arrow.INTERVAL_MONTHS:
		return strconv.Itoa(int(int32(format.Load32(data, i*4)))) + " months" //nolint:gosec // two's complement
	}
	return fmt.Sprintf("%d x %d ns", int64(format.Load64(data, i*8)), v.unit) //nolint:gosec // two's complement
}
