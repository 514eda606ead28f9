package avro_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// sameRow compares a row of the columns with the value that goavro has read.
func sameRow(n *node, columns []arrow.Array, row int, v any) error {
	if n.kind != "record" {
		return same(n, columns[0], row, v)
	}
	return sameFields(n, columns, row, v)
}

func sameFields(n *node, columns []arrow.Array, i int, v any) error {
	if len(columns) != len(n.fields) {
		return fmt.Errorf("%d fields, want %d", len(columns), len(n.fields))
	}
	for f, field := range n.fields {
		name := string(rune('a' + f))
		if err := same(field, columns[f], i, v.(map[string]any)[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func same(n *node, a arrow.Array, i int, v any) error {
	if n.kind == "union" {
		return sameUnion(n, a, i, v)
	}
	if isNull := n.kind == "null"; isNull != a.IsNull(i) && a.DataType().ID() != arrow.NULL {
		return fmt.Errorf("null is %t, want %v", a.IsNull(i), v)
	}
	switch n.kind {
	case "record":
		s, ok := a.(*array.Struct)
		if !ok {
			return fmt.Errorf("a record is %s", a.DataType())
		}
		columns := make([]arrow.Array, s.NumField())
		for f := range columns {
			columns[f] = s.Field(f)
		}
		return sameFields(n, columns, i, v)
	case "array":
		return sameList(n, a, i, v.([]any))
	case "map":
		return sameMap(n, a, i, v.(map[string]any))
	}
	got := a.DataType().String()
	if n.logical == "decimal" {
		got = a.DataType().Fingerprint() // its text does not tell 128 from 256 bits
	}
	if want := arrowType(n); got != want {
		return fmt.Errorf("the Arrow type is %s, want %s", got, want)
	}
	if got, want := leafOf(a, i), leafFrom(n, v); got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func sameList(n *node, a arrow.Array, i int, want []any) error {
	list, ok := a.(*array.List)
	if !ok {
		return fmt.Errorf("an array is %s", a.DataType())
	}
	from, to := list.ValueOffsets(i)
	if int(to-from) != len(want) {
		return fmt.Errorf("%d items, want %d", to-from, len(want))
	}
	for k, v := range want {
		if err := same(n.items, list.ListValues(), int(from)+k, v); err != nil {
			return fmt.Errorf("[%d]: %w", k, err)
		}
	}
	return nil
}

func sameMap(n *node, a arrow.Array, i int, want map[string]any) error {
	entries, ok := a.(*array.Map)
	if !ok {
		return fmt.Errorf("a map is %s", a.DataType())
	}
	from, to := entries.ValueOffsets(i)
	if int(to-from) != len(want) {
		return fmt.Errorf("%d entries, want %d", to-from, len(want))
	}
	for k := int(from); k < int(to); k++ {
		key := entries.Keys().(*array.String).Value(k)
		v, ok := want[key]
		if !ok {
			return fmt.Errorf("key %q should not be there", key)
		}
		if err := same(n.items, entries.Items(), k, v); err != nil {
			return fmt.Errorf("[%q]: %w", key, err)
		}
	}
	return nil
}

// sameUnion compares a value with that of the branch that goavro names. An optional and a union of one type are that type, other unions have a member per branch but null.
func sameUnion(n *node, a arrow.Array, i int, v any) error {
	var members []*node
	for _, b := range n.branches {
		if b.kind != "null" {
			members = append(members, b)
		}
	}
	dense, isDense := a.(*array.DenseUnion)
	if v == nil {
		if isDense && dense.Field(dense.ChildID(i)).DataType().ID() != arrow.NULL || !isDense && !a.IsNull(i) && a.DataType().ID() != arrow.NULL {
			return fmt.Errorf("want a null")
		}
		return nil
	}
	chosen := -1
	var value any
	for k, b := range members {
		if of, ok := v.(map[string]any)[b.goavro]; ok {
			chosen, value = k, of
		}
	}
	switch {
	case chosen < 0:
		return fmt.Errorf("goavro names an unknown branch: %v", v)
	case len(n.branches) <= 2 && len(members) == 1:
		return same(members[0], a, i, value)
	case isDense:
		if dense.ChildID(i) != chosen {
			return fmt.Errorf("branch %d, want %d", dense.ChildID(i), chosen)
		}
		return same(members[chosen], dense.Field(chosen), int(dense.ValueOffset(i)), value)
	}
	s, ok := a.(*array.Struct)
	if !ok || s.NumField() != len(members) {
		return fmt.Errorf("a union is %s", a.DataType())
	}
	for k := range members {
		if k != chosen && s.Field(k).IsValid(i) {
			return fmt.Errorf("branch %d is no null beside %d", k, chosen)
		}
	}
	return same(members[chosen], s.Field(chosen), i, value)
}

// arrowType is the Arrow type of what has no types below it.
func arrowType(n *node) string {
	switch n.logical {
	case "decimal":
		if n.digits > 38 {
			return (&arrow.Decimal256Type{Precision: int32(n.digits), Scale: int32(n.scale)}).Fingerprint()
		}
		return (&arrow.Decimal128Type{Precision: int32(n.digits), Scale: int32(n.scale)}).Fingerprint()
	case "uuid":
		if n.kind == "fixed" {
			return "extension<arrow.uuid>"
		}
	case "":
	default:
		return map[string]string{
			"big-decimal": "utf8", "date": "date32", "time-millis": "time32[ms]", "time-micros": "time64[us]",
			"timestamp-millis": "timestamp[ms, tz=UTC]", "timestamp-micros": "timestamp[us, tz=UTC]", "timestamp-nanos": "timestamp[ns, tz=UTC]",
			"local-timestamp-millis": "timestamp[ms]", "local-timestamp-micros": "timestamp[us]", "local-timestamp-nanos": "timestamp[ns]",
			"duration": "month_day_nano_interval",
		}[n.logical]
	}
	return map[string]string{
		"null": "null", "boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64", "bytes": "binary", "string": "utf8",
		"fixed": fmt.Sprintf("fixed_size_binary[%d]", n.size), "enum": "dictionary<values=utf8, indices=int32, ordered=false>",
	}[n.kind]
}

// leafOf is a value of an array as something that compares: floats as their bits, decimals as their unscaled digits, times as their count.
func leafOf(a arrow.Array, i int) any {
	switch a := a.(type) {
	case *array.Null:
		return nil
	case *array.Boolean:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return math.Float32bits(a.Value(i))
	case *array.Float64:
		return math.Float64bits(a.Value(i))
	case *array.Binary:
		return string(a.Value(i))
	case *array.String:
		return a.Value(i)
	case *array.FixedSizeBinary:
		return string(a.Value(i))
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(i))
	case *array.Decimal128:
		return a.Value(i).BigInt().String()
	case *array.Decimal256:
		return a.Value(i).BigInt().String()
	case *array.Date32:
		return int64(a.Value(i))
	case *array.Time32:
		return int64(a.Value(i))
	case *array.Time64:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.MonthDayNanoInterval:
		return a.Value(i)
	case array.ExtensionArray:
		return leafOf(a.Storage(), i)
	}
	return fmt.Errorf("unexpected %s", a.DataType())
}

// leafFrom is the same of a value of goavro.
func leafFrom(n *node, v any) any {
	switch v := v.(type) {
	case float32:
		return math.Float32bits(v)
	case float64:
		return math.Float64bits(v)
	case *big.Rat:
		unscaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(tenTo(n.scale)))
		return unscaled.RatString()
	case time.Duration:
		if n.logical == "time-millis" {
			return v.Milliseconds()
		}
		return v.Microseconds()
	case time.Time:
		switch n.logical {
		case "date":
			return v.Unix() / 86400
		case "timestamp-millis":
			return v.UnixMilli()
		}
		return v.UnixMicro()
	case []byte:
		switch n.logical {
		case "duration":
			return arrow.MonthDayNanoInterval{
				Months: int32(binary.LittleEndian.Uint32(v)), Days: int32(binary.LittleEndian.Uint32(v[4:])),
				Nanoseconds: int64(binary.LittleEndian.Uint32(v[8:])) * 1_000_000,
			}
		case "big-decimal":
			return bigDecimal(v)
		}
		return string(v)
	}
	return v
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// bigDecimal is the text of what a big-decimal's bytes hold.
func bigDecimal(b []byte) string {
	r := bytes.NewReader(b)
	length, _ := binary.ReadVarint(r)
	digits := make([]byte, length)
	_, _ = r.Read(digits)
	scale, _ := binary.ReadVarint(r)
	unscaled := new(big.Int).SetBytes(digits)
	if length > 0 && digits[0] > 127 {
		unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	if scale < 0 {
		return unscaled.Mul(unscaled, tenTo(int(-scale))).String()
	}
	return new(big.Rat).SetFrac(unscaled, tenTo(int(scale))).FloatString(int(scale))
}
