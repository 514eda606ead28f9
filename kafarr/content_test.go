package kafarr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// rendered polls once: the message type, then each column as name=values.
func rendered(t *testing.T, l *kafarr.Listener) string {
	t.Helper()
	b, err := l.Poll(context.Background(), 100, 10*time.Millisecond)
	if err != nil {
		return err.Error()
	}
	defer b.Release()
	if b.Record == nil {
		return b.MessageType
	}
	out := b.MessageType
	for i, c := range b.Record.Columns() {
		values := make([]string, c.Len())
		for row := range values {
			values[row] = c.ValueStr(row)
		}
		out += " " + b.Record.ColumnName(i) + "=" + strings.Join(values, ",")
	}
	return out
}

func wantRendered(t *testing.T, l *kafarr.Listener, want ...string) {
	t.Helper()
	for i, w := range want {
		if got := rendered(t, l); got != w {
			t.Errorf("poll %d:\n got %q\nwant %q", i+1, got, w)
		}
	}
}

// keyed is a message with a key; nil is none.
func keyed(offset int64, id uint32, n byte, key []byte) replay.Message {
	m := message(0, offset, id, n)
	m.Key = key
	return m
}

func tombstone(offset int64, key []byte) replay.Message {
	return replay.Message{Topic: "t", Offset: offset, Timestamp: 1000 + offset, Key: key}
}

func columns(list ...kafarr.MetadataColumn) []kafarr.Metadata {
	out := make([]kafarr.Metadata, len(list))
	for i, c := range list {
		out[i].Column = c
	}
	return out
}

func TestTombstonesAreATypeOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Metadata: columns(kafarr.Offset, kafarr.Key, kafarr.SchemaID)}},
			keyed(0, 1, 5, []byte("a")), tombstone(1, []byte("a")), tombstone(2, nil), keyed(3, 1, 6, nil))
		wantRendered(t, l, "x.A n=5,6 _offset=0,3 _key=YQ==,(null) _schema_id=1,1", "null _offset=1,2 _key=YQ==,(null) _schema_id=(null),(null)", "")
		if got := src.Stored("t", 0); got != 4 {
			t.Errorf("stored %d", got)
		}
	})
}

func TestTombstonesWithoutMetadataAreRowsWithoutColumns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Metadata: []kafarr.Metadata{}}}, tombstone(0, nil), tombstone(1, nil))
		b, err := l.Poll(context.Background(), 10, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if b.MessageType != "null" || b.NumRows() != 2 || b.Record.NumCols() != 0 {
			t.Errorf("%s: %d rows, %d columns", b.MessageType, b.NumRows(), b.Record.NumCols())
		}
	})
}

func TestKeptTombstonesAreNullRowsOfTheirType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := kafarr.Config{Messages: kafarr.Messages{Tombstones: kafarr.KeepTombstones, Metadata: columns(kafarr.Offset, kafarr.Tombstone, kafarr.SchemaID)}}
		l, _ := open(t, cfg, tombstone(0, nil), message(0, 1, 1, 5), tombstone(2, nil), message(0, 3, 2, 6), tombstone(4, nil))
		wantRendered(t, l, "x.A n=(null),5,(null) _offset=0,1,2 _tombstone=true,false,true _schema_id=(null),1,(null)",
			"x.B n=6,(null) _offset=3,4 _tombstone=false,true _schema_id=2,(null)", "")
		alone, _ := open(t, cfg, tombstone(0, nil))
		wantRendered(t, alone, "null _offset=0 _tombstone=true _schema_id=(null)")
		grouped := cfg
		grouped.Messages.Mixed = kafarr.GroupMixed
		g, _ := open(t, grouped, message(0, 0, 1, 5), message(0, 1, 2, 6), tombstone(2, nil), message(0, 3, 1, 7))
		wantRendered(t, g, "x.A n=5,7 _offset=0,3 _tombstone=false,false _schema_id=1,1", "x.B n=6,(null) _offset=1,2 _tombstone=false,true _schema_id=2,(null)")
	})
}

