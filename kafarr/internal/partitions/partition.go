// Package partitions holds what is known of each partition that is read, and the records that were fetched and not assembled yet.
package partitions

import (
	"iter"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Offset is an offset that may be unknown, as the zero value is.
type Offset struct {
	At    int64
	Known bool
}

// At returns a known offset.
func At(offset int64) Offset { return Offset{At: offset, Known: true} }

// Partition is what is known of one partition, but for what may be committed: that is delivery.Tracker's. The zero value is a partition of which nothing was read.
type Partition struct {
	// Next is the first offset that no batch has taken.
	Next Offset
	// Reset is the offset that the client asked for in vain, until the first record after it.
	Reset Offset
	// Discontinued is when the client last continued elsewhere by itself, because its offset was not in the log.
	Discontinued time.Time
	// Start says whether it is known where the partition begins.
	Start Start
	// Look is the last look at what lies after its last row.
	Look Look

	redelivery *redelivery
}

// Start says whether it is known where a partition begins.
type Start int

// The states of a partition's start.
const (
	StartResolved         Start = iota
	StartUnresolved             // nothing is read until the cluster has said where it begins
	StartUnresolvedPaused       // likewise, and the user has paused it meanwhile: it stays paused after that
)

// Look is where a partition was when it was looked at.
type Look struct {
	Next Offset
	Wait time.Duration // until the next look, counted from this one
	Due  time.Time     // zero: it was never looked at
}

// Advance notes that a batch has taken, or passed over, all records before next.
func (p *Partition) Advance(next int64) { p.Next = At(max(p.Next.At, next)) }

// ResetTo notes that the offset that the client asked for is not in the log.
func (p *Partition) ResetTo(asked int64) { p.Reset, p.Discontinued = At(asked), time.Now() }

// UntilDiscontinuity returns the records up to the first before which the client began again: one run of records may hold what it fetched before that and after it.
func (p *Partition) UntilDiscontinuity(records []source.Record) []source.Record {
	last := len(records) - 1
	if !p.Reset.Known && records[last].Offset-records[0].Offset >= int64(last) {
		return records
	}
	for i := 1; i <= last; i++ {
		if before, at := records[i-1].Offset, records[i].Offset; at < before || p.Reset.Known && before < p.Reset.At && at >= p.Reset.At {
			return records[:i]
		}
	}
	return records
}

// Continuity says how the next record follows what was read before.
type Continuity int

// How a record may follow.
const (
	Follows  Continuity = iota // a gap is nothing special: compaction and transactions leave some, too
	Skipped                    // records were deleted before they were read, and the client continued after them
	WentBack                   // the log goes back: it was truncated, or the topic was re-created
)

// Follow notes that the next record has the offset first, and says how it follows; expected is the offset that was to come.
func (p *Partition) Follow(first int64) (how Continuity, expected int64) {
	next := p.Next
	if p.Reset.Known && !next.Known {
		next = p.Reset
	}
	switch {
	case p.Reset.Known && first >= p.Reset.At: // what comes before was fetched before
		asked := p.Reset.At
		p.Reset = Offset{}
		if first > asked {
			return Skipped, asked
		}
	case next.Known && first < next.At:
		p.Reset = Offset{}
		p.Next, p.Discontinued, p.redelivery = At(first), time.Now(), nil
		return WentBack, next.At
	}
	return Follows, next.At
}

// Table holds the partitions that a listener has met. It belongs to the goroutine that polls.
type Table struct {
	partitions map[source.TopicPartition]*Partition

	// The one that Of returned last: runs of records of one partition follow each other, and to hash its name for each of them costs more than to compare it.
	last      *Partition
	lastNamed source.TopicPartition
}

// NewTable returns an empty Table.
func NewTable() *Table { return &Table{partitions: map[source.TopicPartition]*Partition{}} }

// Of returns a partition; a new one where it was not met before.
func (t *Table) Of(k source.TopicPartition) *Partition {
	if t.last != nil && t.lastNamed == k {
		return t.last
	}
	p := t.partitions[k]
	if p == nil {
		p = &Partition{}
		t.partitions[k] = p
	}
	t.last, t.lastNamed = p, k
	return p
}

// All are the partitions, in no order.
func (t *Table) All() iter.Seq2[source.TopicPartition, *Partition] {
	return func(yield func(source.TopicPartition, *Partition) bool) {
		for k, p := range t.partitions {
			if !yield(k, p) {
				return
			}
		}
	}
}

// Resets returns the offsets that the client asked for in vain, of the partitions that have such a one.
func (t *Table) Resets() map[source.TopicPartition]int64 {
	out := map[source.TopicPartition]int64{}
	for k, p := range t.partitions {
		if p.Reset.Known {
			out[k] = p.Reset.At
		}
	}
	return out
}

// Unresolved returns the partitions of which it is not known where they begin, in no order.
func (t *Table) Unresolved() []source.TopicPartition {
	var out []source.TopicPartition
	for k, p := range t.partitions {
		if p.Start != StartResolved {
			out = append(out, k)
		}
	}
	return out
}
