package protobuf_test

import (
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
)

const nested = `syntax = "proto2"; package t; import "google/type/date.proto"; import "google/type/timeofday.proto";
	message Order { optional int32 id = 1; optional Customer customer = 2; repeated fixed32 codes = 3; optional google.type.Date day = 4; optional google.type.TimeOfDay at = 5;
		repeated Line lines = 6; optional group Extra = 7 { optional string note = 1; } }
	message Customer { optional string name = 1; }
	message Line { required int32 count = 1; optional string sku = 2; }`

func TestABadBodySaysWhereAndLeavesTheOthers(t *testing.T) {
	good := wire(1, 7, 2, wire(1, "Ann"), 3, "\x01\x00\x00\x00", 6, wire(1, 1, 2, "sku"), 7, group(wire(1, "n")))
	for _, c := range []struct{ name, body, path, want string }{
		{"truncated", wire(1, 300)[:2], "id", "ends within"},
		{"a tag without a value", "\x08", "id", "ends within"},
		{"a varint of 11 bytes", "\x08" + strings.Repeat("\xff", 10) + "\x01", "id", "longer than 10 bytes"},
		{"a varint that overflows", "\x08" + strings.Repeat("\xff", 9) + "\x02", "id", "longer than 10 bytes"},
		{"a length past the end", "\x12\x05\x0a\x01a", "customer", "beyond"},
		{"a length past the end of the message", wire(2, "\x0a\x05a"), "customer.name", "beyond"},
		{"a text that is no UTF-8", wire(2, wire(1, "\xff")), "customer.name", "UTF-8"},
		{"a long text that is no UTF-8", wire(2, wire(1, "123456789\xff")), "customer.name", "UTF-8"},
		{"half a value in a packed list", wire(3, "\x01\x02\x03"), "codes", "whole values"},
		{"field number 0", "\x00\x01", "", "field number"},
		{"a field number beyond 29 bits", "\x80\x80\x80\x80\x20\x01", "", "field number"},
		{"wire type 6", "\x0e", "", "wire type 6"},
		{"wire type 7 within a message", wire(2, "\x0f"), "customer", "wire type 7"},
		{"a group that ends without a beginning", "\x0c", "", "has not begun"},
		{"a group without an end", wire(7, group(""))[:1], "extra", "ends within"},
		{"an unknown group that is closed as another", "\xa3\x06\xac\x06", "", "has not begun"},
		{"unknown groups nested deep", strings.Repeat("\xa3\x06", 200) + strings.Repeat("\xa4\x06", 200), "", "deeper than 100"},
		{"an unknown length past the end", "\xa2\x06\x05", "", "field 100"},
		{"a required field that is missing", wire(6, wire(2, "a")), "lines.count", "required"},
		{"a day without a month", wire(4, wire(1, 2024, 3, 1)), "day", "date"},
		{"February 30", wire(4, wire(1, 2024, 2, 2, 3, 30)), "day", "date"},
		{"24 o'clock", wire(5, wire(1, 24)), "at", "24 hours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closeBooks(t)
			p := compile(t, nested, format.Options{})
			// What the bad body has set before it fails is taken back, too.
			for _, before := range []string{"", good} {
				e := refused(t, p, good, before+c.body)
				if e.Path != c.path || !strings.Contains(e.Error(), c.want) {
					t.Errorf("got %v at %q, want %q at %q", e, e.Path, c.want, c.path)
				}
			}
		})
	}
}

func TestAnEntryOfAMapWithoutItsValueLacksWhatTheValueMustHave(t *testing.T) {
	closeBooks(t)
	p := compile(t, `syntax = "proto2"; message T { map<string, M> m = 1; optional int32 id = 2; } message M { required string z = 1; }`, format.Options{})
	full := wire(1, wire(1, "k", 2, wire(1, "v")))
	for _, bad := range []string{wire(1, wire(1, "k")), full + wire(1, wire(1, "l")), wire(1, wire(1, "k", 2, ""))} {
		if e := refused(t, p, full, bad); e.Path != "m.value.z" || !strings.Contains(e.Error(), "required") {
			t.Errorf("got %v at %q", e, e.Path)
		}
	}
}

func TestProtoJSONNamesFollowFromNamesWhereTheSchemaLeavesThemOut(t *testing.T) {
	closeBooks(t)
	p := compile(t, `syntax = "proto3"; import "google/protobuf/duration.proto";
		message T { T next = 1; int32 snake_case_name = 2; int32 _a__b9_c = 3; int32 own = 4 [json_name = "my own"]; google.protobuf.Duration d = 5; }`,
		format.Options{Recursion: format.JSON})
	inner := wire(1, wire(2, 1, 3, 2, 4, 3, 5, wire(1, 1, 2, 1_000_000_000)))
	if got := decode(t, p, inner)[0]; !strings.Contains(got, `{"snakeCaseName":1,"AB9C":2,"my own":3,"d":"2s"}`) {
		t.Error(got)
	}
	negative := wire(1, wire(5, wire(1, 1, 2, -1)))
	if got := decode(t, p, negative)[0]; !strings.Contains(got, `{"d":"0.999999999s"}`) {
		t.Error(got)
	}
}

func TestWhatAnotherWireTypeWroteIsAnUnknownField(t *testing.T) {
	closeBooks(t)
	p := compile(t, `syntax = "proto3"; message T { int32 a = 1; string b = 2; repeated int32 c = 3; optional M d = 4; } message M {}`, format.Options{})
	for _, got := range decode(t, p, wire(1, "x", 2, 5, 3, uint32(1), 4, 7, 1, 9), wire(9, "u", 100_000, 1, 1, 9, 50, group(wire(1, 1)))) {
		if got != "a=9 b= c=[] d=∅" {
			t.Error(got)
		}
	}
}

