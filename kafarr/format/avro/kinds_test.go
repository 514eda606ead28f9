package avro_test

import (
	"fmt"
	"strings"
)

// kind is a type of Avro, or a logical type on a type that it is valid on, and a body of it.
type kind struct {
	name, schema string
	body         string
}

// kinds are every type and every logical type once: the seeds of the fuzz targets.
var kinds = []kind{
	{"null", `"null"`, ""},
	{"boolean", `"boolean"`, "\x01"},
	{"int", `"int"`, "\x80\x01"},
	{"long", `"long"`, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
	{"float", `"float"`, "\x00\x00\xc0\x3f"},
	{"double", `"double"`, "\x00\x00\x00\x00\x00\x00\xf8\x3f"},
	{"bytes", `"bytes"`, "\x04\x00\xff"},
	{"string", `"string"`, "\x12longer ok"},
	{"fixed", `{"type":"fixed","name":"Fixed","size":3}`, "abc"},
	{"enum", `{"type":"enum","name":"Enum","symbols":["A","B"],"default":"A"}`, "\x02"},
	{"record", `{"type":"record","name":"Record","fields":[{"name":"x","type":"int"},{"name":"y","type":["null","string"]}]}`, "\x02\x02\x02a"},
	{"array", `{"type":"array","items":"string"}`, "\x02\x02a\x01\x04\x02b\x00"},
	{"array of double", `{"type":"array","items":"double"}`, "\x02\x00\x00\x00\x00\x00\x00\xf0\x3f\x00"},
	{"array of null", `{"type":"array","items":"null"}`, "\x06\x00"},
	{"map", `{"type":"map","values":"long"}`, "\x04\x02a\x02\x02a\x04\x00"},
	{"map of arrays", `{"type":"map","values":{"type":"array","items":"int"}}`, "\x02\x02k\x04\x02\x04\x00\x00"},
	{"null or a type", `["null","long"]`, "\x02\x0e"},
	{"a type or null", `["string","null"]`, "\x02"},
	{"union", `["null","int","string",{"type":"array","items":"boolean"},{"type":"record","name":"Member","fields":[{"name":"n","type":"double"}]}]`, "\x06\x04\x01\x00\x00"},
	{"decimal on bytes", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, "\x04\xff\x85"},
	{"decimal of 76 digits", `{"type":"bytes","logicalType":"decimal","precision":76,"scale":3}`, "\x14\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02"},
	{"decimal of 90 digits", `{"type":"bytes","logicalType":"decimal","precision":90,"scale":3}`, "\x04\x30\x39"},
	{"union of one type", `["float"]`, "\x00\x00\x00\xc0\x3f"},
	{"decimal on fixed", `{"type":"fixed","name":"Money","size":5,"logicalType":"decimal","precision":11,"scale":3}`, "\xff\xff\xff\xff\x85"},
	{"big-decimal", `{"type":"bytes","logicalType":"big-decimal"}`, "\x08\x04\x30\x39\x04"},
	{"uuid on string", `{"type":"string","logicalType":"uuid"}`, "\x48f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
	{"uuid on fixed", `{"type":"fixed","name":"UUID","size":16,"logicalType":"uuid"}`, "0123456789abcdef"},
	{"date", `{"type":"int","logicalType":"date"}`, "\x01"},
	{"time-millis", `{"type":"int","logicalType":"time-millis"}`, "\xfe\xef\xb2\x52"},
	{"time-micros", `{"type":"long","logicalType":"time-micros"}`, "\xfe\xff\xba\xdd\x83\x05"},
	{"timestamp-millis", `{"type":"long","logicalType":"timestamp-millis"}`, "\x01"},
	{"timestamp-micros", `{"type":"long","logicalType":"timestamp-micros"}`, "\x80\x01"},
	{"timestamp-nanos", `{"type":"long","logicalType":"timestamp-nanos"}`, "\x02"},
	{"local-timestamp-millis", `{"type":"long","logicalType":"local-timestamp-millis"}`, "\x01"},
	{"local-timestamp-micros", `{"type":"long","logicalType":"local-timestamp-micros"}`, "\x80\x01"},
	{"local-timestamp-nanos", `{"type":"long","logicalType":"local-timestamp-nanos"}`, "\x02"},
	{"duration", `{"type":"fixed","name":"Duration","size":12,"logicalType":"duration"}`, "\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"},
	{"recursive record", `{"type":"record","name":"List","fields":[{"name":"value","type":"int"},{"name":"next","type":["null","List"]}]}`, "\x02\x02\x04\x00"},
}

// everyKind is a record with a field of each of the kinds, and a body of it.
func everyKind() (schema string, body []byte) {
	fields := make([]string, len(kinds))
	for i, k := range kinds {
		fields[i] = fmt.Sprintf(`{"name":"f%d","type":%s}`, i, k.schema)
		body = append(body, k.body...)
	}
	return record(strings.Join(fields, ",")), body
}
