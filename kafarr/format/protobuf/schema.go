package protobuf

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// kind is how a field's values stand on the wire.
type kind = descriptorpb.FieldDescriptorProto_Type

// The kinds.
const (
	kindDouble   = descriptorpb.FieldDescriptorProto_TYPE_DOUBLE
	kindFloat    = descriptorpb.FieldDescriptorProto_TYPE_FLOAT
	kindInt64    = descriptorpb.FieldDescriptorProto_TYPE_INT64
	kindUint64   = descriptorpb.FieldDescriptorProto_TYPE_UINT64
	kindInt32    = descriptorpb.FieldDescriptorProto_TYPE_INT32
	kindFixed64  = descriptorpb.FieldDescriptorProto_TYPE_FIXED64
	kindFixed32  = descriptorpb.FieldDescriptorProto_TYPE_FIXED32
	kindBool     = descriptorpb.FieldDescriptorProto_TYPE_BOOL
	kindString   = descriptorpb.FieldDescriptorProto_TYPE_STRING
	kindGroup    = descriptorpb.FieldDescriptorProto_TYPE_GROUP
	kindMessage  = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	kindBytes    = descriptorpb.FieldDescriptorProto_TYPE_BYTES
	kindUint32   = descriptorpb.FieldDescriptorProto_TYPE_UINT32
	kindEnum     = descriptorpb.FieldDescriptorProto_TYPE_ENUM
	kindSfixed32 = descriptorpb.FieldDescriptorProto_TYPE_SFIXED32
	kindSfixed64 = descriptorpb.FieldDescriptorProto_TYPE_SFIXED64
	kindSint32   = descriptorpb.FieldDescriptorProto_TYPE_SINT32
	kindSint64   = descriptorpb.FieldDescriptorProto_TYPE_SINT64
)

// message is a message type.
type message struct {
	name     string // full name
	fields   []*field
	index    map[int32]int // of the fields, by their numbers
	nested   []*message    // in the order of descriptors, which have one for each map field
	mapEntry bool
	known    wellKnown
}

// field is a field of a message.
type field struct {
	name     string
	jsonName string
	number   int32
	kind     kind
	repeated bool
	required bool
	presence bool // an absent value differs from a zero
	packed   bool // as it is written; both forms are read
	oneof    int  // of those that hold several fields; -1: none
	typeName string
	message  *message // of a message or group; nil where no file defines it
	enum     *enum
	meta     meta
}

// enum is an enum type.
type enum struct {
	name    string
	names   []string // the first name of each number, in the order of the file
	numbers []int32  // of the names
	closed  bool
	known   bool // google.protobuf.NullValue
}

// defined reports whether the field's type was found.
func (f *field) defined() bool { return f.typeName == "" || f.message != nil || f.enum != nil }

// isMap reports whether the field is a map.
func (f *field) isMap() bool {
	return f.repeated && f.message != nil && f.message.mapEntry
}

// field returns the field of a number; nil: none.
func (m *message) field(number int32) *field {
	if i, known := m.index[number]; known {
		return m.fields[i]
	}
	return nil
}

// fieldNames are the names of a message's fields.
func (m *message) fieldNames() []string {
	names := make([]string, len(m.fields))
	for i, f := range m.fields {
		names[i] = f.name
	}
	return names
}

// name is that of a number; false: it has none.
func (e *enum) nameOf(number int32) (string, bool) {
	if i := slices.Index(e.numbers, number); i >= 0 {
		return e.names[i], true
	}
	return "", false
}

// describe names a field's type within an error message.
func (f *field) describe() string {
	what := strings.ToLower(strings.TrimPrefix(f.kind.String(), "TYPE_"))
	switch {
	case f.isMap():
		what = "map"
	case f.message != nil:
		what += " " + short(f.message.name)
	case f.enum != nil:
		what += " " + short(f.enum.name)
	}
	if f.repeated && !f.isMap() {
		what = "repeated " + what
	}
	return what
}

// maxName is how much of a name errors show.
const maxName = 80

func short(name string) string {
	if len(name) > maxName {
		return name[:maxName] + "…"
	}
	return name
}

// jsonNameOf is what a field is called in JSON where its schema does not say so: each letter after an underscore is a capital. As protoc has it (ToJsonName in descriptor.cc).
func jsonNameOf(name string) string {
	out := make([]byte, 0, len(name))
	capital := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_':
			capital = true
		case capital && c >= 'a' && c <= 'z':
			out, capital = append(out, c-'a'+'A'), false
		default:
			out, capital = append(out, c), false
		}
	}
	return string(out)
}

// maxPath bounds paths, which are made of names from outside.
const maxPath = 1000

func join(path, name string) string {
	switch {
	case path == "":
		return short(name)
	case len(path) > maxPath:
		return path
	}
	if path += "." + short(name); len(path) > maxPath {
		path += ".…"
	}
	return path
}
