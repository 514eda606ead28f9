package json

import (
	"bytes"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// member looks a member up whose name begins at pos, and returns its number, -1 where the schema does not name it, and the position after the name.
func (a *Appender) member(o *field, base unsafe.Pointer, pos, end int) (number, next int) {
	quote, has := endOfString(base, pos, end)
	if quote < 0 {
		return -1, a.fail(o, quote, pos)
	}
	name := format.Span(base, pos, quote-pos)
	if has != 0 {
		if has&hasHighBytes != 0 && !utf8.Valid(name) {
			return -1, a.fail(o, faultUTF8.position(), pos)
		}
		if has&hasEscapes != 0 {
			a.scratch = grown(a.scratch, len(name))
			n, bad := unescape(a.scratch, name)
			if bad != ok {
				return -1, a.fail(o, bad.position(), pos)
			}
			name = a.scratch[:n]
		}
	}
	i, known := o.more.index[string(name)]
	if !known {
		return -1, quote + 1
	}
	return int(i), quote + 1
}

// again takes back what a member has stored that comes once more: the last one counts. It reports whether the message has the steps for it.
func (a *Appender) again(f *field) bool {
	if f.any == nil {
		return true
	}
	f.any.Clear()
	return a.effort.Spend(int64(f.more.columns))
}

// unnamed passes over a member that the schema does not name. name is where its name begins, and pos where it has ended. It returns the position after the value.
func (a *Appender) unnamed(o *field, name int, base unsafe.Pointer, pos, end int) int {
	nameEnd := pos - 1
	if pos = a.colon(o, base, pos, end); pos < 0 {
		return failed
	}
	next := a.skip(base, pos, end, 0)
	if next < 0 {
		return a.fail(o, next, a.stopped)
	}
	switch {
	case a.unknown == format.RaiseUnknown:
		a.fail(o, faultUnknown.position(), name)
		a.failure.name = string(format.Span(base, name, nameEnd-name))
		return failed
	case a.extra != nil && o == &a.root:
		a.others = append(a.others, `{,`[min(len(a.others), 1)], '"')
		a.others = append(a.others, format.Span(base, name, nameEnd-name)...)
		a.others = append(a.others, '"', ':')
		a.others = append(a.others, format.Span(base, pos, next-pos)...)
	default:
		a.count().UnknownMembers++
	}
	if next > a.effort.LookAt {
		a.effort.Passed(next)
	}
	return next
}

// missing fails a row whose object lacks members: those of a word of its bits.
func (a *Appender) missing(o *field, word int, missing uint64, pos int) int {
	a.fail(o, faultMissing.position(), pos-1)
	a.failure.name = o.kids[word*64+bits.TrailingZeros64(missing)].more.name
	return failed
}

// array reads the items of an array.
func (a *Appender) array(f *field, row int, base unsafe.Pointer, pos, end int) int {
	if pos >= end || at(base, pos) != '[' {
		return a.other(f, notA(base, pos, end, faultArray), base, pos, end)
	}
	f.list.Mark(row)
	item, items, most := &f.kids[0], f.list.Items, f.more.items
	if pos = blank(base, pos+1, end); pos < end && at(base, pos) == ']' {
		return pos + 1
	}
	for {
		if items.Len() >= most {
			return a.fail(f, faultFull.position(), pos)
		}
		if pos = a.value(item, items.Begin(), base, pos, end); pos < 0 {
			return failed
		}
		items.Seal()
		if end-pos >= 2 && at(base, pos) == ',' && at(base, pos+1) > ' ' && pos < a.effort.LookAt { // as most items are followed
			pos++
			continue
		}
		var more bool
		if pos, more = a.following(f, ']', base, pos, end); !more {
			return pos
		}
	}
}

// following reads what follows an item: the closing bracket, or a comma, after which there is another item. A negative position is failed.
func (a *Appender) following(f *field, closing byte, base unsafe.Pointer, pos, end int) (next int, more bool) {
	if pos < end && at(base, pos) <= ' ' {
		pos = blank(base, pos, end)
	}
	if pos >= end {
		return a.fail(f, faultShort.position(), pos), false
	}
	switch at(base, pos) {
	case closing:
		return pos + 1, false
	case ',':
		if pos++; pos < end && at(base, pos) <= ' ' {
			pos = blank(base, pos, end)
		}
		if pos > a.effort.LookAt {
			a.effort.Passed(pos)
		}
		return pos, true
	}
	return a.fail(f, faultComma.position(), pos), false
}

// mapping reads a map. Where a key comes twice, the last one counts.
func (a *Appender) mapping(f *field, row int, base unsafe.Pointer, pos, end int) int {
	opening, notOne := byte('{'), faultObject
	if f.op == opEntries {
		opening, notOne = '[', faultArray
	}
	if pos >= end || at(base, pos) != opening {
		return a.other(f, notA(base, pos, end, notOne), base, pos, end)
	}
	f.list.Mark(row)
	pos++
	next := a.entriesOf(f, nil, base, pos, end)
	if next < 0 {
		return next
	}
	replaced := a.replaced(f)
	if replaced == nil {
		return next
	}
	if !a.effort.Spend(int64(next - pos)) { // maps within maps are read again and again
		return a.fail(f, faultSteps.position(), pos)
	}
	f.list.Items.Truncate(f.list.First())
	return a.entriesOf(f, replaced, base, pos, end)
}

// entriesOf reads the entries of a map, after its bracket, but for those that are replaced by later ones.
func (a *Appender) entriesOf(f *field, replaced []bool, base unsafe.Pointer, pos, end int) int {
	items, most := f.list.Items, f.more.items
	closing := byte('}')
	if f.op == opEntries {
		closing = ']'
	}
	if pos = blank(base, pos, end); pos < end && at(base, pos) == closing {
		return pos + 1
	}
	for i := 0; ; i++ {
		switch {
		case items.Len() >= most:
			return a.fail(f, faultFull.position(), pos)
		case replaced != nil && replaced[i]: // it was read before: nothing is wrong with it
			if f.op == opMap {
				pos = a.checkString(base, pos+1, end)
				pos = blank(base, pos, end) + 1 // a colon
			}
			pos = a.skip(base, pos, end, 0)
		default:
			pos = a.entry(f, items.Begin(), base, pos, end)
			if pos < 0 {
				return failed
			}
			items.Seal()
		}
		var more bool
		if pos, more = a.following(f, closing, base, pos, end); !more {
			return pos
		}
	}
}

// entry reads an entry of a map.
func (a *Appender) entry(f *field, row int, base unsafe.Pointer, pos, end int) int {
	key, value := &f.kids[0], &f.kids[1]
	switch {
	case f.more.pairs:
		if pos >= end || at(base, pos) != '[' {
			return a.fail(f, shortOr(pos, end, faultEntry).position(), pos)
		}
		if pos = a.value(key, row, base, blank(base, pos+1, end), end); pos < 0 {
			return failed
		}
		next, more := a.following(f, ']', base, pos, end)
		if next < 0 {
			return failed
		}
		if !more {
			return a.fail(f, faultEntry.position(), pos)
		}
		if pos = a.value(value, row, base, next, end); pos < 0 {
			return failed
		}
		if next, more = a.following(f, ']', base, pos, end); more {
			return a.fail(f, faultEntry.position(), pos)
		}
		return next
	case f.op == opEntries:
		if pos >= end || at(base, pos) != '{' {
			return a.fail(f, shortOr(pos, end, faultEntry).position(), pos)
		}
		return a.object(f, row, base, pos+1, end)
	}
	if pos >= end || at(base, pos) != '"' {
		return a.fail(f, shortOr(pos, end, faultName).position(), pos)
	}
	if pos = a.text(key, base, pos, end); pos < 0 {
		return failed
	}
	if pos = a.colon(f, base, pos, end); pos < 0 {
		return failed
	}
	return a.value(value, row, base, pos, end)
}

// replaced says of each entry of the map that is being read whether a later one has its key; nil: of none. Keys that are nested, which entries may have, are not compared.
func (a *Appender) replaced(f *field) []bool {
	const few = 12 // so many are compared with one another
	first, n := f.list.First(), f.list.Items.Len()-f.list.First()
	var keys interface{ Value(row int) []byte }
	switch key := &f.kids[0]; {
	case key.varlen != nil:
		keys = key.varlen
	case key.fixed != nil:
		keys = key.fixed
	default:
		return nil
	}
	var out []bool
	replace := func(i int) {
		if out == nil {
			out = make([]bool, n)
		}
		out[i] = true
	}
	if n <= few {
		for i := range n - min(n, 1) {
			key := keys.Value(first + i)
			for k := i + 1; k < n; k++ {
				if bytes.Equal(key, keys.Value(first+k)) {
					replace(i)
					break
				}
			}
		}
		return out
	}
	if a.keys == nil {
		a.keys = map[string]int{}
	}
	for i := range n {
		key := keys.Value(first + i)
		text := unsafe.String(unsafe.SliceData(key), len(key))
		if before, twice := a.keys[text]; twice {
			replace(before)
		}
		a.keys[text] = i
	}
	clear(a.keys)
	return out
}

// union reads a value of the branch that takes what stands there.
func (a *Appender) union(f *field, row int, base unsafe.Pointer, pos, end int) int {
	branch, b := -1, &f.more.branches
	if pos < end {
		switch c := at(base, pos); c {
		case '{':
			if branch = b.object; f.more.objects != nil {
				if branch = a.choose(f, base, pos, end); branch == failed {
					return failed
				}
			}
		case '[':
			branch = b.array
		case '"':
			branch = b.text
		case 't', 'f':
			branch = b.boolean
		default:
			if c != '-' && c-'0' > 9 {
				break
			}
			if branch = b.number; isWhole(base, pos, end) && b.whole >= 0 || branch < 0 {
				branch = b.whole
			}
		}
	}
	if branch < 0 {
		return a.other(f, notA(base, pos, end, faultBranch), base, pos, end)
	}
	f.record.Mark(row)
	return a.value(&f.kids[branch], row, base, pos, end)
}

// isWhole reports whether a number is written without a point and without an exponent.
func isWhole(base unsafe.Pointer, pos, end int) bool {
	if at(base, pos) == '-' {
		pos++
	}
	pos = afterDigits(base, pos, end)
	return pos >= end || at(base, pos) != '.' && at(base, pos)|0x20 != 'e'
}
