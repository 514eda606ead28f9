package membership

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Log passes lines on to the user's logger.
type Log interface {
	// Client takes a line of which alike ones are held back for a while. level is syslog's.
	Client(level int, facility, message string)
	// Warn takes a line that no other stands for.
	Warn(facility, message string)
	// Assignment takes what has become of partitions.
	Assignment(what string, partitions []source.Position)
}

// Config is what a Group has to know of the listener's configuration.
type Config struct {
	Topics        []string          // names, and patterns, which begin with ^
	Assign        []source.Position // instead of Topics: the group has no say in them
	Properties    map[string]string // of the client
	ReadyTimeout  time.Duration
	SchemaTimeout time.Duration
	OnAssign      bool // the caller wants to be called about assignments
	OnRevoke      bool // likewise, about revocations
	// Starts tells whether the configuration says where a partition begins that is new to the listener; else it begins where the group left off.
	Starts func(source.TopicPartition) bool
}

// Listener is what a Group needs of the listener that it is part of.
type Listener struct {
	Context    context.Context                          // ends with it
	Leaving    func() bool                              // it is being closed
	Discard    func(source.TopicPartition)              // drops the rows of a partition that the caller does not have
	Fail       func(error)                              // has a poll return an error that comes once, after the rows before it
	Neighbours func(since, now time.Time) (hint string) // names other listeners of the group that nobody polls
	Rebalances *atomic.Int64                            // counts the assignments
	Returns    func() bool                              // a partition that comes back begins at the committed offset
}

// Group is what a listener knows of its assignment: it hears of rebalances from the source, decides where partitions begin, and follows what becomes of their topics. It implements
// source.Handler.
//
// The listener's lock guards it. Callbacks has a lock of its own.
type Group struct {
	cfg     Config
	l       Listener
	source  source.Roles
	table   *partitions.Table
	tracker *delivery.Tracker
	events  *Events
	log     Log

	Callbacks Callbacks
	Readiness Readiness
	Blocked   Blocked
	Tails     Tails
	starts    starts
	topics    topicWatch
}

// New returns a Group that knows no partition. Its source is given to Connect before it is served.
func New(cfg Config, l Listener, table *partitions.Table, tracker *delivery.Tracker, events *Events, log Log) *Group {
	return &Group{cfg: cfg, l: l, table: table, tracker: tracker, events: events, log: log}
}

// Connect gives the group its source.
func (g *Group) Connect(src source.Roles, offsets Offsets) {
	g.source = src
	g.Readiness = Readiness{cfg: &g.cfg, source: &g.source, log: g.log, neighbours: g.l.Neighbours}
	g.Blocked = Blocked{positioner: src.Positioner, table: g.table, log: g.log, waiting: map[source.TopicPartition]Wait{}}
	g.Tails = Tails{explorer: src.RecordFinder, offsets: offsets, table: g.table, tracker: g.tracker, rebalances: g.l.Rebalances, log: g.log}
	g.starts = starts{offsets: offsets, positioner: src.Positioner, table: g.table, tracker: g.tracker, log: g.log}
	g.topics = topicWatch{
		cfg: &g.cfg, watcher: src.TopicWatcher, positioner: src.Positioner, table: g.table, tracker: g.tracker, events: g.events, log: g.log, reported: map[string]error{},
	}
}

// Assigning implements source.Handler: nothing is fetched of partitions while OnAssign is called with them, which may say where they begin.
func (g *Group) Assigning(partitions []source.Position) bool {
	if !g.cfg.OnAssign || g.l.Leaving() || !g.Callbacks.Offer(partitions) {
		return false
	}
	g.tracker.Assign(partitions)
	return true
}

// Assigned implements source.Handler. A partition that comes back continues where this listener stopped, not at the committed offset,
// or rows would be repeated that were handed over and not yet acknowledged. If another member has committed more meanwhile, its
// progress counts. Where transactions commit, it begins at the committed offset: none commits the rows any more that were handed over before. A partition that is new to this listener begins
// where Config.Start says, and one that OnAssign has placed, there.
func (g *Group) Assigned(given []source.Position, committed func([]source.Position) ([]source.Position, error)) []source.Position {
	out := make([]source.Position, len(given))
	var known []source.Position
	var fresh, returning []int
	placed := g.Callbacks.TakeOffered()
	for i, p := range given {
		k := p.TopicPartition()
		out[i] = k.At(source.Stored)
		if next := g.table.Of(k).Next; next.Known {
			out[i].Offset = next.At
			if placed[k] {
				continue
			}
			known = append(known, k.At(0))
			returning = append(returning, i)
		} else if g.cfg.Starts(k) {
			fresh = append(fresh, i)
		}
	}
	if len(returning) > 0 && g.l.Returns() {
		fresh, known = append(fresh, g.restart(out, returning, known, committed)...), nil
	}
	if !g.l.Leaving() { // an assignment may still come while the source is being closed
		g.reportOutside(g.starts.resolve(g.l.Context, out, fresh))
	}
	if len(known) > 0 {
		if offsets, err := committed(known); err == nil {
			g.advanceToCommitted(out, offsets)
		} else {
			g.log.Client(4, "REBALANCE", "the committed offsets could not be read, continuing from this listener's own: "+err.Error())
		}
	}
	g.tracker.Assign(given)
	for _, p := range given {
		g.table.Of(p.TopicPartition()).Look = partitions.Look{} // it is looked at as one that was never read
	}
	g.l.Rebalances.Add(1)
	g.log.Assignment("assigned", out)
	g.events.AddAssignment(PartitionAssigned, out)
	return out
}

