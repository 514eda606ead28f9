package protobuf_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// protobufFormat is Protobuf to the oracle of hostile.
type protobufFormat struct{ options format.Options }

type protobufColumns struct {
	*format.Columns
	appender format.Appender
}

func (f protobufFormat) Compile(schema string) (hostile.Columns, error) {
	s, err := protobuf.Parse(schema, nil, format.Limits{})
	if err != nil {
		return nil, err
	}
	p, err := protobuf.Compile(s, f.options)
	if err != nil {
		return nil, err
	}
	c := p.NewColumns()
	return protobufColumns{c, p.Bind(c)}, nil
}

func (c protobufColumns) Append(b []byte) error {
	_, err := c.appender.Append([]format.Body{body(b)})
	return err
}

// fieldsOf are n fields of a type.
func fieldsOf(n int, of string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s f%d = %d; ", of, i, i+1)
	}
	return b.String()
}

// TestAMessageCostsNoMoreThanItsBudget has messages of 60 KB that would take gigabytes, or minutes.
func TestAMessageCostsNoMoreThanItsBudget(t *testing.T) {
	hostile.Unwatched(t)
	const n = 60_000
	keys := ""
	for i := range n / 8 {
		keys += wire(1, wire(1, i%1000, 2, 1))
	}
	twice := wire(1, 1, 2, 1)
	maps := "int32"
	var entries string
	for i := range 12 {
		entries += fmt.Sprintf("message M%d { map<int32, %s> m = 1; } ", i, maps)
		maps = fmt.Sprintf("M%d", i)
		if i > 0 {
			twice = wire(1, 1, 2, twice)
		}
		twice = wire(1, twice, 1, twice)
	}
	for _, c := range []struct{ name, schema, body, want string }{
		{"empty items of many members", `syntax = "proto3"; message T { repeated W w = 1; } message W { ` + fieldsOf(1000, "int64") + `}`, strings.Repeat("\x0a\x00", n/2), "more "},
		{"empty items of many texts", `syntax = "proto3"; message T { repeated W w = 1; } message W { ` + fieldsOf(5000, "string") + `}`, strings.Repeat("\x0a\x00", n/2), "more "},
		{"a wide member of a oneof, set again and again", `syntax = "proto3"; message T { oneof o { W w = 1; int32 i = 2; } } message W { ` + fieldsOf(10_000, "string") + `}`, strings.Repeat("\x0a\x00\x10\x00", n/4), "more values"},
		{"a recursive message in many pieces", `syntax = "proto3"; message T { T t = 1; int32 i = 2; }`, strings.Repeat("\x0a\x02\x10\x01", n/4), "more values"},
		{"a wide recursive message with fields that nobody knows", `syntax = "proto3"; message T { T t = 30000; oneof o { ` + fieldsOf(15_000, "int32") + `} }`, wire(30_000, strings.Repeat("\x08\x00\x10\x00", n/4)), ""},
		{"a decimal of a great scale, again and again", `syntax = "proto3"; import "confluent/type/decimal.proto"; message T { repeated confluent.type.Decimal d = 1; }`, strings.Repeat(wire(1, wire(1, "\x01", 3, 100_000)), n/9), "more "},
		{"a map of few keys, again and again", `syntax = "proto3"; message T { map<int32, int32> m = 1; }`, keys, ""},
		{"maps within maps that have each key twice", `syntax = "proto3"; message T { M11 m = 1; } ` + entries, wire(1, twice), ""},
		{"unknown fields", `syntax = "proto3"; message T { int32 a = 1; }`, strings.Repeat("\x10\x00", n/2), ""},
		{"unknown groups within groups", `syntax = "proto3"; message T { int32 a = 1; }`, strings.Repeat("\x13", n/2) + strings.Repeat("\x14", n/2), "deeper"},
		{"one text again and again", `syntax = "proto3"; message T { string a = 1; }`, strings.Repeat("\x0a\x01x", n/3), ""},
		{"zeros in a packed list", `syntax = "proto3"; message T { repeated int64 a = 1; }`, wire(1, strings.Repeat("\x00", n)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if len(c.body) > hostile.MaxBody*2 {
				t.Fatalf("the body has %d bytes", len(c.body))
			}
			err := hostile.Check(t, protobufFormat{format.Options{Recursion: format.JSON}}, c.schema, []byte(c.body))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestASchemaCostsNoMoreThanItsLimits has short schemas that stand for very many columns.
func TestASchemaCostsNoMoreThanItsLimits(t *testing.T) {
	doubled := `syntax = "proto3"; message T { D0 a = 1; } `
	for i := range 40 {
		doubled += fmt.Sprintf("message D%d { D%d a = 1; D%d b = 2; } ", i, i+1, i+1)
	}
	doubled += "message D40 { int32 x = 1; }"
	deep := `syntax = "proto3"; message T { D0 a = 1; } `
	for i := range 100 {
		deep += fmt.Sprintf("message D%d { D%d a = 1; } ", i, i+1)
	}
	deep += "message D100 { int32 x = 1; }"
	for _, c := range []struct{ name, schema, want string }{
		{"each message twice in the one before it", doubled, "more than 20000 columns"},
		{"messages in messages", deep, "deeper than"},
		{"types within types", `syntax = "proto3"; ` + strings.Repeat("message M { ", 10_000) + strings.Repeat("}", 10_000), ""},
		{"an option that nests deep", `syntax = "proto3"; message T { int32 a = 1 [(confluent.field_meta) = ` + strings.Repeat("{a ", 10_000) + strings.Repeat("}", 10_000) + `]; }`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := hostile.Check(t, protobufFormat{}, c.schema, nil); c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheOracleOfCostsHoldsForRandomSchemas(t *testing.T) {
	for seed := range hostile.Rounds(100) {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(seed), 2))}
		raw, err := proto.Marshal(m.file(seed%2 == 0))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			b := make([]byte, m.IntN(1+[]int{64, 4096, hostile.MaxBody}[m.IntN(3)]))
			for i := range b {
				b[i] = byte(m.IntN(256))
				if m.IntN(2) == 0 {
					b[i] &= 15
				}
			}
			_ = hostile.Check(t, protobufFormat{}, string(raw), b)
		}
	}
}

const everything = `syntax = "proto2"; ` + imports + `
	message T { optional bool a = 1; optional int32 b = 2; optional sint64 c = 3; optional double d = 4; optional string e = 5; optional bytes f = 6; optional E g = 7; repeated string h = 8;
		repeated int32 i = 9; repeated fixed64 j = 10 [packed = true]; map<string, M> k = 11; optional M l = 12; repeated M m = 13; optional group Inner = 14 { repeated float x = 1; }
		oneof o { M n = 15; int32 p = 16; google.protobuf.Timestamp q = 17; } optional google.protobuf.Duration r = 18; optional google.protobuf.Value s = 19; optional google.protobuf.StringValue t = 20;
		optional confluent.type.Decimal u = 21; optional google.type.Date v = 22; optional google.type.TimeOfDay w = 23; optional T x = 24; map<sint32, E> y = 25; repeated group Rep = 26 { optional int32 z = 1; } }
	message M { required int32 a = 1; map<bool, bytes> b = 2; repeated M c = 3; }
	enum E { ZERO = 0; ONE = 1; }`

// whole is a body that has something of each field.
func whole() string {
	m := wire(1, 1, 2, wire(1, 1, 2, "b"), 3, wire(1, 2))
	return wire(1, 1, 2, -5, 3, 300, 4, uint64(1), 5, "a long text of letters", 6, "\xff", 7, 1, 8, "h", 9, "\x01\x02", 10, strings.Repeat("\x01", 16), 11, wire(1, "k", 2, m), 11, wire(1, "k", 2, m), 12, m, 13, m,
		14, group(wire(1, uint32(5))), 15, m, 16, 3, 17, wire(1, 5, 2, 7), 18, wire(1, 1), 19, wire(6, wire(1, wire(3, "ü"))), 20, wire(1, "s"), 21, wire(1, "\x01\x02", 3, 2), 22, wire(1, 2024, 2, 1, 3, 1),
		23, wire(1, 1), 24, wire(1, 1, 24, wire(5, "x")), 25, wire(1, 3, 2, 9), 26, group(wire(1, 1)), 100, "unknown", 101, group(wire(1, 1)))
}

// FuzzProtobufBody appends any bytes before and after a good row: nothing crashes, the good rows stay, all memory comes back.
func FuzzProtobufBody(f *testing.F) {
	p := compile(f, everything, format.Options{Recursion: format.JSON})
	good := []byte(whole())
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		before := cmem.Live()
		columns := p.NewColumns()
		a := p.Bind(columns)
		want := 2
		for i, b := range [][]byte{good, data, good} {
			n, err := a.Append([]format.Body{body(b)})
			if i != 1 && (n != 1 || err != nil) {
				t.Fatal(n, err)
			}
			if i == 1 {
				want += n
			}
		}
		if rows := rendered(t, p, columns); len(rows) != want || rows[0] != rows[want-1] {
			t.Errorf("%d rows: %v", len(rows), rows)
		}
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes were not released", after-before)
		}
	})
}

