package protobuf_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// Random schemas and bodies: what the loop makes of them, against dynamicpb. A failure names its seed. What differs by design: Go reads the numbers of closed enums that have no
// name, so enums are read as numbers here.

// maker makes random schemas and wire bytes.
type maker struct {
	*rand.Rand
	types int
}

var scalarTypes = []descriptorpb.FieldDescriptorProto_Type{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18}

func (m *maker) file(proto3 bool) *descriptorpb.FileDescriptorProto {
	f := &descriptorpb.FileDescriptorProto{Name: proto.String("t.proto"), Package: proto.String("t"), EnumType: []*descriptorpb.EnumDescriptorProto{{
		Name: proto.String("E"), Value: []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("A"), Number: proto.Int32(0)}, {Name: proto.String("B"), Number: proto.Int32(-7)}},
	}}}
	if proto3 {
		f.Syntax = proto.String("proto3")
	}
	f.MessageType = []*descriptorpb.DescriptorProto{m.message("T", ".t.T", 0, proto3)}
	return f
}

func (m *maker) message(name, full string, depth int, proto3 bool) *descriptorpb.DescriptorProto {
	d := &descriptorpb.DescriptorProto{Name: proto.String(name)}
	number := int32(0)
	for i := range 1 + m.IntN(8) {
		number += 1 + int32(m.IntN(3)*m.IntN(8)*m.IntN(300))
		f := &descriptorpb.FieldDescriptorProto{Name: proto.String(fmt.Sprintf("f%d", i)), Number: proto.Int32(number), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		m.typed(f, d, full, depth, proto3)
		switch m.IntN(5) {
		case 0, 1:
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		case 2:
			if key := m.IntN(4); key > 0 && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_GROUP {
				entry := fmt.Sprintf("F%dEntry", i)
				value := proto.Clone(f).(*descriptorpb.FieldDescriptorProto)
				value.Name, value.Number = proto.String("value"), proto.Int32(2)
				d.NestedType = append(d.NestedType, &descriptorpb.DescriptorProto{
					Name: proto.String(entry), Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
					Field: []*descriptorpb.FieldDescriptorProto{
						{Name: proto.String("key"), Number: proto.Int32(1), Label: f.Label, Type: []*descriptorpb.FieldDescriptorProto_Type{nil,
							descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), descriptorpb.FieldDescriptorProto_TYPE_SINT64.Enum(), descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum()}[key]},
						value,
					},
				})
				f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(full+"."+entry)
				f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
			}
		}
		d.Field = append(d.Field, f)
	}
	if m.IntN(2) == 0 { // the members of a oneof stand together
		for _, f := range d.Field[m.IntN(len(d.Field)):] {
			if f.GetLabel() != descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL {
				break
			}
			d.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("o")}}
			f.OneofIndex = proto.Int32(0)
		}
	}
	return d
}

// typed gives a field a type.
func (m *maker) typed(f *descriptorpb.FieldDescriptorProto, in *descriptorpb.DescriptorProto, full string, depth int, proto3 bool) {
	if depth < 3 && m.IntN(3) == 0 {
		m.types++
		name := fmt.Sprintf("M%d", m.types)
		in.NestedType = append(in.NestedType, m.message(name, full+"."+name, depth+1, proto3))
		f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(full+"."+name)
		if !proto3 && m.IntN(3) == 0 {
			f.Type = descriptorpb.FieldDescriptorProto_TYPE_GROUP.Enum()
			f.Name = proto.String(strings.ToLower(name))
		}
		return
	}
	if m.IntN(6) == 0 {
		f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum(), proto.String(".t.E")
		return
	}
	f.Type = scalarTypes[m.IntN(len(scalarTypes))].Enum()
}

