package source

// Roles are a Source, and what it can do besides. A role that it does not have is nil.
type Roles struct {
	Source
	Positioner Positioner    // its positions can be asked for and moved
	Resetter   Resetter      // it knows which offsets were not in the log
	Finite     Finite        // it has an end
	Member     Member        // it is a cluster's client
	Explorer   Explorer      // it can look beyond the last row
	Watcher    Watcher       // it knows which topics were deleted
	Keeper     Keeper        // it holds changes of the assignment back until the caller has confirmed them
	Login      LoginReporter // it knows whether a login is refused time and again
}

// LoginReporter is a Source whose brokers may refuse its login.
type LoginReporter interface {
	// Refused tells that the brokers refuse the login time and again.
	Refused() bool
}

// RolesOf finds out what a source can do.
func RolesOf(s Source) Roles {
	r := Roles{Source: s}
	r.Positioner, _ = s.(Positioner)
	r.Resetter, _ = s.(Resetter)
	r.Finite, _ = s.(Finite)
	r.Member, _ = s.(Member)
	r.Explorer, _ = s.(Explorer)
	r.Watcher, _ = s.(Watcher)
	r.Keeper, _ = s.(Keeper)
	r.Login, _ = s.(LoginReporter)
	return r
}
