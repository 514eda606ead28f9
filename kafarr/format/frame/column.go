package frame

import (
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Column is the values of a column of a batch, or of what lies below one, of any layout: dictionaries and runs are followed, slices are added up. Its memory has been checked, so that
// each value that counts can be read; what the values are (ranges, UTF-8) is for the format to check. What lies below is read when Member, Items or Branch asks for it.
type Column struct {
	Path string
	Type arrow.DataType // what the values are stored as: no dictionary, no runs; an extension type stands as it is
	N    int

	outer   Segment        // the values as they are asked for
	values  Segment        // what they are found in: that of a dictionary or of runs, or outer itself
	index   *Indices       // of each value; nil: they are in the order of values
	valid   unsafe.Pointer // of outer; nil: none is null
	present unsafe.Pointer // of values, where there are indices
	null    bool           // all of them
	data    unsafe.Pointer
	bits    int // the first bit in data, of booleans
	load    Load
	width   int
	spans   Spans
	lists   Lists
	union   Union
	codes   [256]int16 // of a union: the number of each type code's child, from 1
}

// Read reads a column, whose values lie in a segment.
func Read(path string, s Segment) (*Column, error) {
	c := &Column{Path: path, Type: s.Data.DataType(), N: s.N, outer: s, values: s}
	for {
		valid, nulls, err := c.values.validity(path)
		if err != nil {
			return nil, err
		}
		if c.index == nil {
			c.valid = valid
		} else {
			c.present = valid
		}
		var x *Indices
		var below Segment
		switch Storage(c.Type).(type) {
		case *arrow.DictionaryType:
			var used []bool
			if x, used, err = c.values.Indices(path, nulls); err != nil {
				return nil, err
			}
			d := c.values.Dictionary()
			below = Segment{Data: d, Off: d.Offset(), N: d.Len(), Live: used}
		case *arrow.RunEndEncodedType:
			if x, below, err = c.values.Runs(path); err != nil {
				return nil, err
			}
		default:
			return c, c.storage(nulls)
		}
		c.follow(x)
		below.Row = c.rowOfPlace
		c.values, c.Type = below, below.Data.DataType()
	}
}

// validity is the bits of values that are not null, and how many are; nil: all are not.
func (s *Segment) validity(path string) (unsafe.Pointer, int, error) {
	switch Storage(s.Data.DataType()).ID() {
	case arrow.NULL, arrow.DENSE_UNION, arrow.SPARSE_UNION, arrow.RUN_END_ENCODED:
		return nil, 0, nil
	}
	valid, err := s.Bits(path, 0)
	if err != nil || valid == nil {
		return nil, 0, err
	}
	nulls := s.N - CountBits(valid, s.Off, s.N)
	if nulls == 0 {
		return nil, 0, nil
	}
	return valid, nulls, nil
}

// follow puts indices behind those that there are: -1 stands for a null.
func (c *Column) follow(x *Indices) {
	if c.index == nil {
		c.index = x
		return
	}
	made := make([]int32, c.N)
	for i := range made {
		made[i] = -1
		if c.outer.Counts(i) && !c.IsNull(i) {
			made[i] = int32(x.At(c.index.At(i))) //nolint:gosec // an index of 32 bits
		}
	}
	c.index = &Indices{Data: unsafe.Pointer(unsafe.SliceData(made)), made: made}
	c.present = nil
}

// rowOfPlace is the row of the first value that refers to a place.
func (c *Column) rowOfPlace(k int) int {
	for i := range c.N {
		if c.outer.Counts(i) && !c.IsNull(i) && c.Place(i) == k {
			return c.outer.Row(i)
		}
	}
	return -1
}

// storage finds the memory of the values.
func (c *Column) storage(nulls int) (err error) {
	s := &c.values
	t := Storage(c.Type)
	switch typed := t.(type) {
	case *arrow.NullType:
		c.null = true
	case *arrow.BooleanType:
		c.bits = s.Off
		if c.data, err = s.Bits(c.Path, 1); err == nil && c.data == nil && s.N > 0 {
			err = Broken(c.Path, "the Arrow array has no buffer of values")
		}
	case *arrow.StructType:
	case arrow.UnionType:
		all := make([]int, typed.NumFields())
		for k := range all {
			all[k] = k
			if code := typed.TypeCodes()[k]; code >= 0 {
				c.codes[code] = int16(k + 1)
			}
		}
		c.union, err = s.Union(c.Path, typed.Mode() == arrow.DenseMode, typed.TypeCodes(), all)
	case arrow.ListLikeType:
		var live []bool
		if live, err = s.Present(c.Path, nulls); err == nil {
			c.lists, err = s.Lists(c.Path, t, live)
		}
	default:
		if IsText(t) || IsBinary(t) || t.ID() == arrow.FIXED_SIZE_BINARY {
			layout, width := LayoutOf(t)
			c.spans, err = s.Spans(c.Path, nulls, layout, width)
			return err
		}
		fixed, ok := t.(arrow.FixedWidthDataType)
		if !ok {
			return Broken(c.Path, "columns of the Arrow type %s cannot be read", c.Type)
		}
		c.width = fixed.Bytes()
		c.load = c.loadOf(t)
		c.data, err = s.Buffer(c.Path, 1, c.width, s.N)
	}
	return err
}

// loadOf is how numbers lie in memory; dates, times and durations are whole numbers of their width.
func (c *Column) loadOf(t arrow.DataType) Load {
	if load, ok := Loads[t.ID()]; ok {
		return load
	}
	if c.width == 4 {
		return Int32
	}
	return Int64
}

// Counts tells whether a value counts: where what it lies in is null, or the row is skipped, anything may stand.
func (c *Column) Counts(i int) bool { return c.outer.Counts(i) }

// Row is the row of the batch that a value lies in, for errors; it is slow.
func (c *Column) Row(i int) int { return c.outer.Row(i) }

// MayBeNull tells whether any value may be null.
func (c *Column) MayBeNull() bool {
	return c.null || c.valid != nil || c.present != nil || c.index != nil
}

// IsNull tells whether a value that counts is null.
func (c *Column) IsNull(i int) bool {
	if c.null || c.valid != nil && Bit(c.valid, c.outer.Off+i) == 0 {
		return true
	}
	if c.index == nil {
		return false
	}
	k := c.index.At(i)
	return k < 0 || c.present != nil && Bit(c.present, c.values.Off+k) == 0
}

// Place is where a value that is not null is: the number to ask the members of a struct for.
func (c *Column) Place(i int) int {
	if c.index == nil {
		return i
	}
	return c.index.At(i)
}

// Each calls a function with each value that counts and is not null, until it fails.
func (c *Column) Each(do func(i int) error) error {
	for i := range c.N {
		if c.outer.Counts(i) && !c.IsNull(i) {
			if err := do(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// Wrong is the error of a value.
func (c *Column) Wrong(i int, value, msg string) error {
	return &format.ValueError{Row: c.Row(i), Path: c.Path, Value: value, Msg: msg}
}

// Bool reads a boolean, of a bit or of a byte.
func (c *Column) Bool(i int) bool {
	if i = c.Place(i); c.width == 0 {
		return Bit(c.data, c.bits+i) != 0
	}
	return *(*byte)(unsafe.Add(c.data, i)) != 0
}

// IsFloat tells whether numbers are floats.
func (c *Column) IsFloat() bool { return c.load >= Float16 }

// IsUint64 tells whether whole numbers are of 64 bits without a sign.
func (c *Column) IsUint64() bool { return c.load == Uint64 }

// Int reads a whole number, a date, a time or a duration; of those without a sign, the ones above 2^63 - 1 come out negative.
func (c *Column) Int(i int) int64 {
	v, _ := c.load.Whole(c.data, c.Place(i))
	return v
}

// Float reads a float.
func (c *Column) Float(i int) float64 { return c.load.Real(c.data, c.Place(i)) }

// Fixed is the bytes of a value of a fixed width that is neither a number nor text: an interval, for example.
func (c *Column) Fixed(i int) []byte { return format.Span(c.data, c.Place(i)*c.width, c.width) }

// Words reads a decimal as words from the lowest, in two's complement.
func (c *Column) Words(i int) [4]uint64 { return DecimalWords(c.data, c.Place(i), c.width) }

// Bytes is the text or bytes of a value, which are in the frame's memory.
func (c *Column) Bytes(i int) []byte {
	base, from, n, _ := c.spans.At(c.Place(i))
	return format.Span(base, from, n)
}

// Member reads a member of a struct, by its number. Its values are asked for by Place.
func (c *Column) Member(k int, name string) (*Column, error) {
	_, nulls, err := c.values.validity(c.Path)
	if err != nil {
		return nil, err
	}
	live, err := c.values.Present(c.Path, nulls)
	if err != nil {
		return nil, err
	}
	below, err := c.values.Child(c.Path, k, c.values.Off, c.values.N)
	if err != nil {
		return nil, err
	}
	below.Live = live
	return Read(format.JoinPath(c.Path, name), below)
}

// Items reads the items of lists, or the entries of maps, which are structs of a key and a value. Their places are given by Range.
func (c *Column) Items(name string) (*Column, error) {
	return Read(format.JoinPath(c.Path, name), c.lists.Items)
}

// Range is which items a list has: [from, to).
func (c *Column) Range(i int) (from, to int) {
	from, n := c.lists.At(c.Place(i))
	from -= c.lists.First
	return from, from + n
}

// Branch reads a child of a union, by its number. Its values are asked for by BranchOf.
func (c *Column) Branch(k int, name string) (*Column, error) {
	return Read(format.JoinPath(c.Path, name), c.union.Members[k])
}

// BranchOf is which child of a union a value is in, and its place there.
func (c *Column) BranchOf(i int) (k, at int) {
	i = c.Place(i)
	return int(c.codes[c.union.Code(i)]) - 1, c.union.At(i)
}

// Text is a value that is not null as it stands, for an error.
func (c *Column) Text(i int) string {
	t := Storage(c.Type)
	switch {
	case IsText(t) || IsBinary(t) || t.ID() == arrow.FIXED_SIZE_BINARY:
		return ShortBytes(c.Bytes(i))
	case t.ID() == arrow.BOOL:
		return strconv.FormatBool(c.Bool(i))
	}
	if _, number := Loads[t.ID()]; number {
		return c.load.Text(c.data, c.Place(i))
	}
	if _, timed := t.(arrow.TemporalWithUnit); timed || t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64 {
		return c.load.Text(c.data, c.Place(i))
	}
	return "the value"
}

// ShortBytes is a text for an error.
func ShortBytes(b []byte) string {
	const most = 40
	if len(b) > most {
		return strconv.QuoteToASCII(string(b[:most])) + "…"
	}
	return strconv.QuoteToASCII(string(b))
}
