package source

import (
	"context"
	"time"
)

// The abilities of some sources. A listener works with a source that has none of them, and says in its errors which one a call needs.

// Positioner is a Source whose positions can be asked for and moved.
type Positioner interface {
	Seeker
	Pauser
	OffsetLister
}

// Seeker is a Source that reads on from another offset.
type Seeker interface {
	// Seek moves assigned partitions. No record from before it is fetched after it. ErrNotFetching: try again in a moment; a NotFetching names the partitions that
	// have not moved. It belongs to the goroutine that fetches.
	Seek(ctx context.Context, positions []Position) error
}

// Pauser is a Source that stops fetching partitions without losing them. Its methods may be called from any goroutine.
type Pauser interface {
	// Pause stops fetching partitions, which stay assigned. Records that were not fetched yet come after Resume. A pause outlives a rebalance.
	Pause(positions []Position) error
	// Resume fetches paused partitions again. The offset is the one that the caller expects next; below 0: not known.
	Resume(positions []Position) error
	// Paused tells for each partition whether it is paused.
	Paused(positions []Position) []bool
}

// OffsetLister is a Source that knows which offsets the log and the group have. Its methods may be called from any goroutine; their wait for the cluster ends with the context.
type OffsetLister interface {
	// CommittedOffsets returns what the group has committed. The offset is below 0 where that is nothing.
	CommittedOffsets(ctx context.Context, positions []Position) ([]Position, error)
	// ListOffsets returns for each partition the first offset of a time or later: the position's offset is that time in milliseconds since 1970, or Beginning, or End. Where
	// the time is after the last record, it returns the end. Each partition may be named once.
	ListOffsets(ctx context.Context, positions []Position) ([]Position, error)
}

// RecordFinder is a Source that can look beyond offsets without records: transaction markers, records of aborted transactions, offsets that compaction has left empty.
type RecordFinder interface {
	// FindNext returns where the log has the next record from each position on; where there is none yet, that is the end of what can be read. It may be called from any goroutine.
	// A position whose next record could not be found is returned as it is, with the first error.
	FindNext(ctx context.Context, positions []Position) ([]Position, error)
}

// DeferredRebalancer is a Source that lets its handler defer changes of the assignment: it calls Handler.Assigning and Handler.Revoking. While a change is deferred, the source
// fetches nothing of the partitions that it is to take, and handles no other event.
type DeferredRebalancer interface {
	// ConfirmRebalance makes the change that is deferred, if there is one. It belongs to the goroutine of ServeEvents. Close confirms, too.
	ConfirmRebalance()
}

// ResetReporter is a Source that knows which offsets its client asked for and the log did not have.
type ResetReporter interface {
	// Resets are those offsets, each returned once, before the records with which the client continued.
	Resets() []Position
}

// MemberReporter is a Source that knows which member of its group it is. A transaction of a producer commits offsets for it.
type MemberReporter interface {
	// Member is this member as of now. It is an error where the group has no such member: it has not joined, or its partitions are lost. Any goroutine may call it.
	Member(ctx context.Context) (GroupMember, error)
}

// GroupMember is a member of a consumer group, as brokers tell it from its predecessors: one that has lost its partitions is refused when it commits offsets.
type GroupMember struct {
	Cluster    string // its id; empty: it is not known
	Group      string
	Member     string // its id; empty: the partitions were assigned without a group
	Instance   string // group.instance.id; empty: none
	Generation int32  // of the group; the member's epoch where the group has the newer protocol; -1: none
}

// Bounded is a Source that comes to an end.
type Bounded interface {
	// Ended reports whether the end was reached: no later Fetch brings records.
	Ended() bool
}

// LivenessReporter is a Source that can tell a wait that ends by itself from one that does not.
type LivenessReporter interface {
	// Stuck is why no record comes until somebody changes something; nil where records can come. fatal: this client will never continue.
	Stuck() (fatal bool, why error)
	// AnsweredSince reports whether the cluster has answered since then. Where that is not known, the cluster is asked in the background, and a later call knows.
	AnsweredSince(since time.Time) bool
}

// TopicWatcher is a Source that asks its cluster, from time to time, whether the topics that are read still exist.
type TopicWatcher interface {
	// DeletedTopics are the topics that were read and that the cluster no longer has, each with the reason, for as long as that is so.
	DeletedTopics() map[string]error
	// RecreatedTopics are the topics that were deleted and created again, each returned once, with the time of the last answer that had the old one.
	RecreatedTopics() map[string]time.Time
	// TopicIDs asks for the ids of topics. A topic that the cluster does not have, or that has no id, is left out.
	TopicIDs(ctx context.Context, topics []string) (map[string][16]byte, error)
}

// LoginReporter is a Source that knows whether its brokers refuse its login.
type LoginReporter interface {
	// Refused reports whether the cluster's last answer was that it refuses the login.
	Refused() bool
}
