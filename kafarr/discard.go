package kafarr

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// discard drops all rows of a partition that the caller does not have: those in the buffer, in batches that are being filled, and in sealed batches. The partition is read again
// from the first of them on; rows between them that the caller has are skipped, unless it has given them back.
func (l *Listener) discard(k source.TopicPartition, givenBack ...int64) {
	l.buffer.Drop(k)
	l.partitions.Of(k).Reset = partitions.Offset{}
	first, until, any := l.tracker.Discard(k)
	if !any {
		l.assembler.EndLong()
		return
	}
	l.partitions.Of(k).Next = partitions.At(first)
	dropped := append(slices.Clone(givenBack), l.assembler.Drop(k)...)
	if l.cfg.Messages.gather() { // else no row after the first of them was delivered
		l.partitions.Of(k).Redeliver(dropped, until)
	}
}
