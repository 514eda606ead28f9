package membership

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// starts resolves the offsets at which partitions begin that the listener has for the first time, where Config.Start says something about them. While the cluster has not said where a
// partition begins it is paused, as another offset would lose rows or repeat them, and the cluster is asked on within polls (partitions.StartUnresolved). The listener's lock guards it.
type starts struct {
	offsets    Offsets
	positioner source.Positioner
	table      *partitions.Table
	tracker    *delivery.Tracker
	log        Log

	why   *status.Error    // the cluster's last answer
	due   time.Time        // the next question
	asked chan FoundStarts // for the answer of the question under way; nil: there is none
}

// Offsets asks the cluster where partitions begin. Any goroutine may call it.
type Offsets interface {
	// FindStarts finds, within StartTimeout, the offsets at which partitions begin that were never read.
	FindStarts(ctx context.Context, partitions []source.TopicPartition) FoundStarts
	// Beginnings finds where partitions are read next of which nothing was read, or whose offset was not in the log: those of reset continue where auto.offset.reset says, as do those
	// whose committed offset is deleted. Those whose topic the cluster does not have are left out, and missing is the error of the first of them.
	Beginnings(ctx context.Context, partitions []source.TopicPartition, reset map[source.TopicPartition]int64) (out map[source.TopicPartition]Beginning, missing, err error)
}

// FoundStarts are the offsets at which partitions begin.
type FoundStarts struct {
	At        []source.Position
	Committed []source.Position // by the group
	Outside   []*status.Error   // of offsets that are not in the log: auto.offset.reset says where their partitions begin
	Err       error
}

// Beginning is where a partition is read next of which this listener has read nothing, or whose offset the client asked for in vain.
type Beginning struct {
	Offset    int64
	Committed int64 // by the group; Offset where that is nothing
	Sure      bool  // the log has no row between Committed and Offset, so that a commit may pass what lies between. The end of a log that grows is never sure
}

// StartTimeout bounds the questions for the offsets at which partitions begin: they are asked within a rebalance, which holds up the group.
const StartTimeout = 15 * time.Second

// startPause is between questions where partitions begin.
const startPause = 500 * time.Millisecond

// resolve sets the offsets of out's elements that fresh names. Once found they are the partitions' positions, so that a partition that comes back continues there instead of
// beginning again. It returns an error for each offset that is not in the log.
func (s *starts) resolve(ctx context.Context, out []source.Position, fresh []int) (outside []*status.Error) {
	if len(fresh) == 0 {
		return nil
	}
	keys := make([]source.TopicPartition, len(fresh))
	for i, at := range fresh {
		keys[i] = out[at].TopicPartition()
	}
	found := s.offsets.FindStarts(ctx, keys)
	if found.Err != nil {
		s.postpone(out, fresh, found.Err)
		return nil
	}
	for i, at := range fresh {
		out[at].Offset = found.At[i].Offset
		s.tracker.Start(found.At[i], found.Committed[i].Offset)
		if !isAmong(found.Outside, keys[i]) {
			s.table.Of(keys[i]).Next = partitions.At(found.At[i].Offset)
		}
	}
	return found.Outside
}

// postpone pauses partitions until it is known where they begin.
func (s *starts) postpone(out []source.Position, fresh []int, why error) {
	paused := make([]source.Position, len(fresh))
	for i, at := range fresh {
		out[at].Offset = source.End
		paused[i] = out[at]
		s.table.Of(out[at].TopicPartition()).Start = partitions.StartUnresolved
	}
	if err := s.positioner.Pause(paused); err != nil {
		why = err
	}
	s.unresolved(paused[0], why)
	s.log.Warn("START", s.why.Error())
}

// unresolved notes why it is not known where partitions begin, of which first is one.
func (s *starts) unresolved(first source.Position, why error) {
	if errors.Is(why, context.DeadlineExceeded) {
		why = status.Errorf(status.BrokerError, "no answer within %v", StartTimeout)
	}
	e := status.Errorf(status.BrokerError, "the cluster has not answered yet at which offset it starts; nothing is read of it until then: %w", why)
	e.Topic, e.Partition = first.Topic, first.Partition
	s.why, s.due = e, time.Now().Add(startPause)
}

// fault is the error of polls that bring nothing else; nil where no partition waits but those that their user has paused.
func (s *starts) fault() error {
	for _, p := range s.table.All() {
		if p.Start == partitions.StartUnresolved {
			return s.why
		}
	}
	return nil
}

// retry has the cluster asked where partitions begin. When it has answered, move moves each of them there, and outside is called with an error for each offset that is not in the log.
func (s *starts) retry(ctx context.Context, move func(to source.Position, committed int64) error, outside func([]*status.Error)) error {
	keys := s.table.Unresolved()
	if len(keys) == 0 {
		return nil
	}
	if s.asked == nil {
		if time.Now().Before(s.due) {
			return nil
		}
		answer := make(chan FoundStarts, 1)
		s.asked = answer
		async.Go(func() { answer <- s.offsets.FindStarts(ctx, keys) }, func(err error) { answer <- FoundStarts{Err: err} })
		return nil
	}
	select {
	case found := <-s.asked:
		s.asked = nil
		if found.Err == nil {
			return s.begin(ctx, found, move, outside)
		}
		s.unresolved(keys[0].At(0), found.Err)
	default:
	}
	return nil
}

// begin moves partitions to the offsets that were found.
func (s *starts) begin(ctx context.Context, found FoundStarts, move func(to source.Position, committed int64) error, outside func([]*status.Error)) error {
	for i, at := range found.At {
		k := at.TopicPartition()
		if s.table.Of(k).Start == partitions.StartResolved { // by a seek, or it was given up meanwhile
			continue
		}
		if err := s.positioner.Seek(ctx, []source.Position{at}); errors.Is(err, source.ErrNotFetching) { // assigned a moment ago
			s.unresolved(at, err)
			continue
		} else if err != nil {
			return err
		}
		if err := move(at, found.Committed[i].Offset); err != nil {
			return err
		}
		if isAmong(found.Outside, k) { // the client continues where auto.offset.reset says
			s.table.Of(k).Next = partitions.Offset{}
		}
	}
	outside(found.Outside)
	return nil
}

// resolved notes that it is known where a partition begins, and reads it, unless its user has paused it.
func (s *starts) resolved(k source.TopicPartition) error {
	p := s.table.Of(k)
	before := p.Start
	p.Start = partitions.StartResolved
	if before != partitions.StartUnresolved {
		return nil
	}
	if err := s.positioner.Resume([]source.Position{k.At(p.Next.At)}); err != nil {
		return status.Wrap(err)
	}
	return nil
}

// isAmong tells whether one of the errors is of a partition.
func isAmong(errs []*status.Error, k source.TopicPartition) bool {
	return slices.ContainsFunc(errs, func(e *status.Error) bool { return e.Topic == k.Topic && e.Partition == k.Partition })
}
