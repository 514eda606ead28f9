package assemble

import "github.com/pykafarr/pykafarr/kafarr/internal/schema"

// Shapes keeps the columns of each shape that was met. What they take without rows is bounded by a cache, together with the compiled schemas.
type Shapes struct {
	options *Options
	cache   *schema.Cache
	beside  *schema.Compiled // whose rows are gathered beside those of a type; nil: there are none
	byPair  map[schema.Pair]*Columns
	byShape map[string]*Columns // the same columns
	recent  [2]bound            // of the last pairs, which take turns where there are tombstones between rows
}

// bound is a pair of schemas and its columns.
type bound struct {
	pair    schema.Pair
	columns *Columns // nil: none
}

// NewShapes returns a Shapes that has no columns yet.
func NewShapes(o *Options, cache *schema.Cache) *Shapes {
	return &Shapes{options: o, cache: cache, byPair: map[schema.Pair]*Columns{}, byShape: map[string]*Columns{}}
}

// mostExpected bounds the room that a first batch gets for the rows that its poll may return: few polls with a huge limit find so many.
const mostExpected = 1 << 17

// Of returns the columns of a pair of schemas: the same for all of a shape. rows is how many of its rows may come at once.
func (s *Shapes) Of(pair schema.Pair, rows int) *Columns {
	for i := range s.recent {
		if r := &s.recent[i]; r.pair == pair && r.columns != nil {
			r.columns.used = s.cache.Run()
			return r.columns
		}
	}
	c := s.byPair[pair]
	if c == nil {
		c = s.bind(pair, rows)
	}
	c.used = s.cache.Run()
	s.recent[0], s.recent[1] = bound{pair, c}, s.recent[0]
	return c
}

// bind joins a pair that was not met yet to the columns of its shape.
func (s *Shapes) bind(pair schema.Pair, rows int) *Columns {
	shape := pair.Shape()
	c := s.byShape[shape]
	if c == nil {
		c = NewColumns(pair, s.options)
		c.tombstones = s.beside != nil && pair.Value == s.beside
		c.expect(min(rows, mostExpected))
		s.cache.Add(c.size)
		s.byShape[shape] = c
	}
	s.cache.Add(c.bind(pair))
	s.byPair[pair] = c
	return c
}

// Idle gives the columns that were not used since a run, and that no batch is being filled with.
func (s *Shapes) Idle(before int) []schema.Idle {
	var out []schema.Idle
	for shape, c := range s.byShape {
		if c.builder == nil && c.used < before {
			out = append(out, schema.Idle{Used: c.used, Bytes: c.size, Drop: func() {
				delete(s.byShape, shape)
				c.dropped = true
			}})
		}
	}
	return out
}

// Forget drops what joins plans to columns where one of both was dropped.
func (s *Shapes) Forget() {
	s.recent = [2]bound{}
	for pair, c := range s.byPair {
		if c.dropped || pair.Dropped() {
			delete(s.byPair, pair)
		}
	}
	for _, c := range s.byShape {
		s.cache.Add(-c.unbind())
	}
}