func TestRequiredFieldsMayComeInPieces(t *testing.T) {
	closeBooks(t)
	p := compile(t, `syntax = "proto2"; message T { optional M m = 1; } message M { required int32 a = 1; required int32 b = 2; }`, format.Options{})
	if got := decode(t, p, wire(1, wire(1, 1), 1, wire(2, 2)), ""); got[0] != `m={"a":1,"b":2}` || got[1] != "m=∅" {
		t.Error(got)
	}
	if e := refused(t, p, "", wire(1, wire(1, 1))); e.Path != "m.b" {
		t.Error(e)
	}
}

func TestValuesThatArrowCannotHoldMayBeNulls(t *testing.T) {
	closeBooks(t)
	text := `syntax = "proto3"; ` + imports + `message T { google.type.Date d = 1; repeated google.type.TimeOfDay t = 2; google.protobuf.Timestamp s = 3; map<int32, google.type.Date> m = 4; }`
	p := compile(t, text, format.Options{OutOfRange: format.NullOutOfRange, Timestamps: format.NanosecondTimestamps})
	columns := p.NewColumns()
	a := p.Bind(columns)
	bad := wire(1, "", 2, wire(1, 25), 2, wire(1, 1), 3, wire(1, 1<<40), 4, wire(1, 1, 2, ""))
	if n, err := a.Append([]format.Body{body([]byte(bad)), body(nil)}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if c := a.Counts(2); c.OutOfRange != 4 || a.Counts(0).OutOfRange != 0 {
		t.Errorf("counted %+v", c)
	}
	if got := rendered(t, p, columns); got[0] != `d=∅ t=[null,"01:00:00"] s=∅ m=[{"key":1,"value":null}]` || got[1] != "d=∅ t=[] s=∅ m=[]" {
		t.Error(got)
	}
	plain := compile(t, text, format.Options{Timestamps: format.NanosecondTimestamps})
	if e := refused(t, plain, "", wire(3, wire(1, 1<<40))); e.Path != "s" || !strings.Contains(e.Error(), `timestamps="us"`) {
		t.Error(e)
	}
}

func TestUnknownNumbersOfEnumsAreNullsThatCount(t *testing.T) {
	closeBooks(t)
	text := `message T { E a = 1; repeated E b = 2; map<int32, E> c = 3; oneof o { E d = 4; int32 e = 5; } } enum E { ZERO = 0; ONE = 1; }`
	in := wire(1, 7, 2, 7, 2, 1, 3, wire(1, 1, 2, 7), 5, 1, 4, 7)
	p := compile(t, `syntax = "proto3"; `+text, format.Options{})
	columns := p.NewColumns()
	a := p.Bind(columns)
	if n, err := a.Append([]format.Body{body([]byte(in)), body(nil)}); n != 2 || err != nil || a.Counts(2).UnknownEnums != 4 {
		t.Fatal(n, err, a.Counts(2))
	}
	if got := rendered(t, p, columns); got[0] != `a=∅ b=[null,"ONE"] c=[{"key":1,"value":null}] d=∅ e=∅` || got[1] != "a=ZERO b=[] c=[] d=∅ e=∅" {
		t.Error(got)
	}
	numbers := compile(t, `syntax = "proto3"; `+text, format.Options{Enums: format.NumberedEnums})
	if got := decode(t, numbers, in); got[0] != `a=7 b=[7,1] c=[{"key":1,"value":7}] d=7 e=∅` {
		t.Error(got)
	}
	closed := compile(t, `syntax = "proto2"; `+strings.Replace(text, "E a", "optional E a", 1), format.Options{})
	if got := decode(t, closed, wire(1, 1, 1, 7, 5, 3, 4, 7)); got[0] != "a=ONE b=[] c=[] d=∅ e=3" {
		t.Error(got)
	}
}

func TestARecursiveMessageIsRefusedOrItsJSON(t *testing.T) {
	closeBooks(t)
	text := `syntax = "proto3"; message T { int64 n = 1; T next = 2; map<string, T> by = 3; E e = 4; oneof o { bool b = 5; string snake_case = 6; } repeated double d = 7; } enum E { A = 0; B = 1; }`
	if _, err := protobuf.Compile(parse(t, text), format.Options{}); err == nil || !strings.Contains(err.Error(), `recursion="json"`) {
		t.Fatal(err)
	}
	p := compile(t, text, format.Options{Recursion: format.JSON})
	in := wire(2, wire(1, 5, 2, wire(4, 1), 3, wire(1, "k\"", 2, wire(1, 1)), 3, wire(1, "k\"", 2, wire(1, 2)), 5, 0, 6, "s", 7, "\x00\x00\x00\x00\x00\x00\xf0\x3f"))
	if got := decode(t, p, in, wire(2, wire(1, 1), 2, wire(4, 1))); got[0] != `n=0 next={"n":"5","next":{"e":"B"},"by":{"k\"":{"n":"2"}},"snakeCase":"s","d":[1]} by=[] e=A b=∅ snake_case=∅ d=[]` ||
		got[1] != `n=0 next={"n":"1","e":"B"} by=[] e=A b=∅ snake_case=∅ d=[]` {
		t.Error(got)
	}
	deep := ""
	for range 200 {
		deep = wire(2, deep)
	}
	if e := refused(t, p, in, deep); e.Path != "next" || !strings.Contains(e.Error(), "deeper than 100") {
		t.Error(e)
	}
}
