package kafarr

import (
	"io"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/deadletter"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Listener reads topics as batches of rows. One Poll at a time; Commit, Stats and Close may be called from any goroutine.
//
// The rule for its locks: the listener's lock (lifecycle.mu) is held for one slice of a poll, or for one control call, and may be held over calls to the source. All other locks are
// leaves: each is held for a few lines, and nothing is called while it is held. So no two of them are ever held at once, but the listener's and a leaf. TestEveryPairOfMethodsMayBeCalledAtOnce
// and the race detector hold this.
//
//	lock                  who takes it                       what it guards
//	lifecycle.mu          a slice of a poll; Seek, Pause,    poll, buffer, partitions, events, group, schemas and assembler;
//	                      Resume, Position, GiveBack, Leave; the source's ServeEvents, Fetch, Release and Seek
//	                      Rebalanced, Close
//	delivery.Tracker      any goroutine                      which rows are delivered, acknowledged and held
//	deadletter.Queue      any goroutine, and the writer's    the rejected messages that are in flight or have failed; it opens the writer under it
//	membership.Callbacks  any goroutine                      the changes of the assignment that are not confirmed
//	  its running         a caller of OnAssign or OnRevoke   that they are called one at a time; it is tried, and never waited for
//	membership.Tails      the poll, and its look in the      what a look has found
//	                      background
//	commits               any goroutine                      whether the listener or transactions commit
//	no lock: atomics      any goroutine                      lifecycle.phase, counters, Readiness.Waiting
type Listener struct {
	cfg      Config
	log      *clientlog.Log
	registry registry.Registry
	source   source.Roles
	letters  *deadletter.Queue
	life     lifecycle
	counters counters

	// The listener's lock guards what follows.

	poll       poll
	buffer     partitions.Buffer
	partitions *partitions.Table
	assembler  *assemble.Assembler
	schemas    *schema.Resolvers
	events     membership.Events

	tracker *delivery.Tracker
	group   *membership.Group
	commits commits
}

// Open makes a listener. It checks the configuration and does not wait for the network.
func Open(cfg Config) (*Listener, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Listener{
		cfg: cfg, log: clientlog.New(cfg.Logger),
		partitions: partitions.NewTable(),
		tracker:    delivery.New(),
	}
	l.letters = deadletter.New(cfg.Memory.letterBytes(), l.cfg.openDeadLetters(l.log), l.letterDelivered)
	l.life.start()
	l.group = newGroup(l)
	if err := l.openParts(); err != nil {
		l.life.cancel()
		l.closeRegistry()
		return nil, err
	}
	if l.source.Positioner == nil && len(cfg.Start) > 0 {
		_ = l.Abort()
		return nil, errorf(ConfigError, "start: this source has no positions")
	}
	l.register()
	return l, nil
}

// openParts makes the registry client, the Resolvers and the source.
func (l *Listener) openParts() (err error) {
	if l.registry, err = l.cfg.Registry.open(l.cfg.Environment); err != nil {
		return err
	}
	if l.schemas, err = l.cfg.Messages.resolvers(l.life.ctx, schemaSources{
		registry: l.registry, shared: schema.NewShared(), bytes: l.cfg.Memory.schemaBytes(), inference: schema.InferredHere, held: l.buffer.Others,
	}, l.log); err != nil {
		return err
	}
	l.assembler = l.newAssembler()
	src, err := l.cfg.openSource(l.group, l.log)
	if err != nil {
		return err
	}
	l.source = source.RolesOf(src)
	l.group.Connect(l.source, l.offsets())
	return nil
}

// closeRegistry closes the registry client, unless the caller gave it: then the caller closes it.
func (l *Listener) closeRegistry() {
	if c, ok := l.registry.(io.Closer); ok && l.cfg.Registry.Client == nil {
		_ = c.Close()
	}
}
