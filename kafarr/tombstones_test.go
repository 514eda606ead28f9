package kafarr_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// pairs are n deletions of keys of their own, each followed by its tombstone.
func pairs(n int) []replay.Message {
	var out []replay.Message
	for i := range int64(n) {
		key := []byte(fmt.Sprint("key ", i))
		out = append(out, keyed(2*i, 1, byte(i), key), tombstone(2*i+1, key))
	}
	return out
}

func TestTombstonesBetweenRowsOfOneTypeAreGatheredAfterThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, pairs(40)...)
		wantRendered(t, l, "x.A"+numbers(" n=", 0, 40, 1)+numbers(" _offset=", 0, 80, 2))
		if got := src.Stored("t", 0); got != -1 {
			t.Errorf("stored %d: nothing was acknowledged", got)
		}
		wantRendered(t, l, "null"+numbers(" _offset=", 1, 80, 2))
		if got := src.Stored("t", 0); got != 1 {
			t.Errorf("stored %d, want 1: the first tombstone was not acknowledged", got)
		}
		wantRendered(t, l, "")
		if got := src.Stored("t", 0); got != 80 {
			t.Errorf("stored %d, want 80", got)
		}
	})
}

// numbers are those from first up to end, after a name.
func numbers(name string, first, end, step int) string {
	out := name
	for i := first; i < end; i += step {
		if i > first {
			out += ","
		}
		out += fmt.Sprint(i)
	}
	return out
}

func TestARowComesAfterAnOlderTombstoneOfItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := []byte("a"), []byte("b")
		l, _ := open(t, kafarr.Config{}, keyed(0, 1, 0, a), tombstone(1, a), keyed(2, 1, 2, b), keyed(3, 1, 3, a), tombstone(4, a))
		wantRendered(t, l, "x.A n=0,2 _offset=0,2", "null _offset=1", "x.A n=3 _offset=3", "null _offset=4", "")
	})
}

func TestTheSameKeyOfAnotherPartitionOrNoKeyIsNoSuchRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elsewhere := keyed(0, 1, 2, []byte("a"))
		elsewhere.Partition = 1
		l, _ := open(t, kafarr.Config{}, keyed(0, 1, 0, []byte("a")), tombstone(1, []byte("a")), tombstone(2, nil), elsewhere, keyed(3, 1, 3, nil))
		wantRendered(t, l, "x.A n=0,2,3 _offset=0,0,3", "null _offset=1,2", "")
	})
}

func TestTombstonesThatComeFirstAreHandedOverAfterTheRowsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, tombstone(0, []byte("a")), tombstone(1, []byte("b")), keyed(2, 1, 2, []byte("c")))
		wantRendered(t, l, "x.A n=2 _offset=2", "null _offset=0,1", "")
	})
}

func TestTombstonesOfOneTypeComeBeforeTheRowsOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := func(name string) []byte { return []byte(name) }
		l, _ := open(t, kafarr.Config{}, keyed(0, 1, 0, key("a")), tombstone(1, key("b")), keyed(2, 1, 2, key("c")), keyed(3, 2, 3, key("d")), tombstone(4, key("e")), keyed(5, 2, 5, key("f")))
		wantRendered(t, l, "x.A n=0,2 _offset=0,2", "null _offset=1", "x.B n=3,5 _offset=3,5", "null _offset=4", "")
	})
}

func TestAnErrorComesAfterTheRowsAndTombstonesBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := keyed(3, 1, 0, []byte("c"))
		bad.Value = []byte("bad")
		messages := []replay.Message{keyed(0, 1, 0, []byte("a")), tombstone(1, []byte("a")), keyed(2, 1, 2, []byte("b")), bad, keyed(4, 1, 4, []byte("d"))}
		l, _ := open(t, kafarr.Config{}, messages...)
		wantRendered(t, l, "x.A n=0,2 _offset=0,2", "null _offset=1")
		if got := poll(t, l, 10); len(got) < 6 || got[:6] != "t[0]@3" {
			t.Errorf("got %q", got)
		}
		wantRendered(t, l, "x.A n=4 _offset=4", "")
	})
}

// TestARebalanceAmidTombstonesRepeatsNoRow has rows handed over, and the tombstones between them waiting, when the partition goes and comes back.
func TestARebalanceAmidTombstonesRepeatsNoRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := source.Position{Topic: "t"}
		l, src := open(t, kafarr.Config{}, pairs(3)...)
		wantRendered(t, l, "x.A n=0,1,2 _offset=0,2,4")
		pauseAndResume(t, l)
		src.Revoke(p)
		wantRendered(t, l, "")
		src.Regain(p)
		wantRendered(t, l, "null _offset=1,3,5", "")
	})
}

// changelog is a mix of types, tombstones, keys that come again and bad messages, in several partitions.
type changelog struct {
	messages []replay.Message
	keys     map[string]string // of a place: the partition and the key; "" is none
	bad      map[string]bool
	ends     map[int32]int64
}

