package wire

import (
	"errors"
	"math"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
)

const someGUID = "89791762-2336-486f-9c1d-2e4a1f6b7c8d"

func TestConfluentsHeadersAreRead(t *testing.T) {
	if ValueSchemaHeader != serde.ValueSchemaIDHeader || KeySchemaHeader != serde.KeySchemaIDHeader {
		t.Errorf("headers %s and %s", ValueSchemaHeader, KeySchemaHeader)
	}
	written, err := serde.NewSchemaID("AVRO", 0x01020304, someGUID)
	if err != nil {
		t.Fatal(err)
	}
	byGUID, err := written.GUIDToBytes()
	if err != nil {
		t.Fatal(err)
	}
	byID, err := written.IDToBytes()
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t)
	if got, n, err := HeaderSchema(g.put(byGUID)); err != nil || n != 17 || got.ByID || got.ID != 0 || got.GUID.String() != someGUID {
		t.Errorf("a GUID: %+v, %v", got, err)
	}
	if got, n, err := HeaderSchema(g.put(byID)); err != nil || n != 5 || got != (SchemaRef{ID: 0x01020304, ByID: true}) {
		t.Errorf("an id: %+v, %v", got, err)
	}
}

func TestTheGUIDIsWrittenAsRegistriesKnowIt(t *testing.T) {
	for want, g := range map[string]GUID{
		"00000000-0000-0000-0000-000000000000": {},
		"00010203-0405-0607-0809-0a0b0c0d0eff": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255},
	} {
		if got := g.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatFollowsTheNameOfTheSchemaIsNoPartOfIt(t *testing.T) {
	g := newGuarded(t)
	guid := append([]byte{1}, make([]byte, 16)...)
	guid[16] = 7
	want := SchemaRef{GUID: GUID(guid[1:])}
	if got, n, err := HeaderSchema(g.put(append(guid, 4, 2, 0))); err != nil || n != 17 || got != want {
		t.Errorf("a GUID: %+v, %v", got, err)
	}
	if got, n, err := HeaderSchema(g.put([]byte{0, 0, 0, 0, 9, 0})); err != nil || n != 5 || got != (SchemaRef{ID: 9, ByID: true}) {
		t.Errorf("an id: %+v, %v", got, err)
	}
}

func TestWhatNamesNoSchemaIsToldApart(t *testing.T) {
	g := newGuarded(t)
	for _, c := range []struct {
		value []byte
		want  error
	}{
		{nil, ErrNull},
		{[]byte{}, ErrShortSchemaHeader},
		{[]byte{0}, ErrShortSchemaHeader},
		{[]byte{0, 0, 0, 1}, ErrShortSchemaHeader},
		{[]byte{1}, ErrShortSchemaHeader},
		{[]byte{1, 0, 0, 0, 1}, ErrShortSchemaHeader},
		{append([]byte{1}, make([]byte, 15)...), ErrShortSchemaHeader},
		{[]byte(someGUID), SchemaHeaderError('8')},
		{[]byte{2}, SchemaHeaderError(2)},
	} {
		if got, _, err := HeaderSchema(g.put(c.value)); !errors.Is(err, c.want) || got != (SchemaRef{}) {
			t.Errorf("%q: got %+v and %v, want %v", c.value, got, err, c.want)
		}
	}
	if _, _, err := HeaderSchema(nil, math.MinInt32); !errors.Is(err, ErrNull) {
		t.Errorf("the least length: %v", err)
	}
	if _, _, err := HeaderSchema(nil, 0); !errors.Is(err, ErrShortSchemaHeader) {
		t.Errorf("an empty value without an address: %v", err)
	}
}

// FuzzHeaderSchema names the schema that Confluent's reader names, and reads nothing after the header's end.
func FuzzHeaderSchema(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Add(append([]byte{1}, make([]byte, 15)...))
	f.Add(append([]byte{1}, make([]byte, 16)...))
	f.Add([]byte{2})
	g := newGuarded(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		if len(value) > g.page {
			return
		}
		got, n, err := HeaderSchema(g.put(value))
		enough := len(value) >= 5 && value[0] == 0 || len(value) >= 17 && value[0] == 1 // theirs panics on less
		if (err == nil) != enough {
			t.Fatalf("%x: %+v, %v", value, got, err)
		}
		if err != nil {
			return
		}
		var want serde.SchemaID
		if read, err := want.FromBytes(value); err != nil || read != n {
			t.Fatal(read, n, err)
		}
		if got.ByID != (value[0] == 0) || got.GUID.String() != want.GUID.String() || int(got.ID) != want.ID {
			t.Errorf("%x: %+v, want %+v", value, got, want)
		}
	})
}
