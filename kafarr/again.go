package kafarr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// again is what a partition gives once more after its rows were discarded, where batches of several types lay between each other's rows: before until, those rows alone. The
// others were handed over, or passed.
type again struct {
	rows  []int64 // ascending
	until int64
}

// latest is the batch that was handed over last, if batches of several types may lie between each other's rows: it may be given back, and its rows alone come again.
type latest struct {
	id   batch.ID
	rows map[source.TopicPartition][]int64 // their offsets, of those that were rejected, too
}

// remember keeps what of a batch that is handed over is needed to give it back.
func (l *Listener) remember(f *finished) {
	if l.cfg.Mixed != GroupMixed && f.offsets == nil {
		return
	}
	l.latest = latest{id: f.batch.id, rows: map[source.TopicPartition][]int64{}}
	for _, r := range f.batch.Ranges {
		l.latest.rows[r.TopicPartition()] = f.offsetsOf(r.TopicPartition())
	}
}

// discarded notes rows that are to come again, of a partition of which all before until was taken.
func (l *Listener) discarded(k source.TopicPartition, rows []int64, until int64) {
	before, rereading := l.again[k]
	if rereading { // it was in the midst of reading others again
		for _, offset := range before.rows {
			if offset >= until {
				rows = append(rows, offset)
			}
		}
		until = max(until, before.until)
	}
	slices.Sort(rows)
	l.again[k] = again{rows: rows, until: until}
}

// handedOver returns how many of the first records were handed over before they were read again, and the records up to the first that was.
func (l *Listener) handedOver(chunk *source.Chunk, records []source.Record) (n int, rest []source.Record) {
	k := chunk.TopicPartition()
	a, rereading := l.again[k]
	if !rereading {
		return 0, records
	}
	l.reread = true
	known := func(r source.Record) bool {
		_, comes := slices.BinarySearch(a.rows, r.Offset)
		return r.Offset < a.until && !comes
	}
	if records[0].Offset >= a.until {
		delete(l.again, k)
		return 0, records
	}
	for n < len(records) && known(records[n]) {
		n++
	}
	rest = records[n:]
	if i := slices.IndexFunc(rest, known); i >= 0 {
		rest = rest[:i]
	}
	return n, rest
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
