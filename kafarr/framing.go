package kafarr

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// schemaRef tells which schema a value or key was written with: the registry's id, or, from 2^32 on, one of those below.
type schemaRef uint64

const (
	refNull    schemaRef = 1<<32 + iota // there is no value
	refUntyped                          // bytes or text
	refNumbered
	// What has no number of its own, such as a GUID, is numbered from here in the order of appearance.
)

// id is the registry's id, if it is one.
func (r schemaRef) id() (uint32, bool) { return uint32(r), r < 1<<32 } //nolint:gosec // in that range

// side is what a listener knows of the values of messages, or of their keys.
type side struct {
	content Content
	framing Framing
	header  string // the name of the header that may say which schema
	isKey   bool

	plans    map[schemaRef]*plan
	lookups  map[schemaRef]*lookup
	unsealed map[registry.KeyName]*lookup // of keys
	numbers  map[any]schemaRef            // of a fingerprint (uint64), a GUID (wire.GUID), or a topic (string)
	names    map[schemaRef]any            // the same the other way round
	next     schemaRef                    // of numbers
	last     map[string]schemaRef         // the schema of a topic's last record that could be read: what a null is a null of
	nulls    bool                         // nulls are rows of that schema
	barren   *source.Record               // of the records being framed, the last: none that follows a null has a schema for it
	broken   map[schemaRef]bool           // cannot be had or used: no null is one of theirs, or it would fail with them
}

func newSide(content Content, framing Framing, header string, isKey bool) *side {
	return &side{
		content: content, framing: framing, header: header, isKey: isKey,
		plans: map[schemaRef]*plan{}, lookups: map[schemaRef]*lookup{}, unsealed: map[registry.KeyName]*lookup{}, numbers: map[any]schemaRef{}, names: map[schemaRef]any{}, next: refNumbered, last: map[string]schemaRef{}, broken: map[schemaRef]bool{},
	}
}

// saw notes the schema of a topic's record that could be read, where nulls need it: noting costs as much as a column.
func (s *side) saw(topic string, ref schemaRef) {
	if s.nulls && ref != refNull {
		s.last[topic] = ref
	}
}

// untyped tells that every value is bytes or a text.
func (s *side) untyped() bool { return s.content == Bytes || s.content == String }

// number gives what has no number of its own one.
func (s *side) number(name any) schemaRef {
	r, ok := s.numbers[name]
	if !ok {
		r = s.next
		s.next++
		s.numbers[name], s.names[r] = r, name
	}
	return r
}

// name is what a reference was made for by number; nil for any other.
func (s *side) name(r schemaRef) any { return s.names[r] }

// frame reads the framing of the n bytes at data, a record's value or key: which schema, and the body.
func (s *side) frame(topic string, r *source.Record, data unsafe.Pointer, n int32) (schemaRef, avro.Body, error) {
	whole := avro.Body{Data: data, Len: int(n)}
	if n < 0 {
		return refNull, whole, nil
	}
	if s.untyped() {
		return refUntyped, whole, nil
	}
	ref, body, err := s.framed(topic, r, data, n)
	if s.content == Auto && (err != nil || ref == 0) { // a registry's ids begin with 1; eight bytes of a small number look like a 0
		return refUntyped, whole, nil //nolint:nilerr // no framing means that it is bytes
	}
	return ref, body, err
}

func (s *side) framed(topic string, r *source.Record, data unsafe.Pointer, n int32) (schemaRef, avro.Body, error) {
	switch s.framing {
	case Apicurio:
		id, body, length, err := wire.Apicurio(data, n)
		return schemaRef(id), avro.Body{Data: body, Len: length}, err
	case Bare:
		for _, of := range []string{topic, ""} {
			if ref, ok := s.numbers[of]; ok {
				return ref, avro.Body{Data: data, Len: int(n)}, nil
			}
		}
		return 0, avro.Body{}, errors.New("no schema was given for this topic")
	case SingleObject:
		fingerprint, body, length, err := wire.SingleObject(data, n)
		if err != nil {
			return 0, avro.Body{}, err
		}
		ref, ok := s.numbers[fingerprint]
		if !ok {
			return 0, avro.Body{}, fmt.Errorf("none of the given schemas has the fingerprint %016x", fingerprint)
		}
		return ref, avro.Body{Data: body, Len: length}, nil
	case SchemaHeader:
		for _, h := range headersOf(r) {
			if unsafe.String((*byte)(h.Name), int(h.NameLen)) != s.header {
				continue
			}
			schema, err := wire.HeaderSchema(h.Value, h.ValueLen)
			if err != nil {
				return 0, avro.Body{}, fmt.Errorf("header %s: %w", s.header, err)
			}
			body := avro.Body{Data: data, Len: int(n)}
			if schema.ByID {
				return schemaRef(schema.ID), body, nil
			}
			return s.number(schema.GUID), body, nil
		}
		// Written before the topic's writers took to headers.
	}
	id, body, length, err := wire.Confluent(data, n)
	if err != nil {
		return 0, avro.Body{}, err
	}
	return schemaRef(id), avro.Body{Data: body, Len: length}, nil
}

// note keeps whether a schema could be had and used. Most could: the map is empty, and looking is all.
func (s *side) note(ref schemaRef, err *Error) {
	if broken := err != nil; broken != s.broken[ref] {
		s.broken[ref] = broken
	}
}

// nullOf is the schema whose columns a null goes to: the last one of the topic, or else the first that follows.
func (s *side) nullOf(topic string, following []source.Record) schemaRef {
	if ref, ok := s.last[topic]; ok && !s.broken[ref] {
		return ref
	}
	last := &following[len(following)-1]
	if s.barren == last { // a topic without keys would look to the end of a run for each of its records
		return refNull
	}
	for i := range following {
		r := &following[i]
		data, n := r.Value, r.ValueLen
		if s.isKey {
			data, n = r.Key, r.KeyLen
		}
		if n < 0 {
			continue
		}
		if ref, _, err := s.frame(topic, r, data, n); err == nil && !s.broken[ref] {
			return ref
		}
	}
	s.barren = last
	return refNull
}

// key reads a key's framing. What it gives for a null key goes with any schema.
func (s *side) key(topic string, r *source.Record, following []source.Record) (schemaRef, avro.Body, *Error) {
	if r.KeyLen < 0 {
		if s.untyped() {
			return refUntyped, avro.Body{Len: -1}, nil
		}
		return s.nullOf(topic, following), avro.Body{Len: -1}, nil
	}
	ref, body, err := s.frame(topic, r, r.Key, r.KeyLen)
	if err != nil {
		return 0, avro.Body{}, keyError(errorf(FramingError, "%w", err))
	}
	return ref, body, nil
}

// keyError makes the error of a key of one that would be a value's.
func keyError(err *Error) *Error {
	e := *err
	e.Code = KeyDecodeError
	e.Path = string(Key)
	if err.Path != "" {
		e.Path += "." + err.Path
	}
	return &e
}
