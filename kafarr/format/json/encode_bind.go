package json

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// source is a writer joined to the column of a batch.
type source struct {
	*writer
	from *frame.Column // nil: there is none, and null is written, or, of the root, its members
	kids []source
	made []string // texts of JSON that Bind has made already, where writing them would allocate
}

// bind checks all values of a column, and those below it.
func (s *source) bind(c *frame.Column) error {
	s.from = c
	if s.required && c.MayBeNull() {
		for i := range c.N {
			if c.Counts(i) && c.IsNull(i) {
				return c.Wrong(i, "null", "is not allowed by the schema, where "+s.describe()+" is not nullable: fill it, or let the schema have null")
			}
		}
	}
	if s.values.ID() == arrow.NULL {
		return nil
	}
	switch s.op {
	case opObject:
		return s.bindMembers(c)
	case opArray, opMap, opEntries:
		return s.bindItems(c)
	case opUnion:
		return s.bindBranches(c)
	}
	return s.check()
}

func (s *source) bindMembers(c *frame.Column) error {
	for _, w := range s.writer.kids {
		kid := source{writer: w}
		if w.column != noColumn {
			below, err := c.Member(w.column, w.name)
			if err == nil {
				err = kid.bind(below)
			}
			if err != nil {
				return err
			}
		}
		s.kids = append(s.kids, kid)
	}
	return nil
}

func (s *source) bindItems(c *frame.Column) error {
	if s.op == opArray {
		items, err := c.Items("item")
		if err != nil {
			return err
		}
		s.kids = []source{{writer: s.writer.kids[0]}}
		return s.kids[0].bind(items)
	}
	entries, err := c.Items("entry")
	if err != nil {
		return err
	}
	if entries.MayBeNull() {
		for i := range entries.N {
			if entries.Counts(i) && entries.IsNull(i) {
				return entries.Wrong(i, "null", "is no entry of a map")
			}
		}
	}
	entry := source{writer: &writer{node: &node{op: opObject, path: c.Path, from: s.writer.from}, kids: s.writer.kids}, from: entries}
	if err := entry.bindMembers(entries); err != nil {
		return err
	}
	s.kids = []source{entry}
	if s.op == opMap {
		return s.uniqueKeys(c, &entry)
	}
	return nil
}

// uniqueKeys raises two entries of one name: a reader of JSON keeps one of them, or none.
func (s *source) uniqueKeys(c *frame.Column, entry *source) error {
	const few = 16 // which are compared with each other faster than they are put into a map
	keys := entry.kids[0].from
	key := func(j int) []byte { return keys.Bytes(entry.from.Place(j)) }
	seen := map[string]bool{}
	return c.Each(func(i int) error {
		from, to := c.Range(i)
		clear(seen)
		for j := from; j < to; j++ {
			twice := false
			if to-from > few {
				twice = seen[string(key(j))]
				seen[string(key(j))] = true
			}
			for k := from; k < j && to-from <= few; k++ {
				twice = twice || bytes.Equal(key(k), key(j))
			}
			if twice {
				return c.Wrong(i, frame.ShortBytes(key(j)), "is the key of two entries of the map, and an object of JSON has each name once")
			}
		}
		return nil
	})
}

func (s *source) bindBranches(c *frame.Column) error {
	for _, w := range s.writer.kids {
		kid := source{writer: w}
		below, err := c, error(nil)
		switch s.mode {
		case structUnion:
			below, err = c.Member(w.column, w.name)
		case arrowUnion:
			below, err = c.Branch(w.column, w.name)
		}
		if err == nil {
			err = kid.bind(below)
		}
		if err != nil {
			return err
		}
		s.kids = append(s.kids, kid)
	}
	return c.Each(func(i int) error {
		if s.mode == structUnion {
			values := 0
			for k := range s.kids {
				if !s.kids[k].from.IsNull(c.Place(i)) {
					values++
				}
			}
			if values > 1 {
				return c.Wrong(i, "the value", fmt.Sprintf("has %d members that are not null, and a value of a union has one", values))
			}
		}
		kid, at := s.branch(i)
		if kid == nil {
			if s.required {
				return c.Wrong(i, "null", "is not allowed by the schema: no member of the union has a value")
			}
			return nil
		}
		if other := s.mistaken(kid, at); other != "" {
			return c.Wrong(i, "the value", "would be read as the branch "+other+" of the union, whose members it has, too")
		}
		return nil
	})
}

// branch is the branch of a union that a value is in, and its place there; nil: it is null.
func (s *source) branch(i int) (kid *source, at int) {
	switch s.mode {
	case structUnion:
		i = s.from.Place(i)
		for k := range s.kids {
			if kid := &s.kids[k]; !kid.from.IsNull(i) {
				return kid, i
			}
		}
		return nil, 0
	case arrowUnion:
		k, at := s.from.BranchOf(i)
		if kid := &s.kids[k]; !kid.from.IsNull(at) {
			return kid, at
		}
		return nil, 0
	}
	return &s.kids[0], i
}