func newChangelog(r *rand.Rand, n, partitions, keys int) changelog {
	c := changelog{keys: map[string]string{}, bad: map[string]bool{}, ends: map[int32]int64{}}
	ids := map[int32]uint32{}
	for range n {
		p := int32(r.IntN(partitions))
		if ids[p] == 0 || r.IntN(12) == 0 {
			ids[p] = uint32(1 + r.IntN(3)) // A and its newer version, or B
		}
		offset := c.ends[p]
		m := message(p, offset, ids[p], byte(r.IntN(60)))
		if r.IntN(8) > 0 {
			m.Key = []byte(fmt.Sprint(r.IntN(keys)))
			c.keys[placeOf(p, offset)] = fmt.Sprintf("%d/%s", p, m.Key)
		}
		switch r.IntN(20) {
		case 0:
			m.Value, c.bad[placeOf(p, offset)] = []byte("bad"), true
		case 1, 2, 3, 4, 5, 6, 7, 8:
			m.Value = nil
		}
		c.ends[p] = offset + 1
		c.messages = append(c.messages, m)
	}
	return c
}

func placeOf(partition int32, offset int64) string { return fmt.Sprintf("%d@%d", partition, offset) }

// typeOf is the message type of a good message.
func typeOf(m replay.Message) string {
	switch {
	case m.Value == nil:
		return "null"
	case m.Value[4] == 2:
		return "x.B"
	}
	return "x.A"
}

// book is what was handed over, and in which order.
type book struct {
	changelog
	t     *testing.T
	seen  map[string]bool
	last  map[string]int64 // the offset that came last, of a key and of a type in a partition
	trail []string
}

func newBook(t *testing.T, c changelog) *book {
	return &book{changelog: c, t: t, seen: map[string]bool{}, last: map[string]int64{}}
}

func (b *book) fail(format string, args ...any) {
	b.t.Helper()
	b.t.Fatalf(format+"\nuntil then: %q", append(args, b.trail)...)
}

// enter notes a row.
func (b *book) enter(messageType string, partition int32, offset int64) {
	b.t.Helper()
	place := placeOf(partition, offset)
	if b.seen[place] {
		b.fail("%s came twice", place)
	}
	b.seen[place] = true
	for _, of := range []string{fmt.Sprint(messageType, " in ", partition), b.keys[place]} {
		if before, any := b.last[of]; any && offset < before && of != "" {
			b.fail("of %q, %s came after offset %d", of, place, before)
		}
		b.last[of] = offset
	}
}

// take enters a batch.
func (b *book) take(batch *kafarr.Batch) {
	b.t.Helper()
	if batch == nil || batch.Record == nil {
		return
	}
	places := ""
	n := int(batch.Record.NumCols())
	offsets, partitions := batch.Record.Column(n-2).(*array.Int64), batch.Record.Column(n-1).(*array.Int32)
	for i := range offsets.Len() {
		places += " " + placeOf(partitions.Value(i), offsets.Value(i))
	}
	b.trail = append(b.trail, batch.MessageType+places)
	for i := range offsets.Len() {
		b.enter(batch.MessageType, partitions.Value(i), offsets.Value(i))
	}
}

// takeBack strikes a batch out.
func (b *book) takeBack(batch *kafarr.Batch) {
	b.trail = append(b.trail, "given back")
	n := int(batch.Record.NumCols())
	offsets, partitions := batch.Record.Column(n-2).(*array.Int64), batch.Record.Column(n-1).(*array.Int32)
	for i := range offsets.Len() {
		delete(b.seen, placeOf(partitions.Value(i), offsets.Value(i)))
	}
	left := b.seen
	b.seen, b.last = map[string]bool{}, map[string]int64{}
	for _, m := range b.messages {
		if left[placeOf(m.Partition, m.Offset)] {
			b.enter(typeOf(m), m.Partition, m.Offset)
		}
	}
}

// good is how many messages can be read.
func (b *book) good() int { return len(b.messages) - len(b.bad) }

// complete wants all good messages.
func (b *book) complete() {
	b.t.Helper()
	for _, m := range b.messages {
		if place := placeOf(m.Partition, m.Offset); !b.bad[place] && !b.seen[place] {
			b.fail("%s never came", place)
		}
	}
}

// committed wants no commit to pass a row that was not handed over.
func (b *book) committed(src *replay.Source) {
	b.t.Helper()
	for _, m := range b.messages {
		place := placeOf(m.Partition, m.Offset)
		if at := max(src.Committed("t", m.Partition), src.Stored("t", m.Partition)); at > m.Offset && !b.bad[place] && !b.seen[place] {
			b.fail("%d is committed, and %s was not handed over", at, place)
		}
	}
}

// TestAChangelogComesWholeAndInTheOrderOfItsKeys polls random changelogs in random ways: with all kinds of limits, interruptions, pauses, rebalances, commits, and batches that are
// given back. Nothing is lost or repeated, rows and tombstones of one key come in their order, and no commit passes a row that was not handed over.
func TestAChangelogComesWholeAndInTheOrderOfItsKeys(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { drive(t, r, kafarr.SplitMixed) })
	}
}

