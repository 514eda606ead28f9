package kafarr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// plan is a compiled schema with the metadata columns behind its fields.
type plan struct {
	avro   *avro.Plan
	schema *arrow.Schema
	err    *Error // the schema cannot be used, and never will
}

// lookup is a schema id's way through the registry, away from the goroutine that polls.
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

// planOf returns the plan of a schema id. pending: the registry was asked and has not answered; l.lookup is to be waited for.
// The errors are those that no further attempt will change; which others there were, l.lookup knows.
func (l *Listener) planOf(id uint32) (p *plan, pending bool, err *Error) {
	if p, ok := l.plans[id]; ok {
		return p, false, p.err
	}
	lk := l.lookups[id]
	if lk == nil {
		lk = &lookup{}
		l.lookups[id] = lk
		l.ask(id, lk)
	}
	l.lookup = lk
	select {
	case <-lk.done:
	default:
		return nil, true, nil
	}
	if lk.err == nil {
		delete(l.lookups, id)
		p := l.compile(lk.schema)
		l.plans[id] = p
		l.counters.schemas.Add(1)
		return p, false, p.err
	}
	e := wrap(lk.err)
	e.SchemaID = int64(id)
	if !retriable(lk.err) {
		delete(l.lookups, id)
		return nil, false, e
	}
	if now := time.Now(); lk.retryAt.IsZero() {
		pause := min(firstRetryPause<<min(lk.attempts-1, 10), lastRetryPause)
		lk.retryAt = now.Add(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter needs no secrecy
	} else if now.After(lk.retryAt) {
		l.ask(id, lk)
	}
	return nil, true, nil
}

// ask starts one attempt.
func (l *Listener) ask(id uint32, lk *lookup) {
	lk.attempts++
	lk.retryAt = time.Time{}
	done := make(chan struct{})
	lk.done = done
	spawn(func() {
		schema, err := l.registry.SchemaByID(l.ctx, int(id))
		lk.schema, lk.err = schema, err
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
func (l *Listener) compile(s registry.Schema) *plan {
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
	compiled, err := avro.Compile(parsed, avro.Options{
		Reader: l.readerOf(parsed), Columns: l.cfg.Columns, Unions: l.cfg.Unions, Recursion: l.cfg.Recursion, Limits: l.cfg.Limits,
	})
	if err != nil {
		return fail(wrap(err))
	}
	fields := append([]arrow.Field(nil), compiled.Fields...)
	for _, m := range l.cfg.Metadata {
		for _, f := range compiled.Fields {
			if f.Name == m.name() {
				e := errorf(ConfigError, "the metadata column %q has the name of a field: rename it, as in metadata={%q: \"other_name\"}", f.Name, m.Column)
				e.Path = f.Name
				return fail(e)
			}
		}
		c := metadataColumns[m.Column]
		fields = append(fields, arrow.Field{Name: m.name(), Type: c.dtype, Nullable: c.nullable})
	}
	return &plan{avro: compiled, schema: arrow.NewSchema(fields, nil)}
}

// parseReader reads a schema that others are read as.
func parseReader(text string, limits avro.Limits) (*avro.Schema, error) {
	s, err := limits.Parse(text)
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
