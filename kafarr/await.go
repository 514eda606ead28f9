package kafarr

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
)

// outageHere returns the error of the next record, which waits for its schema.
func (l *Listener) outageHere() *Error {
	_, records := l.buffer.Rest()
	why := l.poll.lookup.Outage(l.buffer.Next())
	return why.Hint(l.schemas.Looks(&records[0], why))
}

// seeLookup notes the state of the look-up of the next record's schema.
func (l *Listener) seeLookup(s *situation) {
	failed := l.poll.lookup.Failed()
	s.lookupFailed = failed != nil
	s.lookupEnds = l.cfg.Messages.Errors != Raise && schema.IsMissing(failed)                 // the wait for an id that is not known ends by itself
	s.lookupLong = l.source.Bounded != nil && s.now.Sub(l.poll.lookup.Asked()) >= l.poll.wait // a scan does not poll again: its time bounds the wait for the first attempt, too
}

// awaitSchema waits until the look-up of the next record's schema has ended, or until its next attempt is due.
func (l *Listener) awaitSchema(s *situation) {
	if l.poll.lookup.Failed() != nil {
		l.sayLookup()
	}
	l.poll.lookup.Wait(min(s.end.Sub(s.now), maxSlice))
}

// sayLookup logs, once, which schema is waited for, where the source cannot block single partitions.
func (l *Listener) sayLookup() {
	if l.poll.lookup.Report() {
		l.log.Warn("REGISTRY", fmt.Sprintf("%v; it is asked again", l.outageHere()))
	}
}

// block blocks the partition of the next record, which waits for its schema.
func (l *Listener) block() bool {
	at := l.buffer.Next()
	_, records := l.buffer.Rest()
	if !l.group.Blocked.Block(l.life.ctx, membership.Wait{Record: at, Lookup: l.poll.lookup, Hint: l.schemas.Looks(&records[0], l.poll.lookup.Outage(at))}) {
		return false
	}
	l.buffer.Drop(at.TopicPartition())
	return true
}
