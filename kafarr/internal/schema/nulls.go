package schema

import "github.com/pykafarr/pykafarr/kafarr/source"

// A null is a row of the schema that its topic's last payload had, or else of the first that follows.

// BeginRecords says that the records to be framed next are others than before, though they may lie where those lay.
func (s *Resolver) BeginRecords() { s.noSchemaAhead = nil }

// NoteSchema notes the schema of a topic's record that could be read, where nulls need it: noting costs as much as a column.
func (s *Resolver) NoteSchema(topic string, ref Ref) {
	if s.cfg.NullsHaveSchemas && ref != Null {
		s.last[topic] = ref
	}
}

// SchemaForNull is the schema whose columns a null goes to; following are the records from its own on.
func (s *Resolver) SchemaForNull(topic string, following []source.Record) Ref {
	if s.IsUntyped() {
		return Untyped
	}
	if ref, ok := s.last[topic]; ok && !s.unusable[ref] {
		return ref
	}
	last := &following[len(following)-1]
	if s.noSchemaAhead == last { // a topic without keys would look to the end of a run for each of its records
		return Null
	}
	for i := range following {
		r := &following[i]
		if _, n := s.payload(r); n < 0 {
			continue
		}
		if ref, _, err := s.frame(topic, r); err == nil && ref != Null && !s.unusable[ref] {
			return ref
		}
	}
	s.noSchemaAhead = last
	return Null
}
