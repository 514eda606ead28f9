package kafarr_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// enveloped is a message of Connect's with a struct of a name, whose members are numbers.
func enveloped(offset int64, name, payload string, members ...string) replay.Message {
	fields := make([]string, len(members))
	for i, m := range members {
		fields[i] = fmt.Sprintf(`{"type":"int32","optional":true,"field":%q}`, m)
	}
	schema := fmt.Sprintf(`{"type":"struct","fields":[%s],"optional":false,"name":%q}`, strings.Join(fields, ","), name)
	return ofJSON(0, offset, `{"schema":`+schema+`,"payload":`+payload+`}`)
}

func connected(m kafarr.Messages) kafarr.Config {
	m.Value, m.Framing = kafarr.JSON, kafarr.Connect
	return kafarr.Config{Messages: m}
}

func TestEnvelopesAreReadByTheirOwnSchemas(t *testing.T) {
	messages := []replay.Message{
		enveloped(0, "x.A", `{"n":1}`, "n"), enveloped(1, "x.A", `{"n":2,"more":1}`, "n"), enveloped(2, "x.B", `{"m":3}`, "m"), enveloped(3, "x.A", `{"n":4}`, "n"), enveloped(4, "x.A", `{"n":5,"k":6}`, "n", "k"),
		ofJSON(0, 5, `{"schema":{"type":"string","optional":false},"payload":"a"}`),
	}
	inBubble(t, "split", func(t *testing.T) {
		l, _ := open(t, connected(kafarr.Messages{Metadata: columns(kafarr.Offset, kafarr.SchemaID)}), messages...)
		wantRendered(t, l, "x.A n=1,2 _offset=0,1 _schema_id=(null),(null)", "x.B m=3 _offset=2 _schema_id=(null)", "x.A n=4 _offset=3 _schema_id=(null)", "x.A n=5 k=6 _offset=4 _schema_id=(null)", "t value=a _offset=5 _schema_id=(null)")
		if s := l.Stats(); s.UnknownMembers != 1 {
			t.Errorf("%+v", s)
		}
	})
	inBubble(t, "group", func(t *testing.T) {
		l, _ := open(t, connected(kafarr.Messages{Mixed: kafarr.GroupMixed}), messages...)
		wantRendered(t, l, "x.A n=1,2,4 _offset=0,1,3", "x.B m=3 _offset=2", "x.A n=5 k=6 _offset=4", "t value=a _offset=5")
	})
}

func TestWhatIsNoEnvelopeOrHasNoTypesCostsItsOwnRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := []replay.Message{
			ofJSON(0, 0, `{"n":1}`), ofJSON(0, 1, `{"schema":null,"payload":{"n":1}}`), ofJSON(0, 2, `{"schema":{"type":"int128"},"payload":1}`), enveloped(3, "x.A", `{"n":"text"}`, "n"), enveloped(4, "x.A", `{"n":1},"payload":{"n":2}`, "n"),
			ofJSON(0, 5, "no JSON"),
		}
		l, _ := open(t, connected(kafarr.Messages{}), append(bad, enveloped(6, "x.A", `{"n":7}`, "n"))...)
		for _, want := range []string{
			`t[0]@0: the body is no envelope of Connect, {"schema": …, "payload": …}: it has another member, at byte 2; its first bytes look like an object or array in JSON: set framing="bare"`,
			`t[0]@1: the envelope's schema is null`, `t[0]@2: Connect has no type "int128"`, `t[0]@3: n: a number is expected`, `t[0]@4: something follows the value`,
			`t[0]@5: the body is no envelope of Connect`, "x.A n=7 _offset=6",
		} {
			if got := rendered(t, l); !strings.HasPrefix(got, want) {
				t.Errorf("%s\nand not\n%s", got, want)
			}
		}
		l, _ = open(t, connected(kafarr.Messages{Errors: kafarr.Skip}), append(bad, enveloped(6, "x.A", `{"n":7}`, "n"))...)
		wantRendered(t, l, "x.A n=7 _offset=6")
		if s := l.Stats(); s.Skipped != 6 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAPayloadOfNullIsATombstone has nulls of both kinds between rows.