// FuzzProtobufSchema parses and compiles any text, or descriptor, and reads any bytes by it, within the bounds of hostile.
func FuzzProtobufSchema(f *testing.F) {
	f.Add(everything, []byte(whole()))
	for _, k := range kinds {
		f.Add(schemaOf(k.field), []byte(k.rows[0][0]))
	}
	f.Add(`edition = "2023"; message T { option features = { field_presence: IMPLICIT }; T a = 1 [features.message_encoding = DELIMITED, (confluent.field_meta).tags = "PII"]; }`, []byte{11, 12})
	m := &maker{Rand: rand.New(rand.NewPCG(1, 3))}
	if linked, err := protodesc.NewFile(m.file(true), nil); err == nil {
		raw, _ := proto.Marshal(protodesc.ToFileDescriptorProto(linked))
		f.Add(string(raw), m.body(linked.Messages().Get(0), 0))
	}
	f.Fuzz(func(t *testing.T, schema string, data []byte) {
		if len(schema) > hostile.MaxSchema || len(data) > hostile.MaxBody {
			return
		}
		for _, o := range []format.Options{{}, {Recursion: format.JSON, OutOfRange: format.NullOutOfRange, Whole: true, Nullable: true}} {
			_ = hostile.Check(t, protobufFormat{o}, schema, data)
		}
	})
}
