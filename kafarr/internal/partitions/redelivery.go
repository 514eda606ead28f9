package partitions

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// redelivery is what a partition gives once more after its rows were discarded, where batches of several types lay between each other's rows: before until, those rows
// alone. The caller has the others, or they were passed over.
type redelivery struct {
	rows  []int64 // their offsets, ascending
	until int64
}

// Redeliver notes rows that are to come again, of a partition of which all before until was taken.
func (p *Partition) Redeliver(rows []int64, until int64) {
	if before := p.redelivery; before != nil { // it was in the midst of reading others again
		for _, offset := range before.rows {
			if offset >= until {
				rows = append(rows, offset)
			}
		}
		until = max(until, before.until)
	}
	slices.Sort(rows)
	p.redelivery = &redelivery{rows: rows, until: until}
}

// RedeliverAll has every row come again that is read again.
func (p *Partition) RedeliverAll() { p.redelivery = nil }

// Redelivering reports whether some of the rows that come are passed over, as the caller has them.
func (p *Partition) Redelivering() bool { return p.redelivery != nil }

// Undelivered returns how many of the first records the caller has already, and the records after them, up to the next one that the caller has.
func (p *Partition) Undelivered(records []source.Record) (delivered int, rest []source.Record) {
	again := p.redelivery
	if again == nil {
		return 0, records
	}
	if records[0].Offset >= again.until {
		p.redelivery = nil
		return 0, records
	}
	known := func(r source.Record) bool {
		_, comes := slices.BinarySearch(again.rows, r.Offset)
		return r.Offset < again.until && !comes
	}
	for delivered < len(records) && known(records[delivered]) {
		delivered++
	}
	rest = records[delivered:]
	if i := slices.IndexFunc(rest, known); i >= 0 {
		rest = rest[:i]
	}
	return delivered, rest
}
