package kafarr

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// lastDelivered is the batch that was delivered last, if batches of several types may lie between each other's rows: it may be given back, and its rows alone come again.
type lastDelivered struct {
	id   batch.ID
	rows map[source.TopicPartition][]int64 // their offsets, of those that were rejected, too
}

// remember keeps what of a batch that is delivered is needed to give it back.
func (l *Listener) remember(f *finished) {
	if l.cfg.Mixed != GroupMixed && f.offsets == nil {
		return
	}
	l.lastDelivered = lastDelivered{id: f.batch.id, rows: map[source.TopicPartition][]int64{}}
	for _, r := range f.batch.Ranges {
		l.lastDelivered.rows[r.TopicPartition()] = f.offsetsOf(r.TopicPartition())
	}
}

// offsetsOf returns the offsets of a partition's rows, the rejected ones included.
func (f *finished) offsetsOf(k source.TopicPartition) []int64 {
	var out []int64
	for _, s := range f.segments {
		if s.TopicPartition == k {
			out = append(out, f.offsets[s.row:s.row+s.rows]...)
		}
	}
	if all := f.batch.Rejected; all != nil {
		topics, partitions, offsets := all.Column(0).(*array.String), all.Column(1).(*array.Int32), all.Column(2).(*array.Int64)
		for i := range int(all.NumRows()) {
			if (source.TopicPartition{Topic: topics.Value(i), Partition: partitions.Value(i)}) == k {
				out = append(out, offsets.Value(i))
			}
		}
	}
	return out
}
