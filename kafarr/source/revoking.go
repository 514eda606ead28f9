package source

// Keeper is a Source that asks its handler before it takes partitions and before it gives them up. Where Handler.Assigning or Revoking says
// so it waits, fetches nothing of what it is to take, and hears no more of what the client has to tell, until Answer or Close.
type Keeper interface {
	// Answer goes on with the change of the assignment that waits, if one does. It belongs to the goroutine of Serve.
	Answer()
}
