package kafarr

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Listener reads topics as batches of rows. One Poll at a time; Commit, Stats and Close may be called from any goroutine.
type Listener struct {
	cfg      Config
	log      *logSink
	registry registry.Registry
	source   source.Source
	// positioner is the source, where it has positions to move; else nil
	positioner source.Positioner
	resetter   source.Resetter // likewise
	finite     source.Finite   // likewise, where it has an end
	member     source.Member   // likewise, where it is a cluster's client
	explorer   source.Explorer // likewise, where it can look beyond the last row
	watcher    source.Watcher  // likewise, where topics may be deleted
	letters    *deadLetters
	life       lifecycle
	counters   counters

	born    time.Time   // when a member of a group was opened
	unready atomic.Bool // see Waiting

	// life.mu is held by whoever uses what follows.

	poll          poll
	buffer        partitions.Buffer
	assembler     *assemble.Assembler
	schemas       *schema.Resolvers
	failure       error          // told by the next poll
	lookup        *schema.Lookup // the one that is waited for
	partitions    *partitions.Table
	happened      []Event                           // since the last batch
	lastDelivered lastDelivered                     // batch that was handed over
	blocked       map[source.TopicPartition]blocked // partitions that wait for a schema
	placeless     placeless
	opened        time.Time // the first poll
	toldNames     bool      // topics that do not exist were named
	saidNames     bool      // likewise, in the log
	waived        bool      // the wait for all partitions was given up once: read what there is
	waits         waitingSince
	tails         tails
	watched       watched

	tracker   *delivery.Tracker
	callbacks membership.Callbacks
}

// Open makes a listener. It checks the configuration and does not wait for the network.
func Open(cfg Config) (*Listener, error) {
	if cfg.Metadata == nil {
		cfg.Metadata = []Metadata{{Column: Offset}}
	}
	if cfg.Value == Usual {
		cfg.Value = Avro
	}
	if cfg.Key == Usual {
		cfg.Key = Bytes
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.ReadyTimeout == 0 {
		cfg.ReadyTimeout = DefaultReadyTimeout
	}
	if cfg.SchemaPatience == 0 {
		cfg.SchemaPatience = DefaultSchemaPatience
	}
	if cfg.shared == nil {
		cfg.shared = schema.NewShared()
	}
	cfg.BatchBytes = cfg.batchBytes()
	l := &Listener{
		cfg: cfg, log: newLogSink(cfg.Logger),
		partitions: partitions.NewTable(), blocked: map[source.TopicPartition]blocked{},
		watched: watched{told: map[string]error{}},
		tracker: delivery.New(),
	}
	l.letters = newDeadLetters(cfg.DeadLetterTopic, cfg.letterBytes(), l.cfg.openDeadLetters(l.log), l.letterSettled)
	l.life.start()
	if err := l.openParts(); err != nil {
		l.life.cancel()
		l.closeRegistry()
		return nil, err
	}
	l.positioner, _ = l.source.(source.Positioner)
	l.resetter, _ = l.source.(source.Resetter)
	l.finite, _ = l.source.(source.Finite)
	l.member, _ = l.source.(source.Member)
	l.explorer, _ = l.source.(source.Explorer)
	l.watcher, _ = l.source.(source.Watcher)
	if l.positioner == nil && len(cfg.Start) > 0 {
		_ = l.Abort()
		return nil, errorf(ConfigError, "start: this source has no positions")
	}
	l.register()
	return l, nil
}

// openParts makes the registry client, what resolves schemas, and the source.
func (l *Listener) openParts() (err error) {
	if l.registry, err = l.cfg.openRegistry(); err != nil {
		return err
	}
	if l.schemas, err = l.cfg.resolvers(l.life.ctx, l.registry, l.log); err != nil {
		return err
	}
	l.assembler = l.newAssembler()
	l.source, err = l.cfg.openSource((*assignment)(l), l.log)
	return err
}

// closeRegistry closes the registry client, unless it was given: then it belongs to who gave it.
func (l *Listener) closeRegistry() {
	if c, ok := l.registry.(io.Closer); ok && l.cfg.Registry == nil {
		_ = c.Close()
	}
}
