package fetch

import (
	"cmp"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// answer is what a Fetch brought of the range: its batches as they lie in the answer's bytes, checked, and the error that follows them.
type answer struct {
	batches []batch
	aborted []aborted // by first offset
	gone    int64     // offsets that the log had deleted
	next    int64     // the first offset after the batches, or after the gap
	ended   string    // the last answer: why
	err     error
}

// aborted is a transaction whose rows do not count: those of its producer from first on, up to its marker.
type aborted struct{ first, producer int64 }

// read takes a partition's part of an answer: the batches of [at, end) and the offset after them. What comes before an error is good.
func (a *answer) read(p *kmsg.FetchResponseTopicPartition, at, end int64, checkSums bool) (partial bool, err error) {
	a.next = at
	for _, t := range p.AbortedTransactions {
		a.aborted = append(a.aborted, aborted{t.FirstOffset, t.ProducerID})
	}
	slices.SortFunc(a.aborted, func(x, y aborted) int { return cmp.Compare(x.first, y.first) })
	for rest := p.RecordBatches; len(rest) > 0 && a.next < end; {
		var b batch
		b, rest, err = nextBatch(rest, checkSums)
		switch {
		case errors.Is(err, errPartial):
			return true, nil
		case err != nil:
			return false, err
		case b.last < a.next: // from before the offset asked for
			continue
		case b.base >= end:
			a.next = end
			return false, nil
		}
		a.batches = append(a.batches, b)
		a.next = min(b.last+1, end)
	}
	return false, nil
}

// producers follow transactions through an answer, as Kafka's own consumer does.
type producers struct {
	waiting []aborted
	aborted map[int64]bool
}

func (p *producers) begin(list []aborted) {
	p.waiting = list
	clear(p.aborted)
}

// skips reports whether a batch's records were aborted.
func (p *producers) skips(b *batch) bool {
	if b.producer < 0 {
		return false
	}
	for len(p.waiting) > 0 && p.waiting[0].first <= b.last {
		if p.aborted == nil {
			p.aborted = map[int64]bool{}
		}
		p.aborted[p.waiting[0].producer] = true
		p.waiting = p.waiting[1:]
	}
	return b.has(transactional) && !b.has(control) && p.aborted[b.producer]
}

// ends takes an abort marker: what the producer writes after it is another transaction's.
func (p *producers) ends(producer int64) { delete(p.aborted, producer) }
