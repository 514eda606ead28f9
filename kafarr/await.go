package kafarr

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
)

// outageHere is the error of the record under the cursor, which waits for its schema.
func (l *Listener) outageHere() *Error {
	_, records := l.buffer.Rest()
	why := l.poll.lookup.Outage(l.buffer.Next())
	return why.Hint(l.schemas.Looks(&records[0], why))
}

// seeLookup notes what is known of the look-up of the next record's schema.
func (l *Listener) seeLookup(s *situation) {
	failed := l.poll.lookup.Failed()
	s.lookupFailed = failed != nil
	s.lookupEnds = l.cfg.Messages.Errors != Raise && schema.IsMissing(failed)                 // the patience with an id that is not known
	s.lookupLong = l.source.Bounded != nil && s.now.Sub(l.poll.lookup.Asked()) >= l.poll.wait // nobody polls again for a scan's rows: its time bounds the wait for the first attempt, too
}

// awaitSchema waits for the look-up of the next record's schema, or for the time of the next attempt.
func (l *Listener) awaitSchema(s *situation) {
	if l.poll.lookup.Failed() != nil {
		l.sayLookup()
	}
	l.poll.lookup.Wait(min(s.end.Sub(s.now), maxSlice))
}

// sayLookup logs, once, what a source that cannot block partitions waits for.
func (l *Listener) sayLookup() {
	if l.poll.lookup.Report() {
		l.log.Warn("REGISTRY", fmt.Sprintf("%v; it is asked again", l.outageHere()))
	}
}

// block has the partition wait of the record under the cursor, which waits for its schema.
func (l *Listener) block() bool {
	at := l.buffer.Next()
	_, records := l.buffer.Rest()
	if !l.group.Blocked.Block(l.life.ctx, membership.Wait{Record: at, Lookup: l.poll.lookup, Hint: l.schemas.Looks(&records[0], l.poll.lookup.Outage(at))}) {
		return false
	}
	l.buffer.Drop(at.TopicPartition())
	return true
}
