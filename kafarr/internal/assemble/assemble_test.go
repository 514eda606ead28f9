package assemble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// schemaOf compiles a record of one long, whose name is given.
func schemaOf(t *testing.T, name string) schema.Pair {
	t.Helper()
	parsed, err := avro.Format{}.Parse(`{"type": "record", "name": "`+name+`", "fields": [{"name": "n", "type": "long"}]}`, nil, format.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := avro.Format{}.Compile(parsed, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return schema.Pair{Value: &schema.Compiled{Plan: plan, IsRegistered: true}}
}

// runOf makes a run of t[0] whose values are the numbers; those below 0 are bad. Offsets begin at first.
func runOf(s schema.Pair, first int64, numbers ...int64) *Run {
	r := &Run{TopicPartition: source.TopicPartition{Topic: "t"}, Schema: s, Refs: Refs{Value: 7}}
	for i, n := range numbers {
		value := binary.AppendVarint(nil, n)
		if n < 0 {
			value = nil
		}
		data := unsafe.Pointer(unsafe.SliceData(value))
		r.Records = append(r.Records, source.Record{Value: data, ValueLen: int32(len(value)), KeyLen: -1, Offset: first + int64(i)})
		r.Values = append(r.Values, format.Body{Data: data, Len: len(value)})
	}
	return r
}

// released fails the test if memory of columns is left.
func released(t *testing.T) {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if left := cmem.Live() - before; left != 0 {
			t.Errorf("%d bytes are left", left)
		}
	})
}

// take decodes a run into a batch as an assembler does.
func take(b *Builder, c *Columns, r *Run) Result {
	if c.Builder() == nil {
		b.Use(c)
	}
	out := Decode(c, r, false)
	if out.Rows > 0 {
		b.Took(r.TopicPartition, r.Records[0].Offset, r.Records[out.Rows-1].Offset+1, out.Rows)
	}
	return out
}

// numbersOf are the values of a batch, and their offsets.
func numbersOf(s *batch.Sealed) (numbers, offsets []int64) {
	if s.Record == nil {
		return nil, nil
	}
	return slices.Clone(s.Record.Column(0).(*array.Int64).Int64Values()), slices.Clone(s.Record.Column(1).(*array.Int64).Int64Values())
}

var withOffsets = &Options{Metadata: []Metadata{{Column: Offset}}}

func TestARunIsDecodedUpToTheRecordThatFails(t *testing.T) {
	released(t)
	shapes, s := NewShapes(withOffsets, schema.NewCache(1<<20)), schemaOf(t, "A")
	b := NewBuilder()
	out := take(b, shapes.Of(s, 10), runOf(s, 5, 1, 2, -1, 4))
	var bad *avro.DecodeError
	if out.Rows != 2 || out.Bytes != 2 || !errors.As(out.Err, &bad) || out.OfKey {
		t.Errorf("%+v", out)
	}
	sealed := b.Seal(true)
	defer sealed.Release()
	numbers, offsets := numbersOf(sealed)
	if !slices.Equal(numbers, []int64{1, 2}) || !slices.Equal(offsets, []int64{5, 6}) || !slices.Equal(sealed.Offsets, offsets) {
		t.Errorf("%v at %v, %v", numbers, offsets, sealed.Offsets)
	}
	if got := sealed.Ranges(); len(got) != 1 || got[0] != (batch.Range{Topic: "t", First: 5, Next: 7, Rows: 2}) {
		t.Error(got)
	}
}

// TestRunsOfDifferentColumnsAreDecodedAtTheSameTime is for the race detector: decoding touches the columns of the run and nothing else.
func TestRunsOfDifferentColumnsAreDecodedAtTheSameTime(t *testing.T) {
	released(t)
	shapes := NewShapes(&Options{Metadata: []Metadata{{Column: Offset}, {Column: Topic}, {Column: Timestamp}, {Column: SchemaID}, {Column: Headers}, {Column: Tombstone}}}, schema.NewCache(1<<20))
	schemas := []schema.Pair{schemaOf(t, "A"), schemaOf(t, "B")}
	schemas[0].Value.IsRegistered = false // other columns, though the fields are the same
	var all sync.WaitGroup
	for _, s := range schemas {
		columns := shapes.Of(s, 1000)
		all.Go(func() {
			for i := range 200 {
				if out := Decode(columns, runOf(s, int64(3*i), 1, 2, 3), false); out.Rows != 3 || out.Err != nil {
					t.Errorf("%+v", out)
				}
			}
		})
	}
	all.Wait()
	for _, s := range schemas {
		columns := shapes.Of(s, 0)
		if columns.Rows() != 600 {
			t.Errorf("%d rows", columns.Rows())
		}
		columns.Release()
	}
}

func TestSchemasOfOneShapeShareTheirColumns(t *testing.T) {
	shapes := NewShapes(withOffsets, schema.NewCache(1<<20))
	one, same, other := schemaOf(t, "A"), schemaOf(t, "A"), schemaOf(t, "B")
	if !sameColumns(one, same) || shapes.Of(one, 0) != shapes.Of(same, 0) {
		t.Error("two ids of one schema have two sets of columns")
	}
	if sameColumns(one, other) || shapes.Of(one, 0) == shapes.Of(other, 0) {
		t.Error("two types share their columns")
	}
}

