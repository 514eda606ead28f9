package delivery

import (
	"maps"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Obstacle is why batches cannot be acknowledged by a transaction.
type Obstacle int

// Obstacles. All but NoObstacle name the range that they are about.
const (
	NoObstacle Obstacle = iota
	// NotOpen: the rows are acknowledged already, or the listener was moved and gives them again.
	NotOpen
	// Enlisted: a transaction has the batch.
	Enlisted
	// Lost: the partition was taken away after the rows were taken, even if it has come back. Another member may have given them to its caller.
	Lost
	// Between: rows of other batches, or a message whose dead letter is on its way, lie before the last row of the range. An offset that covers the range would pass them.
	Between
)

// Enlist gives batches to a transaction, which acknowledges them, or gives them up by Release. The ranges may be of others, too, that the transaction has already. Nothing changes where there is
// an obstacle.
func (t *Tracker) Enlist(ids []int64, ranges []batch.Range, others []int64) (Obstacle, batch.Range) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if _, other := t.enlisted[batch.ID(id)]; other {
			return Enlisted, firstOf(ranges)
		}
		if t.delivered[batch.ID(id)] == 0 {
			return NotOpen, firstOf(ranges)
		}
	}
	named, all := setOf(ids), setOf(others)
	maps.Copy(all, named)
	for _, r := range ranges {
		if why := t.openIn(all, r); why != NoObstacle {
			return why, r
		}
	}
	maps.Copy(t.enlisted, named)
	return NoObstacle, batch.Range{}
}

func setOf(ids []int64) map[batch.ID]struct{} {
	out := map[batch.ID]struct{}{}
	for _, id := range ids {
		out[batch.ID(id)] = struct{}{}
	}
	return out
}

// openIn is why the rows of a range are not those of the batches any more. t.mu is held.
func (t *Tracker) openIn(batches map[batch.ID]struct{}, r batch.Range) Obstacle {
	p := t.partitions[r.TopicPartition()]
	if p == nil || !p.assigned {
		return Lost
	}
	for _, o := range p.open {
		if _, is := batches[o.batch]; !is || o.first > r.First || o.next < r.Next {
			continue
		}
		if o.taken != p.term {
			return Lost
		}
		return NoObstacle
	}
	for id := range batches {
		if _, lost := t.lost[id]; lost {
			return Lost
		}
	}
	return NotOpen
}

func firstOf(ranges []batch.Range) batch.Range {
	if len(ranges) == 0 {
		return batch.Range{}
	}
	return ranges[0]
}

// Release gives up that a transaction acknowledges these batches: they are open, as they were before Enlist.
func (t *Tracker) Release(ids []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.enlisted, batch.ID(id))
	}
}

// Cover returns the offsets to commit once batches of these ranges are acknowledged, of the partitions that they, and the errors that were delivered before them, have rows in. With an
// obstacle there are none. blocking is the offset of the first row that is Between.
//
// The offsets cover each row of the batches: a transaction that wrote rows and left their offsets to a later one would write them again after a crash.
func (t *Tracker) Cover(ids []int64, ranges []batch.Range) (offsets []source.Position, why Obstacle, of batch.Range, blocking int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	named, last := setOf(ids), turn(0)
	for id := range named {
		last = max(last, t.delivered[id])
	}
	done := maps.Clone(named)
	for _, id := range t.failed {
		if at := t.delivered[id]; at > 0 && at < last {
			done[id] = struct{}{}
		}
	}
	for _, r := range ranges {
		if why := t.openIn(named, r); why != NoObstacle {
			return nil, why, r, 0
		}
		if at := t.partitions[r.TopicPartition()].commitWithout(done); at < r.Next {
			return nil, Between, r, at
		}
	}
	for k, p := range t.partitions {
		if p.assigned && p.hasAny(done) {
			offsets = append(offsets, k.At(p.commitWithout(done)))
		}
	}
	return offsets, NoObstacle, batch.Range{}, 0
}

// hasAny reports whether rows of one of the batches are open.
func (p *partition) hasAny(batches map[batch.ID]struct{}) bool {
	for _, o := range p.open {
		if _, is := batches[o.batch]; is {
			return true
		}
	}
	return false
}
