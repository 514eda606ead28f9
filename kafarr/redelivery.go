package kafarr

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// lastDelivered is the batch that was delivered last, if batches of several types may lie between each other's rows: it may be given back, and its rows alone come again.
type lastDelivered struct {
	id   batch.ID
	rows map[source.TopicPartition][]int64 // their offsets, of those that were rejected, too
}

// remember keeps what of a batch that is delivered is needed to give it back.
func (l *Listener) remember(f *batch.Sealed, ranges []Range) {
	if l.cfg.Mixed != GroupMixed && f.Offsets == nil {
		return
	}
	l.lastDelivered = lastDelivered{id: f.ID, rows: map[source.TopicPartition][]int64{}}
	for _, r := range ranges {
		l.lastDelivered.rows[r.TopicPartition()] = f.OffsetsOf(r.TopicPartition())
	}
}
