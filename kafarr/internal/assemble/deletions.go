package assemble

import (
	"hash/maphash"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Tombstones that lie between rows of one type are gathered into a batch of their own, which is delivered after the rows (with mixed="split" and tombstones="split"): a topic of deletions,
// each of which is followed by its tombstone, would else give batches of one row. So a row may come before a tombstone that is older. It does not where they have the same key: then the batches
// end before that row. docs/decisions/0044-tombstones-after-the-rows.md says why.

// Deletions are the keys of the tombstones that are gathered. Rows and tombstones without a key have no order among each other.
type Deletions struct {
	seed maphash.Seed
	keys map[uint64]struct{} // hashes: a second key of the same hash ends a batch early, and does no harm

	last     source.TopicPartition // of the last call of place
	lastHash uint64                // 0: there was none
}

// mostKept bounds the memory of the map that is used again by the next batch.
const mostKept = 1 << 14

// NewDeletions returns an empty set.
func NewDeletions() Deletions { return Deletions{seed: maphash.MakeSeed()} }

// place is the hash of a partition: keys are compared within one.
func (d *Deletions) place(k source.TopicPartition) uint64 {
	if d.lastHash == 0 || d.last != k {
		d.last, d.lastHash = k, maphash.String(d.seed, k.Topic)+uint64(k.Partition)*0x9e3779b97f4a7c15 //nolint:gosec // bit pattern
	}
	return d.lastHash
}

func (d *Deletions) hash(place uint64, r *source.Record) uint64 {
	return place ^ maphash.Bytes(d.seed, unsafe.Slice((*byte)(r.Key), int(r.KeyLen)))
}

// Add notes tombstones that were gathered.
func (d *Deletions) Add(k source.TopicPartition, records []source.Record) {
	place := d.place(k)
	for i := range records {
		if records[i].KeyLen < 0 {
			continue
		}
		if d.keys == nil {
			d.keys = map[uint64]struct{}{}
		}
		d.keys[d.hash(place, &records[i])] = struct{}{}
	}
}

// Others is how many of the first records have another key than the tombstones.
func (d *Deletions) Others(k source.TopicPartition, records []source.Record) int {
	if len(d.keys) == 0 {
		return len(records)
	}
	place := d.place(k)
	for i := range records {
		if records[i].KeyLen < 0 {
			continue
		}
		if _, deleted := d.keys[d.hash(place, &records[i])]; deleted {
			return i
		}
	}
	return len(records)
}

// Forget empties the set: the batch of tombstones is finished, and what follows comes after it.
func (d *Deletions) Forget() {
	if len(d.keys) > mostKept {
		d.keys = nil
		return
	}
	clear(d.keys)
}
