package source

// Keeper is a Source that asks its handler before it gives partitions up. Where Handler.Revoking says so it keeps them, and hears no more of
// what the client has to tell, until GiveUp or Close.
type Keeper interface {
	// GiveUp goes on with the revocation that waits, if one does. It belongs to the goroutine of Serve.
	GiveUp()
}
