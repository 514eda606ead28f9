package kafarr

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// discard drops all rows of a partition that the caller does not have: held, half-built, or gathered and not handed over. Reading it again begins at the first of them,
// and passes those between them that the caller has, but for what it has given back.
func (l *Listener) discard(k source.TopicPartition, givenBack ...int64) {
	l.endLong()
	l.buffer.Drop(k)
	l.partitions.Of(k).Reset = partitions.Offset{}
	first, until, any := l.tracker.Discard(k)
	if !any {
		return
	}
	l.partitions.Of(k).Next = partitions.At(first)
	// A batch that is being filled cannot lose rows from its middle. It is finished, and handed over as it is from then on; so are the others, which come before or after it.
	if slices.ContainsFunc(l.batches, func(b *building) bool { return b.holds(k) }) {
		for len(l.batches) > 0 {
			l.enqueue(l.batches[0], true)
		}
	}
	dropped := slices.Clone(givenBack)
	kept := make([]*batch.Sealed, 0, len(l.queue))
	for _, f := range l.queue {
		switch {
		case !f.Holds(k):
			kept = append(kept, f)
		case f.Err != nil:
			dropped = append(dropped, f.OffsetsOf(k)...)
		default:
			dropped = append(dropped, f.OffsetsOf(k)...)
			parts := f.Without(k)
			l.tracker.Replace(f.ID, partsOf(parts))
			kept = append(kept, parts...)
		}
	}
	l.queue = kept
	if l.cfg.gathers() { // else nothing behind the first of them was handed over
		l.partitions.Of(k).Redeliver(dropped, until)
	}
}

func (b *building) holds(k source.TopicPartition) bool { return batch.Holds(b.segments, k) }

func partsOf(batches []*batch.Sealed) []delivery.Part {
	out := make([]delivery.Part, len(batches))
	for i, f := range batches {
		out[i] = delivery.Part{ID: f.ID, Ranges: f.Ranges()}
	}
	return out
}