func TestEveryKindOfColumnTakesAKeptTombstone(t *testing.T) {
	text := `{"type":"record","name":"All","fields":[
		{"name":"a","type":"boolean"},{"name":"b","type":"int"},{"name":"c","type":"double"},{"name":"d","type":"string"},{"name":"e","type":"bytes"},
		{"name":"f","type":{"type":"fixed","name":"F","size":2}},{"name":"g","type":{"type":"enum","name":"E","symbols":["X"]}},
		{"name":"h","type":{"type":"array","items":"int"}},{"name":"i","type":{"type":"map","values":"int"}},
		{"name":"j","type":{"type":"record","name":"N","fields":[{"name":"x","type":"int"}]}},{"name":"k","type":["int","string"]},{"name":"l","type":"null"}]}`
	body := []byte{0, 0, 0, 0, 9, 1, 2}
	body = append(body, make([]byte, 8)...)
	body = append(body, 2, 'd', 2, 'e', 'f', 'f', 0, 0, 0, 4, 0, 2)
	for _, unions := range []format.Unions{format.StructUnions, format.DenseUnions} {
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: registry.Static{9: {Text: text}}}, Messages: kafarr.Messages{Tombstones: kafarr.KeepTombstones, Unions: unions, Metadata: []kafarr.Metadata{}}},
			replay.Message{Topic: "t", Value: body}, tombstone(1, nil), replay.Message{Topic: "t", Offset: 2, Value: body})
		b, err := l.Poll(context.Background(), 10, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range b.Record.Columns() {
			f := b.Record.Schema().Field(i)
			logicalNull := c.IsNull(1) || f.Name == "k" && unions == format.DenseUnions || f.Name == "l"
			if !f.Nullable || !logicalNull || c.IsNull(0) && f.Name != "l" {
				t.Errorf("%s (unions %d): %v", f.Name, unions, c)
			}
		}
		b.Release()
	}
}

func TestSkippedTombstonesAreCountedAndPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Tombstones: kafarr.SkipTombstones, Mixed: mixed}}, tombstone(0, nil), message(0, 1, 1, 5), tombstone(2, nil), message(0, 3, 1, 6), tombstone(4, nil))
			wantRendered(t, l, "x.A n=5,6 _offset=1,3", "")
			if got, n := src.Stored("t", 0), l.Stats().Tombstones; got != 5 || n != 3 {
				t.Errorf("stored %d, %d tombstones", got, n)
			}
		}
	})
}

func TestUntypedValuesNeedNoRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := []replay.Message{{Topic: "t", Value: []byte("a")}, {Topic: "t", Offset: 1, Value: []byte{}}, tombstone(2, nil), {Topic: "t", Offset: 3, Value: []byte{0xff}}}
		bytes, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.Bytes}}, messages...)
		wantRendered(t, bytes, "bytes value=YQ==,,/w== _offset=0,1,3", "null _offset=2", "")
		text, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.String, Tombstones: kafarr.KeepTombstones}}, messages...)
		wantRendered(t, text, "string value=a,,(null) _offset=0,1,2", "t[0]@3: string is not valid UTF-8", "")
		if _, err := kafarr.Open(kafarr.Config{Cluster: kafarr.Cluster{Servers: "h:1"}, Messages: kafarr.Messages{Value: kafarr.Bytes, Columns: []string{"n"}}, Group: "g", Topics: []string{"t"}}); err == nil || !strings.Contains(err.Error(), "no fields for columns") {
			t.Errorf("columns of bytes: %v", err)
		}
		if _, err := kafarr.Open(kafarr.Config{Cluster: kafarr.Cluster{Servers: "h:1"}, Messages: kafarr.Messages{Value: kafarr.Bytes, Key: kafarr.Avro, Metadata: columns(kafarr.Key)}, Group: "g", Topics: []string{"t"}}); err == nil || !strings.Contains(err.Error(), "registry_url") {
			t.Errorf("Avro keys without a registry: %v", err)
		}
	})
}

func TestAutoTakesWhatIsNotFramedAsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		number := binary.BigEndian.AppendUint64(nil, 42) // eight bytes, of which the first five look like a schema id of 0
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.Auto}}, message(0, 0, 1, 5), replay.Message{Topic: "t", Offset: 1, Value: []byte("{}")},
			replay.Message{Topic: "t", Offset: 2, Value: number}, message(0, 3, 1, 6))
		wantRendered(t, l, "x.A n=5 _offset=0", "bytes value=e30=,AAAAAAAAACo= _offset=1,2", "x.A n=6 _offset=3")
	})
}

func TestKeysAreReadAsTheyAreSaidToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		meta := columns(kafarr.Key)
		text, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.String, Metadata: meta}}, keyed(0, 1, 5, []byte("k")), keyed(1, 1, 6, nil), keyed(2, 1, 7, []byte{0xff}), keyed(3, 1, 8, []byte("l")))
		wantRendered(t, text, "x.A n=5,6 _key=k,(null)", "t[0]@2: _key: string is not valid UTF-8", "x.A n=8 _key=l")

		framed := func(n byte) []byte { return []byte{0, 0, 0, 0, 3, 2 * n} }
		record, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: meta}}, keyed(0, 1, 5, nil), keyed(1, 1, 6, framed(1)), keyed(2, 1, 7, nil), keyed(3, 1, 8, framed(2)))
		wantRendered(t, record, `x.A n=5,6,7,8 _key=(null),{"n":1},(null),{"n":2}`)

		_, err := func() (*kafarr.Batch, error) {
			l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: meta}}, keyed(0, 1, 5, []byte("plain")))
			return l.Poll(context.Background(), 1, 0)
		}()
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.KeyDecodeError || e.Path != "_key" {
			t.Errorf("got %v", err)
		}
		short, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: meta}}, keyed(0, 1, 5, framed(1)[:5]))
		if _, err := short.Poll(t.Context(), 1, 0); !errors.As(err, &e) || e.SchemaID != 3 || !strings.HasPrefix(err.Error(), "t[0]@0: schema 3: _key.n: ") {
			t.Errorf("got %v", err)
		}
		auto, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Auto, Metadata: meta}}, keyed(0, 1, 5, framed(1)), keyed(1, 1, 6, []byte("plain")))
		wantRendered(t, auto, `x.A n=5 _key={"n":1}`, "x.A n=6 _key=cGxhaW4=")
	})
}

// TestNullKeysLookAheadAnewInEachFetch has a fetch without a key before one with a key.
func TestNullKeysLookAheadAnewInEachFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		framed := []byte{0, 0, 0, 0, 3, 2}
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key), Mixed: mixed}}, keyed(0, 1, 5, nil), keyed(1, 1, 6, nil), keyed(2, 1, 7, nil), keyed(3, 1, 8, framed))
			src.FetchMax = 2
			wantRendered(t, l, "x.A n=5,6 _key=(null),(null)", `x.A n=7,8 _key=(null),{"n":1}`)
		}
	})
}

func TestAFrameHasOneSchemaOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := registry.Static{1: schemas[1], 7: {Text: `"int"`}, 8: {Text: `"string"`}, 9: {Text: `{"type":"int","doc":"the same"}`}}
		key := func(id byte, body ...byte) []byte { return append([]byte{0, 0, 0, 0, id}, body...) }
		messages := []replay.Message{keyed(0, 1, 0, key(7, 2)), keyed(1, 1, 1, key(9, 4)), keyed(2, 1, 2, key(8, 2, 'x')), keyed(3, 1, 3, key(7, 6))}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: reg}, Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key)}}, messages...)
		wantRendered(t, l, "x.A n=0,1 _key=1,2", "x.A n=2 _key=x", "x.A n=3 _key=3")
		g, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: reg}, Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: columns(kafarr.Key), Mixed: kafarr.GroupMixed}}, messages...)
		wantRendered(t, g, "x.A n=0,1,3 _key=1,2,3", "x.A n=2 _key=x")
	})
}

func TestABadKeyLeavesItsValueWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.String, Metadata: columns(kafarr.Key), Errors: kafarr.Collect}}, keyed(0, 1, 5, []byte("k")), keyed(1, 1, 6, []byte{0xff}), keyed(2, 1, 7, []byte("l")))
		b, err := l.Poll(context.Background(), 10, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if b.NumRows() != 2 || b.Rejected == nil || b.Rejected.NumRows() != 1 {
			t.Fatalf("%d rows, rejected %v", b.NumRows(), b.Rejected)
		}
		if value, class := b.Rejected.Column(5).ValueStr(0), b.Rejected.Column(6).ValueStr(0); value != "AAAAAAEM" || class != "KeyDecodeError" {
			t.Errorf("value %s, error %s", value, class)
		}
	})
}

func TestBareBodiesAreOfAGivenSchema(t *testing.T) {
	cfg := kafarr.Config{Messages: kafarr.Messages{Framing: kafarr.Bare, Schemas: []kafarr.GivenSchema{{Text: schemas[1].Text}, {Topic: "u", Text: schemas[2].Text}}, Metadata: columns(kafarr.SchemaID)}}
	l, _ := open(t, cfg, replay.Message{Topic: "t", Value: []byte{10}}, replay.Message{Topic: "u", Value: []byte{12}})
	wantRendered(t, l, "x.A n=5 _schema_id=(null)", "x.B n=6 _schema_id=(null)")
}

func TestATopicThatNoSchemaIsGivenForIsAnErrorOfTheOption(t *testing.T) {
	of := func(topics ...string) (out []kafarr.GivenSchema) {
		for _, topic := range topics {
			out = append(out, kafarr.GivenSchema{Topic: topic, Text: schemas[1].Text})
		}
		return out
	}
	object := []kafarr.GivenSchema{{Topic: "u", Text: `{"type":"object","properties":{"n":{"type":"integer"}}}`}}
	for want, m := range map[string]kafarr.Messages{
		`schema names other topics, and none for "t", which is read: add "t": … to it`: {Framing: kafarr.Bare, Schemas: of("u")},
		`key_schema names other topics, and none for "t", which is read`:               {Value: kafarr.Bytes, Key: kafarr.JSON, KeySchemas: object, Metadata: columns(kafarr.Key)},
		`schema holds two schemas for all topics`:                                      {Framing: kafarr.Bare, Schemas: of("", "")},
		`key_schema holds two schemas for "u"`:                                         {Value: kafarr.Bytes, Key: kafarr.JSON, KeySchemas: append(object, object...), Metadata: columns(kafarr.Key)},
	} {
		cluster := kafarr.Cluster{Servers: "s:1"}
		_, err := kafarr.Open(kafarr.Config{Cluster: cluster, Group: "g", Topics: []string{"u", "t"}, Messages: m})
		wantCode(t, err, kafarr.ConfigError, want)
		_, err = kafarr.Open(kafarr.Config{Cluster: cluster, Group: "g", Assign: []source.Position{{Topic: "u"}, {Topic: "t"}}, Messages: m})
		wantCode(t, err, kafarr.ConfigError, want)
		_, err = kafarr.Scan(t.Context(), kafarr.ScanConfig{Cluster: cluster, Topics: []string{"u", "t"}, Messages: m})
		wantCode(t, err, kafarr.ConfigError, want)
		_, err = kafarr.PlanOf(kafarr.ScanConfig{Cluster: cluster, Topics: []string{"^."}, Messages: m}, []kafarr.ScanRange{{Topic: "t", End: 1}}, nil)
		wantCode(t, err, kafarr.ConfigError, want)
		if strings.Contains(want, "two schemas") {
			continue
		}
		m.Errors = kafarr.Skip // a topic that a pattern finds: its messages are good, and none is passed
		l, src := open(t, kafarr.Config{Messages: m, Topics: []string{"^."}}, replay.Message{Topic: "t", Key: []byte(`{"n":5}`), Value: []byte{10}})
		for range 2 {
			_, err := l.Poll(t.Context(), 1, 0)
			wantCode(t, err, kafarr.ConfigError, want)
		}
		if s := l.Stats(); s.Skipped != 0 || src.Committed("t", 0) > 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestSingleObjectsAreOfTheSchemaWithTheirFingerprint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := avro.Parse(schemas[2].Text)
		if err != nil {
			t.Fatal(err)
		}
		framed := binary.LittleEndian.AppendUint64([]byte{0xc3, 1}, s.Fingerprint())
		unknown := replay.Message{Topic: "t", Offset: 1, Value: []byte{0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0}}
		cfg := kafarr.Config{Messages: kafarr.Messages{Framing: kafarr.SingleObject, Schemas: []kafarr.GivenSchema{{Text: schemas[1].Text}, {Text: schemas[2].Text}}}}
		l, _ := open(t, cfg, replay.Message{Topic: "t", Value: append(framed, 12)}, unknown)
		wantRendered(t, l, "x.B n=6 _offset=0", "t[0]@1: none of the given schemas has the fingerprint 0807060504030201")
	})
}

