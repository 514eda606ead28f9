package membership

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// How often partitions that bring nothing are looked at, and how long the last commit waits for a look that is under way.
const (
	tailPause      = time.Second
	tailPauseMost  = 10 * time.Second
	tailQuiet      = 100 * time.Millisecond
	tailTimeout    = 10 * time.Second
	lastCommitWait = 2 * time.Second
)

// Tails looks at what lies after the last row of partitions that bring nothing: transaction markers, rows of aborted transactions, offsets that compaction has emptied, or that the client was
// moved over when what it asked for was gone. None of that ever becomes a row, so without it a position would never reach the end of such a log, and no commit either. What is found is a fact of the log: that
// there is no record in [from, next). It holds whatever the client does meanwhile, so it needs no order with the rows that are on their way.
//
// The listener's lock guards it, but for what the look in the background has found.
type Tails struct {
	explorer   source.RecordFinder // nil: nothing is looked at
	offsets    Offsets
	table      *partitions.Table
	tracker    *delivery.Tracker
	rebalances *atomic.Int64 // so many there were
	log        Log

	asked time.Time

	mu      sync.Mutex
	running chan struct{} // closed at the end of the look that is under way; nil: there is none
	found   []tail
}

// tail is what was found of a partition.
type tail struct {
	source.TopicPartition
	from       partitions.Offset // the first offset that no batch had taken
	next       int64
	rebalances int64 // there had been, when it was asked
}

// look asks, in the background, what lies before partitions that have not moved since the last time; quiet: that a poll got nothing.
func (t *Tails) look(ctx context.Context, quiet bool) {
	now := time.Now()
	pause := tailPause
	if quiet {
		pause = tailQuiet
	}
	if t.explorer == nil || now.Sub(t.asked) < pause || t.busy() {
		return
	}
	t.asked = now
	var asked []tail
	for _, k := range t.tracker.Assignment() {
		p := t.table.Of(k)
		switch seen := &p.Look; {
		case seen.Due.IsZero() || seen.Next != p.Next:
			*seen = partitions.Look{Next: p.Next, Wait: tailPause, Due: now.Add(tailPause)}
			if quiet {
				asked = append(asked, tail{TopicPartition: k, from: p.Next})
			}
		case !now.Before(seen.Due):
			seen.Wait = min(2*seen.Wait, tailPauseMost)
			seen.Due = now.Add(seen.Wait)
			asked = append(asked, tail{TopicPartition: k, from: p.Next})
		}
	}
	if len(asked) == 0 {
		return
	}
	reset, rebalances := t.table.Resets(), t.rebalances.Load()
	done := t.begin()
	async.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, tailTimeout)
		defer cancel()
		found, err := t.explore(ctx, asked, reset)
		if err != nil {
			t.log.Client(7, "TAIL", "the offsets after the last rows could not be asked for: "+err.Error())
		}
		for i := range found {
			found[i].rebalances = rebalances
		}
		t.end(found)
	}, func(err error) { t.end(nil); t.log.Client(4, "TAIL", err.Error()) })
}

// explore finds the tails that are not empty.
func (t *Tails) explore(ctx context.Context, asked []tail, reset map[source.TopicPartition]int64) ([]tail, error) {
	var unknown []source.TopicPartition
	for _, a := range asked {
		if _, moved := reset[a.TopicPartition]; !a.from.Known || moved {
			unknown = append(unknown, a.TopicPartition)
		}
	}
	begins, _, err := t.offsets.Beginnings(ctx, unknown, reset)
	if err != nil {
		return nil, err
	}
	var from []source.Position
	base := map[source.TopicPartition]int64{}
	for _, a := range asked {
		at := a.from.At
		base[a.TopicPartition] = at
		if b, ok := begins[a.TopicPartition]; ok {
			if !b.Sure {
				continue
			}
			at = b.Offset
			if !a.from.Known {
				base[a.TopicPartition] = b.Committed
			}
		} else if !a.from.Known { // its topic is gone
			continue
		}
		from = append(from, a.At(at))
	}
	next, err := t.explorer.FindNext(ctx, from)
	nexts := map[source.TopicPartition]int64{}
	for _, p := range next {
		nexts[p.TopicPartition()] = p.Offset
	}
	var found []tail
	for _, a := range asked {
		if n, ok := nexts[a.TopicPartition]; ok && n > base[a.TopicPartition] {
			a.next = n
			found = append(found, a)
		}
	}
	return found, err
}

// Pass takes what was found for done: there is nothing to hand over of it.
func (t *Tails) Pass() {
	for _, found := range t.take() {
		k := found.TopicPartition
		if found.rebalances != t.rebalances.Load() || !t.tracker.IsAssigned(k) || t.table.Of(k).Next != found.from {
			continue
		}
		t.tracker.Skip(k, found.next)
		t.table.Of(k).Advance(found.next)
	}
}

// Settle is Pass, and waits a moment for a look that is under way, so that the last commit covers what it finds.
func (t *Tails) Settle() {
	t.mu.Lock()
	running := t.running
	t.mu.Unlock()
	if running != nil {
		select {
		case <-running:
		case <-time.After(lastCommitWait):
		}
	}
	t.Pass()
}

func (t *Tails) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running != nil
}

func (t *Tails) begin() chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = make(chan struct{})
	return t.running
}

func (t *Tails) end(found []tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = nil
	t.found = append(t.found, found...)
}

func (t *Tails) take() []tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.found
	t.found = nil
	return out
}