// mistaken is the branch that a reader would take an object for, if it is another one: of those whose required members it has, it takes the one that names the most of its members, and
// of these the first.
func (s *source) mistaken(kid *source, at int) string {
	if kid.op != opObject || len(s.objects) < 2 {
		return ""
	}
	at = kid.from.Place(at)
	written := map[string]*source{}
	for k := range kid.kids {
		if m := &kid.kids[k]; !m.isLeftOut(at) {
			written[m.name] = m
		}
	}
	before := true
	for _, branch := range s.objects {
		other := s.node.kids[branch]
		if other == kid.node {
			before = false
			continue
		}
		named, fits := 0, true
		for _, m := range other.kids {
			w := written[m.name]
			if w == nil {
				fits = fits && !m.required
				continue
			}
			named++
			if m.op == opEnum && w.from != nil && frame.IsText(w.values) && !w.from.IsNull(at) {
				if _, known := m.codes[string(w.from.Bytes(at))]; !known {
					fits = false
				}
			}
		}
		if fits && (named > len(written) || named == len(written) && before) {
			return other.name
		}
	}
	return ""
}

// check looks at the values of a leaf.
func (s *source) check() error {
	c := s.from
	switch s.op {
	case opInt8, opInt16, opInt32, opInt64:
		return c.Each(func(i int) error { return s.checkWhole(i) })
	case opFloat, opDouble:
		return c.Each(func(i int) error { return s.checkReal(i) })
	case opText, opEnum:
		if s.uuid {
			return nil
		}
		return c.Each(func(i int) error { return s.checkText(i) })
	case opAny:
		a := &Appender{limits: format.DefaultLimits}
		return c.Each(func(i int) error { return s.checkJSON(a, i) })
	case opDecimal, opUnscaled:
		if s.op == opUnscaled && s.writer.from.Type.Takes == Strings {
			s.made = make([]string, c.N)
		}
		return c.Each(func(i int) error { return s.checkDecimal(i) })
	case opDateTime, opDate, opTime:
		return c.Each(func(i int) error { return s.checkTime(i) })
	case opEpoch32, opEpoch64:
		return c.Each(func(i int) error {
			v, whole := s.scaled(c.Int(i))
			if !whole || !s.within(v) {
				return s.wrong(i, "does not fit %s in the unit of the schema, %s", s.describe(), s.writer.from.Type.Arrow)
			}
			return nil
		})
	}
	return nil
}

func (s *source) checkWhole(i int) error {
	c := s.from
	var v int64
	switch {
	case c.IsFloat():
		var whole bool
		if v, whole = wholeOf(c.Float(i)); !whole {
			return s.wrong(i, "is no whole number that 64 bits hold, and the field is one: write null for a number that is missing")
		}
	case c.IsUint64():
		if u := uint64(c.Int(i)); u > s.most { //nolint:gosec // its bits
			return s.wrong(i, "does not fit %s, which is at most %d", s.dtype, s.most)
		}
		return nil
	default:
		v = c.Int(i)
	}
	if !s.within(v) {
		return s.wrong(i, "does not fit %s, which is from -%d to %d", s.dtype, s.least, s.most)
	}
	return nil
}

func (s *source) checkReal(i int) error {
	c := s.from
	if c.IsFloat() {
		f := c.Float(i)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return s.wrong(i, "is no number that JSON has: write null for it")
		}
		if s.op == opFloat && float64(float32(f)) != f {
			return s.wrong(i, "cannot be written as float without loss: cast the column, and see what becomes of the value")
		}
		return nil
	}
	v := c.Int(i)
	if c.IsUint64() && v < 0 {
		if u := uint64(v); bitsOf(u, s.op == opFloat) { //nolint:gosec // its bits
			return nil
		}
	} else if s.op == opFloat && int64(float32(v)) == v && float32(v) < 1<<63 || s.op == opDouble && float64(v) < 1<<63 && int64(float64(v)) == v {
		return nil
	}
	return s.wrong(i, "cannot be read as %s without loss: cast the column, and see what becomes of the value", s.dtype)
}

// bitsOf reports whether a float has all bits of a whole number.
func bitsOf(u uint64, single bool) bool {
	f := float64(u)
	if single {
		f = float64(float32(u))
	}
	return f < 1<<64 && uint64(f) == u
}

func (s *source) checkText(i int) error {
	text := s.from.Bytes(i)
	if s.op == opEnum {
		if _, known := s.codes[string(text)]; !known {
			return s.wrong(i, "is no symbol of the enum, which has %s", firstOf(s.symbols))
		}
		return nil
	}
	if !utf8.Valid(text) {
		return s.wrong(i, "is not UTF-8, which a string of JSON must be: decode it, or encode it in base64")
	}
	return nil
}

