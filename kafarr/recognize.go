package kafarr

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// formOf are the forms that the framings begin with. The others name a schema elsewhere.
var formOf = map[Framing]wire.Form{Confluent: wire.ConfluentForm, SchemaHeader: wire.ConfluentForm, Apicurio: wire.ApicurioForm, SingleObject: wire.SingleObjectForm}

// recognize adds to a record's error what its value, or key, looks like, where that is not what the framing says, and what to set. It is not in the way of records that can be read.
func (l *Listener) recognize(r *source.Record, err *Error) *Error { return err.Hint(l.looks(r, err)) }

// looks tells what is to be added.
func (l *Listener) looks(r *source.Record, err *Error) string {
	if err.Option != "" {
		return ""
	}
	unknown := doubtful(err) // of the value's schema, or of the key's
	var told string
	if err.Code == FramingError || err.Code == DecodeError || unknown {
		told = l.values.recognize(r, r.Value, r.ValueLen, err)
	}
	if l.keys != nil && told == "" && (err.Code == KeyDecodeError || unknown) {
		told = l.keys.recognize(r, r.Key, r.KeyLen, err)
	}
	return told
}

// recognize tells what the n bytes at data look like, and what to set; nothing, where they look like what the framing says.
func (s *side) recognize(r *source.Record, data unsafe.Pointer, n int32, err *Error) string {
	if n < 0 || s.untyped() {
		return ""
	}
	look := wire.Recognize(unsafe.Slice((*byte)(data), int(n)))
	var magic wire.MagicError
	switch {
	case look.Form != wire.Unrecognized && look.Form != formOf[s.framing]:
		told := fmt.Sprintf("its first bytes look like %s: %s", look.Header, remedies[look.Form](look.HeaderLen))
		if s.isKey {
			return "of the key: " + told
		}
		return told
	case look.Form == wire.Unrecognized && (errors.As(err.Err, &magic) || errors.Is(err.Err, wire.ErrShort) || errors.Is(err.Err, wire.ErrShortApicurio)):
		return bareAdvice(r, s)
	}
	return ""
}

// remedies say what reads values of a form, whose body is behind so many bytes.
var remedies = map[wire.Form]func(header int) string{
	wire.ContainerFile: func(int) string {
		return `read it with value="bytes" and a library for such files, such as fastavro`
	},
	wire.SingleObjectForm: func(int) string { return `set framing="single_object" and schema=` },
	wire.GlueForm:         outsideRegistry,
	wire.AzureForm:        outsideRegistry,
	wire.ApicurioForm:     func(int) string { return `set framing="apicurio"` },
	wire.ConfluentForm:    func(int) string { return `set framing="confluent"` },
	wire.JSONForm:         func(int) string { return `set value="bytes" or value="string"` },
}

// outsideRegistry reads what a registry knows that is not asked here.
func outsideRegistry(header int) string {
	return fmt.Sprintf(`this registry is not asked here: set value="bytes" and give each value[%d:] to a Decoder of its schema`, header)
}

// bareAdvice is for a value, or key, without a header of its own: a header of the message may name the schema.
func bareAdvice(r *source.Record, s *side) string {
	for _, h := range headersOf(r) {
		name, value := unsafe.String((*byte)(h.Name), int(h.NameLen)), unsafe.String((*byte)(h.Value), int(max(h.ValueLen, 0)))
		switch id, azure := strings.CutPrefix(value, "avro/binary+"); {
		case name == s.header && s.framing != SchemaHeader:
			return fmt.Sprintf(`the header %s names its schema: set framing="schema_header"`, name)
		case strings.EqualFold(name, "content-type") && azure:
			return fmt.Sprintf(`its header content-type names schema %.40q of Azure's schema registry, which is not asked here: set framing="bare" and schema=`, id)
		case strings.HasPrefix(name, "apicurio.value.") || strings.HasPrefix(name, "apicurio.key."):
			return fmt.Sprintf(`its header %s names a schema of Apicurio's, which is not read from headers: set framing="bare" and schema=`, name)
		}
	}
	if s.isKey {
		return `if it is no Avro, set key="bytes" or key="string"`
	}
	return `if it is a bare Avro body, set framing="bare" and schema=; if it is no Avro, value="bytes"; metadata="headers" shows whether a header names its schema`
}
