package kafarr_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// eight is a value as Apicurio's serializers write it: with an id of 8 bytes.
func eight(id uint64, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{0}, id), body...)
}

func TestAnIDOfEightBytesIsReadByItsFraming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := kafarr.Config{Messages: kafarr.Messages{Framing: kafarr.Apicurio, Key: kafarr.Avro, Metadata: columns(kafarr.Offset, kafarr.SchemaID, kafarr.Key)}}
		l, _ := open(t, cfg,
			replay.Message{Topic: "t", Value: eight(1, 10), Key: eight(2, 4)},
			replay.Message{Topic: "t", Offset: 1, Value: eight(1, 12), Key: eight(2, 6)},
			replay.Message{Topic: "t", Offset: 2, Value: eight(1<<32, 12)},
			replay.Message{Topic: "t", Offset: 3, Value: []byte{0, 0, 0, 0, 1, 12}})
		wantRendered(t, l, `x.A n=5,6 _offset=0,1 _schema_id=1,1 _key={"n":2},{"n":3}`,
			`t[0]@2: the id in 8 bytes is 4294967296, more than any registry's; its first bytes look like the schema registry's header (0x00 and the id 1 in 4 bytes): set framing="confluent"`,
			`t[0]@3: the value is shorter than the 9 bytes of Apicurio's header (0x00 and the id in 8 bytes); its first bytes look like the schema registry's header (0x00 and the id 1 in 4 bytes): set framing="confluent"`)
	})
}

func TestApicuriosIDsAreOfTheKindThatTheRegistryIsToldOf(t *testing.T) {
	cfg := kafarr.Config{Cluster: kafarr.Cluster{Servers: "h:1"}, Registry: kafarr.Registry{URL: "http://h"}, Messages: kafarr.Messages{Framing: kafarr.Apicurio}, Group: "g", Topics: []string{"t"}}
	_, err := kafarr.Open(cfg)
	if err == nil || !strings.Contains(err.Error(), `registry_config which ids the serializers write, {"apicurio.registry.use-id": "globalId"}`) {
		t.Error(err)
	}
	cfg.Registry.Properties = map[string]string{registry.UseID: "id"}
	if _, err = kafarr.Open(cfg); err == nil || !strings.Contains(err.Error(), `"id" is neither "globalId" nor "contentId"`) {
		t.Error(err)
	}
}

// TestAValueOfAnotherFramingIsRecognized names what a value looks like, and what to set, in the errors of framings, of ids that are not registered, and of bodies that do not fit.
func TestAValueOfAnotherFramingIsRecognized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		uuid := "0123456789abcdef"
		azureID := "0123456789abcdef0123456789abcdef"
		header := func(name, value string) []replay.Header { return []replay.Header{{Name: name, Value: []byte(value)}} }
		for name, c := range map[string]struct {
			framing kafarr.Framing
			value   string
			headers []replay.Header
			want    string
		}{
			"Apicurio's id":             {kafarr.Confluent, string(eight(17, 10)), nil, `its first bytes look like Apicurio's header (0x00 and the id 17 in 8 bytes): set framing="apicurio"`},
			"Apicurio's id, header":     {kafarr.SchemaHeader, string(eight(17, 10)), nil, `set framing="apicurio"`},
			"the registry's":            {kafarr.Apicurio, "\x00\x00\x00\x00\x11abcdefgh", nil, `its first bytes look like the schema registry's header (0x00 and the id 17 in 4 bytes): set framing="confluent"`},
			"Glue's":                    {kafarr.Confluent, "\x03\x00" + uuid + "\x0a", nil, `schema version 30313233-3435-3637-3839-616263646566): this registry is not asked here: set value="bytes" and give each value[18:] to a Decoder of its schema`},
			"Azure's":                   {kafarr.Confluent, "\x00\x00\x00\x00" + azureID + "\x0a", nil, `the schema id ` + azureID + `): this registry is not asked here: set value="bytes" and give each value[36:]`},
			"single-object":             {kafarr.Confluent, "\xc3\x01abcdefgh\x0a", nil, `set framing="single_object" and schema=`},
			"a file":                    {kafarr.Confluent, "Obj\x01\x04", nil, `an Avro object-container file ("Obj" and 0x01): read it with`},
			"JSON":                      {kafarr.Apicurio, `{"n": 1}`, nil, `in JSON: set value="json" and schema=`},
			"a bare body":               {kafarr.Confluent, "\x0a", nil, `if it is a bare Avro body, set framing="bare" and schema=`},
			"a bare, short body":        {kafarr.Confluent, "\x00", nil, `if it is a bare Avro body, set framing="bare"`},
			"Azure's content type":      {kafarr.Confluent, "\x0a", header("content-type", "avro/binary+"+azureID), `its header content-type names schema "` + azureID + `" of Azure's`},
			"a schema header":           {kafarr.Confluent, "\x0a", header(wire.ValueSchemaHeader, "\x01"+uuid), `the header __value_schema_id names its schema: set framing="schema_header"`},
			"Apicurio's header":         {kafarr.Confluent, "\x0a", header("apicurio.value.globalId", "\x00"), "its header apicurio.value.globalId names a schema of Apicurio's"},
			"framed, though to be bare": {kafarr.Bare, "\x00\x00\x00\x00\x01\x0a", nil, `the id 1 in 4 bytes): set framing="confluent"`},
		} {
			cfg := kafarr.Config{Messages: kafarr.Messages{Framing: c.framing}}
			if c.framing == kafarr.Bare {
				cfg.Messages.Schemas = []kafarr.GivenSchema{{Text: schemas[1].Text}}
			}
			l, _ := open(t, cfg, replay.Message{Topic: "t", Value: []byte(c.value), Headers: c.headers})
			if got := poll(t, l, 10); !strings.Contains(got, c.want) {
				t.Errorf("%s: %q", name, got)
			}
		}
		for name, value := range map[string][]byte{"a body that is cut off": {0, 0, 0, 0, 1}, "an id that is not registered": {0, 0, 0, 0, 99, 10}} {
			l, _ := open(t, kafarr.Config{}, replay.Message{Topic: "t", Value: value})
			if got := poll(t, l, 10); strings.Contains(got, "look like") || strings.Contains(got, "set ") {
				t.Errorf("%s: %q", name, got)
			}
		}
	})
}

func TestAKeyOfAnotherFramingIsRecognized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := message(0, 0, 1, 5)
		m.Key = eight(17, 10)
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key)}}, m, keyed(1, 1, 6, []byte("plain")))
		got := poll(t, l, 10)
		if !strings.Contains(got, `of the key: its first bytes look like Apicurio's header (0x00 and the id 17 in 8 bytes): set framing="apicurio"`) {
			t.Error(got)
		}
		_ = l.Abort()
		l, _ = open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key)}}, keyed(0, 1, 6, []byte("plain")))
		if got := poll(t, l, 10); !strings.Contains(got, `if it is no Avro, set key="bytes"`) {
			t.Error(got)
		}
	})
}
