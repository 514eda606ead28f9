package schema

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// formOf are the forms that the framings begin with. The others name a schema elsewhere.
var formOf = map[Framing]wire.Form{Confluent: wire.ConfluentForm, SchemaHeader: wire.ConfluentForm, Apicurio: wire.ApicurioForm, Connect: wire.EnvelopeForm, SingleObject: wire.SingleObjectForm}

// looks tells what a record's payload looks like, and what to set; nothing, where it looks like what the framing says.
func (s *Resolver) looks(r *source.Record, err *status.Error) string {
	data, n := s.payload(r)
	if n < 0 || s.IsUntyped() {
		return ""
	}
	look := wire.Recognize(unsafe.Slice((*byte)(data), int(n)))
	if look.Form == wire.JSONForm && s.cfg.Framing == Bare && (s.cfg.Content == JSON || s.cfg.Content == JSONSchema) {
		return ""
	}
	var magic wire.MagicError
	switch {
	case look.Form != wire.Unrecognized && look.Form != formOf[s.cfg.Framing]:
		text := fmt.Sprintf("its first bytes look like %s: %s", look.Header, s.remedy(look))
		if s.cfg.IsKey {
			return "of the key: " + text
		}
		return text
	case look.Form == wire.Unrecognized && (errors.As(err.Err, &magic) || errors.Is(err.Err, wire.ErrShort) || errors.Is(err.Err, wire.ErrShortApicurio)):
		return s.bareAdvice(r)
	}
	return ""
}

// remedy says what reads values that look so.
func (s *Resolver) remedy(look wire.Look) string {
	switch {
	case s.cfg.IsKey && look.Form == wire.EnvelopeForm:
		return `set key="json" and framing="connect"`
	case s.cfg.IsKey && look.Form == wire.JSONForm && s.cfg.Framing == Connect:
		return "give key_schema=, which reads keys without an envelope"
	case s.cfg.IsKey && look.Form == wire.JSONForm:
		return `set key="json" or key="string"`
	case look.Form == wire.JSONForm && s.cfg.Framing == Connect:
		return `set framing="bare", for JSON without an envelope` // and schema=, unless it is to be inferred
	case look.Form == wire.ConfluentForm && s.cfg.Content == JSON:
		return `set value="auto" and registry_url=, so that the registry says what they are` // JSON is read without a registry
	}
	return remedies[look.Form](look.HeaderLen)
}

// remedies say what reads values of a form, whose body begins after so many bytes.
var remedies = map[wire.Form]func(header int) string{
	wire.ContainerFile: func(int) string {
		return `read it with value="bytes" and a library for such files, such as fastavro`
	},
	wire.SingleObjectForm: func(int) string { return `set framing="single_object" and schema=` },
	wire.GlueForm:         outsideRegistry,
	wire.AzureForm:        outsideRegistry,
	wire.ApicurioForm:     func(int) string { return `set framing="apicurio"` },
	wire.ConfluentForm:    func(int) string { return `set framing="confluent"` },
	wire.JSONForm:         func(int) string { return `set value="json" and schema=, or value="string"` },
	wire.EnvelopeForm:     func(int) string { return `set value="json" and framing="connect"` },
}

// outsideRegistry reads what a registry knows that is not asked here.
func outsideRegistry(header int) string {
	return fmt.Sprintf(`this registry is not asked here: set value="bytes" and give each value[%d:] to a Decoder of its schema`, header)
}

// bareAdvice is for a value, or key, without a header of its own: a header of the message may name the schema.
func (s *Resolver) bareAdvice(r *source.Record) string {
	for _, h := range r.HeaderList() {
		name, value := unsafe.String((*byte)(h.Name), int(h.NameLen)), unsafe.String((*byte)(h.Value), int(max(h.ValueLen, 0)))
		switch id, azure := strings.CutPrefix(value, "avro/binary+"); {
		case name == s.header && s.cfg.Framing != SchemaHeader:
			return fmt.Sprintf(`the header %s names its schema: set framing="schema_header"`, name)
		case strings.EqualFold(name, "content-type") && azure:
			return fmt.Sprintf(`its header content-type names schema %.40q of Azure's schema registry, which is not asked here: set framing="bare" and schema=`, id)
		case strings.HasPrefix(name, "apicurio.value.") || strings.HasPrefix(name, "apicurio.key."):
			return fmt.Sprintf(`its header %s names a schema of Apicurio's, which is not read from headers: set framing="bare" and schema=`, name)
		}
	}
	name := s.cfg.Content.given().name
	if s.cfg.IsKey {
		return fmt.Sprintf(`if it is no %s, set key="bytes" or key="string"`, name)
	}
	return fmt.Sprintf(`if it is a bare %s body, set framing="bare" and schema=; if it is no %[1]s, value="bytes"; metadata="headers" shows whether a header names its schema`, name)
}