// restart forgets partitions, so that they begin at the committed offset, which the client asks for. It returns those that have none, and begin where Config.Start says.
func (g *Group) restart(out []source.Position, returning []int, known []source.Position, committed func([]source.Position) ([]source.Position, error)) (fresh []int) {
	offsets, err := committed(known)
	for _, i := range returning {
		k := out[i].TopicPartition()
		out[i].Offset = source.Stored
		g.tracker.Forget(k)
		g.table.Of(k).RedeliverAll()
		g.table.Of(k).Next = partitions.Offset{}
		none := slices.ContainsFunc(offsets, func(p source.Position) bool { return p.TopicPartition() == k && p.Offset < 0 })
		if err == nil && none && g.cfg.Starts(k) {
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// advanceToCommitted moves positions up to what the group has committed, where that is further. What it had committed before this listener moved
// back is no progress.
func (g *Group) advanceToCommitted(out, committed []source.Position) {
	for _, c := range committed {
		k := c.TopicPartition()
		i := slices.IndexFunc(out, func(p source.Position) bool { return p.TopicPartition() == k })
		if i < 0 || c.Offset <= out[i].Offset || !g.tracker.Overtaken(k, c.Offset) {
			continue
		}
		out[i].Offset = c.Offset
		g.table.Of(k).Next = partitions.At(c.Offset)
		g.table.Of(k).RedeliverAll()
	}
}

// reportOutside reports starting offsets that are not in the log: the client continues where auto.offset.reset says. They are one error, as a topic that was re-created has all its
// partitions among them.
func (g *Group) reportOutside(outside []*status.Error) {
	if len(outside) == 0 {
		return
	}
	var others strings.Builder
	for i, e := range outside {
		g.log.Warn("START", e.Error())
		switch {
		case i == 0:
		case i <= namedOutside:
			fmt.Fprintf(&others, "; %s", e.Error())
		case i == namedOutside+1:
			fmt.Fprintf(&others, "; and %d more, which the log names", len(outside)-i)
		}
	}
	all := *outside[0]
	all.Err = fmt.Errorf("%w%s", all.Err, others.String())
	g.l.Fail(&all)
}

// namedOutside is how many more partitions an error names than its own.
const namedOutside = 9

// Revoking implements source.Handler: partitions are kept while OnRevoke is called with them.
func (g *Group) Revoking(partitions []source.Position, lost bool) bool {
	if !g.cfg.OnRevoke || g.l.Leaving() {
		return false
	}
	if lost { // no commit for them any more: it could take their new owner's progress back
		g.unassign(partitions)
	}
	return g.Callbacks.Enqueue(Rebalance{Partitions: partitions, Revoked: true, Lost: lost})
}

// Revoked implements source.Handler. Rows that were not handed over are dropped: the next owner of the partition reads them.
func (g *Group) Revoked(partitions []source.Position, lost bool) {
	g.unassign(partitions)
	for _, p := range partitions {
		k := p.TopicPartition()
		g.l.Discard(k)
		if err := cmp.Or(g.Blocked.Unblock(k), g.starts.resolved(k)); err != nil && !g.l.Leaving() { // or it would come back paused
			g.log.Client(4, "REBALANCE", err.Error())
		}
	}
	what := PartitionRevoked
	if lost {
		what = PartitionLost
	}
	g.log.Assignment(string(what), partitions)
	g.events.AddAssignment(what, partitions)
}

// unassign notes that partitions are not this listener's any more: nothing is committed for them.
func (g *Group) unassign(partitions []source.Position) {
	for _, p := range partitions {
		g.tracker.Unassign(p.TopicPartition())
	}
}

// Move has all that is known of a partition follow it to another offset, to which the source has moved it already. committed is the group's offset.
func (g *Group) Move(to source.Position, committed int64) error {
	k := to.TopicPartition()
	g.l.Discard(k)
	g.table.Of(k).RedeliverAll()
	g.table.Of(k).Next = partitions.At(to.Offset)
	g.tracker.Seek(to, committed)
	g.Callbacks.Moved(k)
	return cmp.Or(g.Blocked.Unblock(k), g.starts.resolved(k))
}

// Watch follows what the source says of topics that are deleted or re-created.
func (g *Group) Watch() {
	if g.source.TopicWatcher == nil {
		return
	}
	for topic, last := range g.source.TopicWatcher.RecreatedTopics() {
		g.HearResets()
		if err := g.topics.recreated(topic, last, g.Assignment()); err != nil {
			g.l.Fail(err)
		}
	}
	g.topics.rewind(g.l.Context, g.Move)
	if err := g.topics.deleted(); err != nil {
		g.l.Fail(err)
	}
}

// HearResets notes the offsets that the client asked for in vain.
func (g *Group) HearResets() {
	if g.source.ResetReporter == nil {
		return
	}
	for _, p := range g.source.ResetReporter.Resets() {
		g.table.Of(p.TopicPartition()).ResetTo(p.Offset)
	}
}

// Look asks what lies after the last rows of partitions that bring nothing; quiet: that a poll got nothing.
func (g *Group) Look(quiet bool) {
	if g.l.Leaving() {
		return
	}
	if g.source.RecordFinder != nil {
		g.HearResets()
	}
	g.Tails.look(g.l.Context, quiet)
}

// Retry has what partitions wait for asked again: schemas, and where they begin.
func (g *Group) Retry() error {
	return cmp.Or(g.Blocked.retry(g.cfg.SchemaTimeout), g.starts.retry(g.l.Context, g.Move, g.reportOutside))
}

// Fault is the error of a poll that gets nothing: the first of what is wrong and may mend by itself; nil where nothing is.
func (g *Group) Fault() error {
	if err := cmp.Or(g.source.LastConnectError(), g.Blocked.outage(), g.starts.fault(), g.topics.fault()); err != nil {
		return err
	}
	if err := g.Readiness.unreadable(false); err != nil {
		return err
	}
	return nil
}

// Stuck is why a poll can get nothing until somebody changes something. fatal: the client will never continue.
func (g *Group) Stuck() (fatal bool, err error) {
	if g.source.LivenessReporter == nil {
		return false, nil
	}
	if fatal, err = g.source.LivenessReporter.Stuck(); err != nil {
		err = status.Wrap(err)
	}
	return fatal, err
}

// Assignment returns the partitions of the assignment, in the order of their names and numbers; Offset is 0.
func (g *Group) Assignment() []source.Position {
	out := slices.Clone(g.cfg.Assign)
	if len(out) == 0 {
		for _, k := range g.tracker.Assignment() {
			out = append(out, k.At(0))
		}
	}
	slices.SortFunc(out, func(a, b source.Position) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}

// meant tells whether a partition is one of those that a caller has named; partition -1 means all of the topic.
func meant(named []source.Position, p source.Position) bool {
	return slices.ContainsFunc(named, func(n source.Position) bool {
		return n.Topic == p.Topic && (n.Partition == p.Partition || n.Partition < 0)
	})
}

// Has is the error of the first of the partitions that is not of the assignment.
func (g *Group) Has(named []source.Position) error {
	mine := g.Assignment()
	for _, n := range named {
		if !slices.ContainsFunc(mine, func(m source.Position) bool { return meant([]source.Position{n}, m) }) {
			e := status.Errorf(status.StateError, "it is not assigned to this listener, which has %d partitions: the group assigns them within polls", len(mine))
			e.Topic, e.Partition = n.Topic, n.Partition
			return e
		}
	}
	return nil
}

// Chosen returns the partitions of the assignment that a caller has named, nil for all of them.
func (g *Group) Chosen(named []source.Position) ([]source.Position, error) {
	if err := g.Has(named); err != nil {
		return nil, err
	}
	mine := g.Assignment()
	if named == nil {
		return mine, nil
	}
	return slices.DeleteFunc(mine, func(m source.Position) bool { return !meant(named, m) }), nil
}

// Fetched returns the positions of partitions that the source has. Those of Config.Assign before their turn, and of an assignment that waits
// for OnAssign, begin at their new places.
func (g *Group) Fetched(to []source.Position) []source.Position {
	return slices.DeleteFunc(slices.Clone(to), func(p source.Position) bool {
		k := p.TopicPartition()
		return g.Callbacks.IsOffered(k) || !g.tracker.IsAssigned(k)
	})
}

// KeepPaused leaves it to the user of a partition when it continues, instead of to what it waits for.
func (g *Group) KeepPaused(k source.TopicPartition) {
	g.Blocked.Leave(k)
	if p := g.table.Of(k); p.Start == partitions.StartUnresolved {
		p.Start = partitions.StartUnresolvedPaused
	}
}

// Resumable returns the partitions that may continue now, with the offsets that come next. Those whose start is not resolved continue when it is.
func (g *Group) Resumable(chosen []source.Position) []source.Position {
	var out []source.Position
	for _, c := range chosen {
		p := g.table.Of(c.TopicPartition())
		if p.Start != partitions.StartResolved {
			p.Start = partitions.StartUnresolved
			continue
		}
		c.Offset = -1
		if p.Next.Known {
			c.Offset = p.Next.At
		}
		out = append(out, c)
	}
	return out
}
