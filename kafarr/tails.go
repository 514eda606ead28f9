package kafarr

import (
	"context"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// How often partitions that bring nothing are looked at, and how long the last commit waits for a look that is under way.
const (
	tailPause     = time.Second
	tailPauseMost = 10 * time.Second
	tailQuiet     = 100 * time.Millisecond
	tailTimeout   = 10 * time.Second
	tailPatience  = 2 * time.Second
)

// tails looks at what lies behind the last row of partitions that bring nothing: transaction markers, rows of aborted transactions, offsets that compaction has emptied, or that the client was
// moved over when what it asked for was gone. None of that ever becomes a row, so without it a position would never reach the end of such a log, and no commit either. What is found is a fact of the log: that
// there is no record in [from, next). It holds whatever the client does meanwhile, so it needs no order with the rows that are on their way.
type tails struct {
	asked time.Time // life.mu guards it

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

// look asks, in the background, what lies before partitions that have not moved since the last time; quiet: that a poll got nothing. life.mu is held.
func (l *Listener) look(quiet bool) {
	t, now := &l.tails, time.Now()
	pause := tailPause
	if quiet {
		pause = tailQuiet
	}
	if l.explorer == nil || l.life.isLeaving() || now.Sub(t.asked) < pause || t.busy() {
		return
	}
	t.asked = now
	var asked []tail
	for _, k := range l.tracker.Assignment() {
		p := l.partitions.Of(k)
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
	l.hearResets()
	reset, rebalances := l.partitions.Resets(), l.counters.rebalances.Load()
	done := t.begin()
	spawn(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(l.life.ctx, tailTimeout)
		defer cancel()
		found, err := l.explore(ctx, asked, reset)
		if err != nil {
			l.log.client(7, "TAIL", "what lies behind the last rows could not be asked: "+err.Error())
		}
		for i := range found {
			found[i].rebalances = rebalances
		}
		t.end(found)
	}, func(err error) { t.end(nil); l.log.client(4, "TAIL", err.Error()) })
}

// explore finds the tails that are not empty.
func (l *Listener) explore(ctx context.Context, asked []tail, reset map[source.TopicPartition]int64) ([]tail, error) {
	var unknown []source.TopicPartition
	for _, a := range asked {
		if _, moved := reset[a.TopicPartition]; !a.from.Known || moved {
			unknown = append(unknown, a.TopicPartition)
		}
	}
	begins, _, err := l.beginnings(ctx, unknown, reset)
	if err != nil {
		return nil, err
	}
	var from []source.Position
	base := map[source.TopicPartition]int64{}
	for _, a := range asked {
		at := a.from.At
		base[a.TopicPartition] = at
		if b, ok := begins[a.TopicPartition]; ok {
			if !b.sure {
				continue
			}
			at = b.offset
			if !a.from.Known {
				base[a.TopicPartition] = b.committed
			}
		} else if !a.from.Known { // its topic is gone
			continue
		}
		from = append(from, a.At(at))
	}
	next, err := l.explorer.AskNext(ctx, from)
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

// passTails takes what was found for done: there is nothing to hand over of it. life.mu is held.
func (l *Listener) passTails() {
	for _, t := range l.tails.take() {
		if t.rebalances != l.counters.rebalances.Load() || !l.tracker.IsAssigned(t.TopicPartition) || l.partitions.Of(t.TopicPartition).Next != t.from {
			continue
		}
		l.skip(t.TopicPartition, t.next)
	}
}

// settleTails waits a moment for a look that is under way, so that the last commit has it. life.mu is held.
func (l *Listener) settleTails() {
	l.tails.mu.Lock()
	running := l.tails.running
	l.tails.mu.Unlock()
	if running != nil {
		select {
		case <-running:
		case <-time.After(tailPatience):
		}
	}
	l.passTails()
}

func (t *tails) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running != nil
}

func (t *tails) begin() chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = make(chan struct{})
	return t.running
}

func (t *tails) end(found []tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = nil
	t.found = append(t.found, found...)
}

func (t *tails) take() []tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.found
	t.found = nil
	return out
}
