package kafarr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// plan is a compiled schema of values or keys.
type plan struct {
	avro       *avro.Plan
	registered bool   // its schema is one of the registry
	err        *Error // the schema cannot be used, and never will
}

// lookup is a schema's way through the registry, away from the goroutine that polls.
type lookup struct {
	done     chan struct{} // closed when this attempt has its answer
	schema   registry.Schema
	err      error
	attempts int
	retryAt  time.Time // when an attempt failed in a way that another may not
}

// Pauses between attempts: doubling from the first to the last, each cut by up to half at random so that many listeners do not ask
// in step.
const (
	firstRetryPause = 100 * time.Millisecond
	lastRetryPause  = 5 * time.Second
)

// planOf returns the plan of a schema. pending: the registry was asked and has not answered; l.lookup is to be waited for.
// The errors are those that no further attempt will change; which others there were, l.lookup knows.
func (l *Listener) planOf(s *side, ref schemaRef) (p *plan, pending bool, err *Error) {
	if p, ok := s.plans[ref]; ok {
		return p, false, p.err
	}
	lk := s.lookups[ref]
	if lk == nil {
		lk = &lookup{}
		s.lookups[ref] = lk
		l.ask(s, ref, lk)
	}
	l.lookup, l.awaited = lk, ref
	select {
	case <-lk.done:
	default:
		return nil, true, nil
	}
	if lk.err == nil {
		delete(s.lookups, ref)
		p := l.compile(s, lk.schema)
		p.registered = true
		s.plans[ref] = p
		l.counters.schemas.Add(1)
		return p, false, p.err
	}
	e := wrap(lk.err)
	if id, ok := ref.id(); ok {
		e.SchemaID = int64(id)
	}
	if !retriable(lk.err) {
		delete(s.lookups, ref)
		return nil, false, e
	}
	if now := time.Now(); lk.retryAt.IsZero() {
		pause := min(firstRetryPause<<min(lk.attempts-1, 10), lastRetryPause)
		lk.retryAt = now.Add(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter needs no secrecy
	} else if now.After(lk.retryAt) {
		l.ask(s, ref, lk)
	}
	return nil, true, nil
}

// ask starts one attempt.
func (l *Listener) ask(s *side, ref schemaRef, lk *lookup) {
	lk.attempts++
	lk.retryAt = time.Time{}
	done := make(chan struct{})
	lk.done = done
	guid, byGUID := s.name(ref).(wire.GUID)
	id, _ := ref.id()
	spawn(func() {
		switch by, ok := l.registry.(registry.ByGUID); {
		case !byGUID:
			lk.schema, lk.err = l.registry.SchemaByID(l.ctx, int(id))
		case ok:
			lk.schema, lk.err = by.SchemaByGUID(l.ctx, guid.String())
		default:
			lk.err = errorf(SchemaNotFoundError, "schema %s: this registry knows no GUIDs", guid)
		}
		close(done)
	}, func(err error) {
		lk.err = err
		close(done)
	})
}

// failure returns why the look-up has not succeeded so far; nil while its first attempt is under way.
func (lk *lookup) failure() error {
	select {
	case <-lk.done:
		return lk.err
	default:
		return nil
	}
}

func retriable(err error) bool {
	var e *registry.Error
	return errors.As(err, &e) && e.Kind == registry.Unavailable
}

// compile makes the plan of a schema that the registry has answered with.
func (l *Listener) compile(side *side, s registry.Schema) *plan {
	fail := func(err *Error) *plan {
		err.SchemaID = int64(s.ID)
		return &plan{err: err}
	}
	if s.Type != "" && s.Type != "AVRO" {
		return fail(errorf(SchemaError, "it is a %s schema; only AVRO is supported", s.Type))
	}
	parsed, err := l.cfg.Limits.Parse(s.Text, s.References...)
	if err != nil {
		return fail(wrap(err))
	}
	p, e := l.planFor(side, parsed)
	if e != nil {
		return fail(e)
	}
	return p
}

// planFor makes the plan of a schema.
func (l *Listener) planFor(side *side, s *avro.Schema) (*plan, *Error) {
	options := avro.Options{Unions: l.cfg.Unions, Recursion: l.cfg.Recursion, Limits: l.cfg.Limits}
	if side.isKey {
		options.Whole, options.Nullable = true, true
	} else {
		options.Reader, options.Columns, options.Nullable = l.readerOf(s), l.cfg.Columns, l.cfg.Tombstones == KeepTombstones
	}
	compiled, err := avro.Compile(s, options)
	if err != nil {
		return nil, wrap(err)
	}
	if side.isKey {
		return &plan{avro: compiled}, nil
	}
	return &plan{avro: compiled}, l.clash(compiled)
}

// clash is the error of a field that has the name of a metadata column.
func (l *Listener) clash(p *avro.Plan) *Error {
	for _, m := range l.cfg.Metadata {
		for _, f := range p.Fields {
			if f.Name == m.name() {
				e := errorf(ConfigError, "the metadata column %q has the name of a field: rename it, as in metadata={%q: \"other_name\"}", f.Name, m.Column)
				e.Path = f.Name
				return e
			}
		}
	}
	return nil
}

// given makes the plans that need no registry: of what has no schema, and of the schemas that Config.Schemas gives.
func (l *Listener) given() error {
	keep := l.cfg.Tombstones == KeepTombstones
	l.values.plans[refNull] = &plan{avro: avro.Nothing()}
	l.values.plans[refUntyped] = &plan{avro: untypedPlan(l.cfg.Value, keep)}
	if l.values.content != Avro {
		if err := l.clash(l.values.plans[refUntyped].avro); err != nil {
			return err
		}
	}
	if l.keys != nil {
		null, err := l.planFor(l.keys, &avro.Schema{Type: avro.Null})
		if err != nil {
			return err
		}
		l.keys.plans[refNull] = null
		l.keys.plans[refUntyped] = &plan{avro: untypedPlan(l.cfg.Key, true)}
	}
	for i, g := range l.cfg.Schemas {
		p, err := l.givenPlan(g)
		if err != nil {
			e := wrap(err)
			e.Err = fmt.Errorf("schema %d of those given: %w", i, e.Err)
			return e
		}
		l.values.plans[l.values.number(p.name)] = p.plan
	}
	return nil
}

func untypedPlan(c Content, nullable bool) *avro.Plan {
	if c == String {
		return avro.Untyped(avro.String, nullable)
	}
	return avro.Untyped(avro.Bytes, nullable)
}

type namedPlan struct {
	plan *plan
	name any
}

func (l *Listener) givenPlan(g GivenSchema) (namedPlan, error) {
	s, err := l.cfg.Limits.Parse(g.Text)
	if err != nil {
		return namedPlan{}, err
	}
	p, e := l.planFor(l.values, s)
	if e != nil {
		return namedPlan{}, e
	}
	if l.cfg.Framing == SingleObject {
		return namedPlan{p, s.Fingerprint()}, nil
	}
	return namedPlan{p, g.Topic}, nil
}

// parseReader reads a schema that others are read as.
func parseReader(text string, limits avro.Limits, references ...string) (*avro.Schema, error) {
	s, err := limits.Parse(text, references...)
	if err == nil {
		err = avro.CheckDefaults(s)
	}
	if err != nil {
		e := wrap(err)
		e.Err = fmt.Errorf("reader_schema: %w", e.Err)
		return nil, e
	}
	return s, nil
}

// readerOf returns the schema that a type is to be read as; nil: its own.
func (l *Listener) readerOf(writer *avro.Schema) *avro.Schema {
	for _, r := range l.readers {
		if r.TypeName() == writer.TypeName() || slices.Contains(r.Aliases, writer.Name) && writer.Name != "" {
			return r
		}
	}
	return nil
}

// spawn runs a goroutine of ours: a panic in it becomes an error instead of the end of the process.
func spawn(f func(), failed func(error)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				failed(errorf(InternalError, "panic: %v\n%s", p, debug.Stack()))
			}
		}()
		f()
	}()
}
