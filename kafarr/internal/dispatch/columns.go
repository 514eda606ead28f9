package dispatch

import (
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// The columns that say something of a message besides its value are read by functions of a row. Their types are checked once for a batch, and what cannot be read of a row is its
// error before anything is sent.

// bytesOf reads the bytes of a row; ok is false for a null. The bytes are valid until the next call, and are not nil where ok.
type bytesOf func(row int) (value []byte, ok bool)

// columnError is the error of a column that is of a type that cannot be taken.
func columnError(option, name string, t arrow.DataType, wanted string) *status.Error {
	e := status.Errorf(status.ConfigError, "%s: the column %q is of the Arrow type %s: it wants %s%s", option, name, t, wanted, ofFloats(t, wanted))
	e.Path, e.Option = name, option
	return e
}

// ofFloats says where floats come from that were to be whole numbers.
func ofFloats(t arrow.DataType, wanted string) string {
	if !arrow.IsFloating(t.ID()) || !strings.Contains(wanted, "whole numbers") {
		return ""
	}
	return `; pandas makes floats of whole numbers where one is missing, and astype("Int64") makes them whole again`
}

// readBytes reads texts and bytes as they are; nil: the column holds neither.
func readBytes(column arrow.Array) bytesOf {
	var value func(row int) []byte
	switch c := column.(type) {
	case *array.Binary:
		value = c.Value
	case *array.LargeBinary:
		value = c.Value
	case *array.BinaryView:
		value = c.Value
	case *array.FixedSizeBinary:
		value = c.Value
	case *array.String:
		value = func(row int) []byte { return bytesOfText(c.Value(row)) }
	case *array.LargeString:
		value = func(row int) []byte { return bytesOfText(c.Value(row)) }
	case *array.StringView:
		value = func(row int) []byte { return bytesOfText(c.Value(row)) }
	case *array.Dictionary:
		values := readBytes(c.Dictionary())
		if values == nil {
			return nil
		}
		return func(row int) ([]byte, bool) {
			if c.IsNull(row) {
				return nil, false
			}
			return values(c.GetValueIndex(row))
		}
	case *array.Null:
		return func(int) ([]byte, bool) { return nil, false }
	default:
		return nil
	}
	return func(row int) ([]byte, bool) {
		if column.IsNull(row) {
			return nil, false
		}
		if v := value(row); len(v) > 0 {
			return v, true
		}
		return empty, true
	}
}

// empty is what has no bytes and is not null.
var empty = []byte{}

func bytesOfText(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// intOf reads the whole number of a row; ok is false for a null.
type intOf func(row int) (value int64, ok bool)

// readInts reads whole numbers of any width; nil: the column holds none.
func readInts(column arrow.Array) intOf {
	var value func(row int) int64
	switch c := column.(type) {
	case *array.Int8:
		value = func(row int) int64 { return int64(c.Value(row)) }
	case *array.Int16:
		value = func(row int) int64 { return int64(c.Value(row)) }
	case *array.Int32:
		value = func(row int) int64 { return int64(c.Value(row)) }
	case *array.Int64:
		value = c.Value
	case *array.Uint8:
		value = func(row int) int64 { return int64(c.Value(row)) }
	case *array.Uint16:
		value = func(row int) int64 { return int64(c.Value(row)) }
	case *array.Uint32:
		value = func(row int) int64 { return int64(c.Value(row)) }
	default:
		return nil
	}
	return func(row int) (int64, bool) {
		if column.IsNull(row) {
			return 0, false
		}
		return value(row), true
	}
}

// readTimes reads timestamps as milliseconds since 1970, and whole numbers as such. What is before 1970 is negative.
func readTimes(name string, column arrow.Array) (intOf, error) {
	if read := readInts(column); read != nil {
		return read, nil
	}
	switch c := column.(type) {
	case *array.Null:
		return func(int) (int64, bool) { return 0, false }, nil
	case *array.Timestamp:
		if column.DataType().(*arrow.TimestampType).TimeZone == "" {
			return nil, columnError("timestamp", name, column.DataType(), `timestamps with a time zone, as tz_localize("UTC") gives one: without it they are no point in time`)
		}
		toMillis := milliseconds(column.DataType().(*arrow.TimestampType).Unit)
		return func(row int) (int64, bool) {
			if c.IsNull(row) {
				return 0, false
			}
			return toMillis(int64(c.Value(row))), true
		}, nil
	}
	return nil, columnError("timestamp", name, column.DataType(), "timestamps, or whole numbers of milliseconds since 1970")
}

func milliseconds(unit arrow.TimeUnit) func(int64) int64 {
	const milli = int64(time.Millisecond)
	switch unit {
	case arrow.Second:
		const most = math.MaxInt64 / 1000 // which is out of bounds, as what is cut to it
		return func(v int64) int64 { return min(max(v, -most), most) * 1000 }
	case arrow.Microsecond:
		return func(v int64) int64 { return floor(v, 1000) }
	case arrow.Nanosecond:
		return func(v int64) int64 { return floor(v, milli) }
	case arrow.Millisecond:
	}
	return func(v int64) int64 { return v }
}

func floor(v, by int64) int64 {
	if v < 0 {
		return (v+1)/by - 1
	}
	return v / by
}

// readTruths reads booleans; a null is false.
func readTruths(option, name string, column arrow.Array) ([]bool, error) {
	truths := make([]bool, column.Len())
	switch c := column.(type) {
	case *array.Null:
	case *array.Boolean:
		for row := range truths {
			truths[row] = c.IsValid(row) && c.Value(row)
		}
	default:
		return nil, columnError(option, name, column.DataType(), "booleans")
	}
	return truths, nil
}

// headersOf appends the headers of a row.
type headersOf func(to []sink.Header, row int) []sink.Header

// readHeaders reads lists of names and values, without the headers of some names.
func readHeaders(name string, column arrow.Array, without []string) (headersOf, error) {
	wrong := columnError("headers", name, column.DataType(), "a list of structs of a key (text) and a value (bytes or text), as listeners give it, or a map of texts to bytes or texts")
	var within func(row int) (from, to int64)
	var items arrow.Array
	switch c := column.(type) {
	case *array.Null:
		return func(to []sink.Header, _ int) []sink.Header { return to }, nil
	case *array.Map:
		within, items = c.ValueOffsets, c.ListValues()
	case *array.List:
		within, items = c.ValueOffsets, c.ListValues()
	case *array.LargeList:
		within, items = c.ValueOffsets, c.ListValues()
	default:
		return nil, wrong
	}
	pairs, ok := items.(*array.Struct)
	if !ok || pairs.NumField() != 2 {
		return nil, wrong
	}
	names, values := readBytes(pairs.Field(0)), readBytes(pairs.Field(1))
	if names == nil || values == nil {
		return nil, wrong
	}
	for row := 0; pairs.NullN()+pairs.Field(0).NullN() > 0 && row < column.Len(); row++ {
		if column.IsNull(row) {
			continue
		}
		from, end := within(row)
		for i := int(from); i < int(end); i++ {
			if pairs.IsNull(i) || pairs.Field(0).IsNull(i) {
				return nil, &format.ValueError{Row: row, Path: name, Msg: "a header has no key, which Kafka does not know"}
			}
		}
	}
	return func(to []sink.Header, row int) []sink.Header {
		if column.IsNull(row) {
			return to
		}
		from, end := within(row)
		for i := int(from); i < int(end); i++ {
			key, _ := names(i)
			value, _ := values(i)
			if header := unsafe.String(unsafe.SliceData(key), len(key)); !slices.Contains(without, header) {
				to = append(to, sink.Header{Name: header, Value: value})
			}
		}
		return to
	}, nil
}
