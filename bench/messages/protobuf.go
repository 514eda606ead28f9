package messages

import (
	"fmt"
	"math"
	"math/rand/v2"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// FlatProto has the fields of FlatSchema.
const FlatProto = `syntax = "proto3"; package bench; message Flat { bool flag = 1; int32 count = 2; int64 id = 3; float ratio = 4; double price = 5; string symbol = 6; }`

// WideProto has 25 fields of most types.
const WideProto = `syntax = "proto3"; package bench; import "google/protobuf/timestamp.proto";
	message Wide { bool b1 = 1; int32 i1 = 2; int64 l1 = 3; float f1 = 4; double d1 = 5; string s1 = 6; bytes y1 = 7; uint32 u1 = 8; uint64 u2 = 9; sint32 z1 = 10; sint64 z2 = 11;
		fixed32 x1 = 12; fixed64 x2 = 13; Color color = 14; google.protobuf.Timestamp t1 = 15; google.protobuf.Timestamp t2 = 16; optional int32 o1 = 17; optional string o2 = 18; optional double o3 = 19;
		Address addr = 20; repeated double prices = 21; repeated string tags = 22; map<string, string> attrs = 23; string s2 = 24; int64 l2 = 25; }
	message Address { string street = 1; string city = 2; string zip = 3; double lat = 4; double lon = 5; }
	enum Color { RED = 0; GREEN = 1; BLUE = 2; BLACK = 7; }`

// fields appends fields of the numbers from 1 on: an int as a varint, a float as its bytes, a string with its length; nil is absent.
func fields(b []byte, values ...any) []byte {
	first := protowire.Number(1)
	for _, v := range values {
		switch v := v.(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, first, protowire.VarintType), uint64(v))
		case float32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, first, protowire.Fixed32Type), math.Float32bits(v))
		case float64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, first, protowire.Fixed64Type), math.Float64bits(v))
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, first, protowire.BytesType), v)
		case []string:
			for _, s := range v {
				b = protowire.AppendString(protowire.AppendTag(b, first, protowire.BytesType), s)
			}
		}
		first++
	}
	return b
}

// FlatMessage appends a random Flat.
func FlatMessage(b []byte, r *rand.Rand) []byte {
	return fields(b, r.IntN(2), int(r.Uint32()>>(1+r.IntN(30))), int(r.Uint64()>>(1+r.IntN(62))), r.Float32(), r.Float64(), fmt.Sprintf("sym-%0*d", 4+r.IntN(9), r.IntN(10000)))
}

// WideMessage appends a random Wide.
func WideMessage(b []byte, r *rand.Rand) []byte {
	text := func() string { return fmt.Sprintf("text-%0*d", 3+r.IntN(10), r.IntN(1000)) }
	maybe := func(v any) any {
		if r.IntN(3) == 0 {
			return nil
		}
		return v
	}
	at := func() string { return string(fields(nil, 1_700_000_000+r.IntN(1e8), r.IntN(1e9))) }
	attrs := []string{string(fields(nil, "origin", text())), string(fields(nil, "kind", text()))}
	prices := ""
	for range 3 {
		prices += string(protowire.AppendFixed64(nil, r.Uint64()>>2))
	}
	return fields(b, 1, r.IntN(1e6), r.IntN(1e12), r.Float32(), r.Float64(), text(), text(), r.IntN(1e6), r.IntN(1e12), r.IntN(1e6), r.IntN(1e12), r.Float32(), r.Float64(), r.IntN(3), at(), at(),
		maybe(r.IntN(1e6)), maybe(text()), maybe(r.Float64()), string(fields(nil, text(), text(), "12345", r.Float64(), r.Float64())), prices, []string{text(), text()}, attrs, text(), r.IntN(1e12))
}

// ProtobufBodies are random messages, the same each time.
func ProtobufBodies(rows int, message func([]byte, *rand.Rand) []byte) []format.Body {
	r := rand.New(rand.NewPCG(1, 2))
	var all []byte
	ends := make([]int, rows)
	for i := range ends {
		all = message(all, r)
		ends[i] = len(all)
	}
	list := make([]format.Body, rows)
	start := 0
	for i, end := range ends {
		list[i] = format.Body{Data: unsafe.Pointer(&all[start]), Len: end - start}
		start = end
	}
	return list
}
