package schema

import (
	"crypto/sha256"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Connect's envelopes carry their schemas themselves. A schema is known by the hash of its text, and is compiled once.

// envelopes are the schemas that envelopes have brought.
type envelopes struct {
	split json.Envelopes
	refs  [json.RecentEnvelopes]Ref // of the schemas that split knows; 0: not noted
	texts map[Ref]string
	bytes int // of texts
}

// connectName is what a schema of an envelope is numbered by: the hash of its text.
type connectName [sha256.Size]byte

// mostTexts bounds the memory of the texts. Those of compiled schemas, and of what the nulls of a topic are nulls of, are kept beyond that.
const mostTexts = 32 << 20

// isEnvelope tells whether a Ref is of a schema that an envelope has brought.
func (s *Resolver) isEnvelope(ref Ref) bool {
	_, is := s.names[ref].(connectName)
	return is
}

// unwrap takes an envelope apart. A payload of null is a null, as it is to Connect.
func (s *Resolver) unwrap(body format.Body) (Ref, format.Body, error) {
	e := &s.envelopes
	found, err := e.split.Split(body)
	if err != nil {
		return 0, format.Body{}, err
	}
	if found.Place != json.NoPlace && !found.Known {
		e.refs[found.Place] = 0
	}
	if found.IsNull() {
		return Null, format.Body{Len: -1}, nil
	}
	if found.Place == json.NoPlace {
		return s.envelope(found.Schema), found.Payload, nil
	}
	ref := e.refs[found.Place]
	if ref == 0 {
		ref = s.envelope(found.Schema)
		e.refs[found.Place] = ref
	}
	return ref, found.Payload, nil
}

// envelope numbers a schema, and keeps its text.
func (s *Resolver) envelope(schema format.Body) Ref {
	text := unsafe.String((*byte)(schema.Data), schema.Len)
	ref := s.number(connectName(sha256.Sum256(unsafe.Slice((*byte)(schema.Data), schema.Len))))
	if _, known := s.envelopes.texts[ref]; !known {
		s.envelopes.texts[ref] = strings.Clone(text)
		s.envelopes.bytes += len(text)
	}
	return ref
}

// forget drops the texts of names that were dropped. What was told by its bytes is told by its hash again, as its name may be among them.
func (e *envelopes) forget(name Ref) {
	e.bytes -= len(e.texts[name])
	delete(e.texts, name)
	e.refs = [json.RecentEnvelopes]Ref{}
}

// compileEnvelope makes the plan of a schema that an envelope has brought. Its error is remembered like a plan.
func (s *Resolver) compileEnvelope(ref Ref) *Compiled {
	text, limits := s.envelopes.texts[ref], s.cfg.Options.Limits
	fail := func(err *status.Error) *Compiled {
		return &Compiled{Err: err, size: compiledBytes + len(text) + len(err.Error())}
	}
	f := connected{}
	parsed, err := f.Parse(text, nil, limits)
	if err != nil {
		return fail(parseFault(f, err, limits, registry.Schema{Text: text}))
	}
	return s.perTopic(parsed, compiledBytes+len(text), func(parsed format.Schema) *Compiled {
		p, e := s.compile(f, parsed)
		if e != nil {
			return fail(e)
		}
		p.size = compiledBytes + p.Plan.Size()
		return p
	})
}

// connected is JSON whose schemas are Connect's.
type connected struct{ json.Format }

// Parse implements format.Format. Such schemas have no references.
func (connected) Parse(text string, _ []format.Reference, limits format.Limits) (format.Schema, error) {
	s, err := json.ParseConnect(text, limits)
	if err != nil {
		return nil, err // and no *Schema of nil, which is no nil of the interface
	}
	return s, nil
}

// IsNull tells whether a record's payload is null, or an envelope of null.
func (s *Resolver) IsNull(r *source.Record) bool {
	data, n := s.payload(r)
	if n < 0 || s.cfg.Framing != Connect {
		return n < 0
	}
	ref, _, err := s.unwrap(format.Body{Data: data, Len: int(n)})
	return err == nil && ref == Null
}
