package protobuf_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// TestWhatRegistriesHoldIsRead has texts that compilers refuse or warn of, each with a body and its row.
func TestWhatRegistriesHoldIsRead(t *testing.T) {
	for _, c := range []struct{ name, text, body, want string }{
		{"the entry of a map as a message", `syntax = "proto3"; message T { repeated MEntry m = 1; message MEntry { option map_entry = true; string key = 1; int32 value = 2; } }`, wire(1, wire(1, "a", 2, 1)), `m=[{"key":"a","value":1}]`},
		{"an option that nobody has defined", `syntax = "proto3"; option (my.file) = "x"; message T { option (my.message) = { a: 1 }; int32 a = 1 [(my.field) = true, deprecated = true]; }`, wire(1, 1), "a=1"},
		{"an import of options that is missing", `syntax = "proto3"; import "my/options.proto"; import public "other.proto"; message T { int32 a = 1 [(my.field) = { b: [1, 2] }]; }`, wire(1, 1), "a=1"},
		{"names that are one in JSON", `syntax = "proto3"; message T { int32 foo_bar = 1; int32 fooBar = 2; }`, wire(1, 1, 2, 2), "foo_bar=1 fooBar=2"},
		{"an enum without a zero", `syntax = "proto3"; enum E { ONE = 1; } message T { optional E e = 1; }`, wire(1, 1), "e=ONE"},
		{"aliases", `syntax = "proto3"; enum E { option allow_alias = true; ZERO = 0; NULL = 0; ONE = 1; } message T { E e = 1; }`, wire(1, 1), "e=ONE"},
		{"no syntax", `message T { optional int32 a = 1 [default = 5]; repeated int32 b = 2 [packed = true]; extensions 100 to max; reserved 9; } extend T { optional int32 c = 100; }`, wire(2, "\x01", 100, 1), "a=∅ b=[1]"},
		{"an edition", `edition = "2023"; option features.field_presence = IMPLICIT; message T { int32 a = 1; int32 b = 2 [features.field_presence = EXPLICIT]; M m = 3 [features.message_encoding = DELIMITED]; } message M { int32 x = 1; }`,
			wire(3, group(wire(1, 4))), `a=0 b=∅ m={"x":4}`},
		{"features in one", `edition = "2023"; message T { option features = { field_presence: IMPLICIT }; int32 a = 1; int32 b = 2 [features = { field_presence: LEGACY_REQUIRED }]; }`, wire(2, 1), `a=0 b=1`},
		{"names by their scopes", `syntax = "proto3"; package a.b; message T { message M { int32 x = 1; } M m = 1; a.b.T.M n = 2; .a.b.T.M o = 3; b.T.M p = 4; T.M q = 5; }`, "", "m=∅ n=∅ o=∅ p=∅ q=∅"},
		{"a service", `syntax = "proto3"; message T { int32 a = 1; } service S { rpc Get(T) returns (stream T) { option (google.api.http) = { get: "/v1" }; } }`, "", "a=0"},
		{"a oneof of a group", `message T { oneof o { group G = 1 { optional int32 x = 1; } int32 b = 2; } }`, wire(2, 1, 1, group(wire(1, 3))), `g={"x":3} b=∅`},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			s, err := parse(t, c.text).Named(map[bool]string{true: "a.b.T", false: "T"}[strings.Contains(c.text, "a.b;")])
			if err != nil {
				t.Fatal(err)
			}
			if got := decode(t, compileSchema(t, s, format.Options{}), c.body); got[0] != c.want {
				t.Errorf("got %s", got[0])
			}
		})
	}
}

func TestASchemaMayBeADescriptor(t *testing.T) {
	file := protodesc.ToFileDescriptorProto(structpb.File_google_protobuf_struct_proto)
	own := &descriptorpb.FileDescriptorProto{
		Name: proto.String("a.proto"), Package: proto.String("p"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/struct.proto"},
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("T"), Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("v"), Number: proto.Int32(1), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), TypeName: proto.String(".google.protobuf.Value")},
		}}},
	}
	raw, err := proto.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file, own}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(raw), base64.StdEncoding.EncodeToString(raw), string(set), base64.StdEncoding.EncodeToString(set)} {
		closeBooks(t)
		s := parse(t, text)
		if got := decode(t, compileSchema(t, s, format.Options{}), wire(1, wire(3, "a"))); s.TypeName() != "p.T" || got[0] != `v="a"` {
			t.Errorf("%s: %s", s.TypeName(), got[0])
		}
	}
}

