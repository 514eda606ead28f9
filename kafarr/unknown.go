package kafarr

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// The rule for a schema that the registry answers for, but cannot give: it does not know the id, or what it gives is of no use. A registry that lags behind its writers says the
// same, so no message is passed for it at first: the id is waited for like one in an outage. With Skip and Collect the waiting ends after Config.SchemaPatience, counted from the
// first such answer, and the messages of that id count as bad from then on; with Raise it does not end. An id that no registry gives is bad at once.

// DefaultSchemaPatience is Config.SchemaPatience's default.
const DefaultSchemaPatience = 5 * time.Minute

// doubtful tells whether the registry has answered, and has no schema for this id.
func doubtful(err error) bool {
	var answer *registry.Error
	if errors.As(err, &answer) {
		return answer.Kind == registry.NotFound || answer.Kind == registry.Invalid
	}
	var e *Error
	return errors.As(err, &e) && e.Code == SchemaNotFoundError
}

// unknowns keeps since when the registry has had no schema for an id. The listeners of a scan share it, so that they wait for an id once.
type unknowns struct {
	mu    sync.Mutex
	since map[any]time.Time // of an id (uint32) or a GUID (wire.GUID)
}

// mostUnknown bounds the memory that random ids take. An id that finds no room is waited for, and not counted as bad.
const mostUnknown = 100_000

func newUnknowns() *unknowns { return &unknowns{since: map[any]time.Time{}} }

// noted keeps what an attempt came to, and returns since when the id is unknown.
func (u *unknowns) noted(id any, err error) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	since, found := u.since[id]
	switch {
	case err == nil:
		delete(u.since, id)
	case doubtful(err) && !found:
		since = time.Now()
		if len(u.since) < mostUnknown {
			u.since[id] = since
		}
	}
	return since
}

// awaits tells whether a look-up that has ended without a schema is to be waited for: a later attempt may give it, and its messages are not bad yet.
func (l *Listener) awaits(lk *lookup) bool {
	since := l.unknown.noted(lk.id, lk.err)
	switch {
	case lk.err == nil || !doubtful(lk.err):
		return retriable(lk.err)
	case l.cfg.SchemaPatience < 0:
		return false
	case l.cfg.Errors == Raise:
		return true
	}
	return lk.ended.Sub(since) < l.cfg.SchemaPatience // not the time of now: nobody may have polled, and so nobody asked, for long
}

// impossible is the error of a schema id that no registry gives; nil: it may be one.
func (s *side) impossible(ref schemaRef) *Error {
	id, ok := ref.id()
	if !ok || id > 0 && (id < 1<<31 || s.framing == Apicurio) {
		return nil
	}
	return errorf(FramingError, "its framing says schema id %d, which no registry gives (ids begin with 1)", int32(id)) //nolint:gosec // as people know it
}

// ahead is where the listener has last looked ahead for schemas.
type ahead struct {
	source.TopicPartition
	isKey bool
	next  int64 // the first offset that was not looked at
	until time.Time
}

// Looking ahead.
const (
	aheadAtOnce  = 16              // questions
	aheadRecords = 1 << 13         // that are looked at
	aheadLasts   = 4 * time.Second // a registry client answers for so long without asking again
)

// lookAhead has the registry asked for the schemas that the records behind the one under the cursor need, many at a time: a client keeps the answers, so that thousands of ids
// are not asked for one after the other.
func (l *Listener) lookAhead(s *side) {
	chunk, records := l.buffer.Rest()
	if chunk == nil || s.framing == Bare || s.framing == SingleObject {
		return
	}
	now, k, first := time.Now(), chunk.TopicPartition(), records[0].Offset
	if a := &l.ahead; a.TopicPartition == k && a.isKey == s.isKey && first < a.next && now.Before(a.until) {
		return
	}
	records = records[:min(len(records), aheadRecords)]
	l.ahead = ahead{k, s.isKey, records[len(records)-1].Offset + 1, now.Add(aheadLasts)}
	var wanted []any
	seen := map[schemaRef]bool{}
	for i := range records[1:] {
		r := &records[1+i]
		data, n := r.Value, r.ValueLen
		if s.isKey {
			data, n = r.Key, r.KeyLen
		}
		var ref schemaRef
		var err error
		if ref, _, err = s.frame(chunk.Topic, r, data, n); err != nil || seen[ref] || s.plans[ref] != nil || s.lookups[ref] != nil || s.impossible(ref) != nil {
			continue
		}
		seen[ref] = true
		wanted = append(wanted, s.registered(ref))
	}
	next := make(chan any, len(wanted))
	for _, id := range wanted {
		next <- id
	}
	close(next)
	for range min(len(wanted), aheadAtOnce) {
		spawn(func() {
			for id := range next {
				if l.life.ctx.Err() != nil {
					return
				}
				_, err := schemaOf(l.life.ctx, l.registry, id)
				l.unknown.noted(id, err)
			}
		}, func(error) {}) // the look-up of the record itself meets it, too
	}
}

// registered is what the registry knows a schema by: a uint32 or a wire.GUID.
func (s *side) registered(ref schemaRef) any {
	if id, ok := ref.id(); ok {
		return id
	}
	return s.name(ref)
}

// schemaOf asks a registry for a schema.
func schemaOf(ctx context.Context, r registry.Registry, of any) (registry.Schema, error) {
	guid, byGUID := of.(wire.GUID)
	if !byGUID {
		return r.SchemaByID(ctx, int(of.(uint32)))
	}
	if by, ok := r.(registry.ByGUID); ok {
		return by.SchemaByGUID(ctx, guid.String())
	}
	return registry.Schema{}, errorf(SchemaNotFoundError, "schema %s: this registry knows no GUIDs", guid)
}
