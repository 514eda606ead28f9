package schema

import (
	"errors"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// The rule for a schema that the registry answers for, but cannot give: it does not know the id, or what it gives is of no use. A registry that lags behind its writers says the
// same, so no message is passed for it at first: the id is waited for like one in an outage. With Skip and Collect the waiting ends after Config.RetryTimeout, counted from the
// first such answer, and the messages of that id count as bad from then on; with Raise it does not end. An id that no registry gives is bad at once.

// IsMissing tells whether an error says that the registry has answered, and has no schema for this id.
func IsMissing(err error) bool {
	var answer *registry.Error
	if errors.As(err, &answer) {
		return answer.Kind == registry.NotFound || answer.Kind == registry.Invalid
	}
	var e *status.Error
	return errors.As(err, &e) && e.Code == status.SchemaNotFoundError
}

// IsPermanent tells whether an error is a schema's own, or that of the message which was to say what the schema is, so that asking again changes nothing. What an option of the user's is to blame for is not: another option changes it.
func IsPermanent(err *status.Error) bool {
	if err.Option != "" {
		return false
	}
	switch err.Code {
	case status.SchemaError, status.IncompatibleSchemaError, status.KeyDecodeError, status.FramingError, status.DecodeError:
		return true
	}
	return false
}

// Missing keeps since when the registry has had no schema for an id. The ranges of a scan share it, so that they wait for an id once.
type Missing struct {
	mu    sync.Mutex
	since map[any]time.Time // of an id (uint32), a GUID (wire.GUID) or a key (registry.KeyName)
}

// mostMissing bounds the memory that random ids take. An id that finds no room is waited for, and not counted as bad.
const mostMissing = 100_000

func newMissing() *Missing { return &Missing{since: map[any]time.Time{}} }

// note keeps what an attempt came to, and returns since when the id is missing.
func (m *Missing) note(id any, err error) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	since, found := m.since[id]
	switch {
	case err == nil:
		delete(m.since, id)
	case IsMissing(err) && !found:
		since = time.Now()
		if len(m.since) < mostMissing {
			m.since[id] = since
		}
	}
	return since
}

// isWorthRetrying tells whether a look-up that has ended without a schema is to be waited for: a later attempt may give it, and its messages are not bad yet.
func (k *Lookup) isWorthRetrying() bool {
	cfg := &k.resolver.cfg
	since := cfg.Shared.Missing.note(k.name, k.err)
	switch {
	case k.err == nil || !IsMissing(k.err):
		return IsTransient(k.err)
	case cfg.RetryTimeout < 0:
		return false
	case cfg.WaitWithoutEnd:
		return true
	}
	return k.ended.Sub(since) < cfg.RetryTimeout // not the time of now: nobody may have polled, and so nobody asked, for long
}

// impossible is the error of a schema id that no registry gives; nil: it may be one.
func (s *Resolver) impossible(ref Ref) *status.Error {
	id, ok := ref.ID()
	if !ok || id > 0 && (id < 1<<31 || s.cfg.Framing == Apicurio) {
		return nil
	}
	return status.Errorf(status.FramingError, "its framing says schema id %d, which no registry gives (ids begin with 1)", int32(id)) //nolint:gosec // as people know it
}
