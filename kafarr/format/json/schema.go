package json

import (
	"cmp"
	"slices"

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

// LooksLikeEnvelope tells whether values have the two members of Connect's envelopes and no others.
func (s *Schema) LooksLikeEnvelope() bool {
	t := s.root.Type
	return t.Kind == Object && len(t.Fields) == 2 && t.member("schema") != nil && t.member("payload") != nil
}

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

// MarkEncrypted implements format.Schema: rules apply to members whose values are strings, in arrays, maps and unions as well. Their full names begin with "$", as serializers have it.
func (s *Schema) MarkEncrypted(rules int, applies func(rule int, field string, tags []string) bool) {
	m := marker{rules: rules, applies: applies, done: map[*Type]bool{}, open: map[*Type]bool{}}
	m.fields(s.root.Type, "$")
}

// marker notes the rules of fields.
type marker struct {
	rules   int
	applies func(rule int, field string, tags []string) bool
	done    map[*Type]bool
	open    map[*Type]bool
	names   int // so far
}

// maxNames bounds the full names of fields of types that stand in several places, each of which may have a pattern of its own.
const maxNames = 20_000

// fields marks the members of a type, whose full name is given, and what is below them.
func (m *marker) fields(t *Type, name string) {
	if m.open[t] || m.done[t] && m.names > maxNames {
		return
	}
	m.done[t], m.open[t] = true, true
	defer delete(m.open, t)
	for i := range t.Fields {
		f := &t.Fields[i]
		full := name
		if t.Kind != Union { // whose branches have no name in a message
			full += "." + f.Name
			m.names++
			m.mark(f, full)
		}
		m.fields(f.Type, full)
	}
	if t.Items != nil {
		m.fields(t.Items.Type, name)
	}
}

func (m *marker) mark(f *Field, full string) {
	if !f.Type.holdsTexts(map[*Type]bool{}) {
		return
	}
	for rule := range m.rules {
		if m.applies(rule, full, f.Tags) && !slices.Contains(f.encryptedBy, rule) {
			f.encryptedBy = append(f.encryptedBy, rule)
		}
	}
}

// holdsTexts tells whether values are strings in JSON that may be any text, or hold some that are not members of objects.
func (t *Type) holdsTexts(seen map[*Type]bool) bool {
	switch t.Kind {
	case Any, Text, Base64, DateTime, Date, Time, Decimal, UnscaledDecimal:
		return true
	case Array, Map:
		if seen[t] {
			return false
		}
		seen[t] = true
		return t.Items.Type.holdsTexts(seen)
	case Union:
		return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Type.holdsTexts(seen) })
	}
	return false
}

// encryptedWithin lists the rules that have encrypted something in values of a type.
func (t *Type) encryptedWithin() []int {
	var found []int
	seen := map[*Type]bool{}
	var add func(t *Type)
	add = func(t *Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		for i := range t.Fields {
			found = append(found, t.Fields[i].encryptedBy...)
			add(t.Fields[i].Type)
		}
		if t.Items != nil {
			add(t.Items.Type)
		}
	}
	add(t)
	return found
}
