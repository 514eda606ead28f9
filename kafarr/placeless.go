package kafarr

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// placeless are partitions of which the cluster has not said yet where they begin: a wrong place would lose rows or repeat them. They are paused, and the cluster is asked on, within polls.
type placeless struct {
	why   *Error           // the cluster's last answer
	due   time.Time        // the next question
	asked chan foundPlaces // for the answer of the question under way; nil: there is none
}

// foundPlaces are where partitions begin.
type foundPlaces struct {
	found, group []source.Position // the places, and what the group has committed
	outside      []*Error          // of places that are not in the log
	err          error
}

// placelessPause is between questions where partitions begin.
const placelessPause = 500 * time.Millisecond

// findPlaces asks the cluster where partitions begin.
func (l *Listener) findPlaces(targets []Target) (b foundPlaces) {
	ctx, cancel := context.WithTimeout(l.life.ctx, beginTimeout)
	defer cancel()
	if b.found, b.err = l.offsetsOf(ctx, targets); b.err != nil {
		return b
	}
	if b.outside, b.err = l.outside(ctx, targets); b.err != nil {
		return b
	}
	if b.err = l.withoutOffsetsOfOthers(ctx, b); b.err != nil {
		return b
	}
	b.group, b.err = l.positioner.AskCommitted(ctx, b.found)
	return b
}

// withoutOffsetsOfOthers puts the beginning of the log where an offset is of a topic that was deleted: any other place would pass rows over.
func (l *Listener) withoutOffsetsOfOthers(ctx context.Context, b foundPlaces) error {
	for i, p := range b.found {
		if !slices.ContainsFunc(b.outside, func(e *Error) bool { return errors.Is(e, errRecreated) && hasPlace([]*Error{e}, p.TopicPartition()) }) {
			continue
		}
		p.Offset = source.Beginning
		low, err := l.positioner.AskOffsets(ctx, []source.Position{p})
		if err != nil {
			return err
		}
		b.found[i] = low[0]
	}
	return nil
}

// unplaced notes why nobody knows where partitions begin.
func (l *Listener) unplaced(first source.Position, why error) {
	if errors.Is(why, context.DeadlineExceeded) {
		why = errorf(BrokerError, "no answer within %v", beginTimeout)
	}
	e := errorf(BrokerError, "the cluster has not said yet where it begins; nothing is read of it until then: %w", why)
	e.Topic, e.Partition = first.Topic, first.Partition
	l.placeless.why, l.placeless.due = e, time.Now().Add(placelessPause)
}

// beginsNowhere pauses partitions.
func (l *Listener) beginsNowhere(out []source.Position, fresh []int, why error) {
	paused := make([]source.Position, len(fresh))
	for i, at := range fresh {
		out[at].Offset = source.End
		paused[i] = out[at]
		l.partitions.Of(out[at].TopicPartition()).Start = partitions.StartUnresolved
	}
	if err := l.positioner.Pause(paused); err != nil {
		why = err
	}
	l.unplaced(paused[0], why)
	l.log.warn("START", l.placeless.why.Error())
}

// nowhere is the error of polls that get nothing else; nil where no partition waits but those that their user has paused.
func (l *Listener) nowhere() error {
	for _, p := range l.partitions.All() {
		if p.Start == partitions.StartUnresolved {
			return l.placeless.why
		}
	}
	return nil
}

// tendPlaceless has the cluster asked where partitions begin, and goes on with them when it has answered.
func (l *Listener) tendPlaceless() error {
	p, unresolved := &l.placeless, l.partitions.Unresolved()
	if len(unresolved) == 0 {
		return nil
	}
	if p.asked == nil {
		if time.Now().Before(p.due) {
			return nil
		}
		var targets []Target
		for _, k := range unresolved {
			targets = append(targets, Target{Topic: k.Topic, Partition: k.Partition, To: l.cfg.startOf(k)})
		}
		answer := make(chan foundPlaces, 1)
		p.asked = answer
		spawn(func() { answer <- l.findPlaces(targets) }, func(err error) { answer <- foundPlaces{err: err} })
		return nil
	}
	select {
	case b := <-p.asked:
		p.asked = nil
		if b.err == nil {
			return l.placesFound(b)
		}
		l.unplaced(unresolved[0].At(0), b.err)
	default:
	}
	return nil
}

// placesFound moves partitions to their places.
func (l *Listener) placesFound(b foundPlaces) error {
	for i, at := range b.found {
		k := at.TopicPartition()
		if l.partitions.Of(k).Start == partitions.StartResolved { // sought, or given up meanwhile
			continue
		}
		if err := l.positioner.Seek(l.life.ctx, []source.Position{at}); errors.Is(err, source.ErrNotFetching) { // assigned a moment ago
			l.unplaced(at, err)
			continue
		} else if err != nil {
			return err
		}
		if err := l.moved(at, b.group[i].Offset); err != nil {
			return err
		}
		if hasPlace(b.outside, k) { // the client goes on where auto.offset.reset says
			l.partitions.Of(k).Next = partitions.Offset{}
		}
	}
	l.tellOutside(b.outside)
	return nil
}

// hasPlaceNow ends the waiting of a partition for its place, if it waits for one.
func (l *Listener) hasPlaceNow(k source.TopicPartition) error {
	p := l.partitions.Of(k)
	before := p.Start
	p.Start = partitions.StartResolved
	if before != partitions.StartUnresolved {
		return nil
	}
	if err := l.positioner.Resume([]source.Position{k.At(l.partitions.Of(k).Next.At)}); err != nil {
		return wrap(err)
	}
	return nil
}
