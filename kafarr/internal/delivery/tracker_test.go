package delivery_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

var (
	a = source.TopicPartition{Topic: "t", Partition: 0}
	b = source.TopicPartition{Topic: "t", Partition: 1}
)

func TestBatchesAcknowledgedInAnyOrderCommitNoOpenRow(t *testing.T) {
	tracker, one, two := delivery.New(), batch.NewID(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Take(a, one, 0, 3)
	tracker.Take(a, two, 3, 5)
	tracker.Deliver(one)
	tracker.Deliver(two)
	wantOffsets(t, tracker)
	tracker.Acknowledge([]int64{int64(two)}, nil)
	wantOffsets(t, tracker, a.At(0))
	tracker.Acknowledge([]int64{int64(one)}, nil)
	wantOffsets(t, tracker, a.At(5))
}

func TestRowsThatWereNotDeliveredAreNotAcknowledged(t *testing.T) {
	tracker, one, two := delivery.New(), batch.NewID(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Take(a, one, 0, 3)
	tracker.Take(a, two, 3, 5)
	tracker.Deliver(one)
	tracker.Acknowledge([]int64{int64(one), int64(two)}, nil)
	tracker.AcknowledgeAll()
	wantOffsets(t, tracker, a.At(3))
}

func TestAnErrorIsAcknowledgedByTheCommitOfALaterBatch(t *testing.T) {
	tracker, before, bad, after := delivery.New(), batch.NewID(), batch.NewID(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Take(a, before, 0, 1)
	tracker.Take(a, bad, 1, 2)
	tracker.Take(a, after, 2, 3)
	tracker.Deliver(before)
	tracker.DeliverError(bad)
	tracker.Deliver(after)
	tracker.Acknowledge([]int64{int64(before)}, nil)
	wantOffsets(t, tracker, a.At(1))
	tracker.Acknowledge([]int64{int64(after)}, nil)
	wantOffsets(t, tracker, a.At(3))
}

func TestNoCommitCoversARowWhoseDeadLetterIsOnItsWay(t *testing.T) {
	tracker, id := delivery.New(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Take(a, id, 0, 9)
	tracker.Hold(a, 4)
	tracker.Deliver(id)
	tracker.AcknowledgeAll()
	wantOffsets(t, tracker, a.At(4))
	tracker.Unhold(a, 4)
	wantOffsets(t, tracker, a.At(9))
}

func TestNothingIsCommittedForAPartitionOfAnotherMember(t *testing.T) {
	tracker, id := delivery.New(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0), b.At(0)})
	tracker.Take(a, id, 0, 2)
	tracker.Take(b, id, 0, 2)
	tracker.Deliver(id)
	tracker.Unassign(a)
	ranges := []batch.Range{{Topic: b.Topic, Partition: b.Partition, First: 0, Next: 2}, {Topic: a.Topic, Partition: a.Partition, First: 0, Next: 2}}
	if lost, any := tracker.Acknowledge([]int64{int64(id)}, ranges); !any || lost.TopicPartition() != a {
		t.Errorf("the range of %v is lost, got %v %v", a, lost, any)
	}
	wantOffsets(t, tracker, b.At(2))
	if changed, _ := tracker.Store(); !slices.Equal(changed, []source.Position{b.At(2)}) {
		t.Errorf("stored %v", changed)
	}
}

func TestTheFirstOffsetStoredAfterASeekBackIsReportedOnce(t *testing.T) {
	tracker, id := delivery.New(), batch.NewID()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Seek(a.At(10), 50)
	if changed, rewound := tracker.Store(); !slices.Equal(changed, []source.Position{a.At(10)}) || !slices.Equal(rewound, changed) {
		t.Errorf("got %v, %v", changed, rewound)
	}
	tracker.Take(a, id, 10, 12)
	tracker.Deliver(id)
	tracker.AcknowledgeAll()
	if changed, rewound := tracker.Store(); !slices.Equal(changed, []source.Position{a.At(12)}) || rewound != nil {
		t.Errorf("got %v, %v", changed, rewound)
	}
	if changed, _ := tracker.Store(); changed != nil {
		t.Errorf("%v were stored twice", changed)
	}
	tracker.Assign([]source.Position{a.At(0)}) // again: what the client had stored is gone
	if changed, _ := tracker.Store(); !slices.Equal(changed, []source.Position{a.At(12)}) {
		t.Errorf("got %v", changed)
	}
}

func TestWhatTheGroupHadCommittedBeforeASeekIsNoProgressOfAnotherMember(t *testing.T) {
	tracker := delivery.New()
	tracker.Assign([]source.Position{a.At(0)})
	tracker.Seek(a.At(10), 50)
	if tracker.Overtaken(a, 50) {
		t.Error("the group's offset before the seek was taken for progress")
	}
	wantOffsets(t, tracker, a.At(10))
	if !tracker.Overtaken(a, 60) {
		t.Error("another member's progress was not seen")
	}
	wantOffsets(t, tracker)
}

// TestTheTrackerAgreesWithANaiveBook makes random calls and compares each answer with a book that notes every single row. PYKAFARR_TRACKER_CALLS is how many.
func TestTheTrackerAgreesWithANaiveBook(t *testing.T) {
	calls, _ := strconv.Atoi(os.Getenv("PYKAFARR_TRACKER_CALLS"))
	calls = cmp.Or(calls, 20_000)
	for seed := uint64(0); calls > 0; seed++ {
		run := &comparison{Rand: rand.New(rand.NewPCG(seed, 1)), tracker: delivery.New(), book: newBook()}
		for range min(calls, 200) {
			if what := run.step(); run.differs() != "" {
				t.Fatalf("seed %d, after %v and then %s: %s", seed, run.done, what, run.differs())
			}
		}
		calls -= 200
	}
}

// TestTheTrackerMayBeCalledFromSeveralGoroutines is for the race detector.
func TestTheTrackerMayBeCalledFromSeveralGoroutines(t *testing.T) {
	tracker, book := delivery.New(), newBook()
	var all sync.WaitGroup
	for seed := range uint64(4) {
		all.Go(func() {
			run := &comparison{Rand: rand.New(rand.NewPCG(seed, 2)), tracker: tracker, book: newBook()}
			for range 500 {
				run.step()
			}
		})
	}
	all.Wait()
	tracker.AcknowledgeAll()
	tracker.Unassign(book.partitions()...)
	wantOffsets(t, tracker)
}

func wantOffsets(t *testing.T, tracker *delivery.Tracker, want ...source.Position) {
	t.Helper()
	if got := sorted(tracker.Offsets()); !slices.Equal(got, want) {
		t.Errorf("the offsets to commit are %v, want %v", got, want)
	}
}

func sorted(positions []source.Position) []source.Position {
	return slices.SortedFunc(slices.Values(positions), func(x, y source.Position) int {
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
}

// book is the naive counterpart of a Tracker: a set of offsets for each batch of a partition, and every answer is counted from all of them.
type book struct {
	of        map[source.TopicPartition]*pages
	delivered []batch.ID // in their turn
	failed    map[batch.ID]bool
	enlisted  map[batch.ID]bool
	lost      map[batch.ID]bool
}

type pages struct {
	assigned     bool
	open         map[batch.ID]map[int64]bool
	away         map[batch.ID]bool // the partition was taken away after these rows were taken
	next         int64
	acknowledged bool
	stored       int64
	held         map[int64]int
	moved        bool
	committed    int64
	rewound      bool
}

func newBook() *book {
	out := &book{of: map[source.TopicPartition]*pages{}, failed: map[batch.ID]bool{}, enlisted: map[batch.ID]bool{}, lost: map[batch.ID]bool{}}
	for partition := range int32(3) {
		out.of[source.TopicPartition{Topic: "t", Partition: partition}] = emptyPages()
	}
	return out
}

func emptyPages() *pages {
	return &pages{open: map[batch.ID]map[int64]bool{}, away: map[batch.ID]bool{}, held: map[int64]int{}, stored: -1}
}

func (b *book) partitions() []source.TopicPartition {
	var out []source.TopicPartition
	for partition := range int32(len(b.of)) { // in a fixed order, so that a seed gives the same calls each time
		out = append(out, source.TopicPartition{Topic: "t", Partition: partition})
	}
	return out
}

// take fills the batch's rows up from its first one: those between belong to other batches, or are not in the log, and count for it all the same.
func (p *pages) take(id batch.ID, first, next int64) {
	rows := p.open[id]
	if rows == nil {
		rows = map[int64]bool{first: true}
		p.open[id] = rows
		delete(p.away, id)
	}
	for offset := least(rows); offset < next; offset++ {
		rows[offset] = true
	}
	p.next = max(p.next, next)
}

func least(rows map[int64]bool) int64 {
	first := int64(1 << 62)
	for offset := range rows {
		first = min(first, offset)
	}
	return first
}

func (b *book) acknowledge(id batch.ID) {
	if !slices.Contains(b.delivered, id) {
		return
	}
	b.delivered = slices.DeleteFunc(b.delivered, func(other batch.ID) bool { return other == id })
	delete(b.enlisted, id)
	delete(b.lost, id)
	for _, p := range b.of {
		if p.open[id] != nil {
			p.acknowledged = true
			delete(p.open, id)
		}
	}
}

func (b *book) commit(k source.TopicPartition) (offset int64, any bool) {
	p := b.of[k]
	if !p.assigned || !p.acknowledged {
		return 0, false
	}
	offset = p.next
	for _, rows := range p.open {
		offset = min(offset, least(rows))
	}
	for at, times := range p.held {
		if times > 0 {
			offset = min(offset, at)
		}
	}
	return offset, true
}

func (b *book) offsets() []source.Position {
	var out []source.Position
	for _, k := range b.partitions() {
		if at, any := b.commit(k); any {
			out = append(out, k.At(at))
		}
	}
	return out
}

func (b *book) firstUndelivered(k source.TopicPartition) (first int64, any bool) {
	for id, rows := range b.of[k].open {
		if !slices.Contains(b.delivered, id) {
			first, any = min(least(rows), map[bool]int64{true: first, false: 1 << 62}[any]), true
		}
	}
	return first, any
}

// comparison makes the same random calls on both.
type comparison struct {
	*rand.Rand
	tracker *delivery.Tracker
	book    *book
	filling []batch.ID // not delivered yet
	done    []string
	wrong   string
}

func (c *comparison) step() string {
	k := c.book.partitions()[c.IntN(len(c.book.of))]
	p := c.book.of[k]
	what := fmt.Sprintf("%s on %d", c.call(k, p), k.Partition)
	c.done = append(c.done, what)
	return what
}

func (c *comparison) call(k source.TopicPartition, p *pages) string {
	switch n := c.IntN(100); {
	case n < 35:
		if len(c.filling) == 0 || c.IntN(4) == 0 {
			c.filling = append(c.filling, batch.NewID())
		}
		id := c.filling[c.IntN(len(c.filling))]
		first := p.next + int64(c.IntN(3))
		next := first + int64(1+c.IntN(4))
		c.tracker.Take(k, id, first, next)
		p.take(id, first, next)
		return fmt.Sprintf("Take(%d, %d, %d)", id, first, next)
	case n < 40:
		next := p.next + int64(c.IntN(3))
		c.tracker.Skip(k, next)
		p.next, p.acknowledged = next, p.acknowledged || len(p.open) == 0
		return fmt.Sprintf("Skip(%d)", next)
	case n < 52 && len(c.filling) > 0:
		id := c.filling[0]
		c.filling = c.filling[1:]
		c.book.delivered = append(c.book.delivered, id)
		if c.IntN(4) == 0 {
			c.tracker.DeliverError(id)
			c.book.failed[id] = true
			return fmt.Sprintf("DeliverError(%d)", id)
		}
		c.tracker.Deliver(id)
		return fmt.Sprintf("Deliver(%d)", id)
	case n < 60 && len(c.book.delivered) > 0:
		return c.acknowledge()
	case n < 62:
		c.tracker.AcknowledgeAll()
		for _, id := range slices.Clone(c.book.delivered) {
			c.book.acknowledge(id)
		}
		return "AcknowledgeAll"
	case n < 66 && len(c.filling) > 0:
		return c.split()
	case n < 69 && len(c.filling) > 0:
		return c.replace(k)
	case n < 71 && len(c.book.delivered) > 0:
		id := c.book.delivered[c.IntN(len(c.book.delivered))]
		c.tracker.GiveBack([]int64{int64(id)})
		c.book.delivered = slices.DeleteFunc(c.book.delivered, func(other batch.ID) bool { return other == id })
		delete(c.book.lost, id)
		return fmt.Sprintf("GiveBack(%d)", id)
	case n < 75:
		return c.discard(k, p)
	case n < 80:
		offset := max(p.next-int64(c.IntN(3)), 0)
		if p.held[offset] > 0 && c.IntN(2) == 0 {
			c.tracker.Unhold(k, offset)
			p.held[offset]--
			return fmt.Sprintf("Unhold(%d)", offset)
		}
		c.tracker.Hold(k, offset)
		p.held[offset]++
		return fmt.Sprintf("Hold(%d)", offset)
	case n < 85:
		c.tracker.Assign([]source.Position{k.At(0)})
		p.assigned, p.stored = true, -1
		return "Assign"
	case n < 87:
		c.tracker.Unassign(k)
		p.assigned = false
		for id := range p.open {
			p.away[id] = true
		}
		return "Unassign"
	case n < 89:
		to, committed := int64(c.IntN(60)), int64(c.IntN(60))
		c.tracker.Seek(k.At(to), committed)
		held, assigned := p.held, p.assigned
		*p = *emptyPages()
		p.next, p.acknowledged, p.held, p.assigned = to, true, held, assigned
		p.moved, p.committed, p.rewound = true, committed, to < committed
		return fmt.Sprintf("Seek(%d, %d)", to, committed)
	case n < 90:
		to, next := max(p.next-5, 0), p.next
		c.tracker.Rewind(k.At(to), next)
		p.next, p.moved, p.committed, p.rewound = to, true, next, to < next
		return fmt.Sprintf("Rewind(%d, %d)", to, next)
	case n < 91:
		to, committed := int64(c.IntN(60)), int64(c.IntN(60))
		c.tracker.Start(k.At(to), committed)
		p.moved, p.committed, p.rewound = true, committed, to < committed
		return fmt.Sprintf("Start(%d, %d)", to, committed)
	case n < 93:
		return c.overtaken(k, p)
	case n < 96:
		return c.store()
	case n < 98 && len(c.book.delivered) > 0:
		return c.enlist()
	case n < 99:
		c.tracker.Forget(k)
		for _, id := range c.book.delivered {
			c.book.lost[id] = c.book.lost[id] || len(p.open[id]) > 0
		}
		p.open, p.held, p.away = map[batch.ID]map[int64]bool{}, map[int64]int{}, map[batch.ID]bool{}
		p.next, p.acknowledged, p.stored = 0, false, -1
		return "Forget"
	default:
		return c.endTransaction()
	}
}

func (c *comparison) acknowledge() string {
	id := c.book.delivered[c.IntN(len(c.book.delivered))]
	c.tracker.Acknowledge([]int64{int64(id)}, nil)
	for _, earlier := range slices.Clone(c.book.delivered) {
		if earlier == id {
			break
		}
		if c.book.failed[earlier] {
			c.book.acknowledge(earlier)
		}
	}
	c.book.acknowledge(id)
	return fmt.Sprintf("Acknowledge(%d)", id)
}

// split cuts a batch in each partition at some offset, as the first rows of a large batch are delivered before the rest.
func (c *comparison) split() string {
	at := c.IntN(len(c.filling))
	whole, head := c.filling[at], batch.NewID()
	var ranges []batch.Range
	for _, k := range c.book.partitions() {
		rows := c.book.of[k].open[whole]
		if len(rows) == 0 {
			continue
		}
		first := least(rows)
		next := first + 1 + int64(c.IntN(len(rows)))
		ranges = append(ranges, batch.Range{Topic: k.Topic, Partition: k.Partition, First: first, Next: next})
		taken := map[int64]bool{}
		for offset := range rows {
			if offset < next {
				taken[offset] = true
				delete(rows, offset)
			}
		}
		c.book.of[k].away[head] = c.book.of[k].away[whole]
		c.book.of[k].open[head] = taken
		if len(rows) == 0 {
			delete(c.book.of[k].open, whole)
		}
	}
	c.tracker.Split(whole, head, ranges)
	c.filling = slices.Insert(c.filling, at, head)
	return fmt.Sprintf("Split(%d, %d, %v)", whole, head, ranges)
}

// replace gives up a batch, as a partition that is discarded has rows in it; its rows of the other partitions live on in two parts.
func (c *comparison) replace(gone source.TopicPartition) string {
	whole := c.filling[0]
	c.filling = c.filling[1:]
	parts := []delivery.Part{{ID: batch.NewID()}, {ID: batch.NewID()}}
	for _, k := range c.book.partitions() {
		p := c.book.of[k]
		rows := p.open[whole]
		delete(p.open, whole)
		if k == gone || len(rows) == 0 {
			continue
		}
		part := &parts[c.IntN(2)]
		r := batch.Range{Topic: k.Topic, Partition: k.Partition, First: least(rows), Next: least(rows) + int64(len(rows))}
		part.Ranges = append(part.Ranges, r)
		p.take(part.ID, r.First, r.Next)
	}
	c.tracker.Replace(whole, parts)
	for _, part := range parts {
		c.filling = append(c.filling, part.ID)
	}
	return fmt.Sprintf("Replace(%d, %v)", whole, parts)
}

// ranges are where the open rows of batches lie.
func (b *book) ranges(ids ...batch.ID) []batch.Range {
	var out []batch.Range
	for _, k := range b.partitions() {
		for _, id := range ids {
			if rows := b.of[k].open[id]; len(rows) > 0 {
				out = append(out, batch.Range{Topic: k.Topic, Partition: k.Partition, First: least(rows), Next: least(rows) + int64(len(rows))})
			}
		}
	}
	return out
}

// enlist gives a batch that was delivered to a transaction.
func (c *comparison) enlist() string {
	id := c.book.delivered[c.IntN(len(c.book.delivered))]
	ranges := c.book.ranges(id)
	if c.IntN(8) == 0 { // which the batch has no rows in any more
		ranges = append(ranges, batch.Range{Topic: "t", Partition: 0, First: 1000, Next: 1001})
	}
	want := delivery.Enlisted
	if !c.book.enlisted[id] {
		want = c.obstacle(ranges, id)
	}
	if got, _ := c.tracker.Enlist([]int64{int64(id)}, ranges, nil); got != want {
		c.wrong = fmt.Sprintf("Enlist(%d, %v) gave %d, want %d", id, ranges, got, want)
	}
	if want == delivery.NoObstacle {
		c.book.enlisted[id] = true
	}
	return fmt.Sprintf("Enlist(%d)", id)
}

// obstacle is why ranges are not those of open rows of batches.
func (c *comparison) obstacle(ranges []batch.Range, ids ...batch.ID) delivery.Obstacle {
	for _, r := range ranges {
		p := c.book.of[r.TopicPartition()]
		if !p.assigned {
			return delivery.Lost
		}
		why := delivery.NotOpen
		for _, id := range ids {
			if c.book.lost[id] {
				why = delivery.Lost
			}
		}
		for _, id := range ids {
			if p.open[id][r.First] && p.open[id][r.Next-1] {
				why = map[bool]delivery.Obstacle{true: delivery.Lost, false: delivery.NoObstacle}[p.away[id]]
				break
			}
		}
		if why != delivery.NoObstacle {
			return why
		}
	}
	return delivery.NoObstacle
}

// endTransaction asks what a transaction of all that is enlisted would commit, which changes nothing, and then commits or aborts it.
func (c *comparison) endTransaction() string {
	ids := slices.DeleteFunc(slices.Clone(c.book.delivered), func(id batch.ID) bool { return !c.book.enlisted[id] })
	if len(ids) == 0 {
		return "no transaction"
	}
	var named []int64
	for _, id := range ids {
		named = append(named, int64(id))
	}
	ranges := c.book.ranges(ids...)
	offsets, why, _, _ := c.tracker.Cover(named, ranges)
	if wantOffsets, want := c.cover(ids, ranges); why != want || !slices.Equal(sorted(offsets), wantOffsets) {
		c.wrong = fmt.Sprintf("Cover(%v, %v) gave %v, %d, want %v, %d", ids, ranges, offsets, why, wantOffsets, want)
	}
	if why != delivery.NoObstacle || c.IntN(3) == 0 {
		c.tracker.Release(named)
		clear(c.book.enlisted)
		return fmt.Sprintf("Release(%v)", ids)
	}
	c.tracker.Acknowledge(named, nil)
	for _, id := range ids {
		for _, earlier := range slices.Clone(c.book.delivered) {
			if earlier == id {
				break
			}
			if c.book.failed[earlier] {
				c.book.acknowledge(earlier)
			}
		}
		c.book.acknowledge(id)
	}
	for _, o := range offsets {
		if at, any := c.book.commit(o.TopicPartition()); !any || at != o.Offset {
			c.wrong = fmt.Sprintf("%v was committed, and then %d is to be", o, at)
		}
	}
	return fmt.Sprintf("Commit(%v)", ids)
}

// cover counts which offsets a transaction of these batches commits.
func (c *comparison) cover(ids []batch.ID, ranges []batch.Range) ([]source.Position, delivery.Obstacle) {
	done := map[batch.ID]bool{}
	for _, id := range c.book.delivered { // up to the last of the batches, the errors too
		if slices.Contains(ids, id) {
			done[id] = true
			for _, earlier := range c.book.delivered[:slices.Index(c.book.delivered, id)] {
				done[earlier] = done[earlier] || c.book.failed[earlier]
			}
		}
	}
	first := func(k source.TopicPartition) (offset int64, concerned bool) {
		p := c.book.of[k]
		offset = p.next
		for id, rows := range p.open {
			if done[id] {
				concerned = true
			} else {
				offset = min(offset, least(rows))
			}
		}
		for at, times := range p.held {
			if times > 0 {
				offset = min(offset, at)
			}
		}
		return offset, concerned
	}
	for _, r := range ranges {
		if why := c.obstacle([]batch.Range{r}, ids...); why != delivery.NoObstacle {
			return nil, why
		}
		if at, _ := first(r.TopicPartition()); at < r.Next {
			return nil, delivery.Between
		}
	}
	var out []source.Position
	for _, k := range c.book.partitions() {
		if at, concerned := first(k); concerned && c.book.of[k].assigned {
			out = append(out, k.At(at))
		}
	}
	return out, delivery.NoObstacle
}

func (c *comparison) discard(k source.TopicPartition, p *pages) string {
	first, until, any := c.tracker.Discard(k)
	wantFirst, wantAny := c.book.firstUndelivered(k)
	if any != wantAny || any && first != wantFirst || until != p.next {
		c.wrong = fmt.Sprintf("Discard gave %d, %d, %v, want %d, %d, %v", first, until, any, wantFirst, p.next, wantAny)
	}
	for id := range p.open {
		if !slices.Contains(c.book.delivered, id) {
			delete(p.open, id)
		}
	}
	if wantAny {
		p.next = wantFirst
	}
	return "Discard"
}

func (c *comparison) overtaken(k source.TopicPartition, p *pages) string {
	committed := int64(c.IntN(60))
	if p.moved && c.IntN(2) == 0 {
		committed = p.committed
	}
	want := !p.moved || p.committed != committed
	if got := c.tracker.Overtaken(k, committed); got != want {
		c.wrong = fmt.Sprintf("Overtaken(%d) gave %v", committed, got)
	}
	if want {
		p.open, p.held, p.away = map[batch.ID]map[int64]bool{}, map[int64]int{}, map[batch.ID]bool{}
		p.next, p.acknowledged, p.stored = 0, false, -1
	}
	return fmt.Sprintf("Overtaken(%d)", committed)
}

func (c *comparison) store() string {
	var changed, rewound []source.Position
	for _, at := range c.book.offsets() {
		p := c.book.of[at.TopicPartition()]
		if p.stored == at.Offset {
			continue
		}
		p.stored = at.Offset
		changed = append(changed, at)
		if p.rewound {
			p.rewound = false
			rewound = append(rewound, at)
		}
	}
	gotChanged, gotRewound := c.tracker.Store()
	if !slices.Equal(sorted(gotChanged), changed) || !slices.Equal(sorted(gotRewound), rewound) {
		c.wrong = fmt.Sprintf("Store gave %v, %v, want %v, %v", gotChanged, gotRewound, changed, rewound)
	}
	return "Store"
}

// differs says what the two do not agree on.
func (c *comparison) differs() string {
	if c.wrong != "" {
		return c.wrong
	}
	if got, want := sorted(c.tracker.Offsets()), c.book.offsets(); !slices.Equal(got, want) {
		return fmt.Sprintf("the offsets to commit are %v, want %v", got, want)
	}
	assigned := 0
	for _, k := range c.book.partitions() {
		first, any := c.tracker.FirstUndelivered(k)
		if wantFirst, wantAny := c.book.firstUndelivered(k); any != wantAny || any && first != wantFirst {
			return fmt.Sprintf("the first undelivered row of %v is %d %v, want %d %v", k, first, any, wantFirst, wantAny)
		}
		if c.tracker.IsAssigned(k) != c.book.of[k].assigned {
			return fmt.Sprintf("%v is assigned: %v", k, c.tracker.IsAssigned(k))
		}
		if c.book.of[k].assigned {
			assigned++
		}
	}
	if got := len(c.tracker.Assignment()); got != assigned {
		return fmt.Sprintf("%d partitions are assigned, want %d", got, assigned)
	}
	return ""
}