func TestColumnsThatABatchIsFilledWithAreNeverIdle(t *testing.T) {
	released(t)
	cache := schema.NewCache(1 << 20)
	shapes := NewShapes(withOffsets, cache)
	filled, unused := schemaOf(t, "Filled"), schemaOf(t, "Unused")
	b := NewBuilder()
	take(b, shapes.Of(filled, 1), runOf(filled, 0, 1))
	dropped := shapes.Of(unused, 1)
	if idle := shapes.Idle(cache.Run()); len(idle) != 0 {
		t.Errorf("%d were not used in this run", len(idle))
	}
	idle := shapes.Idle(cache.Run() + 1)
	if len(idle) != 1 || idle[0].Bytes <= 0 {
		t.Fatalf("%d may be dropped, want 1", len(idle))
	}
	idle[0].Drop()
	shapes.Forget()
	if shapes.Of(unused, 1) == dropped {
		t.Error("the columns are still there")
	}
	if out := take(b, shapes.Of(filled, 1), runOf(filled, 1, 2)); out.Rows != 1 || out.Err != nil {
		t.Errorf("%+v", out)
	}
	b.Release()
}

func TestABatchOfRejectedMessagesAloneHasNoRows(t *testing.T) {
	released(t)
	b := NewBuilder()
	r := runOf(schemaOf(t, "A"), 4, -1)
	if !b.Empty() {
		t.Error("a new batch is not empty")
	}
	b.Reject(r.TopicPartition, &r.Records[0], "DecodeError", "it is bad")
	b.Took(r.TopicPartition, 4, 5, 0)
	if b.Empty() || b.Rows() != 0 || !b.Holds(r.TopicPartition) {
		t.Error("what was rejected is to be delivered")
	}
	sealed := b.Seal(true)
	defer sealed.Release()
	if sealed.Record != nil || sealed.Rejected.NumRows() != 1 || !slices.Equal(sealed.OffsetsOf(r.TopicPartition), []int64{4}) {
		t.Errorf("%+v", sealed)
	}
}

func TestALongRecordIsDecodedInTurnsAndTakenBackWhereItIsGivenUp(t *testing.T) {
	released(t)
	shapes, s := NewShapes(withOffsets, schema.NewCache(1<<20)), schemaOf(t, "A")
	columns := shapes.Of(s, 10)
	r := runOf(s, 0, 1, 2)
	for _, given := range []bool{false, true} {
		g := DecodeLong(columns, r, 1)
		if !g.Is(r.TopicPartition, &r.Records[1]) || g.Is(r.TopicPartition, &r.Records[0]) {
			t.Error("it takes another record for its own")
		}
		for end := time.Now().Add(10 * time.Second); !g.Turn(time.Now().Add(time.Millisecond)) && time.Now().Before(end); {
		}
		if given {
			g.GiveUp()
			break
		}
		one := *r
		one.After(1)
		if out := g.Result(&one); out.Rows != 1 || out.Err != nil {
			t.Errorf("%+v", out)
		}
	}
	if columns.Rows() != 1 {
		t.Errorf("%d rows, want the one that was not given up", columns.Rows())
	}
	columns.Release()
}

func TestARowMayPassTombstonesOfOtherKeysOnly(t *testing.T) {
	keyed := func(keys ...string) []source.Record {
		var out []source.Record
		for _, k := range keys {
			r := source.Record{KeyLen: int32(len(k)), Key: unsafe.Pointer(unsafe.StringData(k))}
			if k == "" {
				r.KeyLen = -1
			}
			out = append(out, r)
		}
		return out
	}
	d := NewDeletions()
	here, elsewhere := source.TopicPartition{Topic: "t"}, source.TopicPartition{Topic: "t", Partition: 1}
	d.Add(here, keyed("a", "", "b"))
	for _, c := range []struct {
		of   source.TopicPartition
		keys []string
		want int
	}{{here, []string{"c", "", "b", "d"}, 2}, {here, []string{"a"}, 0}, {elsewhere, []string{"a", "b"}, 2}, {here, []string{"", "c"}, 2}} {
		if got := d.Others(c.of, keyed(c.keys...)); got != c.want {
			t.Errorf("%v %q: %d, want %d", c.of, c.keys, got, c.want)
		}
	}
	d.Forget()
	if got := d.Others(here, keyed("a", "b")); got != 2 {
		t.Errorf("%d after the tombstones are sealed", got)
	}
}

func TestMetadataThatIsUnknownOrThereTwiceIsRefused(t *testing.T) {
	for _, list := range [][]Metadata{{{Column: "_none"}}, {{Column: Offset}, {Column: Topic, As: "_offset"}}} {
		if err := ValidateMetadata(list); err == nil {
			t.Error(fmt.Sprint(list), "is accepted")
		}
	}
}
