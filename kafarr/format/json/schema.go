package json

import (
	"cmp"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Schema is the Type of the values of messages, under a name.
type Schema struct {
	name  string // its own; may be empty
	given string // the name that counts where it has none
	root  Field
	text  int
}

var _ format.Nameable = (*Schema)(nil)

// NewSchema makes the Schema of values of a field's type, which is not changed any more; the field's own name does not count. The name may be empty. text is the length of the text
// that the schema was made from, references included: an estimate of its memory follows from it.
func NewSchema(name string, root Field, text int) *Schema {
	return &Schema{name: name, root: root, text: text}
}

// Root is the field of the values as a whole.
func (s *Schema) Root() Field { return s.root }

// TypeName implements format.Schema. A schema without any name is "json".
func (s *Schema) TypeName() string { return cmp.Or(s.name, s.given, "json") }

// HasName implements format.Nameable.
func (s *Schema) HasName() bool { return s.name != "" }

// OrNamed implements format.Nameable.
func (s *Schema) OrNamed(name string) format.Schema {
	if s.HasName() {
		return s
	}
	named := *s
	named.given = name
	return &named
}

// Reads implements format.Schema. Values are read by the names of their members, so that a schema reads what was written with another one of its name; one without a name of its own
// reads what was written with such a one.
func (s *Schema) Reads(writer format.Schema) bool {
	if w, ok := writer.(*Schema); ok && !s.HasName() {
		return !w.HasName()
	}
	return s.TypeName() == writer.TypeName()
}

// MarkEncrypted implements format.Schema.
func (s *Schema) MarkEncrypted(rules int, applies func(rule int, field string, tags []string) bool) {
	m := marker{rules: rules, applies: applies, done: map[*Type]bool{}}
	m.fields(s.root.Type, s.TypeName())
}

// marker notes the rules of fields.
type marker struct {
	rules   int
	applies func(rule int, field string, tags []string) bool
	done    map[*Type]bool
}

// fields marks the members of a type, whose full name is given, and what is below them.
func (m *marker) fields(t *Type, name string) {
	if m.done[t] {
		return
	}
	m.done[t] = true
	for i := range t.Fields {
		f := &t.Fields[i]
		full := name + "." + f.Name
		if f.Type.Kind == Text {
			for rule := range m.rules {
				if m.applies(rule, full, f.Tags) {
					f.encryptedBy = append(f.encryptedBy, rule)
				}
			}
		}
		m.fields(f.Type, full)
	}
	if t.Items != nil {
		m.fields(t.Items.Type, name)
	}
}