// body writes a random message: fields in any order, as often as they like, with unknown ones between them.
func (m *maker) body(d protoreflect.MessageDescriptor, depth int) []byte {
	var b []byte
	for range m.IntN(2 + 2*d.Fields().Len()) {
		if m.IntN(12) == 0 {
			b = m.unknown(b, d, depth)
			continue
		}
		f := d.Fields().Get(m.IntN(d.Fields().Len()))
		if f.Cardinality() == protoreflect.Repeated && f.IsList() && packable(f) && m.IntN(2) == 0 {
			var values []byte
			for range m.IntN(5) {
				values = m.scalar(values, f.Kind())
			}
			b = protowire.AppendBytes(protowire.AppendTag(b, f.Number(), protowire.BytesType), values)
			continue
		}
		switch f.Kind() {
		case protoreflect.MessageKind:
			b = protowire.AppendBytes(protowire.AppendTag(b, f.Number(), protowire.BytesType), m.body(f.Message(), depth+1))
		case protoreflect.GroupKind:
			b = append(protowire.AppendTag(b, f.Number(), protowire.StartGroupType), m.body(f.Message(), depth+1)...)
			b = protowire.AppendTag(b, f.Number(), protowire.EndGroupType)
		default:
			b = m.scalar(protowire.AppendTag(b, f.Number(), wireOf(f.Kind())), f.Kind())
		}
	}
	return b
}

func packable(f protoreflect.FieldDescriptor) bool { return wireOf(f.Kind()) != protowire.BytesType }

func wireOf(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.Fixed32Type
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind, protoreflect.GroupKind:
		return protowire.BytesType
	}
	return protowire.VarintType
}

func (m *maker) scalar(b []byte, k protoreflect.Kind) []byte {
	v := []uint64{0, 1, 2, 127, 128, 1 << 31, 1<<32 - 1, 1 << 63, math.MaxUint64, m.Uint64() >> m.IntN(64)}[m.IntN(10)]
	switch wireOf(k) {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, uint32(v))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, v)
	case protowire.BytesType:
		return protowire.AppendString(b, strings.Repeat("aé", m.IntN(9)))
	}
	return protowire.AppendVarint(b, v)
}

// unknown writes a field that the message does not have, or one of another wire type.
func (m *maker) unknown(b []byte, d protoreflect.MessageDescriptor, depth int) []byte {
	number := protowire.Number(1 + m.IntN(3000))
	if m.IntN(2) == 0 {
		number = d.Fields().Get(m.IntN(d.Fields().Len())).Number()
	}
	t := []protowire.Type{protowire.VarintType, protowire.Fixed32Type, protowire.Fixed64Type, protowire.BytesType, protowire.StartGroupType}[m.IntN(5)]
	if f := d.Fields().ByNumber(number); f != nil && (t == wireOf(f.Kind()) || t == protowire.BytesType || t == protowire.StartGroupType) {
		t = protowire.VarintType
		if wireOf(f.Kind()) == t {
			t = protowire.Fixed64Type
		}
	}
	b = protowire.AppendTag(b, number, t)
	switch t {
	case protowire.VarintType:
		return protowire.AppendVarint(b, m.Uint64())
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, 5)
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, 5)
	case protowire.StartGroupType:
		if depth < 5 {
			b = m.unknown(b, d, depth+1)
		}
		return protowire.AppendTag(b, number, protowire.EndGroupType)
	}
	return protowire.AppendBytes(b, []byte("x"))
}

// linked makes a file, as a descriptor and its bytes, and its type T as dynamicpb has it.
func (m *maker) linked(t *testing.T, proto3 bool) (file *descriptorpb.FileDescriptorProto, raw string, d protoreflect.MessageDescriptor) {
	t.Helper()
	file = m.file(proto3)
	found, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatalf("%v\n%v", err, file)
	}
	bytes, err := proto.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, string(bytes), found.Messages().ByName("T")
}

// TestRandomBodiesAreReadAsDynamicpbReadsThem is the oracle of the loop. PYKAFARR_ORACLE_SEEDS are how many schemas.
func TestRandomBodiesAreReadAsDynamicpbReadsThem(t *testing.T) {
	closeBooks(t)
	seeds, _ := strconv.Atoi(os.Getenv("PYKAFARR_ORACLE_SEEDS"))
	failures := 0
	for seed := range max(seeds, hostile.Rounds(400)) {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(seed), 1))}
		file, raw, d := m.linked(t, seed%2 == 0)
		p := compile(t, raw, format.Options{Enums: format.NumberedEnums})
		columns := p.NewColumns()
		a := p.Bind(columns)
		var read []protoreflect.Message
		for range 20 {
			b := m.body(d, 0)
			if m.IntN(4) == 0 && len(b) > 0 { // damaged
				b = slices.Clone(b)
				for range 1 + m.IntN(3) {
					b[m.IntN(len(b))] = byte(m.IntN(256))
				}
			}
			theirs := dynamicpb.NewMessage(d)
			wrong, crashed := unmarshal(b, theirs)
			if crashed {
				continue
			}
			n, err := a.Append([]format.Body{body(b)})
			if (wrong == nil) != (err == nil) && !stricter(err) {
				t.Errorf("seed %d: got %v, and dynamicpb %v: %x", seed, err, wrong, b)
				failures++
			}
			if n == 1 {
				read = append(read, theirs)
			}
		}
		for i, data := range columns.Finish() {
			col := array.MakeFromData(data)
			data.Release()
			if err := array.ValidateFull(col); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			f := d.Fields().Get(i)
			for row, msg := range read {
				if got, want := ours(col, row, f), theirs(msg, f); got != want {
					t.Errorf("seed %d, row %d, %s: got %s, want %s\n%v", seed, row, f.Name(), got, want, file)
					failures++
					break
				}
			}
			col.Release()
		}
		if failures > 3 {
			t.FailNow()
		}
	}
}