// guids is a registry that knows one schema by its GUID.
type guids struct{ registry.Static }

func (g guids) SchemaByGUID(_ context.Context, guid string) (registry.Schema, error) {
	if guid != "01020304-0506-0708-090a-0b0c0d0e0f10" {
		return registry.Schema{}, &registry.Error{Kind: registry.NotFound, ID: -1, URL: "(static)", Err: errors.New(guid + " is not one of its schemas")}
	}
	return registry.Schema{ID: -1, Text: schemas[1].Text}, nil
}

func TestAHeaderNamesTheSchema(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guid := []byte{1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		with := func(offset int64, header []byte) replay.Message {
			return replay.Message{Topic: "t", Offset: offset, Value: []byte{10}, Headers: []replay.Header{{Name: "other"}, {Name: wire.ValueSchemaHeader, Value: header}}}
		}
		unknown := append([]byte{1}, make([]byte, 16)...)
		odd := with(2, guid) // the name of a header that was not asked for
		odd.Headers[0].Name = "\xff"
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: guids{schemas}}, Messages: kafarr.Messages{Framing: kafarr.SchemaHeader}}, with(0, guid), message(0, 1, 1, 6), odd, with(3, []byte{7}), with(4, unknown))
		wantRendered(t, l, "x.A n=5,6,5 _offset=0,1,2",
			"t[0]@3: header __value_schema_id: the schema header begins with byte 0x07 instead of 0x01 (a GUID) or 0x00 (an id)",
			"t[0]@4: schema registry (static): 00000000-0000-0000-0000-000000000000 is not one of its schemas")
		byID, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: guids{schemas}}, Messages: kafarr.Messages{Framing: kafarr.SchemaHeader, Metadata: columns(kafarr.SchemaID)}}, with(0, guid), with(1, []byte{0, 0, 0, 0, 1}))
		wantRendered(t, byID, "x.A n=5,5 _schema_id=(null),1", "")
	})
}

func TestHeadersKeepTheirOrderRepeatsAndNulls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := message(0, 0, 1, 5)
		m.Headers = []replay.Header{{Name: "a", Value: []byte("1")}, {Name: "a"}, {Name: "", Value: []byte{}}}
		bad := message(0, 1, 1, 6)
		bad.Headers = []replay.Header{{Name: "\xff"}}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Metadata: columns(kafarr.Headers, kafarr.LeaderEpoch)}}, m, bad)
		wantRendered(t, l, `x.A n=5 _headers=[{"key":"a","value":"MQ=="},{"key":"a","value":null},{"key":"","value":""}] _leader_epoch=0`,
			"t[0]@1: _headers: the name of header 0 is not valid UTF-8")
	})
}
