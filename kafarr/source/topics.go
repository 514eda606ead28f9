package source

import (
	"context"
	"time"
)

// Watcher is a Source that asks its cluster, from time to time, whether the topics that are read are still there.
type Watcher interface {
	// Gone are the topics that were read and that the cluster does not have any more, each with the reason, for as long as that is so.
	Gone() map[string]error
	// Recreated are the topics that were deleted and created again, each returned once, with the time of the last answer that had the old one.
	Recreated() map[string]time.Time
	// AskIDs asks for the ids of topics. One that the cluster does not have, or that has no id, is left out.
	AskIDs(ctx context.Context, topics []string) (map[string][16]byte, error)
}
