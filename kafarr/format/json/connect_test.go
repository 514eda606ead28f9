package json_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// connectSchema has every type and every logical type of Connect's and Debezium's.
const connectSchema = `{"type":"struct","optional":false,"name":"inventory.Value","version":1,"fields":[` +
	`{"type":"int8","optional":false,"field":"i8"},{"type":"int16","optional":false,"field":"i16"},{"type":"int32","optional":false,"default":0,"field":"i32"},{"type":"int64","optional":true,"field":"i64"},` +
	`{"type":"float","optional":false,"field":"f"},{"type":"double","optional":false,"field":"d"},{"type":"boolean","optional":false,"field":"b"},{"type":"string","optional":true,"doc":"a text","field":"s"},` +
	`{"type":"bytes","optional":false,"field":"x"},{"type":"array","items":{"type":"string","optional":true},"optional":false,"field":"a"},` +
	`{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false,"field":"m"},` +
	`{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":false},"optional":false,"field":"p"},` +
	`{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"dec"},` +
	`{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"0"},"field":"num"},` +
	`{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"day"},{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1,"field":"time"},` +
	`{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"ts"},{"type":"int32","optional":false,"name":"io.debezium.time.Date","field":"dday"},` +
	`{"type":"int64","optional":false,"name":"io.debezium.time.MicroTime","field":"dtime"},{"type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","field":"dts"},` +
	`{"type":"string","optional":false,"name":"io.debezium.time.ZonedTimestamp","field":"zts"},{"type":"string","optional":false,"name":"io.debezium.data.Enum","parameters":{"allowed":"new,old"},"field":"e"},` +
	`{"type":"string","optional":false,"name":"io.debezium.data.Json","field":"j"},{"type":"string","optional":false,"name":"io.debezium.data.Uuid","field":"u"},` +
	`{"type":"struct","optional":true,"name":"io.debezium.data.VariableScaleDecimal","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"field":"v"}]}`

const connectPayload = `{"i8":-8,"i16":16,"i32":32,"i64":null,"f":0.5,"d":1.5,"b":true,"s":"t","x":"aGk=","a":["x",null],"m":{"k":1},"p":[[1,"one"],[2,"two"]],"dec":"AN6t","num":12,"day":19675,"time":80000000,` +
	`"ts":1700000000000,"dday":1,"dtime":86399999999,"dts":-1,"zts":"2023-11-14T22:13:20.5Z","e":"old","j":"{\"a\":1}","u":"123e4567","v":{"scale":1,"value":"AQ=="}}`

func envelope(schema, payload string) string {
	return `{"schema":` + schema + `,"payload":` + payload + `}`
}

func text(b format.Body) string {
	return strings.Clone(unsafe.String((*byte)(b.Data), b.Len))
}

