// Package source says where records come from: chunks of consecutive records of one partition, as spans into memory that
// the source owns until Release. There is no interface, call or allocation per message.
//
// A Source plays three roles: Fetcher, Group and Committer. What only some sources can do is an interface of its own, which a caller asks the source for
// (abilities.go).
package source

import (
	"context"
	"io"
	"time"
)

// Fetcher brings records. Its methods belong to one goroutine at a time.
type Fetcher interface {
	// Fetch waits up to wait for records and returns at most limit. The chunks live until Release, which comes before the next Fetch.
	Fetch(limit int, wait time.Duration) ([]Chunk, error)
	// Release frees the memory of the last Fetch.
	Release()
}

// Group knows which partitions are assigned to this source, and what keeps records from coming.
type Group interface {
	// ServeEvents handles the client's events: changes of the assignment (see Handler), and errors. An error is returned once. It belongs to the goroutine that fetches.
	ServeEvents() error
	// Ready reports whether there is an assignment, and what is being waited for; waitingFor is empty once all partitions are being fetched.
	Ready() (joined bool, waitingFor string)
	// UnavailableTopics are the topics asked for that the cluster does not have or does not show, with the reason.
	UnavailableTopics() map[string]error
	// LastConnectError is why no broker can be reached; nil once one answers.
	LastConnectError() error
}

// Committer commits the offsets of a group.
type Committer interface {
	// Store notes positions for the commit in the background. Partitions that are not assigned are ignored.
	Store(positions []Position) error
	// Commit commits positions and waits until the group has them.
	Commit(ctx context.Context, positions []Position) error
}

// Source is where a listener's records come from. ServeEvents, Fetch, Release and Close belong to one goroutine at a time; the other methods may be called from any.
type Source interface {
	Fetcher
	Group
	Committer
	io.Closer // leaves the group
}

// Handler learns of changes of the assignment. Its methods are called within ServeEvents and Close, on their goroutine.
type Handler interface {
	// Assigning is given the partitions that the group assigns, by a DeferredRebalancer. It returns true to defer the assignment: then the source takes the partitions with
	// ConfirmRebalance, and fetches nothing of them before.
	Assigning(partitions []Position) bool
	// Assigned is given the partitions that are about to be read and returns where each begins. committed asks the group for its offsets.
	Assigned(partitions []Position, committed func([]Position) ([]Position, error)) []Position
	// Revoking is given the partitions that the group revokes, by a DeferredRebalancer. It returns true to defer the revocation: then the source keeps the partitions until
	// ConfirmRebalance. lost: another member may already own them.
	Revoking(partitions []Position, lost bool) bool
	// Revoked is given the partitions that are about to be given up.
	Revoked(partitions []Position, lost bool)
}
