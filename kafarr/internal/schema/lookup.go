package schema

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Lookup asks a registry for a schema, or for a key of a schema's rules, until there is an answer. Each attempt is a goroutine, so that nobody waits who does not call Wait; whether
// there is another attempt is decided by Answered.
type Lookup struct {
	resolver *Resolver
	ref      Ref
	name     any // what the registry knows it by: a uint32, a wire.GUID, or a registry.KeyName
	attempts int
	asked    time.Time // when the attempt under way, or the last one, began
	failed   error     // of the last attempt that ended and that another may mend; nil before that
	due      time.Time // when there is another after that one
	reported bool

	// Of the attempt under way, until done is closed.
	done    chan struct{}
	schema  registry.Schema
	key     registry.Key
	err     error
	ended   time.Time
	retryAt time.Time // of the next, if one is needed
}

// Pauses between attempts: doubling from the first to the last, each cut by up to half at random so that many listeners do not ask at the same time.
const (
	FirstRetryPause = 100 * time.Millisecond
	LastRetryPause  = 5 * time.Second
)

// Answered tells whether the look-up has come to its end. Where its last attempt has failed and another may not, the registry is asked again once the pause is over.
func (k *Lookup) Answered() bool {
	select {
	case <-k.done:
	default:
		return false
	}
	if !k.isWorthRetrying() {
		return true
	}
	k.failed, k.due = k.err, k.retryAt
	if !time.Now().Before(k.due) {
		k.ask()
	}
	return false
}

// ask starts one attempt.
func (k *Lookup) ask() {
	k.attempts++
	k.asked = time.Now()
	done := make(chan struct{})
	k.done = done
	pause := min(FirstRetryPause<<min(k.attempts-1, 10), LastRetryPause)
	async.Go(func() {
		if name, isKey := k.name.(registry.KeyName); isKey {
			k.key, k.err = askForKey(k.resolver.ctx, k.resolver.cfg.Registry, name)
		} else {
			k.schema, k.err = askForSchema(k.resolver.ctx, k.resolver.cfg.Registry, k.name)
		}
		k.ended = time.Now()
		k.retryAt = k.ended.Add(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter needs no secrecy
		close(done)
	}, func(err error) {
		k.err = err
		close(done)
	})
}

// pending is the Resolution of a look-up that is not answered.
func (k *Lookup) pending() Resolution {
	if k.failed == nil {
		return Resolution{State: Pending, Wait: k}
	}
	return Resolution{State: Retry, Wait: k}
}

// Wait waits for the end of the attempt under way, or of the pause before the next, but no longer than so long.
func (k *Lookup) Wait(most time.Duration) {
	if pause := time.Until(k.due); pause > 0 {
		time.Sleep(min(pause, most))
		return
	}
	select {
	case <-k.done:
	case <-time.After(most):
	}
}

// Failed is the error of the last attempt that has ended; nil: none has.
func (k *Lookup) Failed() error { return k.failed }

// Asked is when the last attempt began.
func (k *Lookup) Asked() time.Time { return k.asked }

// Missing tells of a look-up that was Answered whether the registry has answered that it does not have the schema, so that its messages count as bad.
func (k *Lookup) Missing() bool { return k.err != nil && IsMissing(k.err) }

// Report tells whether nobody has reported yet that the look-up is waited for.
func (k *Lookup) Report() bool {
	first := !k.reported
	k.reported = true
	return first
}

// What is looked up, as a word.
func (k *Lookup) What() string {
	if _, isKey := k.name.(registry.KeyName); isKey {
		return "key"
	}
	return "schema"
}

// fault is the error of an attempt: it knows which schema that was.
func (k *Lookup) fault(err error) *status.Error {
	e := status.Wrap(err)
	if id, ok := k.ref.ID(); ok {
		e.SchemaID = int64(id)
	}
	return e
}

// Outage is the error of a record that waits for a look-up whose attempts have failed, or whose first one has no answer.
func (k *Lookup) Outage(record source.Position) *status.Error {
	why := k.failed
	if why == nil {
		why = status.Errorf(status.RegistryError, "the schema registry has not answered within %v", time.Since(k.asked).Round(time.Millisecond))
	}
	return k.fault(why).At(record.Topic, record.Partition, record.Offset)
}

// IsTransient tells whether asking the registry again may mend an error.
func IsTransient(err error) bool {
	var e *registry.Error
	return errors.As(err, &e) && e.Kind == registry.Unavailable
}
