package protobuf

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// boundWriter is a fieldWriter joined to its column, whose values have been checked.
type boundWriter struct {
	*fieldWriter
	column *frame.Column
	nulls  bool // some values may be null
	value  *boundValue
	key    *boundValue // of a map
	items  *frame.Column
}

// boundValue is a valueWriter joined to its column.
type boundValue struct {
	*valueWriter
	column  *frame.Column
	fields  []boundWriter // of writeStruct
	inner   *boundValue   // of writeWrapper
	numbers []int64       // of enums, by place; noNumber: not looked at
	made    []byte        // of writeMade
	ends    []int
	float   bool // the column is of floats
}

// refuseNulls is an error for the first value that counts and is null.
func refuseNulls(c *frame.Column, msg string) error {
	if !c.MayBeNull() {
		return nil
	}
	for i := range c.N {
		if c.Counts(i) && c.IsNull(i) {
			return c.Wrong(i, "", msg)
		}
	}
	return nil
}

// bind joins the fields of a message to the columns of a struct, or of the batch.
func (w *messageWriter) bind(path string, column func(*fieldWriter) (*frame.Column, error)) ([]boundWriter, error) {
	out := make([]boundWriter, len(w.fields))
	for i, f := range w.fields {
		c, err := column(f)
		if err != nil {
			return nil, err
		}
		if out[i], err = f.bind(c); err != nil {
			return nil, err
		}
	}
	for _, members := range w.oneofs {
		first := out[members[0]].column // whose values count where those of the others do
		for i := range first.N {
			if !first.Counts(i) {
				continue
			}
			set := -1
			for _, k := range members {
				switch {
				case out[k].column.IsNull(i):
				case set >= 0:
					return nil, &format.ValueError{
						Row: first.Row(i), Path: path,
						Msg: fmt.Sprintf("%s and %s are both set, and are members of one oneof: all but one must be null", short(w.fields[set].of.name), short(w.fields[k].of.name)),
					}
				default:
					set = k
				}
			}
		}
	}
	return out, nil
}

func (w *fieldWriter) bind(c *frame.Column) (b boundWriter, err error) {
	b = boundWriter{fieldWriter: w, column: c, nulls: c.MayBeNull()}
	switch {
	case w.form != writeSingle || w.of.repeated:
		err = refuseNulls(c, "a null cannot be written as "+w.of.describe()+", which is empty where it is absent: write an empty list")
	case w.of.required:
		err = refuseNulls(c, "a null cannot be written: the field is required")
	case !w.of.presence:
		err = refuseNulls(c, "a null cannot be written as "+w.of.describe()+" without presence, which cannot be absent: fill it, with the zero for example, or declare the field optional")
	}
	if err != nil {
		return b, err
	}
	switch w.form {
	case writeSingle:
		b.value, err = w.value.bind(c)
		return b, err
	case writeMap:
		return b, b.bindMap()
	}
	if b.items, err = c.Items("item"); err != nil {
		return b, err
	}
	if err = refuseNulls(b.items, "a null cannot be an item of a repeated field: leave it out"); err != nil {
		return b, err
	}
	b.value, err = w.value.bind(b.items)
	return b, err
}

func (f *boundWriter) bindMap() (err error) {
	if f.items, err = f.column.Items("entries"); err != nil {
		return err
	}
	if err = refuseNulls(f.items, "an entry of a map cannot be null"); err != nil {
		return err
	}
	keys, err := f.items.Member(0, "key")
	if err != nil {
		return err
	}
	keys.Path = f.fieldWriter.key.path
	if err = refuseNulls(keys, "the key of a map cannot be null"); err != nil {
		return err
	}
	if f.key, err = f.fieldWriter.key.bind(keys); err != nil {
		return err
	}
	values, err := f.items.Member(1, "value")
	if err != nil {
		return err
	}
	values.Path = f.fieldWriter.value.path
	if err = refuseNulls(values, "the value of a map cannot be null: leave the key out"); err != nil {
		return err
	}
	if f.value, err = f.fieldWriter.value.bind(values); err != nil {
		return err
	}
	return f.uniqueKeys()
}

