package kafarr_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// endless is a registry that knows every id and GUID, each with a schema of its own, and keeps none.
type endless struct{ fields, types int }

func (e endless) SchemaByID(_ context.Context, id int) (registry.Schema, error) {
	return registry.Schema{ID: id, Type: "AVRO", Text: e.text(id)}, nil
}

func (e endless) SchemaByGUID(_ context.Context, guid string) (registry.Schema, error) {
	var id int
	if _, err := fmt.Sscanf(guid, "%x", &id); err != nil {
		return registry.Schema{}, err
	}
	return registry.Schema{ID: -1, Type: "AVRO", Text: e.text(id)}, nil
}

// text is a record of one int and of fields that are nulls: a message of any of them has the same bytes.
func (e endless) text(id int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"record","name":"x.T%d","fields":[{"name":"n","type":"int","doc":"%d"}`, id%e.types, id)
	for i := range e.fields - 1 {
		fmt.Fprintf(&b, `,{"name":"field_%d","type":"null"}`, i)
	}
	b.WriteString("]}")
	return b.String()
}

func liveHeap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// drained polls until so many rows have come, and returns what came: the type of each batch with its rows' numbers.
func drained(t *testing.T, l *kafarr.Listener, rows int) (got []string) {
	t.Helper()
	for n := 0; n < rows; {
		b, err := l.Poll(context.Background(), rows-n, 5*time.Second)
		if err != nil || b.Record == nil {
			t.Fatalf("%d of %d rows came: %v", n, rows, err)
		}
		n += int(b.NumRows())
		got = append(got, text(b))
		b.Release()
	}
	return got
}

// TestAnyNumberOfSchemasTakesABoundedHeap is on defaults. Without a bound these schemas take 220 MiB.
func TestAnyNumberOfSchemasTakesABoundedHeap(t *testing.T) {
	hostile.Unwatched(t)
	const schemas = 500
	for name, cfg := range map[string]kafarr.Config{
		"values": {}, "grouped": {Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}},
		"keys":  {Messages: kafarr.Messages{Value: kafarr.Bytes, Key: kafarr.Avro, Metadata: []kafarr.Metadata{{Column: kafarr.Key}}}},
		"GUIDs": {Messages: kafarr.Messages{Framing: kafarr.SchemaHeader}},
	} {
		t.Run(name, func(t *testing.T) {
			var messages []replay.Message
			for i := range schemas {
				m := message(0, int64(i), uint32(i+1), byte(i%50))
				switch name {
				case "keys":
					m.Key, m.Value = m.Value, []byte{0}
				case "GUIDs":
					guid := append([]byte{1}, make([]byte, 16)...)
					guid[3], guid[4] = byte((i+1)>>8), byte(i+1) // the GUID's first four bytes are read as a number
					m.Headers = []replay.Header{{Name: "__value_schema_id", Value: guid}}
					m.Value = m.Value[5:]
				}
				messages = append(messages, m)
			}
			cfg.Registry.Client = endless{fields: 400, types: schemas}
			l, _ := open(t, cfg, messages...)
			before := liveHeap()
			for got := int64(0); got < schemas; {
				b, err := l.Poll(context.Background(), int(min(1000, schemas-got)), 5*time.Second)
				if err != nil || b.Record == nil {
					t.Fatalf("%d of %d rows came: %v", got, schemas, err)
				}
				got += b.NumRows()
				b.Release()
			}
			if held := liveHeap() - before; held > kafarr.DefaultSchemaBytes*3/2 {
				t.Errorf("the listener keeps %d MiB after %d schemas", held>>20, schemas)
			}
			runtime.KeepAlive(l)
		})
	}
}

// TestRowsAreTheSameWhereSchemasAreDropped compares a listener that keeps next to nothing with one that keeps all.
func TestRowsAreTheSameWhereSchemasAreDropped(t *testing.T) {
	for name, types := range map[string]int{"each schema has its type": 1000, "ids of one type and the same columns": 1} {
		var messages []replay.Message
		for i := range 600 {
			messages = append(messages, message(0, int64(i), uint32(1+i/3%40), byte(i%50)))
		}
		reg := endless{fields: 20, types: types}
		free, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: reg}}, messages...)
		tight, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: reg}, Memory: kafarr.Memory{SchemaBytes: 1}}, messages...)
		want, got := drained(t, free, 600), drained(t, tight, 600)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d batches %.200q, want %d %.200q", name, len(got), got, len(want), want)
		}
		if free.Stats().Schemas != 40 || tight.Stats().Schemas < 200 {
			t.Errorf("%s: %d and %d schemas were compiled, want 40, and one each time", name, free.Stats().Schemas, tight.Stats().Schemas)
		}
	}
}

func TestGroupedRowsAreWholeWhereSchemasAreDropped(t *testing.T) {
	var messages []replay.Message
	want := map[string][]string{}
	for i := range 600 {
		id := 1 + i%40
		messages = append(messages, message(0, int64(i), uint32(id), byte(i%50)))
		of := fmt.Sprintf("x.T%d", id)
		want[of] = append(want[of], fmt.Sprint(i%50))
	}
	l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: endless{fields: 20, types: 1000}}, Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}, Memory: kafarr.Memory{SchemaBytes: 100_000}}, messages...)
	got := map[string][]string{}
	for _, p := range drained(t, l, 600) {
		words := strings.Fields(p)
		got[words[0]] = append(got[words[0]], words[1:]...)
	}
	for of, rows := range want {
		if !slices.Equal(got[of], rows) {
			t.Errorf("%s: got %v, want %v", of, got[of], rows)
		}
	}
}
