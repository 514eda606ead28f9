package kafarr

import "github.com/pykafarr/pykafarr/kafarr/internal/schema"

// trim begins with the next run of records, and drops the plans and columns that were used the longest time ago, where there are too many. It tells whether what is left, because
// batches are being filled, is still too much.
func (l *Listener) trim() (crowded bool) {
	if !l.schemas.NextRun() {
		return false
	}
	l.schemas.Drop(l.idleColumns)
	for p, set := range l.sets {
		if set.dropped || p.Dropped() {
			delete(l.sets, p)
		}
	}
	for _, set := range l.shapes {
		l.schemas.Cache.Add(-set.forget())
	}
	return l.schemas.Cache.IsOver()
}

// idleColumns are the columns that were not used since a run, and that no batch is being filled of.
func (l *Listener) idleColumns(before int) []schema.Idle {
	var out []schema.Idle
	for shape, set := range l.shapes {
		if set.building == nil && set.used < before {
			out = append(out, schema.Idle{Used: set.used, Bytes: set.size, Drop: func() {
				delete(l.shapes, shape)
				set.dropped = true
			}})
		}
	}
	return out
}

// forget drops what joins dropped plans to the columns, and returns its bytes.
func (s *columnSet) forget() int {
	bytes := 0
	for p := range s.appenders {
		if p.Dropped() {
			delete(s.appenders, p)
			bytes += p.Plan.BoundBytes()
		}
	}
	s.size -= bytes
	return bytes
}
