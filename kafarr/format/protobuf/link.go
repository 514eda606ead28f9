package protobuf

import (
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// types are the message types of all files of a schema, by their full names.
type types map[string]*message

// linker makes types of descriptors, and finds the types of their fields. protodesc would do, but refuses more than reading needs to be refused, such as enums without a zero.
type linker struct {
	types    types
	enums    map[string]*enum
	files    []*linkedFile
	maxDepth int
}

type linkedFile struct{ messages []*message }

func newLinker(maxDepth int) *linker {
	return &linker{types: types{}, enums: map[string]*enum{}, maxDepth: maxDepth}
}

// add enters the types of a file. Of types that several files define, that of the first file counts.
func (k *linker) add(f *descriptorpb.FileDescriptorProto) error {
	inherited := featuresOf(f)
	inherited = inherited.with(f.GetOptions().GetFeatures(), f.GetOptions().GetUninterpretedOption())
	file := &linkedFile{}
	k.files = append(k.files, file)
	defined := map[string]bool{}
	for _, e := range f.GetEnumType() {
		if err := k.enum(e, f.GetPackage(), inherited, defined); err != nil {
			return err
		}
	}
	for _, m := range f.GetMessageType() {
		added, err := k.message(m, f.GetPackage(), inherited, defined, 1)
		if err != nil {
			return err
		}
		file.messages = append(file.messages, added)
	}
	return nil
}

func qualified(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}

// define notes a type of a file, which defines none twice.
func define(defined map[string]bool, name string) error {
	if defined[name] {
		return status.Errorf(status.SchemaError, "%s is defined twice", short(name))
	}
	defined[name] = true
	return nil
}

func (k *linker) enum(d *descriptorpb.EnumDescriptorProto, scope string, inherited features, defined map[string]bool) error {
	name := qualified(scope, d.GetName())
	if err := define(defined, name); err != nil {
		return err
	}
	own := inherited.with(d.GetOptions().GetFeatures(), d.GetOptions().GetUninterpretedOption())
	e := &enum{name: name, closed: own.closed, known: name == "google.protobuf.NullValue"}
	seen := make(map[int32]bool, len(d.GetValue()))
	for _, v := range d.GetValue() {
		if !seen[v.GetNumber()] {
			seen[v.GetNumber()] = true
			e.names, e.numbers = append(e.names, v.GetName()), append(e.numbers, v.GetNumber())
		}
	}
	if k.enums[name] == nil {
		k.enums[name] = e
	}
	return nil
}

func (k *linker) message(d *descriptorpb.DescriptorProto, scope string, inherited features, defined map[string]bool, depth int) (*message, error) {
	name := qualified(scope, d.GetName())
	if depth > k.maxDepth {
		return nil, status.Errorf(status.SchemaError, "the types nest deeper than %d levels", k.maxDepth)
	}
	if err := define(defined, name); err != nil {
		return nil, err
	}
	own := inherited.with(d.GetOptions().GetFeatures(), d.GetOptions().GetUninterpretedOption())
	m := &message{name: name, index: make(map[int32]int, len(d.GetField()))}
	m.mapEntry = d.GetOptions().GetMapEntry()
	if value, found := option(d.GetOptions().GetUninterpretedOption(), "map_entry"); found {
		m.mapEntry = value == "true"
	}
	if k.types[name] == nil {
		k.types[name] = m
	}
	for _, e := range d.GetEnumType() {
		if err := k.enum(e, name, own, defined); err != nil {
			return nil, err
		}
	}
	for _, n := range d.GetNestedType() {
		nested, err := k.message(n, name, own, defined, depth+1)
		if err != nil {
			return nil, err
		}
		m.nested = append(m.nested, nested)
	}
	if len(d.GetField()) > maxFields {
		return nil, schemaError(short(name), "the message has more than %d fields", maxFields)
	}
	oneofs := make([]features, len(d.GetOneofDecl()))
	members := make([]int, len(oneofs))
	for i, o := range d.GetOneofDecl() {
		oneofs[i] = own.with(o.GetOptions().GetFeatures(), o.GetOptions().GetUninterpretedOption())
	}
	for _, f := range d.GetField() {
		if i := int(f.GetOneofIndex()); f.OneofIndex != nil && i >= 0 && i < len(members) {
			members[i]++
		}
	}
	names := map[string]bool{}
	for _, d := range d.GetField() {
		f := &field{
			name: d.GetName(), jsonName: d.GetJsonName(), number: d.GetNumber(), oneof: -1,
			repeated: d.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED, typeName: d.GetTypeName(),
		}
		if d.Type != nil { // not of a text: resolve tells messages and enums apart
			f.kind = d.GetType()
		}
		path := join(short(name), f.name)
		switch {
		case f.number < 1 || f.number > maxNumber:
			return nil, schemaError(path, "the number %d is not from 1 to %d", f.number, maxNumber)
		case m.field(f.number) != nil:
			return nil, schemaError(path, "the message has two fields of the number %d", f.number)
		case names[f.name]:
			return nil, schemaError(path, "the message has two fields of this name")
		case f.kind == 0 && f.typeName == "":
			return nil, schemaError(path, "the field has no type")
		}
		names[f.name] = true
		options := d.GetOptions()
		of := own
		if i := int(d.GetOneofIndex()); d.OneofIndex != nil && i >= 0 && i < len(members) {
			of = oneofs[i]
			f.presence = true
			if members[i] > 1 {
				f.oneof = i
			}
		}
		of = of.with(options.GetFeatures(), options.GetUninterpretedOption())
		f.packed = of.packed
		if options != nil && options.Packed != nil {
			f.packed = options.GetPacked()
		}
		if value, found := option(options.GetUninterpretedOption(), "packed"); found {
			f.packed = value == "true"
		}
		if value, found := option(options.GetUninterpretedOption(), "json_name"); found {
			f.jsonName = value
		}
		if f.jsonName == "" { // generated code and what Python's serializer registers leave out what follows from the name
			f.jsonName = jsonNameOf(f.name)
		}
		if of.delimited && (f.kind == kindMessage || f.kind == 0) && !m.mapEntry {
			f.kind = kindGroup // which resolve takes back where the type is an enum, or a map's entry
		}
		f.required = d.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REQUIRED || of.presence == presenceRequired && !f.repeated
		f.presence = !f.repeated && !f.required && !m.mapEntry && (f.presence || d.GetProto3Optional() || of.presence != presenceImplicit)
		f.meta = metaOf(options)
		m.index[f.number] = len(m.fields)
		m.fields = append(m.fields, f)
	}
	m.known = wellKnownOf(m)
	return m, nil
}

// maxNumber is the greatest number of a field.
const maxNumber = 1<<29 - 1

// maxFields bounds the fields of a message.
const maxFields = 60_000

// resolve finds the types of fields, by the scopes in which they stand.
func (k *linker) resolve() {
	for _, m := range k.types {
		for _, f := range m.fields {
			if f.typeName == "" {
				continue
			}
			k.find(f, m.name)
			switch {
			case f.enum != nil:
				f.kind = kindEnum
			case f.message == nil:
			case f.message.mapEntry && f.repeated:
				f.kind = kindMessage
			case f.kind != kindGroup:
				f.kind = kindMessage
			}
			if f.message != nil && !f.repeated && !f.required && !m.mapEntry {
				f.presence = true
			}
		}
	}
}

// find looks a type up in a scope, and in those around it.
func (k *linker) find(f *field, scope string) {
	name, absolute := strings.CutPrefix(f.typeName, ".")
	if absolute {
		scope = ""
	}
	for {
		full := qualified(scope, name)
		if f.message, f.enum = k.types[full], k.enums[full]; f.message != nil || f.enum != nil || scope == "" {
			return
		}
		scope = scope[:max(0, strings.LastIndexByte(scope, '.'))]
	}
}
