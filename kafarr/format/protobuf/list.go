package protobuf

import (
	"bytes"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// item reads an item of a list, which has a tag of its own.
func (a *Appender) item(f *boundField, o op, base unsafe.Pointer, pos, end int) int {
	if !a.room(f, 1, pos) {
		return failed
	}
	row := f.items.begin()
	if o == opGroupItem {
		o = opGroup
	} else {
		o = f.item
	}
	if pos = a.one(f, o, base, pos, end, row); pos < 0 || !a.ended(f.items, base) {
		return failed
	}
	f.items.rows.Seal()
	return pos
}

// room reports whether n more items may be appended.
func (a *Appender) room(f *boundField, n, pos int) bool {
	if !f.list.Fits(n) {
		a.fail(faultFull, nil, 0)
		return false
	}
	if !a.effort.Spend(int64(n) * f.items.weight) {
		a.fail(faultSteps, f.more, 0)
		return false
	}
	if pos > a.effort.LookAt {
		a.effort.Passed(pos)
	}
	return true
}

// packed reads numbers that stand one after the other.
func (a *Appender) packed(f *boundField, base unsafe.Pointer, pos, end int) int {
	u, pos := format.Varint(base, pos, end)
	if pos < 0 {
		return a.fail(varintFault(pos), f.more, 0)
	}
	if u > uint64(end-pos) { //nolint:gosec // not negative
		return a.fail(faultLength, f.more, int64(u)) //nolint:gosec // of the message only
	}
	end = pos + int(u) //nolint:gosec // within the body
	width := 0
	switch f.item {
	case opFixed32:
		width = 4
	case opFixed64:
		width = 8
	}
	if width > 0 {
		n := (end - pos) / width
		if n*width != end-pos {
			return a.fail(faultPacked, f.more, int64(end-pos))
		}
		if !a.room(f, n, pos) {
			return failed
		}
		if n > 0 {
			first := f.items.rows.Extend(n)
			f.fixed.PutValues(first, unsafe.Add(base, pos), n)
		}
		return end
	}
	for pos < end {
		if !a.room(f, 1, pos) {
			return failed
		}
		row := f.items.begin()
		if pos = a.one(f, f.item, base, pos, end, row); pos < 0 {
			return failed
		}
		f.items.rows.Seal()
	}
	return end
}

// entry reads an entry of a map.
func (a *Appender) entry(f *boundField, base unsafe.Pointer, pos, end int) int {
	u, pos := format.Varint(base, pos, end)
	if pos < 0 {
		return a.fail(varintFault(pos), f.more, 0)
	}
	if u > uint64(end-pos) { //nolint:gosec // not negative
		return a.fail(faultLength, f.more, int64(u)) //nolint:gosec // of the message only
	}
	s := span{pos, pos + int(u)} //nolint:gosec // within the body
	if f.within != f.rows.serial {
		f.within, f.spans = f.rows.serial, f.spans[:0]
	}
	f.spans = append(f.spans, s)
	if !a.appendEntry(f, base, s) {
		return failed
	}
	return s.end
}

func (a *Appender) appendEntry(f *boundField, base unsafe.Pointer, s span) bool {
	if !a.room(f, 1, s.pos) {
		return false
	}
	row := f.items.begin()
	if !a.run(f.sub, base, s.pos, s.end, row) || !a.ended(f.items, base) || len(f.items.required) > 0 && !a.valued(f) {
		return false
	}
	f.items.rows.Seal()
	return true
}

// valued checks an entry that lacks its value: it has that of an empty message, which lacks all that is required.
func (a *Appender) valued(f *boundField) bool {
	for i := range f.sub.fields {
		value := f.sub.fields[i].sub
		if value != nil && value.seen != nil && value.serial != f.items.serial {
			a.fail(faultRequired, nil, 0)
			a.failure.path = join(value.plan.path, value.plan.required[0])
			return false
		}
	}
	return true
}

// ended checks a row that is read to its end, and reports whether it may be sealed.
func (a *Appender) ended(r *boundRows, base unsafe.Pointer) bool {
	for _, m := range r.required {
		if m.serial != r.serial {
			continue
		}
		for i, name := range m.plan.required {
			if m.seen[i>>6]&(1<<(i&63)) == 0 {
				a.fail(faultRequired, nil, 0)
				a.failure.path = join(m.plan.path, name)
				return false
			}
		}
	}
	for _, f := range r.maps {
		if f.within == r.serial && len(f.spans) > 1 && !a.distinct(f, base) {
			return false
		}
	}
	return true
}

// fewEntries are compared each with each.
const fewEntries = 16

// distinct drops the entries of a map whose key comes again after them: the last one counts.
func (a *Appender) distinct(f *boundField, base unsafe.Pointer) bool {
	first, n := f.list.First(), len(f.spans)
	key := f.sub.keyOf()
	repeated := make([]bool, 0, fewEntries)
	found := false
	if n <= fewEntries {
		for i := range n {
			again := false
			for k := i + 1; k < n && !again; k++ {
				again = key.equal(first+i, first+k)
			}
			repeated = append(repeated, again)
			found = found || again
		}
	} else {
		if !a.effort.Spend(int64(n)) {
			a.fail(faultSteps, f.more, 0)
			return false
		}
		seen := make(map[string]bool, n)
		repeated = make([]bool, n)
		for i := n - 1; i >= 0; i-- {
			k := key.text(first + i)
			repeated[i] = seen[k]
			found = found || seen[k]
			seen[k] = true
		}
	}
	if !found {
		return true
	}
	// The entries are read once more, without those.
	f.items.rows.Truncate(first)
	before := a.again
	a.again = true
	for i, s := range f.spans {
		if !repeated[i] && !a.appendEntry(f, base, s) {
			return false
		}
	}
	a.again = before
	return true
}

// keys are the column of a map's keys.
type keys struct{ column column.Placed }

func (m *boundMessage) keyOf() keys { return keys{m.fields[m.dense[1]-1].column} }

func (k keys) equal(i, j int) bool {
	switch c := k.column.(type) {
	case *column.PlacedVarlen:
		return bytes.Equal(c.Value(i), c.Value(j))
	case *column.PlacedBits:
		return c.At(i) == c.At(j)
	case *column.PlacedFixed:
		return bytes.Equal(c.Value(i), c.Value(j))
	}
	return false
}

func (k keys) text(i int) string {
	switch c := k.column.(type) {
	case *column.PlacedVarlen:
		return string(c.Value(i))
	case *column.PlacedBits:
		if c.At(i) {
			return "1"
		}
		return "0"
	case *column.PlacedFixed:
		return string(c.Value(i))
	}
	return ""
}