// checkJSON looks at a text of JSON that is written as it stands.
func (s *source) checkJSON(a *Appender, i int) error {
	text := s.from.Bytes(i)
	base := unsafe.Pointer(unsafe.SliceData(text))
	a.effort.LookAt = len(text)
	if len(text) == 0 || blank(base, 0, len(text)) != 0 {
		return s.wrong(i, "is no value of JSON without white space around it")
	}
	if isNull(base, 0, len(text)) {
		return s.wrong(i, "is the text of a null: write a null of Arrow")
	}
	if takes := s.takes; takes != 0 && takes&valuesOf[text[0]] == 0 {
		return s.wrong(i, "is of no type of JSON that the schema takes here")
	}
	if next := a.skip(base, 0, len(text), 0); next != len(text) {
		return s.wrong(i, "is no value of JSON")
	}
	return nil
}

// checkDecimal compares the digits with the precision and the scale of the schema.
func (s *source) checkDecimal(i int) error {
	var buf [maxDigits]byte
	digits, negative, scale := s.digits(&buf, i)
	whole := max(len(digits)-scale, 0)
	if whole > s.precision-s.scale && len(digits) > 0 {
		return s.wrongDecimal(i, digits, negative, scale, fmt.Sprintf("has more than the %d digits before the point of a decimal of precision %d and scale %d", s.precision-s.scale, s.precision, s.scale))
	}
	for more := scale - s.scale; more > 0 && len(digits) > 0; more-- {
		if digits[len(digits)-1] != '0' {
			return s.wrongDecimal(i, digits, negative, scale, fmt.Sprintf("has more digits after the point than the %d of the schema: round the column", s.scale))
		}
		digits = digits[:len(digits)-1]
		scale--
	}
	if s.made == nil {
		return nil
	}
	unscaled := new(big.Int)
	if len(digits) > 0 {
		unscaled.SetString(string(digits), 10)
	}
	unscaled.Mul(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s.scale-scale)), nil))
	if negative {
		unscaled.Neg(unscaled)
	}
	s.made[i] = strconv.Quote(base64.StdEncoding.EncodeToString(twosComplement(unscaled)))
	return nil
}

func (s *source) wrongDecimal(i int, digits []byte, negative bool, scale int, msg string) error {
	if scale < -maxDigits || scale > maxDigits { // zeros without end
		return s.from.Wrong(i, string(appendDigits(nil, digits, negative, 0))+"E"+strconv.Itoa(-scale), msg)
	}
	return s.from.Wrong(i, string(appendDigits(nil, digits, negative, scale)), msg)
}

// twosComplement is a number in the fewest bytes.
func twosComplement(v *big.Int) []byte {
	if v.Sign() >= 0 {
		b := v.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	less := new(big.Int).Add(v, big.NewInt(1)) // -v-1 has the bits of v, turned round
	b := new(big.Int).Neg(less).Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// checkTime looks at dates and times, of texts as a reader does.
func (s *source) checkTime(i int) error {
	c := s.from
	if frame.IsText(s.values) {
		text := c.Bytes(i)
		var valid bool
		switch s.op {
		case opDate:
			_, valid = dateOf(text)
		case opTime:
			_, valid = timeOf(text)
		default:
			_, bad := dateTimeOf(text, s.zoned)
			valid = bad == ok
		}
		if !valid {
			return s.wrong(i, "is no %s as RFC 3339 writes it", s.describe())
		}
		return nil
	}
	v := c.Int(i)
	switch s.op {
	case opDate:
		if s.values.ID() == arrow.DATE64 {
			if v%dayMillis != 0 {
				return s.wrong(i, "is no whole day: round the column")
			}
			v /= dayMillis
		}
		v *= daySeconds
	case opTime:
		if day := daySeconds * (1e9 / unitNanos[unitOf(s.values)]); v < 0 || v >= day {
			return s.wrong(i, "is no time of day, which is from 00:00 to just before 24:00")
		}
		if _, whole := s.scaled(v); !whole {
			return s.wrong(i, "is finer than the schema's unit (%s): round it", s.unit)
		}
		return nil
	default:
		if _, whole := s.scaled(v); !whole {
			return s.wrong(i, "is finer than the schema's unit (%s), or too far from 1970 for it: round the column", s.unit)
		}
		v = floorDiv(v, 1e9/unitNanos[unitOf(s.values)])
	}
	if v < firstSecond || v > lastSecond {
		return s.wrong(i, "is not in the years 0000 to 9999, which RFC 3339 has")
	}
	return nil
}

// The seconds of the years 0000 to 9999.
const firstSecond, lastSecond = -62_167_219_200, 253_402_300_799

func unitOf(t arrow.DataType) arrow.TimeUnit { return t.(arrow.TemporalWithUnit).TimeUnit() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