// uniqueKeys refuses a key that comes twice in a map: readers would keep its last value alone.
func (f *boundWriter) uniqueKeys() error {
	var seen map[string]int // the list that has had the key last
	var scratch [32]byte
	return f.column.Each(func(i int) error {
		from, to := f.column.Range(i)
		if to-from < 2 {
			return nil
		}
		if seen == nil {
			seen = map[string]int{}
		}
		for j := from; j < to; j++ {
			at := f.items.Place(j)
			var key []byte
			if f.key.code == writeText {
				key = f.key.column.Bytes(at)
			} else {
				key = scratch[:max(f.key.raw(scratch[:], 0, at), 0)]
			}
			if last, before := seen[string(key)]; before && last == i {
				return f.key.column.Wrong(at, f.key.column.Text(at), "comes twice in the map, of which readers keep the last value alone")
			}
			seen[string(key)] = i
		}
		return nil
	})
}

// noNumber is that of a name which has not been looked up.
const noNumber = math.MinInt64

func (w *valueWriter) bind(c *frame.Column) (*boundValue, error) {
	b := &boundValue{valueWriter: w, column: c, float: c.IsFloat()}
	switch w.code {
	case writeNumber:
		return b, c.Each(func(i int) error {
			if _, fits := b.number(i); !fits {
				return c.Wrong(i, c.Text(i), "does not fit into "+w.of.describe()+w.why())
			}
			return nil
		})
	case writeText:
		return b, c.Each(func(i int) error {
			if !utf8.Valid(c.Bytes(i)) {
				return c.Wrong(i, c.Text(i), "is not UTF-8, which a string must be")
			}
			return nil
		})
	case writeEnum:
		return b, b.bindEnum()
	case writeStruct:
		var err error
		b.fields, err = w.message.bind(w.path, func(f *fieldWriter) (*frame.Column, error) {
			m, err := c.Member(f.column, f.of.name)
			if err == nil {
				m.Path = f.path
			}
			return m, err
		})
		return b, err
	case writeWrapper:
		var err error
		b.inner, err = w.inner.bind(c)
		return b, err
	case writeTime:
		return b, c.Each(func(i int) error {
			if why := b.checkTime(c.Int(i)); why != "" {
				return c.Wrong(i, c.Text(i), why)
			}
			return nil
		})
	case writeMade:
		return b, b.make()
	}
	return b, nil
}

// why says what a number must be.
func (w *valueWriter) why() string {
	switch w.of.kind {
	case kindInt32, kindSint32, kindSfixed32:
		return ": it must be a whole number from -2147483648 to 2147483647"
	case kindUint32, kindFixed32:
		return ": it must be a whole number from 0 to 4294967295"
	case kindInt64, kindSint64, kindSfixed64:
		return ": it must be a whole number from -9223372036854775808 to 9223372036854775807"
	case kindUint64, kindFixed64:
		return ": it must be a whole number from 0 to 18446744073709551615"
	}
	return " without loss: cast the column, and see what becomes of the value"
}

// number is what stands on the wire for a number; false: it does not fit.
func (b *boundValue) number(i int) (uint64, bool) {
	c := b.column
	kind := b.of.kind
	if b.float {
		f := c.Float(i)
		switch kind {
		case kindDouble:
			return math.Float64bits(f), true
		case kindFloat:
			return uint64(math.Float32bits(float32(f))), float64(float32(f)) == f || math.IsNaN(f)
		}
		if f != math.Trunc(f) || f == 0 && math.Signbit(f) {
			return 0, false
		}
		if kind == kindUint64 || kind == kindFixed64 {
			if f < 0 || f >= 1<<64 {
				return 0, false
			}
			return uint64(f), true
		}
		if !(f >= -1<<63 && f < 1<<63) {
			return 0, false
		}
		return wireOf(kind, int64(f))
	}
	v := c.Int(i)
	if v < 0 && c.IsUint64() {
		u := uint64(v) //nolint:gosec // it has none of the sign
		switch kind {
		case kindUint64, kindFixed64:
			return u, true
		case kindDouble:
			f := float64(u)
			return math.Float64bits(f), f < 1<<64 && uint64(f) == u
		case kindFloat:
			f := float32(u)
			return uint64(math.Float32bits(f)), f < 1<<64 && uint64(f) == u
		}
		return 0, false
	}
	switch kind {
	case kindDouble:
		f := float64(v)
		return math.Float64bits(f), f < 1<<63 && int64(f) == v
	case kindFloat:
		f := float32(v)
		return uint64(math.Float32bits(f)), f < 1<<63 && int64(f) == v
	}
	return wireOf(kind, v)
}

