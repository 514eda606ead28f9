package json

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// takesLeaf decides how the values of a column are written, and whether they can be at all. A number does not become a time, nor a time a number, since its unit would be guessed.
func (w *writer) takesLeaf(t arrow.DataType) bool {
	v := w.values
	_, number := frame.Loads[v.ID()]
	text := frame.IsText(v) || frame.IsBinary(v)
	switch w.op {
	case opNull:
		return false // another column than one of nulls
	case opAny:
		return frame.IsText(v)
	case opBoolean:
		return v.ID() == arrow.BOOL || isBool8s(t)
	case opInt8, opInt16, opInt32, opInt64:
		return number && !isBool8s(t)
	case opFloat, opDouble:
		return number && !isBool8s(t)
	case opText:
		return text || w.uuid
	case opBytes:
		return frame.IsBinary(v) || v.ID() == arrow.FIXED_SIZE_BINARY && !w.uuid
	case opEnum:
		return text
	case opDecimal, opUnscaled:
		_, decimal := v.(arrow.DecimalType)
		return decimal || number && arrow.IsInteger(v.ID()) && !isBool8s(t)
	case opDateTime:
		stamp, is := v.(*arrow.TimestampType)
		return frame.IsText(v) || is && (stamp.TimeZone != "") == w.zoned && w.finest(stamp.Unit)
	case opDate:
		return frame.IsText(v) || v.ID() == arrow.DATE32 || v.ID() == arrow.DATE64
	case opTime:
		timed, is := v.(arrow.TemporalWithUnit)
		return frame.IsText(v) || is && (v.ID() == arrow.TIME32 || v.ID() == arrow.TIME64) && w.finest(timed.TimeUnit())
	case opEpoch32, opEpoch64:
		return w.takesEpoch()
	}
	return false
}

func isBool8s(t arrow.DataType) bool {
	if d, ok := frame.Storage(t).(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return frame.IsBool8(t)
}

// finest notes that times must be whole numbers of the schema's unit, where it has one: a text holds every other one.
func (w *writer) finest(from arrow.TimeUnit) bool {
	if w.from.Type.Arrow != nil {
		w.convert(from, w.unit)
	}
	return true
}

// convert notes how whole numbers of one unit become those of another.
func (w *writer) convert(from, into arrow.TimeUnit) {
	switch a, b := unitNanos[from], unitNanos[into]; {
	case a > b:
		w.mul = a / b
	case a < b:
		w.div = b / a
	}
}

// unitNanos are the nanoseconds of Arrow's units of time.
var unitNanos = [...]int64{arrow.Second: 1e9, arrow.Millisecond: 1e6, arrow.Microsecond: 1e3, arrow.Nanosecond: 1}

const dayMillis = daySeconds * 1000

// takesEpoch compares the kind of time that a column holds with the schema's.
func (w *writer) takesEpoch() bool {
	own := w.from.Type.Arrow
	switch v := w.values.(type) {
	case *arrow.Date32Type:
		return own.ID() == arrow.DATE32
	case *arrow.Date64Type:
		w.div = dayMillis
		return own.ID() == arrow.DATE32
	case *arrow.TimestampType:
		into, is := own.(*arrow.TimestampType)
		if is {
			w.convert(v.Unit, into.Unit)
		}
		return is && (into.TimeZone != "") == (v.TimeZone != "")
	case *arrow.DurationType:
		into, is := own.(*arrow.DurationType)
		if is {
			w.convert(v.Unit, into.Unit)
		}
		return is
	case *arrow.Time32Type, *arrow.Time64Type:
		into, is := own.(arrow.TemporalWithUnit)
		if is {
			w.convert(v.(arrow.TemporalWithUnit).TimeUnit(), into.TimeUnit())
		}
		return is && (own.ID() == arrow.TIME32 || own.ID() == arrow.TIME64)
	}
	return false
}

// hintFor says what to do about a column of another type.
func (w *writer) hintFor() string {
	if stamp, is := w.values.(*arrow.TimestampType); is && w.op == opDateTime {
		if stamp.TimeZone == "" {
			return "it has no time zone, and the field is a point in time: say which zone it is in (tz_localize in pandas, replace_time_zone in polars)"
		}
		return "it is a point in time, and the field is the time on a clock: say on which (tz_localize(None) after tz_convert in pandas, replace_time_zone(None) in polars)"
	}
	return "cast the column to " + w.dtype.String()
}

// scaled converts a whole number to the unit of the schema; false: that loses something.
func (w *writer) scaled(v int64) (int64, bool) {
	switch {
	case w.mul != 0:
		out := v * w.mul
		return out, out/w.mul == v
	case w.div != 0:
		return v / w.div, v%w.div == 0
	}
	return v, true
}

// within reports whether a whole number is within the bounds of the node.
func (n *node) within(v int64) bool {
	if v < 0 {
		return uint64(-v) <= n.least
	}
	return uint64(v) <= n.most
}

// wholeOf is a number of a column as a whole one; false: it is none, or does not fit. Those of 64 bits without a sign are looked at apart.
func wholeOf(f float64) (int64, bool) {
	if f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 || f == 0 && math.Signbit(f) {
		return 0, false
	}
	return int64(f), true
}
