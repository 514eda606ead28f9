package membership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Blocked holds the partitions that wait for the schema of their next record, of which the registry cannot say whether it exists. Each is paused at the source, and has gone
// back there to that record, so that the other partitions continue to be read. It is paused by the listener and not by its user. The listener's lock guards it.
type Blocked struct {
	positioner source.Positioner // nil: no partition can be blocked
	table      *partitions.Table
	log        Log
	waiting    map[source.TopicPartition]Wait
}

// Wait is what a partition waits for.
type Wait struct {
	Record source.Position
	Lookup Lookup
	Hint   string // what the record looks like, or empty
}

// outage is the error of the partition.
func (b *Wait) outage() *status.Error { return b.Lookup.Outage(b.Record).Hint(b.Hint) }

// Block has the partition wait of the record that is next. false: the source cannot pause it, or not now.
func (b *Blocked) Block(ctx context.Context, wait Wait) bool {
	if b.positioner == nil {
		return false
	}
	here := []source.Position{wait.Record}
	err := b.positioner.Pause(here)
	if err == nil {
		if err = b.positioner.Seek(ctx, here); err != nil { // it would continue after what was fetched, as it does now
			err = errors.Join(err, b.positioner.Resume(here))
		}
	}
	if err != nil {
		b.log.Client(4, "REGISTRY", "pausing a partition that waits for a schema: "+err.Error())
		return false
	}
	k := wait.Record.TopicPartition()
	b.table.Of(k).Next = partitions.At(wait.Record.Offset)
	b.waiting[k] = wait
	b.log.Warn("REGISTRY", fmt.Sprintf("%v; the partition is blocked until the registry has the %s", wait.outage(), wait.Lookup.What()))
	return true
}

// Lookup is the look-up of what a record cannot be read without.
type Lookup interface {
	// Outage is the error of a record that waits for it.
	Outage(record source.Position) *status.Error
	// What is looked up: "schema" or "key".
	What() string
	// Answered tells whether it has come to its end. Otherwise the registry is asked again where that is due.
	Answered() bool
	// Missing tells of one that has come to its end whether the registry did not have it for as long as messages wait: those that need it count as bad.
	Missing() bool
}

// retry unblocks the partitions whose look-ups are answered, and asks for the others again where that is due.
func (b *Blocked) retry(patience time.Duration) error {
	for k, wait := range b.waiting {
		if !wait.Lookup.Answered() {
			continue
		}
		if err := b.Unblock(k); err != nil {
			return err
		}
		why := "the registry has answered"
		if wait.Lookup.Missing() {
			why = fmt.Sprintf("the registry has had no such %s for %v: messages that need it count as bad", wait.Lookup.What(), patience)
		}
		b.log.Warn("REGISTRY", fmt.Sprintf("%s[%d]@%d: %s: the partition continues", k.Topic, k.Partition, wait.Record.Offset, why))
	}
	return nil
}

// Unblock reads a partition from its position on, if it is blocked. Where that is still the record whose schema is not there, it is blocked again.
func (b *Blocked) Unblock(k source.TopicPartition) error {
	if _, waits := b.waiting[k]; !waits {
		return nil
	}
	if err := b.positioner.Resume([]source.Position{k.At(b.table.Of(k).Next.At)}); err != nil {
		return status.Wrap(err)
	}
	delete(b.waiting, k)
	return nil
}

// Leave leaves it to the user of a partition when it continues.
func (b *Blocked) Leave(k source.TopicPartition) { delete(b.waiting, k) }

// outage is the error of the first of the partitions; nil where none is blocked.
func (b *Blocked) outage() error {
	if len(b.waiting) == 0 {
		return nil
	}
	first := slices.MinFunc(slices.Collect(maps.Values(b.waiting)), func(a, b Wait) int {
		return cmp.Or(cmp.Compare(a.Record.Topic, b.Record.Topic), cmp.Compare(a.Record.Partition, b.Record.Partition))
	})
	return first.outage()
}
