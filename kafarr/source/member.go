package source

import "time"

// Member is a Source that is the client of a cluster, and tells a wait that ends by itself from one that does not.
type Member interface {
	// Stuck is why nothing comes until somebody changes something, nil where that is not so. fatal: this client will never continue.
	Stuck() (fatal bool, why error)
	// Answers tells whether the cluster has answered since then. Where that is not known the cluster is asked, in the background, and a later call knows.
	Answers(since time.Time) bool
}
