package json

import (
	"math"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Appender appends bodies of one plan to one set of columns. It implements format.Appender.
type Appender struct {
	columns *format.Columns
	rows    *column.Rows // of the top level; nil: there are no columns
	root    field
	extra   *column.PlacedVarlen // of members that the schema does not name; nil: they are not kept
	limits  format.Limits
	maxRows int
	nulls   bool // values out of range are nulls
	unknown format.UnknownMembers

	failure    failure
	stopped    int // where skip found a fault
	effort     format.Effort
	tally      format.Tally   // of the bodies that are being appended
	scratch    []byte         // texts without their escapes
	decoded    []byte         // unscaled values of decimals
	others     []byte         // members of this row that the schema does not name
	seen       []uint64       // members of objects of more than 64, those of the objects that are being read
	keys       map[string]int // of a map of many keys
	candidates []candidate    // of the object that choose looked at last
}

// SetRowTimeout implements format.Appender.
func (a *Appender) SetRowTimeout(timeout time.Duration) { a.effort.SetRowTimeout(timeout) }

// SetContinue implements format.Appender.
func (a *Appender) SetContinue(mayContinue func() bool) { a.effort.SetContinue(mayContinue) }

// SetKeys implements format.Appender: values are not decrypted.
func (a *Appender) SetKeys(format.Keys) {}

// Append implements format.Appender.
func (a *Appender) Append(bodies []format.Body) (appended int, err error) {
	if len(bodies) == 0 {
		return 0, nil
	}
	a.effort.Begin(bodies)
	a.tally = a.tally[:0]
	defer func() {
		if p := recover(); p != nil {
			appended, err = a.effort.Appended(), a.recovered(p)
		}
		a.effort.End()
	}()
	return a.append(bodies)
}

func (a *Appender) append(bodies []format.Body) (int, error) {
	all := len(bodies)
	bodies = bodies[:min(all, max(0, a.maxRows-a.columns.Rows()))]
	for i := range bodies {
		b := &bodies[i]
		row := 0
		if a.rows != nil {
			row = a.rows.Begin()
		}
		if b.Len >= 0 {
			a.effort.Row()
			if a.row(row, b.Data, b.Len) < 0 {
				return i, a.giveUp()
			}
		}
		if a.rows != nil {
			a.rows.Seal()
		}
		a.columns.Appended()
		if a.effort.Enough() {
			return i + 1, nil
		}
	}
	if len(bodies) < all {
		return len(bodies), format.ErrFull
	}
	return all, nil
}

// giveUp takes back what there is of the row that failed, and returns its error.
func (a *Appender) giveUp() error {
	err := a.failure.err(a, a.effort.Body())
	a.columns.Truncate(a.columns.Rows())
	a.seen = a.seen[:0]
	return err
}

// row reads a body, and returns its end, or failed.
func (a *Appender) row(row int, base unsafe.Pointer, end int) int {
	pos := 0
	if end >= 3 && at(base, 0) == 0xEF && at(base, 1) == 0xBB && at(base, 2) == 0xBF { // a byte order mark
		pos = 3
	}
	pos = blank(base, pos, end)
	if a.extra != nil {
		a.others = a.others[:0]
	}
	if pos = a.value(&a.root, row, base, pos, end); pos < 0 {
		return failed
	}
	if pos != end {
		if pos = blank(base, pos, end); pos != end {
			return a.fail(nil, faultTrailing.position(), pos)
		}
	}
	if a.extra != nil && len(a.others) > 0 {
		a.others = append(a.others, '}')
		if !a.extra.Fits(len(a.others)) {
			return a.fail(nil, faultFull.position(), 0)
		}
		a.extra.Put(unsafe.Pointer(unsafe.SliceData(a.others)), len(a.others))
	}
	return pos
}

// value reads the value at pos, which is no white space, and stores it at the row. It returns the position after it, or failed.
//
// The types of most members are spelled out here: a call more would cost as much as the work.
func (a *Appender) value(f *field, row int, base unsafe.Pointer, pos, end int) int {
	switch f.op {
	case opInt64:
		v, negative, next := integer(base, pos, end)
		if next < 0 {
			return a.other(f, next, base, pos, end)
		}
		if negative {
			if v > f.least {
				return a.fail(f, faultRange.position(), pos)
			}
			v = -v
		} else if v > f.most {
			return a.fail(f, faultRange.position(), pos)
		}
		f.fixed.Put64(row, v)
		return next
	case opInt32:
		v, negative, next := integer(base, pos, end)
		if next < 0 {
			return a.other(f, next, base, pos, end)
		}
		if negative {
			if v > f.least {
				return a.fail(f, faultRange.position(), pos)
			}
			v = -v
		} else if v > f.most {
			return a.fail(f, faultRange.position(), pos)
		}
		f.fixed.Put32(row, uint32(v)) //nolint:gosec // the lower half is the number
		return next
	case opDouble:
		v, next := double(base, pos, end)
		if next < 0 {
			return a.other(f, next, base, pos, end)
		}
		f.fixed.Put64(row, math.Float64bits(v))
		return next
	case opFloat:
		v, next := float(base, pos, end)
		if next < 0 {
			return a.other(f, next, base, pos, end)
		}
		f.fixed.Put32(row, math.Float32bits(v))
		return next
	case opText:
		return a.text(f, base, pos, end)
	case opBoolean:
		v, next := boolean(base, pos, end)
		if next < 0 {
			return a.other(f, next, base, pos, end)
		}
		f.bits.Put(row, v != 0)
		return next
	case opObject:
		if pos >= end || at(base, pos) != '{' {
			return a.other(f, notA(base, pos, end, faultObject), base, pos, end)
		}
		if f.record != nil {
			f.record.Mark(row)
		}
		return a.object(f, row, base, pos+1, end)
	case opArray:
		return a.array(f, row, base, pos, end)
	case opMap:
		return a.mapping(f, row, base, pos, end)
	}
	return a.rare(f, row, base, pos, end)
}

// rare reads a value of the types that are not worth a place in value.
func (a *Appender) rare(f *field, row int, base unsafe.Pointer, pos, end int) int {
	switch f.op {
	case opSkip:
		next := a.skip(base, pos, end, 0)
		if next < 0 {
			return a.fail(f, next, a.stopped)
		}
		return next
	case opAny:
		return a.raw(f, base, pos, end)
	case opNull:
		return a.other(f, notA(base, pos, end, faultNullOnly), base, pos, end)
	case opInt8, opInt16:
		return a.narrow(f, row, base, pos, end)
	case opEpoch32, opEpoch64:
		return a.epoch(f, row, base, pos, end)
	case opDecimal, opUnscaled:
		return a.decimal(f, row, base, pos, end)
	case opUnion:
		return a.union(f, row, base, pos, end)
	case opEntries:
		return a.mapping(f, row, base, pos, end)
	}
	text, next := a.content(base, pos, end)
	if next < 0 {
		return a.other(f, next, base, pos, end)
	}
	switch f.op {
	case opBytes:
		return a.bytes(f, text, pos, next)
	case opEnum:
		code, known := f.more.codes[string(text)]
		if !known {
			return a.fail(f, faultSymbol.position(), pos)
		}
		f.fixed.Put32(row, code)
		return next
	case opDateTime:
		m, bad := dateTimeOf(text, f.more.zoned)
		if bad != ok {
			return a.fail(f, bad.position(), pos)
		}
		v, fits := m.in(f.more.unit)
		if !fits {
			return a.outOfRange(f, next, faultTimestamp, pos)
		}
		f.fixed.Put64(row, uint64(v)) //nolint:gosec // its bits
		return next
	case opDate:
		days, valid := dateOf(text)
		if !valid {
			return a.fail(f, faultDate.position(), pos)
		}
		f.fixed.Put32(row, uint32(days)) //nolint:gosec // years of four digits
		return next
	case opTime:
		m, valid := timeOf(text)
		if !valid {
			return a.fail(f, faultTime.position(), pos)
		}
		v, _ := m.in(f.more.unit)
		f.putTime(row, v)
		return next
	}
	panic("json: a field without a meaning") // a bug of Compile's, found by the first row of any test
}

// putTime stores a time of day in the width of its column.
func (f *field) putTime(row int, v int64) {
	if f.more.dtype.(interface{ BitWidth() int }).BitWidth() == 32 {
		f.fixed.Put32(row, uint32(v)) //nolint:gosec // within a day
		return
	}
	f.fixed.Put64(row, uint64(v)) //nolint:gosec // within a day
}

// other reads a value that is not of its field's type: null, where there may be one. next is the fault of anything else.
func (a *Appender) other(f *field, next int, base unsafe.Pointer, pos, end int) int {
	if !isNull(base, pos, end) {
		return a.fail(f, next, pos)
	}
	if !f.null {
		return a.fail(f, faultNull.position(), pos)
	}
	return pos + 4
}

// colon returns the position of the value after a name and its colon.
func (a *Appender) colon(o *field, base unsafe.Pointer, pos, end int) int {
	if pos >= end || at(base, pos) != ':' {
		if pos = blank(base, pos, end); pos >= end || at(base, pos) != ':' {
			return a.fail(o, shortOr(pos, end, faultColon).position(), pos)
		}
	}
	if pos++; pos < end && at(base, pos) <= ' ' {
		pos = blank(base, pos, end)
	}
	return pos
}

// object reads the members of an object, after its brace.
func (a *Appender) object(o *field, row int, base unsafe.Pointer, pos, end int) int {
	if !a.effort.Spend(o.work) {
		return a.fail(o, faultSteps.position(), pos)
	}
	kids := o.kids
	var seen uint64 // the members that there were, or a word of them
	words := -1     // of a.seen, where there are more members than a word has bits
	if len(o.required) > 1 {
		words = len(a.seen)
		for range o.required {
			a.seen = append(a.seen, 0)
		}
	}
	if pos < end && at(base, pos) <= ' ' {
		pos = blank(base, pos, end)
	}
	if pos < end && at(base, pos) == '}' {
		pos++
	} else {
		for next := 0; ; {
			if pos >= end || at(base, pos) != '"' {
				return a.fail(o, shortOr(pos, end, faultName).position(), pos)
			}
			pos++
			var f *field
			i := next
			if i < len(kids) && end-pos >= 8 && format.Load64(base, pos)&kids[i].mask == kids[i].word && kids[i].ends(base, pos, end) {
				f = &kids[i]
				pos += f.length
			} else {
				name := pos
				if i, pos = a.member(o, base, pos, end); pos < 0 {
					return failed
				}
				if i < 0 {
					if pos = a.unnamed(o, name, base, pos, end); pos < 0 {
						return failed
					}
				} else {
					f = &kids[i]
				}
			}
			if f != nil {
				next = i + 1
				bit := uint64(1) << (i & 63)
				if words >= 0 {
					seen = a.seen[words+i>>6]
				}
				if seen&bit != 0 && !a.again(f) {
					return a.fail(o, faultSteps.position(), pos)
				}
				if seen |= bit; words >= 0 {
					a.seen[words+i>>6] = seen
				}
				if pos = a.colon(o, base, pos, end); pos < 0 {
					return failed
				}
				if pos = a.value(f, row, base, pos, end); pos < 0 {
					return failed
				}
			}
			if pos < end && at(base, pos) <= ' ' {
				pos = blank(base, pos, end)
			}
			if pos >= end {
				return a.fail(o, faultShort.position(), pos)
			}
			c := at(base, pos)
			pos++
			if c == '}' {
				break
			}
			if c != ',' {
				return a.fail(o, faultComma.position(), pos-1)
			}
			if pos < end && at(base, pos) <= ' ' {
				pos = blank(base, pos, end)
			}
		}
	}
	if words < 0 {
		if o.required[0]&^seen != 0 {
			return a.missing(o, 0, o.required[0]&^seen, pos)
		}
		return pos
	}
	for k, required := range o.required {
		if missing := required &^ a.seen[words+k]; missing != 0 {
			return a.missing(o, k, missing, pos)
		}
	}
	a.seen = a.seen[:words]
	return pos
}
