package batch

import "github.com/pykafarr/pykafarr/kafarr/source"

// Delivered is what is kept of the batch that was delivered last: if batches of several types may lie between each other's rows, it may be given back, and its rows alone come again.
type Delivered struct {
	id   ID
	rows map[source.TopicPartition][]int64 // their offsets, of those that were rejected, too
}

// DeliveredFrom keeps what is needed of a batch that has its Offsets, or no rows.
func DeliveredFrom(s *Sealed) Delivered {
	d := Delivered{id: s.ID, rows: map[source.TopicPartition][]int64{}}
	for _, part := range s.Segments {
		if k := part.TopicPartition; d.rows[k] == nil {
			d.rows[k] = s.OffsetsOf(k)
		}
	}
	return d
}

// Rows returns the offsets of a partition's rows, if it is this batch that is given back, and no other with it.
func (d *Delivered) Rows(ids []int64, k source.TopicPartition) (offsets []int64, known bool) {
	if len(ids) != 1 || d.id != ID(ids[0]) {
		return nil, false
	}
	return d.rows[k], true
}
