package schema

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// payload is a record's value, or key, as the Resolver is for one or the other.
func (s *Resolver) payload(r *source.Record) (unsafe.Pointer, int32) {
	if s.cfg.IsKey {
		return r.Key, r.KeyLen
	}
	return r.Value, r.ValueLen
}

// Frame reads the framing of a record: which schema, and the body. A null has the schema Null.
func (s *Resolver) Frame(topic string, r *source.Record) (Ref, format.Body, *status.Error) {
	ref, body, err := s.frame(topic, r)
	if err == nil {
		return ref, body, nil
	}
	var own *status.Error // which knows its code
	if !errors.As(err, &own) {
		own = status.Errorf(status.FramingError, "%w", err)
	}
	return 0, format.Body{}, s.fault(own)
}

func (s *Resolver) frame(topic string, r *source.Record) (Ref, format.Body, error) {
	data, n := s.payload(r)
	whole := format.Body{Data: data, Len: int(n)}
	if n < 0 {
		return Null, whole, nil
	}
	if s.IsUntyped() {
		return Untyped, whole, nil
	}
	ref, body, err := s.framed(topic, r, data, n)
	if s.cfg.Content == Auto && (err != nil || ref == 0) { // a registry's ids begin with 1; eight bytes of a small number look like a 0
		return Untyped, whole, nil //nolint:nilerr // no framing means that it is bytes
	}
	return ref, body, err
}

func (s *Resolver) framed(topic string, r *source.Record, data unsafe.Pointer, n int32) (Ref, format.Body, error) {
	switch s.cfg.Framing {
	case Apicurio:
		id, body, length, err := wire.Apicurio(data, n)
		return Ref(id), format.Body{Data: body, Len: length}, err // without message indexes, see apicurioFault
	case Bare:
		if ref, ok := s.ofTopic(topic); ok {
			body := format.Body{Data: data, Len: int(n)}
			if !s.ofLast.mayBeJSON {
				if e := Disguised(s.cfg.Content, body); e != nil {
					return 0, format.Body{}, e
				}
			}
			return ref, body, nil
		}
		if s.cfg.Inference != NotInferred {
			return s.number(topic), format.Body{Data: data, Len: int(n)}, nil
		}
		return 0, format.Body{}, NotGiven(topic, s.cfg.IsKey)
	case Connect:
		return s.unwrap(format.Body{Data: data, Len: int(n)})
	case SingleObject:
		fingerprint, body, length, err := wire.SingleObject(data, n)
		if err != nil {
			return 0, format.Body{}, err
		}
		ref, ok := s.numbers[fingerprint]
		if !ok {
			return 0, format.Body{}, fmt.Errorf("none of the given schemas has the fingerprint %016x", fingerprint)
		}
		return ref, format.Body{Data: body, Len: length}, nil
	case SchemaHeader:
		for _, h := range r.HeaderList() {
			if unsafe.String((*byte)(h.Name), int(h.NameLen)) != s.header {
				continue
			}
			schema, length, err := wire.HeaderSchema(h.Value, h.ValueLen)
			if err != nil {
				return 0, format.Body{}, fmt.Errorf("header %s: %w", s.header, err)
			}
			ref := Ref(schema.ID)
			if !schema.ByID {
				ref = s.number(schema.GUID)
			}
			if s.hasPaths(ref) { // they follow the name, and the value is nothing but the body
				path, _ := s.paths.read(unsafe.Slice((*byte)(h.Value), int(h.ValueLen))[length:])
				ref |= path
			}
			return ref, format.Body{Data: data, Len: int(n)}, nil
		}
		// Written before the topic's writers wrote headers.
	}
	id, body, length, err := wire.Confluent(data, n)
	if err != nil {
		return 0, format.Body{}, err
	}
	return s.withPath(Ref(id), format.Body{Data: body, Len: length})
}

// withPath reads the message indexes before a body, where its schema has some.
func (s *Resolver) withPath(ref Ref, body format.Body) (Ref, format.Body, error) {
	if !s.hasPaths(ref) {
		return ref, body, nil
	}
	path, length := FirstType, 1
	if body.Len == 0 || *(*byte)(body.Data) != 0 {
		path, length = s.paths.read(unsafe.Slice((*byte)(body.Data), body.Len))
	}
	body.Data, body.Len = wire.After(body.Data, length, body.Len)
	return ref | path, body, nil
}

// hasPaths tells whether message indexes follow what names a schema. With Auto that is known once the registry has answered: see Reframe.
func (s *Resolver) hasPaths(ref Ref) bool {
	if s.cfg.Content != Auto {
		return s.named != nil && s.named.hasPaths
	}
	if s.asked != ref {
		p := s.plans[ref]
		s.asked, s.askedHas = ref, p != nil && p.hasPaths
	}
	return s.askedHas
}

// ofTopic is the schema that was given for a topic, or else for all topics.
func (s *Resolver) ofTopic(topic string) (Ref, bool) {
	if s.ofLast.topic == topic && s.ofLast.ref != 0 {
		return s.ofLast.ref, true
	}
	for _, of := range []string{topic, ""} {
		if ref, ok := s.numbers[of]; ok {
			s.ofLast = givenOf{topic: topic, ref: ref, mayBeJSON: s.mayBeJSON[ref]}
			return ref, true
		}
	}
	return 0, false
}

// HasGiven tells whether one of the schemas that messages do not carry is that of a topic.
func HasGiven(given []Given, topic string) bool {
	return slices.ContainsFunc(given, func(g Given) bool { return g.Topic == topic || g.Topic == "" })
}

// NotGiven is the error of a topic that none of the schemas that messages do not carry is for. It is one of the option, and passes no message.
func NotGiven(topic string, isKey bool) *status.Error {
	option := "schema"
	if isKey {
		option = "key_schema"
	}
	e := status.Errorf(status.ConfigError, "%s names other topics, and none for %q, which is read: add %[2]q: … to it, or give one schema for all topics", option, topic)
	e.Option = option
	return e
}

// givenOf is the schema that was given for a topic, the last that was asked for: it does not change any more.
type givenOf struct {
	topic     string
	ref       Ref  // 0: none was asked for
	mayBeJSON bool // bodies that are JSON are good ones
}

// number gives what has no number of its own one.
func (s *Resolver) number(name any) Ref {
	r, ok := s.numbers[name]
	if !ok {
		r = s.next
		s.next++
		s.numbers[name], s.names[r] = r, name
	}
	return r
}

// registered is what the registry knows a schema by: a uint32 or a wire.GUID. What is no schema of a registry has another name, or none.
func (s *Resolver) registered(ref Ref) any {
	if id, ok := ref.ID(); ok {
		return id
	}
	return s.names[ref.schema()]
}

// KeyError makes the error of a key of one that would be a value's.
func KeyError(err *status.Error) *status.Error {
	e := *err
	e.Code = status.KeyDecodeError
	e.Path = "_key"
	if err.Path != "" {
		e.Path += "." + err.Path
	}
	return &e
}

// fault makes the error that it is for a key, where the Resolver is for keys.
func (s *Resolver) fault(err *status.Error) *status.Error {
	if s.cfg.IsKey && err.Option == "" {
		return KeyError(err)
	}
	return err
}
