package json

import (
	"math/bits"
	"slices"
	"unsafe"
)

// candidate is a branch of a union that an object may be of.
type candidate struct {
	seen  []uint64 // a bit for each member of the branch that the object has
	named int      // how many of the object's members it names
	out   bool     // a value of the object's is none of those that the branch allows
}

// choose tells of which branch an object is, by its members. It returns the branch, -1: it is of none, or failed. Which branch is right is known at the object's end only, so that
// its values are passed over first, and read after that.
func (a *Appender) choose(f *field, base unsafe.Pointer, pos, end int) int {
	candidates := a.candidatesOf(f)
	if pos = blank(base, pos+1, end); pos < end && at(base, pos) == '}' {
		return f.best(candidates)
	}
	for more := true; more; {
		if pos >= end || at(base, pos) != '"' {
			return a.fail(f, notA(base, pos, end, faultName), pos)
		}
		name := pos + 1
		var value int
		for i, branch := range f.more.objects {
			o, c := &f.kids[branch], &candidates[i]
			number, next := a.member(o, base, name, end)
			if next < 0 {
				return failed
			}
			if pos = a.colon(o, base, next, end); pos < 0 {
				return failed
			}
			if value = pos; number >= 0 {
				c.named++
				c.seen[number>>6] |= 1 << (number & 63)
				c.out = c.out || !a.mayBe(&o.kids[number], base, value, end)
			}
		}
		if !a.effort.Spend(int64(len(candidates))) { // each member is looked for in each branch
			return a.fail(f, faultSteps.position(), name)
		}
		if pos = a.skip(base, value, end, 0); pos < 0 {
			return a.fail(f, pos, a.stopped)
		}
		if pos, more = a.following(f, '}', base, pos, end); pos < 0 {
			return failed
		}
	}
	return f.best(candidates)
}

// candidatesOf are the branches of a union, of whose members none is seen yet. They lie where those of the last value did.
func (a *Appender) candidatesOf(f *field) []candidate {
	n := len(f.more.objects)
	a.candidates = slices.Grow(a.candidates[:0], n)[:n]
	for i, branch := range f.more.objects {
		words := len(f.kids[branch].more.telling)
		seen := slices.Grow(a.candidates[i].seen[:0], words)[:words]
		clear(seen)
		a.candidates[i] = candidate{seen: seen}
	}
	return a.candidates
}

// mayBe reports whether a text is one of an enum, and a whole number or a boolean one of those that its type has alone. What is neither may be anything here: it is looked at when it is
// read.
func (a *Appender) mayBe(f *field, base unsafe.Pointer, pos, end int) bool {
	if f.more.only != nil && pos < end {
		return isOneOf(f.more.only, base, pos, end)
	}
	if f.more.codes == nil || pos >= end || at(base, pos) != '"' {
		return true
	}
	text, next := a.content(base, pos, end)
	if next < 0 {
		return true
	}
	_, known := f.more.codes[string(text)]
	return known
}

// isOneOf reports whether a whole number or a boolean is one of these. What is neither may be.
func isOneOf(only []int64, base unsafe.Pointer, pos, end int) bool {
	switch at(base, pos) {
	case 't':
		return slices.Contains(only, 1)
	case 'f':
		return slices.Contains(only, 0)
	}
	v, negative, next := integer(base, pos, end)
	if next < 0 {
		return true
	}
	if negative {
		return slices.ContainsFunc(only, func(one int64) bool { return one <= 0 && -uint64(one) == v }) //nolint:gosec // the magnitude of a negative number
	}
	return slices.ContainsFunc(only, func(one int64) bool { return one >= 0 && uint64(one) == v })
}

// best is the branch that names the most members, of those that lack none; -1: there is none.
func (f *field) best(candidates []candidate) int {
	best, most := -1, -1
next:
	for i := range candidates {
		c, branch := &candidates[i], f.more.objects[i]
		for word, required := range f.kids[branch].more.telling {
			if bits.OnesCount64(required&^c.seen[word]) > 0 {
				continue next
			}
		}
		if !c.out && c.named > most {
			best, most = branch, c.named
		}
	}
	return best
}