// TestAGroupedChangelogComesWhole is the same with types that are grouped, whose keys have no order.
func TestAGroupedChangelogComesWhole(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { drive(t, r, kafarr.GroupMixed) })
	}
}

func drive(t *testing.T, r *rand.Rand, mixed kafarr.Mixed) {
	cfg := kafarr.Config{
		Cluster:     kafarr.Cluster{Properties: map[string]string{"auto.offset.reset": "earliest"}},
		Messages:    kafarr.Messages{Mixed: mixed, Metadata: columns(kafarr.Offset, kafarr.Partition), Errors: []kafarr.ErrorMode{kafarr.Raise, kafarr.Skip, kafarr.Collect}[r.IntN(3)]},
		Acknowledge: []kafarr.Acknowledge{kafarr.OnNextPoll, kafarr.OnCommit}[r.IntN(2)],
	}
	b := newBook(t, newChangelog(r, 20+r.IntN(150), 1+r.IntN(3), []int{1, 3, 20, 1000}[r.IntN(4)]))
	if mixed == kafarr.GroupMixed {
		clear(b.keys)
	}
	l, src := open(t, cfg, b.messages...)
	src.FetchMax = 1 + r.IntN(60)
	most := 1 + r.IntN(60)
	var out []*kafarr.Batch
	polls := func(wait, slice time.Duration) *kafarr.Batch {
		limit := 1 + r.IntN(most)
		batch, _, err := l.PollSlice(true, limit, wait, slice)
		if err != nil && !hasCode(err, kafarr.FramingError) {
			t.Fatal(err)
		}
		if batch == nil {
			return nil
		}
		if batch.NumRows() > int64(limit) {
			b.fail("%d rows, at most %d were asked for", batch.NumRows(), limit)
		}
		b.take(batch)
		t.Cleanup(batch.Release)
		out = append(out, batch)
		return batch
	}
	poll := func() *kafarr.Batch { return polls(0, time.Second) }
	assigned := func(p source.Position) bool {
		return slices.ContainsFunc(l.Assignment(), func(a source.Position) bool { return a.Partition == p.Partition })
	}
	for len(l.Assignment()) == 0 {
		poll()
	}
	end := func() bool {
		at, err := l.Position(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return len(b.seen) == b.good() && !slices.ContainsFunc(at, func(p source.Position) bool { return p.Offset < b.ends[p.Partition] })
	}
	for !end() {
		all := l.Assignment()
		p := source.Position{Topic: "t", Partition: all[r.IntN(len(all))].Partition}
		switch r.IntN(16) {
		case 0:
			b.trail = append(b.trail, fmt.Sprint("pause of ", p.Partition))
			if err := errors.Join(l.Pause([]source.Position{p}), l.Resume([]source.Position{p})); err != nil {
				t.Fatal(err)
			}
		case 1:
			b.trail = append(b.trail, fmt.Sprint("rebalance of ", p.Partition))
			for src.Revoke(p); assigned(p); {
				poll()
			}
			for src.Regain(p); !assigned(p); {
				poll()
			}
		case 2, 3:
			if cfg.Acknowledge == kafarr.OnCommit && len(out) > 0 {
				_ = l.Commit(context.Background(), out[r.IntN(len(out))]) // it may be of a partition that was lost
			} else if err := l.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			b.committed(src)
		case 4, 5: // a poll that is interrupted: what it has received comes with the next one
			polls(time.Hour, 0)
		case 6:
			if batch := poll(); batch != nil && batch.Record != nil {
				if err := l.GiveBack([]int64{batch.ID()}, batch.Ranges); err != nil {
					t.Fatal(err)
				}
				b.takeBack(batch)
			}
		default:
			poll()
		}
	}
	poll()
	b.complete()
	if err := l.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for p, end := range b.ends {
		if got := src.Committed("t", p); got != end {
			b.fail("committed %d of partition %d, want %d", got, p, end)
		}
	}
}

// TestAScannedChangelogComesWholeAndInTheOrderOfItsKeys reads random changelogs as a whole and cut into tasks.
func TestAScannedChangelogComesWholeAndInTheOrderOfItsKeys(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := newChangelog(r, 20+r.IntN(150), 1+r.IntN(3), []int{1, 3, 20, 1000}[r.IntN(4)])
		cfg := scanConfig(t, &cluster{messages: c.messages})
		cfg.Messages.Errors, cfg.BatchRows = kafarr.Skip, 1+r.IntN(60)
		p := plan(t, cfg)
		whole, cut := newBook(t, c), newBook(t, c)
		read := func(b *book, s *kafarr.Stream) {
			defer s.Close()
			for batch, err := range s.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if batch.NumRows() > int64(cfg.BatchRows) {
					b.fail("%d rows, at most %d were asked for", batch.NumRows(), cfg.BatchRows)
				}
				b.take(batch)
				batch.Release()
			}
		}
		read(whole, p.Read())
		for _, task := range p.Tasks(int64(1 + r.IntN(50))) {
			read(cut, task.Read())
		}
		whole.complete()
		cut.complete()
	}
}
