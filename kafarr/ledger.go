package kafarr

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// progress is the ledger of a listener's assembler: records that were taken may be committed once they are acknowledged, and they move the position of their partition.
type progress struct {
	*delivery.Tracker
	partitions *partitions.Table
}

// Take implements assemble.Ledger.
func (p progress) Take(k source.TopicPartition, id batch.ID, first, next int64) {
	p.Tracker.Take(k, id, first, next)
	p.partitions.Of(k).Advance(next)
}

// Skip implements assemble.Ledger.
func (p progress) Skip(k source.TopicPartition, next int64) {
	p.Tracker.Skip(k, next)
	p.partitions.Of(k).Advance(next)
}
