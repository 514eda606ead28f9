package schema

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// Config says what a Resolver resolves, and how.
type Config struct {
	IsKey   bool
	Content Content // not Usual
	Framing Framing
	// MessageType is the full name of the type that each schema of several types is read as, whatever its message indexes say; empty: the type that these say.
	MessageType string
	Given       []Given // schemas that messages do not carry
	Inference   Inference
	// Held are the records that are held of a chunk's topic besides those of that chunk; nil: none are known.
	Held func(chunk *source.Chunk) [][]source.Record

	// NullsHaveSchemas makes a null a row of the schema that its topic had last, so that the Resolver keeps it.
	NullsHaveSchemas bool
	// Options say how schemas become columns. The Resolver chooses the reader.
	Options format.Options
	// Readers are the schemas to read as, as the user gave them; Latest those that the registry had last.
	Readers, Latest []registry.Schema
	// Reserved are the columns besides the fields: no field may have one of their names.
	Reserved    []Reserved
	Rules       Rules
	LocalSecret string // of the KMS that Confluent's clients call local; empty: unknown

	Registry registry.Registry // nil where no message names a schema of one
	// RetryTimeout is how long a schema is waited for that the registry answers it does not have; then its messages count as bad. Negative: not at all.
	RetryTimeout time.Duration
	// WaitWithoutEnd makes such a wait one without end, unless RetryTimeout is negative.
	WaitWithoutEnd bool

	Shared *Shared
	Cache  *Cache
	Warn   func(facility, text string)
	Note   func(facility, text string) // of what is no reason to worry
}

// Reserved is a column besides the fields, with the name that the user gave it.
type Reserved struct{ Column, Name string }

// Shared is what several Resolvers know in common: those of a scan, which reads many ranges.
type Shared struct {
	Missing  *Missing
	Readers  *ReaderUse
	Warnings *Warnings
}

// NewShared makes a Shared that nothing is known in.
func NewShared() *Shared {
	return &Shared{Missing: newMissing(), Readers: newReaderUse(), Warnings: newWarnings()}
}

// WithoutReaders is the same for a Resolver that reads no messages: what it does says nothing about which readers are of use.
func (s *Shared) WithoutReaders() *Shared {
	return &Shared{Missing: s.Missing, Readers: newReaderUse(), Warnings: s.Warnings}
}

// Resolver resolves the schemas of values, or of keys. All but Compiled belongs to one goroutine at a time.
type Resolver struct {
	cfg     Config
	ctx     context.Context // of the look-ups
	header  string          // the name of the header that may say which schema
	named   *form           // the format that Content names; nil: it names none
	readers []Reader

	plans     map[Ref]*Compiled
	mayBeJSON map[Ref]bool // of the schemas given for Bare: see MayBeJSON
	ofLast    givenOf
	envelopes envelopes // Connect
	lookups   map[Ref]*Lookup
	keys      map[registry.KeyName]*Lookup // of the keys that rules encrypt with
	numbers   map[any]Ref                  // of a fingerprint (uint64), a GUID (wire.GUID), or a topic (string)
	names     map[Ref]any                  // the same the other way round
	next      Ref                          // of numbers
	paths     *paths
	asked     Ref // by hasPaths, the last
	askedHas  bool
	ahead     ahead
	compiled  atomic.Int64

	inferred map[string]string // by topic, the texts of schemas
	noJSON   noJSON

	last          map[string]Ref // the schema of a topic's last record that could be read: what a null is a null of
	noSchemaAhead *source.Record // of the records being framed, the last: none that follows a null has a schema for it
	unusable      map[Ref]bool   // cannot be had or used: no null is one of theirs, or it would fail with them
}

