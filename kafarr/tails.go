package kafarr

import (
	"context"
	"maps"
	"sync"
	"time"

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
	looks map[source.TopicPartition]look // l.polling guards it, and asked
	asked time.Time

	mu      sync.Mutex
	running chan struct{} // closed at the end of the look that is under way; nil: there is none
	found   []tail
}

// look is where a partition was when it was looked at.
type look struct {
	place
	wait time.Duration
	due  time.Time
}

// place is the first offset that no batch has taken, where it is known.
type place struct {
	at    int64
	known bool
}

// tail is what was found of a partition.
type tail struct {
	source.TopicPartition
	place
	next       int64
	rebalances int64 // there had been, when it was asked
}

// look asks, in the background, what lies before partitions that have not moved since the last time; quiet: that a poll got nothing. l.polling is held.
func (l *Listener) look(quiet bool) {
	t, now := &l.tails, time.Now()
	pause := tailPause
	if quiet {
		pause = tailQuiet
	}
	if l.explorer == nil || l.closing.Load() || now.Sub(t.asked) < pause || t.busy() {
		return
	}
	t.asked = now
	looks := make(map[source.TopicPartition]look, len(t.looks))
	var asked []tail
	for _, k := range l.tracker.Assignment() {
		var at place
		at.at, at.known = l.positions[k]
		seen, before := t.looks[k]
		switch {
		case !before || seen.place != at:
			seen = look{at, tailPause, now.Add(tailPause)}
			if quiet {
				asked = append(asked, tail{TopicPartition: k, place: at})
			}
		case !now.Before(seen.due):
			seen.wait = min(2*seen.wait, tailPauseMost)
			seen.due = now.Add(seen.wait)
			asked = append(asked, tail{TopicPartition: k, place: at})
		}
		looks[k] = seen
	}
	t.looks = looks
	if len(asked) == 0 {
		return
	}
	reset, rebalances := maps.Clone(l.hearResets()), l.counters.rebalances.Load()
	done := t.begin()
	spawn(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(l.ctx, tailTimeout)
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
		if _, moved := reset[a.TopicPartition]; !a.known || moved {
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
		at := a.at
		base[a.TopicPartition] = at
		if b, ok := begins[a.TopicPartition]; ok {
			if !b.sure {
				continue
			}
			at = b.offset
			if !a.known {
				base[a.TopicPartition] = b.committed
			}
		} else if !a.known { // its topic is gone
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

// passTails takes what was found for done: there is nothing to hand over of it. l.polling is held.
func (l *Listener) passTails() {
	for _, t := range l.tails.take() {
		at, known := l.positions[t.TopicPartition]
		if t.rebalances != l.counters.rebalances.Load() || !l.tracker.IsAssigned(t.TopicPartition) || (place{at, known}) != t.place {
			continue
		}
		l.passTo(t.TopicPartition, t.next)
	}
}

// settleTails waits a moment for a look that is under way, so that the last commit has it. l.polling is held.
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