func TestAPayloadOfNullIsATombstone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := func() []replay.Message {
			return []replay.Message{
				enveloped(0, "x.A", "null", "n"), enveloped(1, "x.A", `{"n":1}`, "n"), enveloped(2, "x.A", " null ", "n"), {Topic: "t", Offset: 3}, enveloped(4, "x.B", "null", "m"), enveloped(5, "x.A", `{"n":2}`, "n"),
			}
		}
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			for tombstones, want := range map[kafarr.Tombstones][]string{
				kafarr.SplitTombstones: {"x.A n=1,2 _offset=1,5 _tombstone=false,false", "null _offset=0,2,3,4 _tombstone=true,true,true,true"},
				kafarr.SkipTombstones:  {"x.A n=1,2 _offset=1,5 _tombstone=false,false", ""},
				kafarr.KeepTombstones:  {"x.A n=(null),1,(null),(null),(null),2 _offset=0,1,2,3,4,5 _tombstone=true,false,true,true,true,false", ""},
			} {
				if mixed == kafarr.GroupMixed && tombstones == kafarr.SplitTombstones {
					want = []string{want[1], want[0]}
				}
				l, src := open(t, connected(kafarr.Messages{Mixed: mixed, Tombstones: tombstones, Metadata: columns(kafarr.Offset, kafarr.Tombstone)}), messages()...)
				wantRendered(t, l, want...)
				if s := l.Stats(); tombstones == kafarr.SkipTombstones && s.Tombstones != 4 {
					t.Errorf("%+v", s)
				}
				poll(t, l, 10)
				if got := src.Stored("t", 0); got != 6 {
					t.Errorf("stored %d", got)
				}
			}
		}
	})
}

// TestAnyNumberOfSchemasInEnvelopesTakesABoundedMemory has more schemas than are kept, and then the first of them again.
func TestAnyNumberOfSchemasInEnvelopesTakesABoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []replay.Message
		for i := range 300 {
			messages = append(messages, enveloped(int64(i), fmt.Sprintf("x.T%d", i%150), `{"n":1}`, "n"))
		}
		cfg := connected(kafarr.Messages{Tombstones: kafarr.KeepTombstones})
		cfg.Memory.SchemaBytes = 1 << 16
		l, src := open(t, cfg, messages...)
		for i := range messages {
			if got, want := rendered(t, l), fmt.Sprintf("x.T%d n=1 _offset=%d", i%150, i); got != want {
				t.Fatalf("%s and not %s", got, want)
			}
		}
		src.Add(replay.Message{Topic: "t", Offset: 300})
		wantRendered(t, l, "x.T149 n=(null) _offset=300")
	})
}

func TestAScanOfEnvelopesHasTheSchemaOfTheLastMessageWithAValue(t *testing.T) {
	cfg := scanConfig(t, &cluster{messages: []replay.Message{enveloped(0, "x.A", `{"n":1}`, "n"), enveloped(1, "x.A", `null`, "n")}})
	cfg.Messages.Value, cfg.Messages.Framing = kafarr.JSON, kafarr.Connect
	schemas, err := plan(t, cfg).Schemas(t.Context())
	if err != nil || len(schemas) != 1 || schemas[0].MessageType != "x.A" {
		t.Error(schemas, err)
	}
}

func TestABareBodyThatIsJSONIsNoRowOfAnotherFormat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Both are read by the schema without an error: a long and a string take each byte of them.
		record := `{"type":"record","name":"R","fields":[{"name":"id","type":"long"},{"name":"text","type":"string"}]}`
		object := `{"id":1,"name":"x"}`
		if len(object) != 2+int('"')/2 {
			t.Fatal("the text is not as long as its second byte says")
		}
		good := replay.Message{Topic: "t", Offset: 1, Value: []byte{2, 2, 'a'}}
		negative := replay.Message{Topic: "t", Offset: 2, Value: append([]byte{'{', 34}, "seventeen bytes.."...)}
		cfg := kafarr.Config{Messages: kafarr.Messages{Framing: kafarr.Bare, Schemas: []kafarr.GivenSchema{{Text: record}}}}
		l, _ := open(t, cfg, ofJSON(0, 0, object), good, negative)
		got := poll(t, l, 10)
		for _, part := range []string{"t[0]@0: the body is an object or array in JSON from its first byte to its last, and so it is no Avro", `set value="json" and schema=`} {
			if !strings.Contains(got, part) {
				t.Errorf("%s: there is no %s", got, part)
			}
		}
		wantRendered(t, l, `R id=1,-62 text=a,seventeen bytes.. _offset=1,2`)
		envelope := enveloped(0, "x.A", `{"n":1}`, "n")
		l, _ = open(t, cfg, envelope)
		if got := poll(t, l, 10); !strings.Contains(got, `an envelope of Kafka Connect, {"schema": …, "payload": …}: set value="json" and framing="connect"`) {
			t.Error(got)
		}
		cfg.Messages.Schemas[0].Text = `{"type":"fixed","name":"F","size":7}`
		l, _ = open(t, cfg, ofJSON(0, 0, `{"n":1}`))
		if got := rendered(t, l); !strings.HasPrefix(got, "F value=") {
			t.Errorf("a fixed may hold any bytes: %s", got)
		}
		cfg.Messages.Value, cfg.Messages.Schemas[0].Text = kafarr.Protobuf, `syntax = "proto3"; message M { int32 n = 1; }`
		l, _ = open(t, cfg, ofJSON(0, 0, `{"n":1}`))
		if got := poll(t, l, 10); !strings.Contains(got, "and so it is no Protobuf") {
			t.Error(got)
		}
	})
}

