package kafarr

import (
	"cmp"
	"slices"
)

// kept bounds what compiled schemas take: producers choose the ids, so a topic may have any number of them. The plans and columns that have not been used for the longest time are
// dropped, and compiled again when a message needs them, from what the registry's client remembers or by a new question to it. A plan that is dropped stays valid for whoever has it,
// and the columns of a batch that is being filled are never dropped: the rows after a drop go into the same batch as those before it.
type kept struct {
	most  int // bytes
	bytes int // estimated, of plans, and of columns with what joins plans to them
	run   int // counts the runs of records; what a run has used is younger than what an earlier one has
}

// DefaultSchemaBytes is Config.SchemaBytes' default: some hundred schemas of a hundred fields.
const DefaultSchemaBytes = 64 << 20

// schemaPart is the part of Config.MemoryLimit that compiled schemas may have at most, besides it.
const schemaPart = 4

// schemaBytes is what compiled schemas may take.
func (c *Config) schemaBytes() int {
	switch {
	case c.SchemaBytes != 0:
		return c.SchemaBytes
	case c.MemoryLimit != 0:
		return int(min(c.MemoryLimit/schemaPart, DefaultSchemaBytes))
	}
	return DefaultSchemaBytes
}

func (k *kept) over() bool { return k.bytes > k.most }

// keep counts a plan in.
func (l *Listener) keep(p *plan) {
	p.used = l.kept.run
	l.kept.bytes += p.size
}

// trim drops what was used the longest time ago, where there is too much, and begins with the next run. No record is in hand then. It tells whether what is left, because batches are
// being filled, is still too much.
func (l *Listener) trim() (crowded bool) {
	last := l.kept.run
	l.kept.run++
	l.values.forgetNames()
	if l.keys != nil {
		l.keys.forgetNames()
	}
	if !l.kept.over() {
		return false
	}
	type item struct {
		used int
		drop func()
	}
	var items []item
	sides := []*side{l.values}
	if l.keys != nil {
		sides = append(sides, l.keys)
	}
	for _, s := range sides {
		for ref, p := range s.plans {
			if !p.given && p.used < last {
				items = append(items, item{p.used, func() {
					delete(s.plans, ref)
					p.dropped = true
					l.kept.bytes -= p.size
				}})
			}
		}
	}
	for shape, set := range l.shapes {
		if set.building == nil && set.used < last {
			items = append(items, item{set.used, func() {
				delete(l.shapes, shape)
				set.dropped = true
				l.kept.bytes -= set.size
			}})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.used, b.used) })
	for _, i := range items { // to three quarters, so that not every new schema looks for the oldest one
		if l.kept.bytes <= l.kept.most/4*3 {
			break
		}
		i.drop()
	}
	for p, set := range l.sets {
		if set.dropped || p.value.dropped || p.key != nil && p.key.dropped {
			delete(l.sets, p)
		}
	}
	for _, set := range l.shapes {
		l.kept.bytes -= set.forget()
	}
	return l.kept.over()
}

// forget drops what joins dropped plans to the columns, and returns its bytes.
func (s *columnSet) forget() int {
	bytes := 0
	for p := range s.appenders {
		if p.dropped {
			delete(s.appenders, p)
			bytes += p.avro.BoundBytes()
		}
	}
	s.size -= bytes
	return bytes
}

// forgetNames drops what was kept of schemas that cannot be had: a topic may hold any number of ids and GUIDs that no registry knows.
func (s *side) forgetNames() {
	if len(s.broken) > mostUnknown {
		clear(s.broken) // the next record of such a schema enters it again
	}
	if len(s.numbers) <= mostUnknown {
		return
	}
	needed := map[schemaRef]bool{}
	for _, ref := range s.last {
		needed[ref] = true
	}
	for name, ref := range s.numbers {
		if s.plans[ref] == nil && s.lookups[ref] == nil && !needed[ref] {
			delete(s.numbers, name)
			delete(s.names, ref)
		}
	}
}
