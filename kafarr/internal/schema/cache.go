package schema

import (
	"cmp"
	"slices"
)

// Cache bounds what compiled schemas take: producers choose the ids, so a topic may have any number of them. The plans and columns that have not been used for the longest time are
// dropped, and compiled again when a message needs them, from what the registry's client remembers or by a new question to it. A plan that is dropped stays valid for those who have it,
// and the columns of a batch that is being filled are never dropped: the rows after a drop go into the same batch as those before it.
//
// The Resolvers of a listener and what keeps its columns share one. It belongs to the goroutine that uses them.
type Cache struct {
	most  int // bytes
	bytes int // estimated, of plans, and of columns with what joins plans to them
	run   int // counts the runs of records; what a run has used is younger than what an earlier one has
}

// NewCache makes a Cache of so many bytes.
func NewCache(most int) *Cache { return &Cache{most: most} }

// IsOver tells whether the Cache holds more than it may.
func (c *Cache) IsOver() bool { return c.bytes > c.most }

// Run is the number of the run of records that is under way, which says what was used last.
func (c *Cache) Run() int { return c.run }

// Add counts bytes in, or out where they are negative.
func (c *Cache) Add(bytes int) { c.bytes += bytes }

// nextRun begins with the next run, and tells whether there is too much. No record is in hand then.
func (c *Cache) nextRun() (over bool) {
	c.run++
	return c.IsOver()
}

// Idle is something that may be dropped.
type Idle struct {
	Used  int // the run of its last use
	Bytes int
	Drop  func()
}

// drop drops what was used the longest time ago. Each holder gives what it has that was not used since a run.
func (c *Cache) drop(holders ...func(before int) []Idle) {
	var items []Idle
	for _, idle := range holders {
		items = append(items, idle(c.run-1)...)
	}
	slices.SortFunc(items, func(a, b Idle) int { return cmp.Compare(a.Used, b.Used) })
	for _, i := range items { // to three quarters, so that not every new schema looks for the oldest one
		if c.bytes <= c.most/4*3 {
			break
		}
		i.Drop()
		c.bytes -= i.Bytes
	}
}

func (c *Cache) keep(p *Compiled) {
	p.used = c.run
	c.bytes += p.size
}

// idle gives the plans that were not used since a run.
func (s *Resolver) idle(before int) []Idle {
	var out []Idle
	for ref, p := range s.plans {
		if !p.given && p.used < before {
			out = append(out, Idle{p.used, p.size, func() {
				delete(s.plans, ref)
				p.drop()
			}})
		}
	}
	return out
}

// forgetNames drops what is kept of schemas that cannot be had: a topic may hold any number of ids and GUIDs that no registry knows.
func (s *Resolver) forgetNames() {
	if len(s.unusable) > mostMissing {
		clear(s.unusable) // the next record of such a schema enters it again
	}
	if len(s.numbers) <= mostMissing && len(s.paths.known) <= mostMissing && s.envelopes.bytes <= mostTexts {
		return
	}
	needed := map[Ref]bool{}
	need := func(ref Ref) { needed[ref.schema()], needed[ref.path()] = true, true }
	for _, ref := range s.last {
		need(ref)
	}
	for ref := range s.plans {
		need(ref)
	}
	for ref := range s.lookups {
		need(ref)
	}
	for name, ref := range s.numbers {
		if !needed[ref] {
			delete(s.numbers, name)
			delete(s.names, ref)
			s.envelopes.forget(ref)
		}
	}
	s.paths.forget(needed)
}
