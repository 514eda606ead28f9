package kafarr

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// blocked is a partition that waits for the schema of its next record, of which the registry cannot say whether it exists: it is paused at the source, and has gone back there to
// that record, so that the others go on. While it is in Listener.blocked it is paused by the listener and not by its user.
type blocked struct {
	record source.Position
	lookup *schema.Lookup
	looks  string // see schema.Resolvers.Looks
}

// outage is the error of a partition that is set aside.
func (b *blocked) outage() *Error { return b.lookup.Outage(b.record).Hint(b.looks) }

// outageHere is the error of the record under the cursor, which waits for l.lookup.
func (l *Listener) outageHere() *Error {
	_, records := l.buffer.Rest()
	why := l.lookup.Outage(l.buffer.Next())
	return why.Hint(l.schemas.Looks(&records[0], why))
}

// awaitSchema waits for the look-up of the next record's schema. done: return the rows that there are. An attempt under way counts
// as catching up; once one has failed, the record's partition is set aside, and the poll's time decides.
func (l *Listener) awaitSchema(now, end time.Time) (done bool, err error) {
	p := &l.poll
	over := p.ready && !now.Before(p.deadline)
	if l.lookup.Failed() != nil && l.block() {
		return false, nil
	}
	if over && l.assembler.Pending() {
		return true, nil
	}
	// The patience with an id that is not known ends by itself. A scan's time bounds the wait for the first attempt, too: nobody polls again for its rows.
	patient := l.cfg.Errors != Raise && schema.IsMissing(l.lookup.Failed())
	if over && !patient && (l.lookup.Failed() != nil || l.finite != nil && now.Sub(l.lookup.Asked()) >= p.wait) {
		return false, l.outageHere()
	}
	if l.lookup.Failed() != nil {
		l.sayLookup()
	}
	l.lookup.Wait(min(end.Sub(now), maxSlice))
	return false, nil
}

// sayLookup logs, once, what a source that cannot set partitions aside waits for.
func (l *Listener) sayLookup() {
	if l.lookup.Report() {
		l.log.warn("REGISTRY", fmt.Sprintf("%v; it is asked again", l.outageHere()))
	}
}

// block sets the partition aside of the record under the cursor, which waits for l.lookup. false: the source cannot, or not now.
func (l *Listener) block() bool {
	if l.positioner == nil {
		return false
	}
	at := l.buffer.Next()
	_, records := l.buffer.Rest()
	waiting := blocked{record: at, lookup: l.lookup, looks: l.schemas.Looks(&records[0], l.lookup.Outage(at))}
	k := at.TopicPartition()
	here := []source.Position{at}
	if err := l.positioner.Pause(here); err != nil {
		l.log.client(4, "REGISTRY", "setting a partition aside: "+err.Error())
		return false
	}
	if err := l.positioner.Seek(l.life.ctx, here); err != nil { // it would go on behind what it gave us, as it does now
		err = errors.Join(err, l.positioner.Resume(here))
		l.log.client(4, "REGISTRY", "setting a partition aside: "+err.Error())
		return false
	}
	l.buffer.Drop(k)
	l.partitions.Of(k).Next = partitions.At(at.Offset)
	l.blocked[k] = waiting
	l.log.warn("REGISTRY", fmt.Sprintf("%v; the partition is set aside until it has the %s", waiting.outage(), waiting.lookup.What()))
	return true
}

// retryBlocked asks the registry again for the schemas that partitions set aside wait for, and continues with those whose waiting is over.
func (l *Listener) retryBlocked() error {
	for k, a := range l.blocked {
		if !a.lookup.Answered() {
			continue
		}
		if err := l.unblock(k); err != nil {
			return err
		}
		why := "the registry has answered"
		if a.lookup.Missing() {
			why = fmt.Sprintf("the registry has had no such %s for %v: messages that need it count as bad", a.lookup.What(), l.cfg.SchemaPatience)
		}
		l.log.warn("REGISTRY", fmt.Sprintf("%s[%d]@%d: %s: the partition continues", k.Topic, k.Partition, a.record.Offset, why))
	}
	return nil
}

// unblock ends the waiting of a partition, if it is set aside: it is read from its position on. If that is still the record whose schema cannot be had, it is set aside again.
func (l *Listener) unblock(k source.TopicPartition) error {
	if _, waits := l.blocked[k]; !waits {
		return nil
	}
	if err := l.positioner.Resume([]source.Position{k.At(l.partitions.Of(k).Next.At)}); err != nil {
		return wrap(err)
	}
	delete(l.blocked, k)
	return nil
}

// outage is the error of the first of the partitions that are set aside; nil where none is.
func (l *Listener) outage() error {
	if len(l.blocked) == 0 {
		return nil
	}
	first := slices.MinFunc(slices.Collect(maps.Values(l.blocked)), func(a, b blocked) int {
		return cmp.Or(cmp.Compare(a.record.Topic, b.record.Topic), cmp.Compare(a.record.Partition, b.record.Partition))
	})
	return first.outage()
}
