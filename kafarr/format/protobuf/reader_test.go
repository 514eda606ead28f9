package protobuf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestFieldsAreReadAsAnotherSchemaByTheirNumbers(t *testing.T) {
	closeBooks(t)
	writer := parse(t, `syntax = "proto3"; package a; message T { int32 id = 1; string name = 2; M m = 3; repeated int32 n = 4; E e = 5; } message M { uint32 x = 1; } enum E { Z = 0; A = 1; B = 2; }`)
	reader := parse(t, `syntax = "proto3"; package a; message Other {} message T { string label = 2; int64 key = 1; optional int32 added = 9; int32 zero = 10; M m = 3; repeated int64 n = 4; E e = 5; } message M { uint64 y = 1; } enum E { Z = 0; A = 1; }`)
	if !reader.Reads(writer) || reader.TypeName() != "a.Other" {
		t.Fatal("the reader's file has the message")
	}
	p := compileSchema(t, writer, format.Options{Reader: reader})
	if got := decode(t, p, wire(1, -3, 2, "n", 3, wire(1, 7), 4, "\x01\x02", 5, 2)); got[0] != `label=n key=-3 added=∅ zero=0 m={"y":7} n=[1,2] e=∅` {
		t.Error(got)
	}
	for _, c := range []struct{ text, path string }{
		{`message T { optional string id = 1; }`, "id"},
		{`message T { optional int32 x = 1; optional M m = 3; } message M { optional sint64 x = 1; }`, "m.x"},
		{`message T { optional int32 n = 4; }`, "n"},
		{`message T { required int32 added = 9; }`, "added"},
		{`message T { map<int32, int32> m = 3; }`, "m"},
	} {
		reader := parse(t, "package a; "+c.text)
		var e *status.Error
		if _, err := protobuf.Compile(writer, format.Options{Reader: reader}); !errors.As(err, &e) || e.Code != status.IncompatibleSchemaError || e.Path != c.path {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	var e *status.Error
	if _, err := protobuf.Compile(writer, format.Options{Reader: parse(t, "package b; message T { optional int32 id = 1; }")}); !errors.As(err, &e) || e.Code != status.IncompatibleSchemaError ||
		!strings.Contains(e.Error(), "of the type a.T, and the reader's schema has none of that name: it has b.T") {
		t.Error(err)
	}
	narrow := parse(t, `message T { optional int32 id = 1; }`)
	if _, err := protobuf.Compile(parse(t, `message T { optional int64 id = 1; }`), format.Options{Reader: narrow}); err == nil {
		t.Error("an int64 does not fit into an int32")
	}
}

func TestOnlyTheFieldsThatAreWantedAreRead(t *testing.T) {
	closeBooks(t)
	text := `syntax = "proto3"; message T { int32 id = 1; A a = 2; repeated A b = 3; map<string, A> c = 4; oneof o { string s = 5; A u = 6; } } message A { string city = 1; string zip = 2; }`
	p := compile(t, text, format.Options{Columns: []string{"a.city", "b.zip", "c.zip", "s"}})
	bad := wire(1, "\xff") // of a field that nobody reads
	if got := decode(t, p, wire(1, 5, 2, bad[:2]+"c", 3, wire(2, "z"), 4, wire(1, "k", 2, wire(2, "y")), 5, "s", 6, bad)); got[0] != `a={"city":"c"} b=[{"zip":"z"}] c=[{"key":"k","value":{"zip":"y"}}] s=∅` {
		t.Error(got)
	}
	for _, c := range []struct{ column, want string }{{"a.town", "has no field"}, {"id.x", "no fields to select"}, {"nme", "has no field"}} {
		if _, err := protobuf.Compile(parse(t, text), format.Options{Columns: []string{c.column}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.column, err)
		}
	}
}

func TestAMessageMayBeOneColumnAndNull(t *testing.T) {
	closeBooks(t)
	text := `syntax = "proto3"; ` + imports + `message T { int32 a = 1; repeated int32 b = 2; }`
	for _, c := range []struct {
		name    string
		options format.Options
		want    [3]string
	}{
		{"T", format.Options{Nullable: true}, [3]string{"a=1 b=[2]", "a=∅ b=∅", "a=0 b=[]"}},
		{"T", format.Options{Whole: true, Nullable: true}, [3]string{`value={"a":1,"b":[2]}`, "value=∅", `value={"a":0,"b":[]}`}},
		{"google.protobuf.Int64Value", format.Options{Nullable: true}, [3]string{"value=1", "value=∅", "value=0"}},
		{"google.protobuf.Struct", format.Options{Nullable: true}, [3]string{"value={}", "value=∅", "value={}"}},
	} {
		s, err := parse(t, text).Named(c.name)
		if err != nil {
			t.Fatal(err)
		}
		p := compileSchema(t, s, c.options)
		columns := p.NewColumns()
		in := wire(1, 1, 2, 2)
		if c.name == "google.protobuf.Struct" {
			in = ""
		}
		if n, err := p.Bind(columns).Append([]format.Body{body([]byte(in)), {Len: -1}, body(nil)}); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		for i, got := range rendered(t, p, columns) {
			if got != c.want[i] {
				t.Errorf("%s: got %s, want %s", c.name, got, c.want[i])
			}
		}
	}
}

func TestEqualColumnsHaveEqualShapes(t *testing.T) {
	a := compile(t, `syntax = "proto3"; message T { int32 a = 1; optional string b = 2; }`, format.Options{})
	same := compile(t, `edition = "2023"; /* another text */ message T { int32 a = 7 [features.field_presence = IMPLICIT]; string b = 3; }`, format.Options{})
	other := compile(t, `syntax = "proto3"; message T { int32 a = 1; string b = 2; }`, format.Options{})
	if a.Shape() != same.Shape() || a.Shape() == other.Shape() {
		t.Error("shapes follow from columns alone")
	}
	closeBooks(t)
	columns := a.NewColumns()
	for p, in := range map[*protobuf.Plan]string{a: wire(1, 1, 2, "x"), same: wire(7, 1, 3, "x")} {
		if n, err := p.Bind(columns).Append([]format.Body{body([]byte(in))}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := rendered(t, a, columns); len(got) != 2 || got[0] != got[1] {
		t.Error(got)
	}
}

func TestEncryptedFieldsAreNamed(t *testing.T) {
	s := parse(t, `syntax = "proto3"; package p; import "confluent/meta.proto"; message T { string a = 1 [(confluent.field_meta).tags = "PII"]; repeated bytes b = 2 [(confluent.field_meta) = { tags: ["X", "PII"] }];
		map<string, string> c = 3 [(confluent.field_meta) = { tags: "PII" }]; M m = 4; string d = 5; } message M { string e = 1; }`)
	s.MarkEncrypted(2, func(rule int, field string, tags []string) bool {
		return rule == 0 && strings.Contains(strings.Join(tags, ","), "PII") || rule == 1 && field == "p.M.e"
	})
	var got []string
	for _, v := range compileSchema(t, s, format.Options{}).Encrypted() {
		got = append(got, v.Path)
	}
	if strings.Join(got, " ") != "a b c.value m.e" {
		t.Error(got)
	}
}

func TestMessagesThatAreOneValueAreEncryptedWhereSomethingInThemIs(t *testing.T) {
	s := parse(t, `syntax = "proto3"; package p; import "confluent/type/decimal.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/timestamp.proto";
		message T { T below = 1; string a = 2; confluent.type.Decimal b = 3; google.protobuf.StringValue c = 4; google.protobuf.Struct d = 5; google.protobuf.Timestamp e = 6; int64 f = 7; repeated T g = 8; }`)
	s.MarkEncrypted(1, func(_ int, field string, _ []string) bool { return field != "p.T.g" }) // a rule without tags
	paths := func(options format.Options) string {
		var got []string
		for _, v := range compileSchema(t, s, options).Encrypted() {
			got = append(got, v.Path)
		}
		return strings.Join(got, " ")
	}
	if got := paths(format.Options{Recursion: format.JSON}); got != "below a b c d g" {
		t.Error(got)
	}
	if got := paths(format.Options{Columns: []string{"e", "f"}}); got != "" {
		t.Error(got)
	}
}

func TestABodyTakesNoAllocation(t *testing.T) {
	p := compile(t, `syntax = "proto3"; import "google/protobuf/timestamp.proto"; message T { int32 a = 1; string b = 2; repeated double c = 3; map<string, string> d = 4; google.protobuf.Timestamp e = 5; repeated M f = 6; } message M { string x = 1; }`, format.Options{})
	columns := p.NewColumns()
	defer columns.Release()
	a := p.Bind(columns)
	list := make([]format.Body, 1000)
	for i := range list {
		list[i] = body([]byte(wire(1, 5, 2, "some text", 3, strings.Repeat("\x01", 24), 4, wire(1, "a", 2, "b"), 4, wire(1, "c", 2, "d"), 5, wire(1, 7), 6, wire(1, "x"))))
	}
	if n := testing.AllocsPerRun(5, func() { _, _ = a.Append(list) }); n > 20 {
		t.Errorf("%v allocations for a thousand messages", n)
	}
}
