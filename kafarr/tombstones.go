package kafarr

import (
	"hash/maphash"
	"slices"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Tombstones that lie between rows of one type are gathered into a batch of their own, which is handed over after the rows (SplitTombstones, SplitMixed): a topic of deletions, each of
// which is followed by its tombstone, would else give batches of one row. So a row may come before a tombstone that is older. It does not where they have the same key: then the batches
// end before that row. docs/decisions/0044-tombstones-after-the-rows.md says why.

// gathers tells that batches may lie between each other's rows.
func (c *Config) gathers() bool { return c.Mixed == GroupMixed || c.Tombstones == SplitTombstones }

// beside tells that rows of these columns may be gathered beside the batch that is being filled: those of one type, and the tombstones between them.
func (l *Listener) beside(set *columnSet) bool {
	return !slices.ContainsFunc(l.batches, func(b *building) bool { return b.rows() > 0 && b.set.tombstones == set.tombstones })
}

// deletions are the keys of the tombstones that are gathered. Rows and tombstones without a key have no order among each other.
type deletions struct {
	seed maphash.Seed
	keys map[uint64]struct{} // hashes: a second key of the same hash ends a batch early, and does no harm
}

// mostKept bounds the memory of the map that is used again by the next batch.
const mostKept = 1 << 14

func newDeletions() deletions { return deletions{seed: maphash.MakeSeed()} }

// place is the hash of a partition: keys are compared within one.
func (d *deletions) place(chunk *source.Chunk) uint64 {
	return maphash.String(d.seed, chunk.Topic) + uint64(chunk.Partition)*0x9e3779b97f4a7c15 //nolint:gosec // bit pattern
}

func (d *deletions) hash(place uint64, r *source.Record) uint64 {
	return place ^ maphash.Bytes(d.seed, unsafe.Slice((*byte)(r.Key), int(r.KeyLen)))
}

// add notes tombstones that were gathered.
func (d *deletions) add(chunk *source.Chunk, records []source.Record) {
	place := d.place(chunk)
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

// others is how many of the first records have another key than the tombstones.
func (d *deletions) others(chunk *source.Chunk, records []source.Record) int {
	if len(d.keys) == 0 {
		return len(records)
	}
	place := d.place(chunk)
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

// forget empties the set: the batch of tombstones is finished, and what follows comes after it.
func (d *deletions) forget() {
	if len(d.keys) > mostKept {
		d.keys = nil
		return
	}
	clear(d.keys)
}
