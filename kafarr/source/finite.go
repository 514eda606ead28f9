package source

// Finite is a Source that comes to an end: once Ended, no Fetch will bring records any more.
type Finite interface {
	Ended() bool
}
