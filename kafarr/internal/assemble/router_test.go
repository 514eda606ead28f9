package assemble

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// schemas is a registry of the ids 1 to 9, each of which is a type of its own, but for these: 4 is that of 1, 8 is never answered, and 9 is no Avro.
type schemas struct{}

func (schemas) SchemaByID(ctx context.Context, id int) (registry.Schema, error) {
	switch id {
	case 8:
		<-ctx.Done()
		return registry.Schema{}, ctx.Err()
	case 9:
		return registry.Schema{ID: id, Type: "XSD", Text: "<schema/>"}, nil
	case 4:
		id = 1
	}
	return registry.Schema{ID: id, Text: fmt.Sprintf(`{"type": "record", "name": "T%d", "fields": [{"name": "n", "type": "long"}]}`, id)}, nil
}

// routing makes a Router whose schemas are all there, but for those that never come.
func routing(t *testing.T, mixed Mixed, tombstones Tombstones, keys bool) *Router {
	t.Helper()
	cfg := schema.Config{Content: schema.Avro, Registry: schemas{}, Shared: schema.NewShared(), Cache: schema.NewCache(1 << 20), NullsHaveSchemas: tombstones == KeepTombstones}
	cfg.Options.Nullable = tombstones == KeepTombstones
	of := &schema.Resolvers{Cache: cfg.Cache}
	var err error
	if of.Values, err = schema.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if keys {
		cfg.IsKey, cfg.NullsHaveSchemas = true, true
		cfg.Options.Whole, cfg.Options.Nullable = true, true
		if of.Keys, err = schema.New(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	for _, word := range []string{"1/1", "2/2", "3/3", "4/4", "9"} {
		records := framedRecords(word)
		chunk := &source.Chunk{Topic: "other", Records: records}
		var key schema.Ref
		if keys && records[0].KeyLen > 0 {
			key = schema.Ref(word[2] - '0')
		}
		for end := time.Now().Add(10 * time.Second); ; {
			resolved := of.Resolve(chunk, records, schema.Ref(word[0]-'0'), key)
			if resolved.Wait == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatal("no answer")
			}
			resolved.Wait.Wait(time.Second)
		}
	}
	return NewRouter(of, mixed, tombstones, false)
}

// framedRecords makes records at the offsets 0, 1, 2, … of words: "1" is a value of schema 1, "1/2" has a key of schema 2, "1!" is a value that
// is cut off, "-" is a tombstone, "?" has no framing. Values that are not cut off are their offsets.
func framedRecords(words string) []source.Record {
	framed := func(word string, offset int) (unsafe.Pointer, int32) {
		switch word {
		case "-", "":
			return nil, -1
		case "?":
			return unsafe.Pointer(unsafe.StringData(word)), 1
		}
		data := binary.BigEndian.AppendUint32([]byte{0}, uint32(word[0]-'0'))
		if !strings.HasSuffix(word, "!") {
			data = binary.AppendVarint(data, int64(offset))
		}
		return unsafe.Pointer(unsafe.SliceData(data)), int32(len(data))
	}
	var out []source.Record
	for i, word := range strings.Fields(words) {
		value, key, _ := strings.Cut(word, "/")
		r := source.Record{Offset: int64(i)}
		r.Value, r.ValueLen = framed(value, i)
		r.Key, r.KeyLen = framed(key, i)
		out = append(out, r)
	}
	return out
}

// told renders what was routed: the runs as schema and offsets, how many records that are, and why none.
func (to Routed) told() string {
	var parts []string
	for _, r := range to.Runs {
		offsets := make([]int64, len(r.Records))
		for i := range offsets {
			offsets[i] = r.Records[i].Offset
		}
		parts = append(parts, fmt.Sprintf("%s%v", r.Schema.Value.Plan.MessageType(), offsets))
		if len(r.Values) != len(offsets) || r.Schema.Key != nil && len(r.Keys) != len(offsets) {
			parts = append(parts, "with other bodies")
		}
	}
	out := fmt.Sprintf("%s of %d", strings.Join(parts, " "), to.N)
	if to.Skipped > 0 {
		out += fmt.Sprintf(", %d left out", to.Skipped)
	}
	if to.Wait != nil {
		out += ", which waits"
	}
	if to.Fault != nil {
		out += fmt.Sprintf(", %v", to.Fault.Code)
	}
	return strings.TrimSpace(out)
}

func TestTheRouterEndsARunWhereTheSchemaChangesAndSortsGroupedRecords(t *testing.T) {
	chunk := &source.Chunk{Topic: "t"}
	for _, c := range []struct {
		mixed      Mixed
		tombstones Tombstones
		keys       bool
		words      string
		want       string
	}{
		{SplitMixed, SplitTombstones, false, "1 1 2 1", "T1[0 1] of 2"},
		{SplitMixed, SplitTombstones, false, "1 - - 1", "T1[0] of 1"},
		{SplitMixed, SplitTombstones, false, "- - 1", "null[0 1] of 2"},
		{SplitMixed, KeepTombstones, false, "1 - 1 2", "T1[0 1 2] of 3"},
		{SplitMixed, KeepTombstones, false, "- 1 2", "T1[0 1] of 2"},
		{SplitMixed, SkipTombstones, false, "- - 1", "of 2, 2 left out"},
		{SplitMixed, SkipTombstones, false, "1 - 1", "T1[0] of 1"},
		{SplitMixed, SplitTombstones, true, "1/1 1/1 1/2", "T1[0 1] of 2"},
		{SplitMixed, SplitTombstones, true, "1/1 1 1/1", "T1[0 1 2] of 3"}, // a null key is one of any schema
		{SplitMixed, SplitTombstones, false, "1 ? 1", "T1[0] of 1"},
		{SplitMixed, SplitTombstones, false, "? 1", "of 0, FramingError"},
		{SplitMixed, SplitTombstones, false, "8 1", "of 0, which waits"},
		{SplitMixed, SplitTombstones, false, "9 1", "of 0, SchemaError"},
		{GroupMixed, SplitTombstones, false, "1 2 1 2 3", "T1[0 2] T2[1 3] T3[4] of 5"},
		{GroupMixed, SplitTombstones, false, "1 - 1 -", "T1[0 2] null[1 3] of 4"},
		{GroupMixed, SkipTombstones, false, "- 1 - 1", "T1[1 3] of 4, 2 left out"},
		{GroupMixed, SkipTombstones, false, "- - ?", "of 2, 2 left out"},
		{GroupMixed, SplitTombstones, false, "1 2 ? 1", "T1[0] T2[1] of 2"},
		{GroupMixed, SplitTombstones, false, "1 2 8 1", "T1[0] T2[1] of 2"},
		{GroupMixed, SplitTombstones, false, "1 2 9 1", "T1[0] T2[1] of 2"},
		{GroupMixed, SplitTombstones, false, "8 1", "of 0, which waits"},
		{GroupMixed, SplitTombstones, false, "9 1", "of 0, SchemaError"},
		{GroupMixed, SplitTombstones, false, "? 1", "of 0, FramingError"},
		{GroupMixed, SplitTombstones, true, "1/1 1/2 1/1", "T1[0 2] T1[1] of 3"},
	} {
		r := routing(t, c.mixed, c.tombstones, c.keys)
		records := framedRecords(c.words)
		if got := r.Next(chunk, records, records).told(); got != c.want {
			t.Errorf("mixed %d, tombstones %d, %q: %q, want %q", c.mixed, c.tombstones, c.words, got, c.want)
		}
	}
}

func TestTheRoutersRunsOfALaterCallHoldNothingOfTheEarlierOne(t *testing.T) {
	r := routing(t, GroupMixed, SplitTombstones, false)
	chunk := &source.Chunk{Topic: "t"}
	before, after := framedRecords("1 2 1 2"), framedRecords("2 2 3")
	r.Next(chunk, before, before)
	if got := r.Next(chunk, after, after).told(); got != "T2[0 1] T3[2] of 3" {
		t.Error(got)
	}
}

// TestSchemasOfOneShapeAreRoutedOneAfterTheOther has two ids of one type: its rows have to keep their order.
func TestSchemasOfOneShapeAreRoutedOneAfterTheOther(t *testing.T) {
	r := routing(t, GroupMixed, SplitTombstones, false)
	chunk, records := &source.Chunk{Topic: "t"}, framedRecords("1 2 4 1 2")
	var got []string
	for len(records) > 0 {
		to := r.Next(chunk, records, records)
		got = append(got, to.told())
		records = records[to.N:]
	}
	if !slices.Equal(got, []string{"T1[0] T2[1] of 2", "T1[2] of 1", "T1[3] T2[4] of 2"}) {
		t.Errorf("%q", got)
	}
}