// bodiesOf are the values of messages.
func bodiesOf(messages []replay.Message) []format.Body {
	out := make([]format.Body, len(messages))
	for i, m := range messages {
		out[i] = format.Body{Data: unsafe.Pointer(unsafe.SliceData(m.Value)), Len: len(m.Value)}
	}
	return out
}

func TestADecoderTakesEnvelopesApart(t *testing.T) {
	d, err := kafarr.NewDecoder(kafarr.DecoderConfig{Value: kafarr.JSON, Framing: kafarr.Connect})
	if err != nil {
		t.Fatal(err)
	}
	decode := func(messages ...replay.Message) string {
		b, err := d.Decode(t.Context(), bodiesOf(messages))
		if err != nil {
			return err.Error()
		}
		defer b.Release()
		return fmt.Sprint(b.MessageType, " ", b.Record.NumRows(), " ", b.Record.Schema().Field(0).Name)
	}
	if got := decode(); !strings.Contains(got, "schema: none was given") {
		t.Error(got)
	}
	if got := decode(ofJSON(0, 0, `{"n":1}`)); !strings.Contains(got, "payload 0: the body is no envelope of Connect") {
		t.Error(got)
	}
	a := enveloped(0, "x.A", `{"n":1}`, "n")
	for range 2 {
		if got := decode(a, enveloped(0, "x.A", `{"n":2}`, "n"), ofJSON(0, 0, strings.Replace(string(a.Value), `{"type"`, `{ "type"`, 1))); got != "x.A 3 n" {
			t.Error(got)
		}
	}
	if got := decode(a, enveloped(0, "x.A", `{"n":2}`, "n", "m")); !strings.Contains(got, "payload 1: the envelope's schema gives a x.A of other columns") {
		t.Error(got)
	}
	if got := decode(a, a, ofJSON(0, 0, "x")); !strings.Contains(got, "payload 2: the body is no envelope") {
		t.Error(got)
	}
}

func TestADecoderTakesNoJSONForAvro(t *testing.T) {
	d, err := kafarr.NewDecoder(kafarr.DecoderConfig{Schema: `{"type":"record","name":"R","fields":[{"name":"id","type":"long"},{"name":"text","type":"string"}]}`})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Decode(t.Context(), bodiesOf([]replay.Message{{Value: []byte{2, 2, 'a'}}, ofJSON(0, 0, `{"id":1,"name":"x"}`)}))
	if err == nil || !strings.Contains(err.Error(), "payload 1: the body is an object or array in JSON from its first byte to its last") {
		t.Error(err)
	}
}

// withKey is a message with a key in JSON.
func withKey(m replay.Message, key string) replay.Message {
	m.Key = []byte(key)
	return m
}

