package source

import "context"

// Offsets with a meaning, in AskOffsets and as the places where reading begins. See Stored, too.
const (
	End       = int64(-1)
	Beginning = int64(-2)
)

// Positioner is a Source whose positions can be asked for and moved. What waits for the cluster ends with its context.
type Positioner interface {
	// Seek moves partitions that are assigned. No record from before it is fetched after it. ErrNotFetching: try again in a moment; a NotFetching
	// names the partitions that have not moved. It
	// belongs to the goroutine that fetches, the rest may be called from any.
	Seek(ctx context.Context, positions []Position) error
	// Pause stops fetching partitions, which stay assigned; what was not fetched of them comes after Resume. It outlives a rebalance.
	Pause(positions []Position) error
	// Resume goes on with paused partitions. Offset is what the caller expects next; below 0: not known.
	Resume(positions []Position) error
	// Paused tells which partitions are paused.
	Paused(positions []Position) []bool
	// AskCommitted asks what the group has committed. Offset is below 0 where that is nothing.
	AskCommitted(ctx context.Context, positions []Position) ([]Position, error)
	// AskOffsets asks for the first offset of a time or later: Offset is in milliseconds since 1970, or Beginning, or End. The end is the
	// answer, too, where the time is past the last record. Each partition once.
	AskOffsets(ctx context.Context, positions []Position) ([]Position, error)
}

// Explorer is a Source that can look beyond what brings no records: transaction markers, rows of aborted transactions, offsets that compaction has left empty.
type Explorer interface {
	// AskNext asks where the log has the next record from each position on; where it has none yet, that is the end of what can be read. It may be called from any goroutine. Where the answer could not be
	// found, the position is returned as it is, with the first error.
	AskNext(ctx context.Context, positions []Position) ([]Position, error)
}
