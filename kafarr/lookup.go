package kafarr

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// lookup is a schema's way through the registry, away from the goroutine that polls.
type lookup struct {
	side     *side
	ref      schemaRef
	id       any // what the registry knows it by; a registry.KeyName: it is for a key of the schema's rules
	attempts int
	asked    time.Time // when the attempt under way, or the last one, began
	failed   error     // of the last attempt that ended and that another may mend; nil before that
	due      time.Time // when there is another after that one
	told     bool      // see sayLookup

	// Of the attempt under way, until done is closed.
	done    chan struct{}
	schema  registry.Schema
	key     registry.Key
	err     error
	ended   time.Time
	retryAt time.Time // of the next, if one is needed
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
		p.used = l.kept.run
		return p, false, p.err
	}
	lk := s.lookups[ref]
	if lk == nil {
		if err := s.impossible(ref); err != nil {
			return nil, false, err
		}
		lk = &lookup{side: s, ref: ref, id: s.registered(ref)}
		s.lookups[ref] = lk
		l.ask(lk)
		l.lookAhead(s)
	}
	if !l.answered(lk) {
		l.lookup = lk
		return nil, true, nil
	}
	delete(s.lookups, ref)
	if lk.err != nil {
		return nil, false, lk.fault(lk.err)
	}
	p = l.compile(s, lk.schema)
	p.registered = true
	s.plans[ref] = p
	l.keep(p)
	l.counters.schemas.Add(1)
	return p, false, p.err
}

// answered tells whether a look-up has come to its end. Where its last attempt has failed and another may not, the registry is asked again once the pause is over.
func (l *Listener) answered(lk *lookup) bool {
	select {
	case <-lk.done:
	default:
		return false
	}
	if !l.awaits(lk) {
		return true
	}
	lk.failed, lk.due = lk.err, lk.retryAt
	if time.Now().After(lk.due) {
		l.ask(lk)
	}
	return false
}

// ask starts one attempt.
func (l *Listener) ask(lk *lookup) {
	lk.attempts++
	lk.asked = time.Now()
	done := make(chan struct{})
	lk.done = done
	pause := min(firstRetryPause<<min(lk.attempts-1, 10), lastRetryPause)
	spawn(func() {
		if name, isKey := lk.id.(registry.KeyName); isKey {
			lk.key, lk.err = keyOf(l.life.ctx, l.registry, name)
		} else {
			lk.schema, lk.err = schemaOf(l.life.ctx, l.registry, lk.id)
		}
		lk.ended = time.Now()
		lk.retryAt = lk.ended.Add(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter needs no secrecy
		close(done)
	}, func(err error) {
		lk.err = err
		close(done)
	})
}

// what is looked up.
func (lk *lookup) what() string {
	if _, isKey := lk.id.(registry.KeyName); isKey {
		return "key"
	}
	return "schema"
}

// fault is the error of an attempt: it knows which schema that was.
func (lk *lookup) fault(err error) *Error {
	e := wrap(err)
	if id, ok := lk.ref.id(); ok {
		e.SchemaID = int64(id)
	}
	return e
}

// outage is the error of a record that waits for a look-up whose attempts have failed, or whose first one has no answer.
func (lk *lookup) outage(record source.Position) *Error {
	why := lk.failed
	if why == nil {
		why = errorf(RegistryError, "the schema registry has not answered within %v", time.Since(lk.asked).Round(time.Millisecond))
	}
	return lk.fault(why).At(record.Topic, record.Partition, record.Offset)
}

func retriable(err error) bool {
	var e *registry.Error
	return errors.As(err, &e) && e.Kind == registry.Unavailable
}
