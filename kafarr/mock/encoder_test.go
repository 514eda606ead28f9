package mock

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func TestPlainValuesBecomeAvroBytes(t *testing.T) {
	// The bytes are the specification's: zigzag varints, lengths before bytes, little-endian floats.
	cases := []struct{ name, schema, value, want string }{
		{"null", `"null"`, `null`, ""},
		{"boolean", `"boolean"`, `true`, "01"},
		{"int", `"int"`, `-2147483648`, "ffffffff0f"},
		{"int written as a float", `"int"`, `1e3`, "d00f"},
		{"long past 2^53", `"long"`, `9007199254740993`, "8280808080808020"},
		{"long", `{"type":"long"}`, `9223372036854775807`, "feffffffffffffffff01"},
		{"float", `"float"`, `1.5`, "0000c03f"},
		{"double", `"double"`, `0.1`, "9a9999999999b93f"},
		{"double without a fraction", `"double"`, `3`, "0000000000000840"},
		{"NaN", `"double"`, `"NaN"`, "010000000000f87f"},
		{"infinity", `"float"`, `"-Infinity"`, "000080ff"},
		{"string", `"string"`, `"é\u0000"`, "06c3a900"},
		{"bytes", `"bytes"`, `"\u0000ÿ"`, "0400ff"},
		{"fixed", `{"type":"fixed","name":"F","size":2}`, `"ÿ\u0001"`, "ff01"},
		{"enum", `{"type":"enum","name":"E","symbols":["A","B"]}`, `"B"`, "02"},
		{"array", `{"type":"array","items":"int"}`, `[1,2]`, "04020400"},
		{"empty array", `{"type":"array","items":"int"}`, `[]`, "00"},
		{"map", `{"type":"map","values":"int"}`, `{"a":1}`, "0202610200"},
		{"union of null and one", `["null","string"]`, `"a"`, "020261"},
		{"null second", `["long","null"]`, `null`, "02"},
		{"first branch that fits: int", `["null","int","long"]`, `5`, "020a"},
		{"first branch that fits: long", `["null","int","long"]`, `5000000000`, "0480c8afa025"},
		{"first branch that fits: double", `["null","long","double"]`, `1.5`, "04000000000000f83f"},
		{"first branch that fits: enum", `[{"type":"enum","name":"E","symbols":["A"]},"string"]`, `"A"`, "0000"},
		{"branch by name", `["bytes","string"]`, `{"string":"a"}`, "020261"},
		{"branch by full name", `["null",{"type":"fixed","name":"n.F","size":1},{"type":"fixed","name":"n.G","size":1}]`, `{"n.G":"a"}`, "0461"},
		{"branch by last name", `["null",{"type":"fixed","name":"n.F","size":1},{"type":"fixed","name":"n.G","size":1}]`, `{"G":"a"}`, "0461"},
		{"map rather than a branch", `["string",{"type":"map","values":"string"}]`, `{"string":"a"}`, "02020c737472696e67026100"},
		{"records told apart by fields", `[{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]},{"type":"record","name":"B","fields":[{"name":"b","type":"int"}]}]`, `{"b":1}`, "0202"},
		{"defaults", `{"type":"record","name":"R","fields":[
			{"name":"l","type":"long","default":9007199254740993},
			{"name":"n","type":["null","int"],"default":null},
			{"name":"b","type":"bytes","default":"\u00ff"},
			{"name":"a","type":{"type":"array","items":"int"},"default":[1]},
			{"name":"u","type":["int","null"],"default":7}]}`, `{}`, "8280808080808020" + "00" + "02ff" + "020200" + "000e"},
		{"logical types by the type beneath", `{"type":"record","name":"R","fields":[
			{"name":"d","type":{"type":"int","logicalType":"date"}},
			{"name":"t","type":{"type":"long","logicalType":"local-timestamp-micros"}},
			{"name":"m","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},
			{"name":"u","type":{"type":"string","logicalType":"uuid"}}]}`, `{"d":1,"t":2,"m":"\u0001","u":"x"}`, "02" + "04" + "0201" + "0278"},
		{"names and namespaces", `{"type":"record","name":"R","namespace":"n","fields":[
			{"name":"e","type":{"type":"enum","name":"E","namespace":"m","symbols":["A","B"]}},
			{"name":"f","type":"m.E"},
			{"name":"g","type":{"type":"fixed","name":"F","size":1}},
			{"name":"h","type":["null","F"]},
			{"name":"i","type":["null","n.F"]}]}`, `{"e":"A","f":"B","g":"a","h":"b","i":null}`, "00" + "02" + "61" + "0262" + "00"},
		{"recursion", `{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"],"default":null}]}`,
			`{"v":1,"next":{"v":2}}`, "02" + "02" + "04" + "00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, err := newEncoder(c.schema)
			must(t, err)
			body, err := e.encode(nil, json.RawMessage(c.value))
			must(t, err)
			if got := hex.EncodeToString(body); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestValuesThatDoNotFitAreNamedByTheirPath(t *testing.T) {
	const nested = `{"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"array","items":
		{"type":"record","name":"S","fields":[{"name":"m","type":{"type":"map","values":["null","int"]}}]}}}]}`
	cases := []struct{ schema, value, want string }{
		{nested, `{"a":[{"m":{}},{"m":{"k":"x"}}]}`, `a[1].m["k"]: "x" is not a number`},
		{nested, `{"a":[{}]}`, `a[0].m: missing, and it has no default`},
		{nested, `{"a":[],"b":1}`, `b: n.R has no such field`},
		{nested, `{"a":null}`, `a: null is not an array`},
		{`"int"`, `2147483648`, `2147483648 is beyond 32 bits`},
		{`"long"`, `9223372036854775808`, `9223372036854775808 is beyond 64 bits`},
		{`"long"`, `1.5`, `1.5 is not a whole number`},
		{`"long"`, `1e999999999`, `1e999999999 is not a whole number`},
		{`"float"`, `1e39`, `1e39 is beyond 32 bits`},
		{`"boolean"`, `1`, `1 is not a boolean`},
		{`"bytes"`, `"€"`, `'€' is not a byte`},
		{`{"type":"fixed","name":"F","size":2}`, `"a"`, `1 bytes, and F has 2`},
		{`{"type":"enum","name":"E","symbols":["A"]}`, `"B"`, `"B" is not one of E's symbols`},
		{`["null","int","string"]`, `true`, `true fits no branch of the union`},
		{`"int"`, `1 2`, `something follows the value`},
		{`"int"`, ``, `empty`},
	}
	for _, c := range cases {
		e, err := newEncoder(c.schema)
		must(t, err)
		_, err = e.encode(nil, json.RawMessage(c.value))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.value, err, c.want)
		}
	}
}

func TestBadSchemasAreRefused(t *testing.T) {
	for _, schema := range []string{
		``, `{`, `5`, `"nothing"`, `{}`, `{"type":"record","name":"R"}`, `{"type":"record","name":"R","fields":[{"type":"int"}]}`,
		`{"type":"record","name":"R","fields":[{"name":"a"}]}`, `{"type":"record","name":"R","fields":[{"name":"1","type":"int"}]}`,
		`{"type":"enum","name":"E"}`, `{"type":"enum","name":"E","symbols":[1]}`, `{"type":"fixed","name":"F"}`, `{"type":"fixed","name":"F","size":-1}`,
		`{"type":"array"}`, `["int","int"]`, `[]`, `{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"R","size":1}}]}`,
	} {
		if _, err := newEncoder(schema); err == nil {
			t.Errorf("%s was taken", schema)
		}
	}
}