func TestConnectsTypesAndLogicalTypesAreRead(t *testing.T) {
	closeBooks(t)
	s, err := json.ParseConnect(connectSchema, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, s, format.Options{})
	if p.MessageType() != "inventory.Value" {
		t.Error(p.MessageType())
	}
	types := map[string]string{}
	for _, f := range p.Fields() {
		types[f.Name] = f.Type.String()
		if f.Nullable != (f.Name == "i64" || f.Name == "s" || f.Name == "v") {
			t.Errorf("%s is nullable: %t", f.Name, f.Nullable)
		}
	}
	for name, want := range map[string]string{
		"i8": "int8", "i64": "int64", "f": "float32", "dec": "decimal(10, 2)", "num": "decimal(38, 0)", "day": "date32", "time": "time32[ms]", "ts": "timestamp[ms, tz=UTC]", "dday": "date32", "dtime": "time64[us]",
		"dts": "timestamp[us]", "zts": "timestamp[us, tz=UTC]", "e": "dictionary<values=utf8, indices=int32, ordered=false>", "j": "utf8", "p": "map<int32, utf8, items_non_nullable>", "m": "map<utf8, int32, items_non_nullable>",
	} {
		if types[name] != want {
			t.Errorf("%s is a %s and not a %s", name, types[name], want)
		}
	}
	got, failed := rows(t, p, connectPayload)
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	for _, want := range []string{"dec=[570.05]", "num=[12]", `p=[{[1 2] ["one" "two"]}]`, `x=["hi"]`, "day=[2023-11-14]", "time=[80000000]", "dts=[-1]", `j=["{\"a\":1}"]`, `a=[["x" (null)]]`} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want+"\n") {
			t.Errorf("there is no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// TestWhatKafkasConverterWritesIsRead has envelopes of tests/conformance/Envelopes.java: two values, with decimals as base64 and then as numbers.
func TestWhatKafkasConverterWritesIsRead(t *testing.T) {
	closeBooks(t)
	file, err := os.ReadFile("testdata/connect.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var e json.Envelopes
	var p *json.Plan
	var payloads []string
	for line := range strings.Lines(string(file)) {
		found, err := e.Split(body(line))
		if err != nil || found.Known != (p != nil) {
			t.Fatal(found.Known, err)
		}
		if p == nil {
			s, err := json.ParseConnect(text(found.Schema), format.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			p = compile(t, s, format.Options{UnknownMembers: format.RaiseUnknown})
		}
		payloads = append(payloads, text(found.Payload))
	}
	for _, pair := range [][]string{payloads[:2], payloads[2:]} {
		check(t, p, pair,
			"i8=[-128 0]", "i16=[32767 0]", "i32=[-2147483648 0]", "i64=[9223372036854775807 (null)]", "f=[1.1 0]", "d=[-2.2250738585072014e-308 -0]", "b=[true false]",
			`s=["a\"\\\nä𝄞" (null)]`, `x=["hi\x00" ""]`, `list=[["x" (null) ""] []]`, `map=[{["" "k"] [2 1]} {[] []}]`, `pairs=[{[-1 2] ["" "two"]} {[] []}]`, "point={[1 (null)] [(null) (null)]}", "points=[{[2] [3]} (null)]",
			"dec=[-12345678.9 0]", "num=[12345678901234567890123456789012345678 (null)]", "day=[2023-11-14 1969-12-31]", "time=[86399999 0]", "ts=[1700000000123 (null)]")
	}
}

func TestEnvelopesComeApart(t *testing.T) {
	var e json.Envelopes
	for _, c := range []struct {
		body, schema, payload string
		known                 bool
	}{
		{envelope(`{"a":1}`, `{"x":1}`), `{"a":1}`, `{"x":1}`, false},
		{envelope(`{"a":1}`, `{"x":22}`) + "\n", `{"a":1}`, `{"x":22}`, true},
		{` { "schema" : {"a":1} , "payload" : {"x":3} } `, `{"a":1}`, `{"x":3}`, true},
		{` { "schema" : {"a":1} , "payload" : null } `, `{"a":1}`, `null `, true},
		{envelope(`{"a":2}`, `[]`), `{"a":2}`, `[]`, false},
		{`{"payload":5,"schema":{"a":2}}`, `{"a":2}`, `5`, true},
		{`{"payload":6,"schema":{"a":2}}`, `{"a":2}`, `6`, true},
		{envelope(`null`, `{"x":1}`), `null`, `{"x":1}`, false},
		{envelope(`{"a":1}`, `{"x":1}`), `{"a":1}`, `{"x":1}`, true},
		{envelope(`{"a":2}`, `null`), `{"a":2}`, `null`, true},
	} {
		found, err := e.Split(body(c.body))
		if err != nil || text(found.Schema) != c.schema || strings.TrimSpace(text(found.Payload)) != strings.TrimSpace(c.payload) || found.Known != c.known || found.IsNull() != strings.Contains(c.payload, "null") {
			t.Errorf("%s: %s, %s, %t, %v", c.body, text(found.Schema), text(found.Payload), found.Known, err)
		}
	}
}

func TestWhatIsNoEnvelopeIsADecodeError(t *testing.T) {
	var e json.Envelopes
	if _, err := e.Split(body(envelope(`{"a":1}`, "{}"))); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{``, `5`, `{}`, `{"schema":{}}`, `{"payload":{}}`, `{"schema":{},"payload":{},"more":1}`, `{"schema":{},"payload":1,"payload":2}`, `{"schema":{},"payload":{}} x`, `{"schema":{},"payload":`, `{"schema":{"a":tru},"payload":{}}`,
		`{"schema":{} "payload":{}}`, `{"schema" {},"payload":{}}`, `{schema:{}}`, `{"schema`, `{"schema":` + strings.Repeat("[", 1000)} {
		var s *status.Error
		if _, err := e.Split(body(text)); !errors.As(err, &s) || s.Code != status.DecodeError || !strings.Contains(err.Error(), "no envelope of Connect") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestALongPayloadIsCheckedWhenItIsRead(t *testing.T) {
	long := "[" + strings.Repeat("1,", 9<<20) + "1]"
	for _, payload := range []string{long, long[:len(long)-1] + "x]", long + `,"other":1`} {
		text := `{"schema":{"type":"string"},"payload":` + payload + "}"
		var e json.Envelopes
		found, err := e.Split(body(text))
		if err != nil || found.Payload.Len != len(payload) || found.Schema.Len != len(`{"type":"string"}`) {
			t.Error(found.Payload.Len, err)
		}
	}
	for _, text := range []string{`{"payload":` + long + `,"schema":{"type":"string"}}`, `{"schema":` + long + `,"payload":1}`} {
		var e json.Envelopes
		if _, err := e.Split(body(text)); err == nil || !strings.Contains(err.Error(), "or has more than the 16777216 bytes") {
			t.Error(err)
		}
	}
}

func TestEnvelopesOfManySchemasHaveTheirPlaces(t *testing.T) {
	var e json.Envelopes
	of := func(n int) string { return envelope(fmt.Sprintf(`{"n":%d}`, n), "{}") }
	places := map[int]int{}
	for n := range json.RecentEnvelopes {
		found, err := e.Split(body(of(n)))
		if err != nil || found.Known {
			t.Fatal(found, err)
		}
		places[n] = found.Place
	}
	for n := range json.RecentEnvelopes {
		if found, _ := e.Split(body(of(n))); !found.Known || found.Place != places[n] {
			t.Errorf("%d: %v", n, found)
		}
	}
	if found, _ := e.Split(body(of(99))); found.Known || found.Place != places[0] {
		t.Error(found)
	}
	if found, _ := e.Split(body(of(0))); found.Known {
		t.Error("an envelope that others have replaced is known")
	}
	long := envelope(`{"doc":"`+strings.Repeat("x", 2<<20)+`"}`, "{}")
	for range 2 {
		if found, err := e.Split(body(long)); err != nil || found.Known || found.Place != json.NoPlace {
			t.Error(found.Place, err)
		}
	}
}

func TestDocumentsAreWholeObjectsWithMembers(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":1}`: true, " \n{ \"a\" : [1, {}] } \n": true, `[{"a":1}, 2]`: true, `{"":0}`: true,
		``: false, `{`: false, `{}`: false, `[]`: false, `[1]`: false, `[{}]`: false, `{"a":1} x`: false, `{"a":1`: false, `{"a":}`: false, `"text"`: false, `7`: false, `{"a":1}{"a":1}`: false,
	} {
		if json.IsDocument(body(text)) != want {
			t.Errorf("%q", text)
		}
	}
}

func TestAllowedSymbolsMayHoldCommas(t *testing.T) {
	s, err := json.ParseConnect(`{"type":"string","name":"io.debezium.data.Enum","parameters":{"allowed":"a,b,c\\,d,,a"}}`, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Root().Type.Symbols; !slices.Equal(got, []string{"a", "b", `c\,d`, ""}) {
		t.Errorf("%q", got)
	}
}

// TestAnEnvelopeLikeTheLastOneIsTakenWithoutAllocations is the usual case.
func TestAnEnvelopeLikeTheLastOneIsTakenWithoutAllocations(t *testing.T) {
	var e json.Envelopes
	b := body(envelope(connectSchema, connectPayload))
	if n := testing.AllocsPerRun(100, func() { _, _ = e.Split(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSchemasThatConnectDoesNotHaveAreSchemaErrors(t *testing.T) {
	for _, text := range []string{``, `null`, `5`, `{}`, `{"type":"int128"}`, `{"type":"array"}`, `{"type":"map","keys":{"type":"string"}}`, `{"type":"struct","fields":[{"field":"a"}]}`,
		`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}`, `{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"90"}}`,
		`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2","connect.decimal.precision":"x"}}`,
		strings.Repeat(`{"type":"array","items":`, 300) + `{"type":"int8"}` + strings.Repeat("}", 300)} {
		var e *status.Error
		if _, err := json.ParseConnect(text, format.Limits{}); !errors.As(err, &e) || e.Code != status.SchemaError {
			t.Errorf("%.100s: %v", text, err)
		}
	}
}

// FuzzEnvelope takes any bytes apart, after an envelope, and reads the payload by the schema.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(envelope(connectSchema, connectPayload)))
	f.Add([]byte(envelope(`{"type":"int32","optional":true}`, `null`)))
	f.Add([]byte(`{"payload":5,"schema":{"type":"string"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var after, fresh json.Envelopes
		_, _ = after.Split(body(envelope(connectSchema, connectPayload)))
		found, err := fresh.Split(body(string(data)))
		again, againErr := after.Split(body(string(data)))
		if err == nil && (againErr != nil || text(found.Schema) != text(again.Schema) || strings.TrimSpace(text(found.Payload)) != strings.TrimSpace(text(again.Payload))) {
			t.Fatalf("%s: %s, %s and %s, %s: %v", data, text(found.Schema), text(found.Payload), text(again.Schema), text(again.Payload), againErr)
		}
		if err == nil && found.Schema.Len <= hostile.MaxSchema && found.Payload.Len <= hostile.MaxBody {
			_ = hostile.Check(t, jsonFormat{json.ParseConnect, format.Options{}}, text(found.Schema), []byte(text(found.Payload)))
		}
	})
}