func TestKeysOfJSONAreReadByASchemaOrInferredOrByTheirEnvelopes(t *testing.T) {
	values := []replay.Message{ofJSON(0, 0, `{"n":1}`), ofJSON(0, 1, `{"n":2}`), ofJSON(0, 2, `{"n":3}`)}
	keyColumn := columns(kafarr.Offset, kafarr.Key)
	inBubble(t, "inferred", func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.JSON, Key: kafarr.JSON, Metadata: keyColumn}}, withKey(values[0], `{"id":1}`), values[1], withKey(values[2], `{"id":3.5,"s":"x"}`))
		wantRendered(t, l, `t n=1,2,3 _offset=0,1,2 _key={"id":1,"s":null},(null),{"id":3.5,"s":"x"}`)
		text, err := l.InferredKeySchema("t")
		if err != nil || !strings.Contains(text, `{"name":"id","type":"double"}`) {
			t.Errorf("%s, %v", text, err)
		}
		src.Add(withKey(ofJSON(0, 3, `{"n":4}`), `{"id":"text"}`), withKey(ofJSON(0, 4, `{"n":5}`), `no JSON`))
		wantRendered(t, l, "t[0]@3: _key.id: a number is expected, as JSON writes it, and this is a string, at byte 6", "t[0]@4: _key: an object is expected, and this is null, at byte 0")
	})
	inBubble(t, "given", func(t *testing.T) {
		given := []kafarr.GivenSchema{{Topic: "t", Text: `{"arrow":{"type":"int32"}}`}}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.JSON, Key: kafarr.JSON, KeySchemas: given, Metadata: keyColumn}}, withKey(values[0], `7`))
		wantRendered(t, l, `t n=1 _offset=0 _key=7`)
		if text, err := l.InferredKeySchema("t"); text != "" || err != nil {
			t.Error(text, err)
		}
	})
	inBubble(t, "beside Avro", func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.JSON, Metadata: keyColumn}}, keyed(0, 1, 5, []byte(`"a"`)), keyed(1, 1, 6, []byte(`"b"`)))
		wantRendered(t, l, `x.A n=5,6 _offset=0,1 _key=a,b`)
	})
	inBubble(t, "envelopes", func(t *testing.T) {
		key := string(enveloped(0, "x.Key", `{"id":1}`, "id").Value)
		m := kafarr.Messages{Key: kafarr.JSON, Metadata: keyColumn}
		l, _ := open(t, connected(m), withKey(enveloped(0, "x.A", `{"n":1}`, "n"), key), withKey(enveloped(1, "x.A", `null`, "n"), key), withKey(enveloped(2, "x.A", `{"n":2}`, "n"), `{"id":1}`))
		wantRendered(t, l, `x.A n=1 _offset=0 _key={"id":1}`, `null _offset=1 _key={"id":1}`)
		if got := rendered(t, l); !strings.Contains(got, `t[0]@2: _key: the body is no envelope of Connect`) || !strings.Contains(got, "of the key: its first bytes look like an object or array in JSON: give key_schema=") {
			t.Error(got)
		}
		m.KeySchemas = []kafarr.GivenSchema{{Text: `{"type":"struct","fields":[{"field":"id","type":"int64"}]}`}}
		l, _ = open(t, connected(m), withKey(enveloped(0, "x.A", `{"n":2}`, "n"), `{"id":1}`))
		wantRendered(t, l, `x.A n=2 _offset=0 _key={"id":1}`)
	})
	inBubble(t, "scans", func(t *testing.T) {
		cfg := scanConfig(t, &cluster{messages: []replay.Message{withKey(values[0], `{"id":1}`), values[1], withKey(values[2], `{"s":"x"}`)}})
		cfg.Messages = kafarr.Messages{Value: kafarr.JSON, Key: kafarr.JSON, Metadata: columns(kafarr.Key, kafarr.Offset, kafarr.Partition)}
		p := plan(t, cfg)
		if len(p.Latest) != 2 || p.Latest[0].IsKey || !p.Latest[1].IsKey {
			t.Fatalf("%+v", p.Latest)
		}
		schemas, err := p.Schemas(t.Context())
		if err != nil || len(schemas) != 1 || schemas[0].Schema.Field(1).Type.String() != "struct<id: int64 nullable, s: utf8 nullable>" {
			t.Error(schemas, err)
		}
		if places, err := readAll(t, p.Read()); err != nil || len(places) != 3 {
			t.Error(places, err)
		}
	})
}

func TestSchemasOfKeysAreForKeysOfJSON(t *testing.T) {
	cfg := kafarr.Config{Cluster: kafarr.Cluster{Servers: "h:1"}, Group: "g", Topics: []string{"t"}, Messages: kafarr.Messages{Value: kafarr.Bytes, KeySchemas: []kafarr.GivenSchema{{Text: "{}"}}}}
	if _, err := kafarr.Open(cfg); err == nil || !strings.Contains(err.Error(), `key_schema is given: it is for keys of JSON`) {
		t.Error(err)
	}
}