// wireOf is what stands on the wire for a whole number.
func wireOf(kind kind, v int64) (uint64, bool) {
	switch kind {
	case kindInt32:
		return uint64(v), v == int64(int32(v)) //nolint:gosec // a negative number takes ten bytes
	case kindSfixed32:
		return uint64(uint32(v)), v == int64(int32(v)) //nolint:gosec // the low bits
	case kindSint32:
		return uint64(v<<1 ^ v>>63), v == int64(int32(v)) //nolint:gosec // the encoding's definition
	case kindSint64:
		return uint64(v<<1 ^ v>>63), true //nolint:gosec // the encoding's definition
	case kindUint32, kindFixed32:
		return uint64(v), v >= 0 && v <= math.MaxUint32 //nolint:gosec // it has been compared
	case kindUint64, kindFixed64:
		return uint64(v), v >= 0 //nolint:gosec // it has been compared
	}
	return uint64(v), true //nolint:gosec // two's complement
}

// bindEnum looks the numbers of names up, and checks those that are numbers.
func (b *boundValue) bindEnum() error {
	c, e := b.column, b.of.enum
	texts := frame.IsText(c.Type)
	known := make(map[string]int32, len(e.names))
	defined := make(map[int32]bool, len(e.numbers))
	for i, name := range e.names {
		known[name] = e.numbers[i]
		defined[e.numbers[i]] = true
	}
	return c.Each(func(i int) error {
		at := c.Place(i)
		for len(b.numbers) <= at {
			b.numbers = append(b.numbers, noNumber)
		}
		if b.numbers[at] != noNumber {
			return nil
		}
		if texts {
			number, found := known[string(c.Bytes(i))]
			if !found {
				return c.Wrong(i, c.Text(i), "is no value of the enum "+short(e.name)+": it has "+firstOf(e.names))
			}
			b.numbers[at] = int64(number)
			return nil
		}
		v, whole := c.Int, !b.float
		if b.float {
			f := c.Float(i)
			whole = f == math.Trunc(f) && math.Abs(f) < 1<<31
			v = func(int) int64 { return int64(f) }
		}
		number := int64(0)
		if whole {
			number = v(i)
		}
		if !whole || number != int64(int32(number)) || c.IsUint64() && c.Int(i) < 0 {
			return c.Wrong(i, c.Text(i), "is no number of an enum, which has 32 bits")
		}
		if e.closed && !defined[int32(number)] {
			return c.Wrong(i, c.Text(i), "is no number of the enum "+short(e.name)+", which is closed")
		}
		b.numbers[at] = number
		return nil
	})
}

// make writes JSON and decimals, which must be parsed to be checked.
func (b *boundValue) make() error {
	c, m := b.column, b.of.message
	b.ends = make([]int, c.N+1)
	decimals, _ := frame.Storage(c.Type).(arrow.DecimalType)
	for i := range c.N {
		if c.Counts(i) && !c.IsNull(i) {
			var err error
			switch {
			case m.known != wellDecimal:
				b.made, err = encodeJSON(b.made, m, c.Bytes(i), b.depth)
			case decimals != nil:
				b.made, err = b.decimalOfWords(b.made, c.Words(i))
			default:
				b.made, err = b.decimalOfText(b.made, c.Bytes(i))
			}
			if err != nil {
				text := c.Text(i)
				if decimals != nil {
					text = decimalText(c.Words(i), b.scale)
				}
				return c.Wrong(i, text, "cannot be written as "+b.of.describe()+": "+err.Error())
			}
		}
		b.ends[i+1] = len(b.made)
	}
	return nil
}

// errorText is an error that becomes a part of a ValueError.
type errorText string

func (e errorText) Error() string { return string(e) }

func quoted(s string) string { return strconv.Quote(short(s)) }
