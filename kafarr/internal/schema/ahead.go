package schema

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// ahead is where the Resolver has last looked ahead for schemas.
type ahead struct {
	source.TopicPartition
	next  int64 // the first offset that was not looked at
	until time.Time
}

// Looking ahead.
const (
	aheadAtOnce  = 16              // questions
	aheadRecords = 1 << 13         // that are looked at
	aheadLasts   = 4 * time.Second // a registry client answers for so long without asking again
)

// lookAhead has the registry asked for the schemas that the records after the first need, many at a time: a client keeps the answers, so that thousands of ids are not asked for one
// after the other.
func (s *Resolver) lookAhead(chunk *source.Chunk, records []source.Record) {
	if !s.cfg.Framing.AsksRegistry() {
		return
	}
	now, k, first := time.Now(), chunk.TopicPartition(), records[0].Offset
	if a := &s.ahead; a.TopicPartition == k && first < a.next && now.Before(a.until) {
		return
	}
	records = records[:min(len(records), aheadRecords)]
	s.ahead = ahead{k, records[len(records)-1].Offset + 1, now.Add(aheadLasts)}
	var wanted []any
	seen := map[any]bool{}
	for i := range records[1:] {
		ref, _, err := s.frame(chunk.Topic, &records[1+i])
		if err != nil || s.plans[ref] != nil || s.lookups[ref] != nil || s.impossible(ref) != nil {
			continue
		}
		if name := s.registered(ref); !seen[name] {
			seen[name] = true
			wanted = append(wanted, name)
		}
	}
	next := make(chan any, len(wanted))
	for _, name := range wanted {
		next <- name
	}
	close(next)
	for range min(len(wanted), aheadAtOnce) {
		async.Go(func() {
			for name := range next {
				if s.ctx.Err() != nil {
					return
				}
				_, err := askForSchema(s.ctx, s.cfg.Registry, name)
				s.cfg.Shared.Missing.note(name, err)
			}
		}, func(error) {}) // the look-up of the record itself meets it, too
	}
}

// SchemaOf asks the registry once for the schema of a Ref. found is false where it names no schema of this registry.
func (s *Resolver) SchemaOf(ctx context.Context, ref Ref) (schema registry.Schema, found bool, err error) {
	name := s.registered(ref)
	switch name.(type) {
	case uint32:
	case wire.GUID:
		if _, ok := s.cfg.Registry.(registry.ByGUID); !ok {
			return schema, false, nil
		}
	default:
		return schema, false, nil
	}
	schema, err = askForSchema(ctx, s.cfg.Registry, name)
	return schema, err == nil, err
}

// askForSchema asks a registry for a schema.
func askForSchema(ctx context.Context, r registry.Registry, name any) (registry.Schema, error) {
	guid, byGUID := name.(wire.GUID)
	if !byGUID {
		return r.SchemaByID(ctx, int(name.(uint32)))
	}
	if by, ok := r.(registry.ByGUID); ok {
		return by.SchemaByGUID(ctx, guid.String())
	}
	return registry.Schema{}, status.Errorf(status.SchemaNotFoundError, "schema %s: this registry knows no GUIDs", guid)
}
