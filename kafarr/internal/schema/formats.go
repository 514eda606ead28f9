package schema

import (
	"cmp"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/format/jsonschema"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// form is a format and what is to be known of it before a schema is there.
type form struct {
	format.Format
	content  Content // that names it
	word     string  // of the options value and key
	name     string  // in errors
	hasPaths bool    // message indexes follow the framing
}

// forms are the formats that can be read.
var forms = []*form{
	{Format: avro.Format{}, content: Avro, word: "avro", name: "Avro"},
	{Format: protobuf.Format{}, content: Protobuf, word: "protobuf", name: "Protobuf", hasPaths: true},
	{Format: jsonschema.Format{}, content: JSONSchema, word: "jsonschema", name: "JSON Schema"},
	{Format: unregistered{}, content: JSON, word: "json", name: "JSON"},
}

// unregistered is JSON that no registry has a schema for: those given are Arrow schemas, Connect's, or JSON Schema.
type unregistered struct{ json.Format }

// Parse implements format.Format.
func (u unregistered) Parse(text string, references []format.Reference, limits format.Limits) (format.Schema, error) {
	switch {
	case json.IsArrow(text):
		return u.Format.Parse(text, references, limits)
	case json.IsConnect(text):
		return connected{}.Parse(text, references, limits)
	}
	return jsonschema.Format{}.Parse(text, references, limits)
}

// unsaid is what registries mean that do not say what a schema is of.
const unsaid = "AVRO"

// named is the format that a Content names; nil: it names none.
func (c Content) named() *form {
	for _, f := range forms {
		if f.content == c {
			return f
		}
	}
	return nil
}

// given is the format of the schemas that come with a Content.
func (c Content) given() *form {
	if f := c.named(); f != nil {
		return f
	}
	return Avro.named() // of Auto: the others have no schemas
}

// ofRegistry is the format of a schema of a registry, or the error that it cannot be read.
func ofRegistry(s registry.Schema) (*form, *status.Error) {
	kind := cmp.Or(s.Type, unsaid)
	var known []string
	for _, f := range forms {
		if f.SchemaType() == kind {
			return f, nil
		}
		if f.SchemaType() != "" {
			known = append(known, f.SchemaType())
		}
	}
	return nil, status.Errorf(status.SchemaError, "its schema is of type %s, which is not read: %s is", kind, strings.Join(known, " or "))
}

// Fits returns the error of a schema that these values, or keys, are not to be read with: it is of another format than the option says, and the messages are good; nil: it is none.
func (c Content) Fits(s registry.Schema, isKey bool) *status.Error {
	f, err := ofRegistry(s)
	if err != nil || c == Auto || c == f.content {
		return err
	}
	option := "value"
	if isKey {
		option = "key"
	}
	e := status.Errorf(status.ConfigError, `its schema is of type %s: set %s="%s", or %[2]s="auto" for messages of several formats`, f.SchemaType(), option, f.word)
	e.Option = option
	return e
}

// Check returns the error of a schema that cannot be parsed within these limits; nil: it can.
func Check(s registry.Schema, limits format.Limits) *status.Error {
	f, err := ofRegistry(s)
	if err != nil {
		return err
	}
	if _, err := f.Parse(s.Text, references(s), limits); err != nil {
		return parseFault(f, err, limits, s)
	}
	return nil
}

// references are those of a schema, as formats take them.
func references(s registry.Schema) []format.Reference {
	out := make([]format.Reference, len(s.References))
	for i, r := range s.References {
		out[i] = format.Reference{Name: r.Name, Text: r.Text}
	}
	return out
}

// nullPlan is the plan of nulls, whatever the format of what is not null.
var nullPlan = avro.NullPlan()

// untypedPlan is the plan of payloads that are no format's.
func untypedPlan(c Content, nullable bool) format.Plan {
	if c == String {
		return avro.UntypedPlan(avro.String, nullable)
	}
	return avro.UntypedPlan(avro.Bytes, nullable)
}

// Deriving is the format of schemas that are made of the columns of a frame: Avro, where nothing else is said.
func (c Content) Deriving() (format.Writing, error) {
	f := c.given()
	if writing, ok := f.Format.(format.Writing); ok {
		return writing, nil
	}
	return nil, status.Errorf(status.ConfigError, "no schemas of %s are derived: give one", f.name)
}

// Parse makes a schema of its text: by what a registry says that it is of, or by the Content, where none knows such schemas.
func (c Content) Parse(s registry.Schema, isKey bool, limits format.Limits) (format.Format, format.Schema, error) {
	if c == JSON {
		f := c.named()
		parsed, err := f.Parse(s.Text, references(s), limits)
		if err != nil {
			return nil, nil, parseFault(f, err, limits, s)
		}
		return f.Format, parsed, nil
	}
	if c != Usual {
		if fault := c.Fits(s, isKey); fault != nil {
			return nil, nil, fault
		}
	}
	return Parse(s, limits)
}

// RegistryType is the type of schemas that registries have of a Content; empty: Avro, or none.
func (c Content) RegistryType() string {
	f := c.named()
	if f == nil || f.SchemaType() == unsaid {
		return ""
	}
	return f.SchemaType()
}

// typeOf returns the schema of one of the types that a schema has, by its name or else by its path; a schema of one type is that type.
func (s *Resolver) typeOf(parsed format.Schema, ref Ref) (format.Schema, *status.Error) {
	file, ok := parsed.(format.Indexed)
	if !ok {
		return parsed, nil
	}
	at, ok := s.paths.places[ref.path()]
	switch {
	case at.fault != nil:
		return nil, status.Errorf(status.FramingError, "%w", at.fault)
	case s.cfg.MessageType != "":
		return namedType(file, s.cfg.MessageType)
	case !ok:
		return parsed, nil // its first type
	}
	found, err := file.At(at.indexes)
	if err != nil {
		return nil, status.Errorf(status.FramingError, "its message indexes are %v: %w", at.indexes, err)
	}
	return found, nil
}

// namedType returns the schema of the type of a name.
func namedType(file format.Indexed, name string) (format.Schema, *status.Error) {
	found, err := file.Named(name)
	if err != nil {
		e := status.Errorf(status.ConfigError, "%w", err)
		e.Option = "message_type"
		return nil, e
	}
	return found, nil
}

// only returns the type of a schema that is given: the one that is named, or the one that it has.
func only(parsed format.Schema, messageType string) (format.Schema, *status.Error) {
	file, ok := parsed.(format.Indexed)
	switch {
	case !ok:
		return parsed, nil
	case messageType != "":
		return namedType(file, messageType)
	}
	if hasSecond(parsed) {
		e := status.Errorf(status.ConfigError, "the schema has several message types: name one, as in message_type=%q", parsed.TypeName())
		e.Option = "message_type"
		return nil, e
	}
	return parsed, nil
}

// hasSecond tells whether a schema has a second type.
func hasSecond(parsed format.Schema) bool {
	file, ok := parsed.(format.Indexed)
	if !ok {
		return false
	}
	_, err := file.At([]int{1})
	return err == nil
}

// HasTypes tells whether a schema may have several types, of which MessageType names one.
func (c Content) HasTypes() bool {
	f := c.named()
	return c == Auto || f != nil && f.hasPaths
}

// HasFingerprints tells whether schemas have a fingerprint, by which SingleObject names them.
func (c Content) HasFingerprints() bool { return c == Avro || c == Auto }

// ApicurioFault is the error of messages of several types that Apicurio's framing is before: it names the type by a message of its own, and not by indexes.
func ApicurioFault(isKey bool) *status.Error {
	option := "value"
	if isKey {
		option = "key"
	}
	e := status.Errorf(status.ConfigError, `messages of Protobuf are not read with framing="apicurio": set %s="bytes"`, option)
	e.Option = "framing"
	return e
}
