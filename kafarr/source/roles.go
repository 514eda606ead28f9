package source

// Roles are a Source and its abilities, each by the name of its interface. An ability that it does not have is nil.
type Roles struct {
	Source
	Positioner         Positioner
	ResetReporter      ResetReporter
	MemberReporter     MemberReporter
	Bounded            Bounded
	LivenessReporter   LivenessReporter
	RecordFinder       RecordFinder
	TopicWatcher       TopicWatcher
	DeferredRebalancer DeferredRebalancer
	LoginReporter      LoginReporter
}

// RolesOf finds out what a source can do.
func RolesOf(s Source) Roles {
	r := Roles{Source: s}
	r.Positioner, _ = s.(Positioner)
	r.ResetReporter, _ = s.(ResetReporter)
	r.MemberReporter, _ = s.(MemberReporter)
	r.Bounded, _ = s.(Bounded)
	r.LivenessReporter, _ = s.(LivenessReporter)
	r.RecordFinder, _ = s.(RecordFinder)
	r.TopicWatcher, _ = s.(TopicWatcher)
	r.DeferredRebalancer, _ = s.(DeferredRebalancer)
	r.LoginReporter, _ = s.(LoginReporter)
	return r
}
