package kafarr

import (
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
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
	readers    []*avro.Schema
	life       lifecycle
	counters   counters
	headers    bool // are read as text

	born    time.Time   // when a member of a group was opened
	unready atomic.Bool // see Waiting

	// life.mu is held by whoever uses what follows.

	poll          poll
	buffer        partitions.Buffer
	batches       []*building // being filled, in the order of their first rows: one at most, and one of tombstones after it, unless GroupMixed
	gathered      int         // their rows
	deleted       deletions
	reread        bool            // a row of theirs lay between others that were handed over: see again
	bytes         int             // that they came in
	queue         []*batch.Sealed // to be handed over, one a poll
	errs          []*batch.Sealed // to be told after the batches of this poll
	sets          map[pair]*columnSet
	shapes        map[string]*columnSet // the same sets
	kept          kept
	failure       error // told by the next poll
	values        *side
	keys          *side       // nil: keys are not asked for
	lookup        *lookup     // the one that is waited for
	long          *longRecord // nil: the record under the cursor does not take long
	bodies        []avro.Body
	keyBodies     []avro.Body
	done          rows // that were appended last: of a run of one row, its allocation would cost more than all else
	keyRef        schemaRef
	buckets       []bucket
	used          int // of buckets
	partitions    *partitions.Table
	happened      []Event                           // since the last batch
	lastDelivered lastDelivered                     // batch that was handed over
	blocked       map[source.TopicPartition]blocked // partitions that wait for a schema
	placeless     placeless
	unknown       *unknowns
	readerUse     *readerUse
	ahead         ahead
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
	if cfg.unknown == nil {
		cfg.unknown = newUnknowns()
	}
	if cfg.reading == nil {
		cfg.reading = newReaderUse()
	}
	cfg.BatchBytes = cfg.batchBytes()
	l := &Listener{
		cfg: cfg, log: newLogSink(cfg.Logger),
		sets: map[pair]*columnSet{}, shapes: map[string]*columnSet{}, partitions: partitions.NewTable(), blocked: map[source.TopicPartition]blocked{},
		watched: watched{told: map[string]error{}},
		values:  newSide(cfg.Value, cfg.Framing, wire.ValueSchemaHeader, false),
		tracker: delivery.New(),
		kept:    kept{most: cfg.schemaBytes()}, headers: cfg.wants(Headers), deleted: newDeletions(), unknown: cfg.unknown, readerUse: cfg.reading,
	}
	if cfg.warned == nil {
		l.cfg.warned = &warned{texts: map[string]bool{}}
	}
	l.values.nulls = cfg.Tombstones == KeepTombstones
	if cfg.wants(Key) {
		framing := Confluent
		if cfg.Framing.asksRegistry() {
			framing = cfg.Framing
		}
		l.keys = newSide(cfg.Key, framing, wire.KeySchemaHeader, true)
		l.keys.nulls = !l.keys.untyped()
	}
	for _, text := range cfg.Readers {
		reader, err := parseReader(registry.Schema{Text: text}, cfg.Limits)
		if err != nil {
			return nil, err
		}
		l.readers = append(l.readers, reader)
		l.readerUse.given(reader)
	}
	for _, s := range cfg.latest {
		reader, err := parseReader(s, cfg.Limits)
		if err != nil {
			return nil, err
		}
		l.readers = append(l.readers, reader)
	}
	if err := l.given(); err != nil {
		return nil, wrap(err)
	}
	l.letters = newDeadLetters(cfg.DeadLetterTopic, cfg.letterBytes(), l.cfg.openDeadLetters(l.log), l.letterSettled)
	l.life.start()
	var err error
	if l.registry, l.source, err = cfg.open((*assignment)(l), l.log); err != nil {
		l.life.cancel()
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