// New makes a Resolver, and the plans that need no registry. Its look-ups end with ctx.
func New(ctx context.Context, cfg Config) (*Resolver, error) {
	s := &Resolver{
		cfg: cfg, ctx: ctx, header: wire.ValueSchemaHeader, named: cfg.Content.named(), paths: newPaths(), asked: Null,
		plans: map[Ref]*Compiled{}, lookups: map[Ref]*Lookup{}, keys: map[registry.KeyName]*Lookup{}, numbers: map[any]Ref{}, mayBeJSON: map[Ref]bool{}, envelopes: envelopes{texts: map[Ref]string{}}, names: map[Ref]any{}, next: firstNumbered, inferred: map[string]string{},
		last: map[string]Ref{}, unusable: map[Ref]bool{},
	}
	if cfg.IsKey {
		s.header = wire.KeySchemaHeader
	}
	s.cfg.NullsHaveSchemas = cfg.NullsHaveSchemas && !s.IsUntyped() // else they have that of all others
	for _, text := range cfg.Readers {
		reader, err := parseReader(cfg.Content.given().Format, text, cfg.Options.Limits)
		if err != nil {
			return nil, err
		}
		s.readers = append(s.readers, reader)
		cfg.Shared.Readers.given(reader.schema)
	}
	for _, text := range cfg.Latest {
		f, fault := ofRegistry(text)
		if fault != nil {
			return nil, fault
		}
		reader, err := parseReader(f.Format, text, cfg.Options.Limits)
		if err != nil {
			return nil, err
		}
		s.readers = append(s.readers, reader)
	}
	if err := s.compileGiven(); err != nil {
		return nil, err
	}
	return s, nil
}

// State says how far a schema is resolved.
type State int

const (
	// Ready means that there is a plan.
	Ready State = iota
	// Pending means that the first question to the registry has no answer yet.
	Pending
	// Retry means that a question to the registry has failed, and is asked again: the messages of the schema are not bad yet.
	Retry
	// Unusable means that the schema cannot be had or used, and that asking again changes nothing.
	Unusable
	// Reframe means that the schema has several types, so that message indexes are between what names it and the body: the record is to be framed again.
	Reframe
)

// Resolution is what has become of a schema.
type Resolution struct {
	State State
	Plan  *Compiled     // Ready
	Wait  *Lookup       // Pending and Retry: what is waited for
	Err   *status.Error // Unusable
}

// Resolve returns the plan of a record's schema. rest are the records from that one on, as far as they are fetched: where the registry has to be asked, it is asked for the schemas
// of all of them.
func (s *Resolver) Resolve(chunk *source.Chunk, rest []source.Record, ref Ref) Resolution {
	res := s.planOf(chunk, rest, ref)
	if unusable := res.State == Unusable; unusable != s.unusable[ref] { // most are usable: the map is empty, and this is all
		s.unusable[ref] = unusable
	}
	if res.State == Ready && res.Plan.Keyrings != nil {
		res = s.withKey(res.Plan, ref, res.Plan.Keyrings.Of(chunk.Topic), chunk.Partition, rest[0].Offset)
	}
	if s.cfg.IsKey && res.State == Unusable && IsPermanent(res.Err) {
		res.Err = s.fault(res.Err)
	}
	return res
}

func (s *Resolver) planOf(chunk *source.Chunk, rest []source.Record, ref Ref) Resolution {
	if p, ok := s.plans[ref]; ok {
		p.used = s.cfg.Cache.run
		return p.of(chunk.Topic).resolution()
	}
	switch {
	case s.isInferred(ref):
		return s.infer(chunk, rest, ref)
	case s.isEnvelope(ref):
		return s.keep(ref, s.compileEnvelope(ref), chunk.Topic)
	}
	lookup := s.lookups[ref]
	if lookup == nil {
		if err := s.impossible(ref); err != nil {
			return Resolution{State: Unusable, Err: err}
		}
		lookup = &Lookup{resolver: s, ref: ref, name: s.registered(ref)}
		s.lookups[ref] = lookup
		lookup.ask()
		s.lookAhead(chunk, rest)
	}
	if !lookup.Answered() {
		return lookup.pending()
	}
	delete(s.lookups, ref)
	if lookup.err != nil {
		return Resolution{State: Unusable, Err: lookup.fault(lookup.err)}
	}
	p := s.compileType(lookup.schema, ref)
	s.asked = Null
	s.compiled.Add(1)
	return s.keep(ref, p, chunk.Topic)
}