func TestReferencesAreFoundByTheirPaths(t *testing.T) {
	closeBooks(t)
	text := `syntax = "proto3"; package a; import "b.proto"; import "google/protobuf/timestamp.proto"; message T { b.M m = 1; c.N n = 2; google.protobuf.Timestamp t = 3; missing.X x = 4; }`
	references := []format.Reference{
		{Name: "c.proto", Text: `syntax = "proto3"; package c; message N { int32 y = 1; }`},
		{Name: "b.proto", Text: `syntax = "proto3"; package b; import public "c.proto"; message M { c.N n = 1; }`},
		{Name: "google/protobuf/timestamp.proto", Text: `syntax = "proto3"; package google.protobuf; message Timestamp { int32 seconds = 1; }`}, // wins over the one that is built in
	}
	s := parse(t, text, references...)
	if _, err := protobuf.Compile(s, format.Options{}); err == nil || !strings.Contains(err.Error(), "missing.X is not defined") {
		t.Errorf("got %v", err)
	}
	p := compileSchema(t, s, format.Options{Columns: []string{"m", "n.y", "t"}})
	if got := decode(t, p, wire(1, wire(1, wire(1, 1)), 2, wire(1, 2), 3, wire(1, 3), 4, "x")); got[0] != `m={"n":{"y":1}} n={"y":2} t={"seconds":3}` {
		t.Error(got)
	}
}

func TestAMessageIsFoundByItsIndexesAndByItsName(t *testing.T) {
	s := parse(t, `syntax = "proto3"; package p; message A { message X {} map<string, int32> m = 1; message N { message D {} } } message B {}`)
	if s.TypeName() != "p.A" {
		t.Error(s.TypeName())
	}
	for _, c := range []struct {
		path []int
		want string
	}{{[]int{0}, "p.A"}, {[]int{1}, "p.B"}, {[]int{0, 0}, "p.A.X"}, {[]int{0, 2}, "p.A.N"}, {[]int{0, 2, 0}, "p.A.N.D"}} {
		if of, err := s.At(c.path); err != nil || of.TypeName() != c.want {
			t.Errorf("%v: %v", c.path, err)
		}
	}
	for _, path := range [][]int{nil, {-1}, {2}, {0, 3}, {0, 2, -5}, {1, 0}} {
		var e *status.Error
		if _, err := s.At(path); !errors.As(err, &e) || e.Code != status.FramingError {
			t.Errorf("%v: %v", path, err)
		}
	}
	if of, err := s.Named("p.A.N.D"); err != nil || of.TypeName() != "p.A.N.D" {
		t.Error(err)
	}
	if _, err := s.Named("p.C"); err == nil || !strings.Contains(err.Error(), "Did you mean") {
		t.Error(err)
	}
}

func TestAPathThatCountsMapsIsToldFromOneThatDoesNot(t *testing.T) {
	s := parse(t, `syntax = "proto3"; package p; message A { message X {} map<string, int32> m = 1; message N {} message O { message D {} } message P {} }`)
	for _, c := range []struct {
		path []int
		want string
	}{
		{[]int{0, 1}, "p.A.N"}, // of Java: by descriptors it is the map's entry
		{[]int{0, 4}, "p.A.P"}, // of descriptors: the text has no fifth message
		{[]int{0, 3, 0}, "p.A.O.D"},
	} {
		if of, err := s.At(c.path); err != nil || of.TypeName() != c.want {
			t.Errorf("%v: %v, %v", c.path, of, err)
		}
	}
	var e *status.Error
	if _, err := s.At([]int{0, 2}); !errors.As(err, &e) || e.Code != status.FramingError ||
		!strings.Contains(e.Error(), "A.N") || !strings.Contains(e.Error(), "A.O") || !strings.Contains(e.Error(), "message_type") {
		t.Error(err)
	}
	only := parse(t, `syntax = "proto3"; message A { map<string, int32> m = 1; }`)
	if _, err := only.At([]int{0, 0}); !errors.As(err, &e) || e.Code != status.FramingError || !strings.Contains(e.Error(), "entry of a map") {
		t.Error(err)
	}
}

// TestBuiltInFilesAreThoseOfTheLibrary compares what stands here with the descriptors of google/protobuf.
func TestBuiltInFilesAreThoseOfTheLibrary(t *testing.T) {
	closeBooks(t)
	raw, err := proto.Marshal(protodesc.ToFileDescriptorProto(apipb.File_google_protobuf_api_proto))
	if err != nil {
		t.Fatal(err)
	}
	theirs := compile(t, string(raw), format.Options{}) // whose imports are the built-in files
	s, err := parse(t, `syntax = "proto3"; import "google/protobuf/api.proto"; message T { google.protobuf.Api a = 1; }`).Named("google.protobuf.Api")
	if err != nil {
		t.Fatal(err)
	}
	if ours := compileSchema(t, s, format.Options{}); ours.Shape() != theirs.Shape() {
		t.Errorf("%v\n%v", ours.Fields(), theirs.Fields())
	}
}

func TestASchemaThatIsNoneSaysWhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`syntax = "proto3"; message T { int32 a = ; }`, "line 1, column 42"},
		{`{"type": "record"}`, "line 1"},
		{`syntax = "proto3"; enum E { A = 0; }`, "defines no message"},
		{``, "defines no message"},
		{`message T { optional int32 a = 1; optional int32 b = 1; }`, "two fields of the number 1"},
		{`message T { optional int32 a = 1; optional int32 a = 2; }`, "two fields of this name"},
		{`message T {} message T {}`, "defined twice"},
		{`edition = "1999"; message T {}`, "edition"},
	} {
		var e *status.Error
		if _, err := protobuf.Parse(c.text, nil, format.Limits{}); !errors.As(err, &e) || e.Code != status.SchemaError || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
