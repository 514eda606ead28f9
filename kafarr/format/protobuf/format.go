package protobuf

import (
	"cmp"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Format is Protocol Buffers as a format.Format.
type Format struct{}

var (
	_ format.Format  = Format{}
	_ format.Indexed = (*Schema)(nil)
)

// SchemaType implements format.Format.
func (Format) SchemaType() string { return "PROTOBUF" }

// Parse implements format.Format.
func (Format) Parse(text string, references []format.Reference, limits format.Limits) (format.Schema, error) {
	s, err := Parse(text, references, limits)
	if err != nil {
		return nil, err // and no *Schema of nil, which is no nil of the interface
	}
	return s, nil
}

// Compile implements format.Format.
func (Format) Compile(writer format.Schema, options format.Options) (format.Plan, error) {
	p, err := Compile(writer.(*Schema), options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err
	}
	return p, nil
}

// CompileEncoding implements format.Writing.
func (Format) CompileEncoding(schema format.Schema, columns []arrow.Field, options format.EncodeOptions) (format.Encoding, error) {
	e, err := CompileEncoding(schema.(*Schema), columns, options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Schema is one message of a linked file.
type Schema struct {
	message   *message
	types     types
	top       []*message // of the file itself
	text      int        // the length of the text that it was parsed from, references included
	encrypted map[*field][]int
}

// TypeName implements format.Schema.
func (s *Schema) TypeName() string { return s.message.name }

// Reads implements format.Schema: a file reads the messages whose names it, or a file that it imports, defines.
func (s *Schema) Reads(writer format.Schema) bool {
	w, ok := writer.(*Schema)
	return ok && s.types[w.message.name] != nil
}

// of is another message of the same files.
func (s *Schema) of(m *message) *Schema {
	other := *s
	other.message = m
	return &other
}

// At implements format.Indexed.
//
// Serializers of Python, Go and C# count nested messages as descriptors have them, with one for the entries of each map. Java's counts those that the text names, which has no such
// message. No body says which of them wrote it, so a path that leads to one message by the one way and to another by the other is refused.
func (s *Schema) At(path []int) (format.Schema, error) {
	if len(path) == 0 {
		return nil, status.Errorf(status.FramingError, "the path of message indexes is empty")
	}
	counted, err := s.walk(path, func(m *message) []*message { return m.nested })
	written, _ := s.walk(path, (*message).written) // what it says of a path, the other says as well
	switch {
	case counted == nil && written == nil:
		return nil, err
	case counted == nil || counted.mapEntry: // nobody sends the entry of a map alone
		counted = cmp.Or(written, counted)
	case written != nil && written != counted:
		return nil, status.Errorf(status.FramingError,
			"the message indexes %v are those of %s where maps count as nested messages, as for the serializers of Python, Go and C#, and those of %s where they do not, as for Java's: set message_type to the one that was written",
			path, short(counted.name), short(written.name))
	}
	if counted.mapEntry {
		return nil, status.Errorf(status.FramingError, "the message indexes %v lead to the entry of a map, which is no message of its own", path)
	}
	return s.of(counted), nil
}

// walk follows a path of indexes among messages and those nested in them.
func (s *Schema) walk(path []int, nested func(*message) []*message) (*message, error) {
	level := s.top
	var m *message
	for i, k := range path {
		if k < 0 || k >= len(level) {
			within := "the schema has"
			if m != nil {
				within = short(m.name) + " has"
			}
			return nil, status.Errorf(status.FramingError, "the message index %d, number %d of %v, leads to no message: %s %d", k, i+1, path, within, len(level))
		}
		m = level[k]
		level = nested(m)
	}
	return m, nil
}

// Path implements format.Indexed, with the entries of maps as nested messages, which is how all serializers but Java's count.
func (s *Schema) Path() []int {
	var find func(level []*message) []int
	find = func(level []*message) []int {
		for i, m := range level {
			if m == s.message {
				return []int{i}
			}
			if below := find(m.nested); below != nil {
				return append([]int{i}, below...)
			}
		}
		return nil
	}
	return find(s.top)
}

// written are the nested messages but for the entries of maps.
func (m *message) written() []*message {
	var out []*message
	for _, n := range m.nested {
		if !n.mapEntry {
			out = append(out, n)
		}
	}
	return out
}

// Named implements format.Indexed.
func (s *Schema) Named(fullName string) (format.Schema, error) {
	m := s.types[fullName]
	if m == nil {
		names := slices.Collect(maps.Keys(s.types))
		return nil, status.Errorf(status.SchemaError, "the schema defines no message %q%s", short(fullName), nearest.Qualified(fullName, names))
	}
	return s.of(m), nil
}

// MarkEncrypted implements format.Schema: rules apply to texts and bytes, in lists and maps as well, by their fields' full names and the tags of confluent.field_meta.
func (s *Schema) MarkEncrypted(rules int, applies func(rule int, field string, tags []string) bool) {
	s.encrypted = map[*field][]int{} // that of a Schema of another message of the files stays as it is
	for _, m := range s.types {
		for _, f := range m.fields {
			of := f
			if f.isMap() {
				if of = f.message.field(2); of == nil {
					continue
				}
			}
			if of.kind != kindString && of.kind != kindBytes || m.mapEntry {
				continue
			}
			for rule := range rules {
				if applies(rule, m.name+"."+f.name, f.meta.tags) {
					s.encrypted[of] = append(s.encrypted[of], rule)
				}
			}
		}
	}
}