// unmarshal has dynamicpb read a body. It panics where the entry of a map has a key, and then a field of the key's number that is of another wire type.
func unmarshal(b []byte, to proto.Message) (err error, crashed bool) { //nolint:revive // the error is the result that counts
	defer func() { crashed = recover() != nil }()
	return proto.Unmarshal(b, to), false
}

// stricter reports whether a body was refused for what Go takes: texts of proto2 that are no UTF-8.
func stricter(err error) bool { return err != nil && strings.Contains(err.Error(), "UTF-8") }

// theirs renders a field of a message.
func theirs(msg protoreflect.Message, f protoreflect.FieldDescriptor) string {
	if f.HasPresence() && !msg.Has(f) {
		return "null"
	}
	v := msg.Get(f)
	switch {
	case f.IsList():
		out := []string{}
		for i := range v.List().Len() {
			out = append(out, theirValue(v.List().Get(i), f))
		}
		return fmt.Sprint(out)
	case f.IsMap():
		out := []string{}
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			out = append(out, theirValue(k.Value(), f.MapKey())+":"+theirValue(v, f.MapValue()))
			return true
		})
		slices.Sort(out)
		return fmt.Sprint(out)
	}
	return theirValue(v, f)
}

func theirValue(v protoreflect.Value, f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		out := []string{}
		for i := range f.Message().Fields().Len() {
			out = append(out, theirs(v.Message(), f.Message().Fields().Get(i)))
		}
		return fmt.Sprint(out)
	case protoreflect.EnumKind:
		return fmt.Sprint(int32(v.Enum()))
	case protoreflect.FloatKind:
		return float32Text(float32(v.Float()))
	case protoreflect.DoubleKind:
		return fmt.Sprint(math.Float64bits(v.Float()))
	case protoreflect.BytesKind:
		return fmt.Sprintf("%q", v.Bytes())
	case protoreflect.StringKind:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

// float32Text tells all numbers apart, but not those that are none: Go makes signalling ones quiet on the way.
func float32Text(v float32) string {
	if math.IsNaN(float64(v)) {
		return "NaN"
	}
	return fmt.Sprint(math.Float32bits(v))
}

// ours renders a value of a column.
func ours(a arrow.Array, row int, f protoreflect.FieldDescriptor) string {
	if a.IsNull(row) {
		return "null"
	}
	switch a := a.(type) {
	case *array.Map:
		from, to := a.ValueOffsets(row)
		out := []string{}
		for i := from; i < to; i++ {
			out = append(out, ours(a.Keys(), int(i), f.MapKey())+":"+ours(a.Items(), int(i), f.MapValue()))
		}
		slices.Sort(out)
		return fmt.Sprint(out)
	case *array.List:
		from, to := a.ValueOffsets(row)
		out := []string{}
		for i := from; i < to; i++ {
			out = append(out, ours(a.ListValues(), int(i), f))
		}
		return fmt.Sprint(out)
	case *array.Struct:
		out := []string{}
		for i := range a.NumField() {
			out = append(out, ours(a.Field(i), row, f.Message().Fields().Get(i)))
		}
		return fmt.Sprint(out)
	case *array.Float32:
		return float32Text(a.Value(row))
	case *array.Float64:
		return fmt.Sprint(math.Float64bits(a.Value(row)))
	case *array.Binary:
		return fmt.Sprintf("%q", a.Value(row))
	case *array.String:
		return fmt.Sprintf("%q", a.Value(row))
	case *array.Boolean:
		return fmt.Sprint(a.Value(row))
	}
	return a.ValueStr(row)
}