// keep keeps what a schema was compiled to.
func (s *Resolver) keep(ref Ref, p *Compiled, topic string) Resolution {
	s.plans[ref] = p
	s.cfg.Cache.keep(p)
	return p.of(topic).resolution()
}

// Compiled is how many schemas of the registry were compiled. It may be called from any goroutine.
func (s *Resolver) Compiled() int64 { return s.compiled.Load() }

// Readers are the schemas that others are read as.
func (s *Resolver) Readers() []Reader { return s.readers }

// IsUntyped tells that every payload is bytes or a text.
func (s *Resolver) IsUntyped() bool { return s.cfg.Content == Bytes || s.cfg.Content == String }

// AsksRegistry tells that a registry has the schemas.
func (s *Resolver) AsksRegistry() bool { return !s.IsUntyped() && s.cfg.Framing.AsksRegistry() }

// IsPlain tells that every payload is framed as Confluent does: the framing of such a one says all about it. hasPaths: message indexes follow.
func (s *Resolver) IsPlain() (plain, hasPaths bool) {
	plain = s.named != nil && s.cfg.Framing == Confluent
	return plain, plain && s.named.hasPaths
}

// NullPlan is the plan of nulls that have no other schema.
func (s *Resolver) NullPlan() *Compiled { return s.plans[Null] }

// UntypedPlan is the plan of bytes or a text.
func (s *Resolver) UntypedPlan() *Compiled { return s.plans[Untyped] }

// GivenPlan is that of a topic whose messages carry no schema.
func (s *Resolver) GivenPlan(topic string) (*Compiled, bool) {
	ref, ok := s.ofTopic(topic)
	p := s.plans[ref]
	if p == nil {
		return nil, ok // it is yet to be inferred
	}
	return p.of(topic), ok
}

// GivenPlans are those of all schemas that were given and have names.
func (s *Resolver) GivenPlans() []*Compiled {
	var out []*Compiled
	for ref := firstNumbered; ref < s.next; ref++ {
		if p := s.plans[ref]; p != nil {
			out = append(out, p)
		}
	}
	return out
}

// compileGiven makes the plans that need no registry: of what has no schema, and of the schemas that are given.
func (s *Resolver) compileGiven() error {
	s.plans[Untyped] = &Compiled{Plan: untypedPlan(s.cfg.Content, s.cfg.IsKey || s.cfg.Options.Nullable), given: true}
	s.plans[Null] = &Compiled{Plan: nullPlan, given: true}
	if s.cfg.IsKey {
		null, e := s.compile(avro.Format{}, &avro.Schema{Type: avro.Null})
		if e != nil {
			return e
		}
		null.given = true
		s.plans[Null] = null
	} else if s.named == nil {
		if err := s.clash(s.plans[Untyped].Plan); err != nil {
			return err
		}
	}
	for i, g := range s.cfg.Given {
		if err := s.compileOne(g); err != nil {
			e := status.Wrap(err)
			e.Err = fmt.Errorf("schema %d of those given: %w", i, e.Err)
			return e
		}
	}
	return nil
}

func (s *Resolver) compileOne(g Given) error {
	f := s.cfg.Content.given().Format
	parsed, err := f.Parse(g.Text, nil, s.cfg.Options.Limits)
	if err != nil {
		return err
	}
	if s.cfg.Inference != NotInferred {
		s.warnOfEnvelopes(parsed)
	}
	parsed, e := only(parsed, cmp.Or(s.cfg.MessageType, g.MessageType))
	if e != nil {
		return e
	}
	p := s.perTopic(parsed, 0, func(parsed format.Schema) *Compiled {
		p, e := s.compile(f, parsed)
		if e != nil {
			return &Compiled{Err: e}
		}
		p.given = true
		return p
	})
	if err := p.of(g.Topic).Err; err != nil {
		return err
	}
	p.given = true
	var name any = g.Topic
	if s.cfg.Framing == SingleObject {
		name = parsed.(format.Fingerprinted).Fingerprint() // Messages.validate has seen that the format is one of those that have it
	}
	ref := s.number(name)
	s.plans[ref], s.mayBeJSON[ref] = p, MayBeJSON(parsed)
	return nil
}
