package kafarr

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// acknowledger keeps, for each partition, what was handed over and not yet acknowledged. The offset to commit is the first one
// not acknowledged, in whatever order the acknowledgements come.
type acknowledger struct {
	partitions map[partitionKey]*handedOver
}

type partitionKey struct {
	topic     string
	partition int32
}

// handedOver is what one partition still waits to hear of, in the order of offsets.
type handedOver struct {
	spans  []span
	commit int64 // everything before it is acknowledged; -1: nothing yet
	stored int64 // the last commit offset that was passed on
}

type span struct {
	first, next int64
	done        bool
}

func newAcknowledger() *acknowledger {
	return &acknowledger{partitions: map[partitionKey]*handedOver{}}
}

// handOver notes ranges that the caller now has.
func (a *acknowledger) handOver(ranges []Range) {
	for _, r := range ranges {
		p := a.partitions[partitionKey{r.Topic, r.Partition}]
		if p == nil {
			p = &handedOver{commit: -1, stored: -1}
			a.partitions[partitionKey{r.Topic, r.Partition}] = p
		}
		p.spans = append(p.spans, span{first: r.First, next: r.Next})
	}
}

// all acknowledges everything that was handed over.
func (a *acknowledger) all() {
	for _, p := range a.partitions {
		for i := range p.spans {
			p.spans[i].done = true
		}
		p.advance()
	}
}

// some acknowledges the spans that lie within the ranges.
func (a *acknowledger) some(ranges []Range) {
	for _, r := range ranges {
		p := a.partitions[partitionKey{r.Topic, r.Partition}]
		if p == nil {
			continue
		}
		for i, s := range p.spans {
			if s.first >= r.First && s.next <= r.Next {
				p.spans[i].done = true
			}
		}
		p.advance()
	}
}

// advance moves the commit offset over the spans that are done.
func (p *handedOver) advance() {
	n := 0
	for n < len(p.spans) && p.spans[n].done {
		p.commit = p.spans[n].next
		n++
	}
	p.spans = slices.Delete(p.spans, 0, n)
}

// positions returns the offsets to commit; changed only: those that were not passed on yet.
func (a *acknowledger) positions(changedOnly bool) []source.Position {
	var out []source.Position
	for k, p := range a.partitions {
		if p.commit >= 0 && (!changedOnly || p.commit != p.stored) {
			out = append(out, source.Position{Topic: k.topic, Partition: k.partition, Offset: p.commit})
		}
	}
	return out
}

// passedOn notes that these positions were stored.
func (a *acknowledger) passedOn(positions []source.Position) {
	for _, q := range positions {
		a.partitions[partitionKey{q.Topic, q.Partition}].stored = q.Offset
	}
}

// pass makes a partition's offset be passed on again: it was assigned anew, and what was stored before is gone.
func (a *acknowledger) pass(k partitionKey) {
	if p := a.partitions[k]; p != nil {
		p.stored = -1
	}
}

// forget drops a partition, whose new owner answers for it now.
func (a *acknowledger) forget(k partitionKey) { delete(a.partitions, k) }
