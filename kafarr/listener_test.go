package kafarr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// The schemas of these tests: A and A2 differ in nothing that a column shows, A3 has another column.
var schemas = registry.Static{
	1: {ID: 1, Text: `{"type":"record","name":"x.A","fields":[{"name":"n","type":"int"}]}`},
	2: {ID: 2, Text: `{"type":"record","name":"x.B","fields":[{"name":"n","type":"int"}]}`},
	3: {ID: 3, Text: `{"type":"record","name":"x.A","doc":"newer","fields":[{"name":"n","type":"int"}]}`},
	4: {ID: 4, Text: `{"type":"record","name":"x.A","fields":[{"name":"n","type":["null","int"]}]}`},
	5: {ID: 5, Text: `{"type":"record","name":"x.C","fields":[{"name":"_offset","type":"int"}]}`},
	6: {ID: 6, Text: `not json`},
}

// message is a framed {n: number} for schema ids 1 to 3.
func message(partition int32, offset int64, id uint32, n byte) replay.Message {
	value := binary.BigEndian.AppendUint32([]byte{0}, id)
	return replay.Message{Topic: "t", Partition: partition, Offset: offset, Timestamp: 1000 + offset, Value: append(value, 2*n)}
}

// openOver opens a listener of a source that stands over a log.
func openOver(t *testing.T, cfg kafarr.Config, src source.Source, log *replay.Source) *kafarr.Listener {
	t.Helper()
	cfg.Registry.Client = schemas
	cfg.Source = func(h source.Handler) (source.Source, error) {
		_, err := log.Open(h)
		return src, err
	}
	l, err := kafarr.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func open(t *testing.T, cfg kafarr.Config, messages ...replay.Message) (*kafarr.Listener, *replay.Source) {
	t.Helper()
	before := cmem.Live()
	src := replay.New(messages...)
	cfg.Source = src.Open
	if cfg.Registry.Client == nil {
		cfg.Registry.Client = schemas
	}
	l, err := kafarr.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes of column memory were not released", after-before)
		}
	})
	return l, src
}

// inBubble runs a subtest in a bubble of testing/synctest: its clock stands still while anything runs, so that no load ends a poll early.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Helper()
		synctest.Test(t, test)
	})
}

// poll renders one poll: "x.A 1 2 3", "" for a quiet one, or the error.
func poll(t *testing.T, l *kafarr.Listener, limit int) string {
	t.Helper()
	b, err := l.Poll(context.Background(), limit, 10*time.Millisecond)
	if err != nil {
		return err.Error()
	}
	defer b.Release()
	return text(b)
}

func text(b *kafarr.Batch) string {
	var s strings.Builder
	s.WriteString(b.MessageType)
	if b.Record != nil {
		n := b.Record.Column(0).(*array.Int32)
		for i := range n.Len() {
			fmt.Fprintf(&s, " %s", n.ValueStr(i))
		}
	}
	if b.Rejected != nil {
		fmt.Fprintf(&s, " rejected %d", b.Rejected.NumRows())
	}
	return s.String()
}

func wantPolls(t *testing.T, l *kafarr.Listener, limit int, want ...string) {
	t.Helper()
	for i, w := range want {
		if got := poll(t, l, limit); got != w {
			t.Errorf("poll %d: got %q, want %q", i+1, got, w)
		}
	}
}

func TestAFrameHoldsOneMessageType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []replay.Message
		for i := range int64(10) {
			messages = append(messages, message(0, i, uint32(1+i/5), byte(i)))
		}
		l, _ := open(t, kafarr.Config{}, messages...)
		wantPolls(t, l, 1000, "x.A 0 1 2 3 4", "x.B 5 6 7 8 9", "")
	})
}

func TestASchemaThatNobodyKnowsCostsItsOwnRowOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 99, 1), message(0, 2, 1, 2), message(0, 3, 99, 3), message(0, 4, 99, 4)}
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip, Mixed: mixed, SchemaPatience: -1}}, messages...)
			wantPolls(t, l, 100, "x.A 0 2", "")
			if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 5 || l.Stats().Skipped != 3 {
				t.Errorf("mixed %v: %v, committed %d, %d skipped", mixed, err, src.Committed("t", 0), l.Stats().Skipped)
			}
		}
	})
}

func TestEachChangeOfTypeEndsABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 2, 1), message(0, 2, 1, 2), message(0, 3, 2, 3))
		wantPolls(t, l, 1000, "x.A 0", "x.B 1", "x.A 2", "x.B 3")
	})
}

func TestASchemaIDWithTheSameColumnsDoesNotSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 3, 1), message(0, 2, 1, 2))
		wantPolls(t, l, 1000, "x.A 0 1 2")
	})
}

func TestASchemaIDWithOtherColumnsSplits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nullable := message(0, 1, 4, 1)
		nullable.Value = append(nullable.Value[:5], 2, 2)
		l, _ := open(t, kafarr.Config{}, message(0, 0, 1, 0), nullable)
		wantPolls(t, l, 1000, "x.A 0", "x.A 1")
	})
}

func TestVersionsOfATypeComeAsOneBatchUnderAReaderSchema(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := func(offset int64, n byte) replay.Message {
			m := message(0, offset, 4, n)
			m.Value = append(m.Value[:5], 2, 2*n)
			return m
		}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Readers: []string{schemas[4].Text}}}, message(0, 0, 1, 0), second(1, 1), message(0, 2, 1, 2), second(3, 3), message(0, 4, 2, 4))
		wantPolls(t, l, 10, "x.A 0 1 2 3", "x.B 4")
	})
}

func TestAVersionThatTheReaderSchemaCannotReadIsRaisedAtEveryPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := `{"type":"record","name":"x.A","fields":[{"name":"n","type":"int"},{"name":"more","type":"string"}]}`
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Readers: []string{reader}}}, message(0, 0, 1, 0), message(0, 1, 2, 1))
		for range 2 {
			_, err := l.Poll(context.Background(), 10, time.Millisecond)
			var e *kafarr.Error
			if !errors.As(err, &e) || e.Code != kafarr.IncompatibleSchemaError || e.Path != "more" || e.SchemaID != 1 || e.Option != "reader_schema" {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestAPollReturnsNoMoreThanItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []replay.Message
		for i := range int64(5) {
			messages = append(messages, message(0, i, 1, byte(i)))
		}
		l, _ := open(t, kafarr.Config{}, messages...)
		wantPolls(t, l, 2, "x.A 0 1", "x.A 2 3", "x.A 4", "")
	})
}

func TestABatchEndsAtItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 1, 1), message(0, 2, 1, 2)} // of 6 bytes
		for bytes, want := range map[int][]string{1: {"x.A 0", "x.A 1", "x.A 2"}, 12: {"x.A 0 1", "x.A 2"}, 1000: {"x.A 0 1 2"}} {
			l, _ := open(t, kafarr.Config{Memory: kafarr.Memory{BatchBytes: bytes}}, messages...)
			wantPolls(t, l, 10, append(want, "")...)
		}
	})
}

func TestRangesNameEachPartitionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, message(0, 5, 1, 0), message(1, 7, 1, 1), message(0, 6, 1, 2), message(0, 9, 1, 3))
		b, err := l.Poll(context.Background(), 10, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		want := []kafarr.Range{{Topic: "t", Partition: 0, First: 5, Next: 10, Rows: 3}, {Topic: "t", Partition: 1, First: 7, Next: 8, Rows: 1}}
		if !slices.Equal(b.Ranges, want) {
			t.Errorf("got %v, want %v", b.Ranges, want)
		}
	})
}

// TestAnInterruptedPollLosesNothing leaves a poll on its way, then asks for fewer rows than it had gathered.
func TestAnInterruptedPollLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []replay.Message
		for i := range int64(7) {
			messages = append(messages, message(int32(i%2), i, 1, byte(i)))
		}
		l, src := open(t, kafarr.Config{}, messages...)
		if _, done, err := l.PollSlice(true, 100, time.Hour, 20*time.Millisecond); done || err != nil {
			t.Fatalf("done %v, error %v", done, err)
		}
		wantPolls(t, l, 3, "x.A 0 1 2")
		wantPolls(t, l, 3, "x.A 3 4 5")
		if got := src.Stored("t", 0); got != 3 {
			t.Errorf("stored offset %d of partition 0, want 3: offset 2 was acknowledged", got)
		}
		wantPolls(t, l, 3, "x.A 6", "")
		if got := src.Stored("t", 0); got != 7 {
			t.Errorf("stored offset %d of partition 0, want 7", got)
		}
	})
}

func TestTheRowsBeforeABadOneComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := message(0, 2, 1, 0)
		bad.Value = append(bad.Value, 9)
		plain := replay.Message{Topic: "t", Offset: 4, Value: []byte(`{"n": 1}`)}
		l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 1, 1), bad, message(0, 3, 1, 3), plain, message(0, 5, 1, 5))
		wantPolls(t, l, 10, "x.A 0 1", "t[0]@2: schema 1: 1 bytes are left over after the last field")
		if got := src.Stored("t", 0); got != 2 {
			t.Errorf("stored offset %d, want 2: the bad row is passed when the next poll is called", got)
		}
		wantPolls(t, l, 10, "x.A 3",
			"t[0]@4: the value begins with byte 0x7b instead of 0x00, the first of the schema-registry header; its first bytes look like an object or array in JSON: set value=\"json\" and schema=, or value=\"string\"",
			"x.A 5", "")
	})
}

// TestATypeWithoutAGoodRowLeavesNoMemory has rows whose first field has reserved memory before they turn out bad, and then another type.
func TestATypeWithoutAGoodRowLeavesNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := message(0, 1, 1, 0)
		bad.Value = append(bad.Value, 9)
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}}, message(0, 0, 1, 0), bad, message(0, 2, 2, 2))
		wantPolls(t, l, 1, "x.A 0", "x.B 2")
	})
}

func TestSkippedRowsAreCountedAndAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := replay.Message{Topic: "t", Offset: 1, Value: []byte{0, 0}}
		last := replay.Message{Topic: "t", Offset: 3, Value: []byte{}}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}}, message(0, 0, 1, 0), bad, message(0, 2, 1, 2), last)
		wantPolls(t, l, 10, "x.A 0 2", "")
		if got := l.Stats().Skipped; got != 2 {
			t.Errorf("%d rows skipped, want 2", got)
		}
		if got := src.Stored("t", 0); got != 4 {
			t.Errorf("stored offset %d, want 4", got)
		}
	})
}

func TestRejectedRowsAreCollectedEvenAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := replay.Message{Topic: "t", Offset: 1, Timestamp: 77, Key: []byte("k"), Value: []byte{1, 2, 3}}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Collect}}, message(0, 0, 1, 0), bad, message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0 2 rejected 1")
		alone, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Collect}}, bad)
		b, err := alone.Poll(context.Background(), 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if b.NumRows() != 0 || b.Rejected.NumRows() != 1 {
			t.Fatalf("%d rows, %v rejected", b.NumRows(), b.Rejected)
		}
		got := ""
		for i, c := range b.Rejected.Columns() {
			got += b.Rejected.ColumnName(i) + "=" + c.ValueStr(0) + " "
		}
		for _, want := range []string{"topic=t", "partition=0", "offset=1", "key=aw==", "value=AQID", "error=FramingError", "message=t[0]@1: the value begins with byte 0x01"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: want %s in it", got, want)
			}
		}
	})
}

func TestAnUnknownSchemaIDIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := registry.Static{1: schemas[1]}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: known}}, message(0, 0, 1, 0), message(0, 1, 2, 1), message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0")
		for range 2 {
			if got := poll(t, l, 10); !strings.HasPrefix(got, "t[0]@1: schema 2: ") {
				t.Errorf("got %q", got)
			}
		}
		_, err := l.Poll(context.Background(), 10, time.Millisecond)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.SchemaNotFoundError || e.SchemaID != 2 {
			t.Errorf("got %#v", err)
		}
	})
}

// flaky fails a number of times before it answers.
type flaky struct {
	failures int
	asked    int
}

func (f *flaky) SchemaByID(ctx context.Context, id int) (registry.Schema, error) {
	if f.asked++; f.asked <= f.failures {
		return registry.Schema{}, &registry.Error{Kind: registry.Unavailable, ID: id, URL: "http://registry", Err: errors.New("503")}
	}
	return schemas.SchemaByID(ctx, id)
}

func TestARegistryThatComesBackInTimeIsNotNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: &flaky{failures: 2}}}, message(0, 0, 1, 0))
		b, err := l.Poll(context.Background(), 1, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if text(b) != "x.A 0" {
			t.Error(text(b))
		}
	})
}

func TestADeadRegistryIsAnErrorAfterMaxTimeAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outage{id: 1}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: o}}, message(0, 0, 1, 0))
		for range 2 {
			_, err := l.Poll(context.Background(), 1, 50*time.Millisecond)
			var e *kafarr.Error
			if !errors.As(err, &e) || e.Code != kafarr.RegistryError || e.Topic != "t" || e.Offset != 0 || e.SchemaID != 1 {
				t.Fatalf("got %v", err)
			}
		}
		o.end()
		b, err := l.Poll(context.Background(), 1, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if text(b) != "x.A 0" {
			t.Error(text(b))
		}
	})
}

func TestASchemaThatCannotBeUsedIsAnErrorOfItsRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, message(0, 0, 6, 0), message(0, 1, 1, 1))
		if got := poll(t, l, 10); !strings.HasPrefix(got, "t[0]@0: schema 6: the schema is not JSON") {
			t.Errorf("got %q", got)
		}
		wantPolls(t, l, 10, "x.A 1")
	})
}

func TestAMetadataColumnThatClashesSaysHowToRename(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{}, message(0, 0, 5, 1))
		_, err := l.Poll(context.Background(), 1, 0)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.Contains(err.Error(), "rename it") {
			t.Fatalf("got %v", err)
		}
		renamed, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Metadata: []kafarr.Metadata{{Column: kafarr.Offset, As: "at"}}}}, message(0, 3, 5, 1))
		b, err := renamed.Poll(context.Background(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if got := b.Record.Schema().Field(1).Name + b.Record.Column(1).ValueStr(0); got != "at3" {
			t.Error(got)
		}
	})
}

func TestAllMetadataColumnsSayWhereARowComesFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := message(3, 9, 1, 1)
		m.Key = []byte("key")
		without := message(3, 10, 1, 2)
		without.Timestamp = 0
		var all []kafarr.Metadata
		for _, c := range []kafarr.MetadataColumn{kafarr.Topic, kafarr.Partition, kafarr.Offset, kafarr.Timestamp, kafarr.TimestampType, kafarr.SchemaID, kafarr.Key, kafarr.Headers} {
			all = append(all, kafarr.Metadata{Column: c})
		}
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Metadata: all}}, m, without)
		b, err := l.Poll(context.Background(), 2, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		want := []string{"n=1,2", "_topic=t,t", "_partition=3,3", "_offset=9,10", "_timestamp=1970-01-01T00:00:01.009Z,(null)",
			"_timestamp_type=CreateTime,(null)", "_schema_id=1,1", "_key=a2V5,(null)", "_headers=[],[]"}
		for i, c := range b.Record.Columns() {
			if got := b.Record.ColumnName(i) + "=" + c.ValueStr(0) + "," + c.ValueStr(1); got != want[i] {
				t.Errorf("got %s, want %s", got, want[i])
			}
		}
	})
}

// TestCommitsFollowALogThatGoesBack has a topic that is re-created under the listener.
func TestCommitsFollowALogThatGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, message(0, 100, 1, 0), message(0, 101, 1, 1), message(0, 0, 1, 2), message(0, 1, 1, 3))
		wantPolls(t, l, 2, "x.A 0 1", "x.A 2 3", "")
		if got := src.Stored("t", 0); got != 2 {
			t.Errorf("stored %d, want 2", got)
		}
	})
}

func TestCommitCoversOnlyWhatIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 2, 1), message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0")
		if err := l.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 1 {
			t.Errorf("committed %d, want 1", got)
		}
		wantPolls(t, l, 10, "x.B 1")
		if got := src.Stored("t", 0); got != 1 {
			t.Errorf("stored %d, want 1: the last rows are not acknowledged", got)
		}
		if err := l.Abort(); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 1 {
			t.Errorf("committed %d after Abort, want 1", got)
		}
	})
}

func TestACleanCloseCommitsAllThatWasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 2, 1))
		wantPolls(t, l, 10, "x.A 0")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 1 {
			t.Errorf("committed %d, want 1: the row of B was not returned", got)
		}
		if _, err := l.Poll(context.Background(), 1, 0); !errors.Is(err, kafarr.ErrClosed) {
			t.Errorf("a poll after Close: %v", err)
		}
	})
}

func TestASecondPollAtOnceIsAnError(t *testing.T) {
	l, _ := open(t, kafarr.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := l.Poll(ctx, 1, time.Hour)
		done <- err
	}()
	for l.Stats().Polls == 0 {
		time.Sleep(time.Millisecond)
	}
	var e *kafarr.Error
	if _, err := l.Poll(ctx, 1, 0); !errors.As(err, &e) || e.Code != kafarr.StateError {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first poll ended with %v", err)
	}
}

func TestBatchesYieldsUntilItsContextEnds(t *testing.T) {
	l, _ := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 2, 1))
	ctx, cancel := context.WithCancel(context.Background())
	var got []string
	for b, err := range l.Batches(ctx, 10, time.Millisecond) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		got = append(got, text(b))
		b.Release()
		if len(got) == 2 {
			cancel()
		}
	}
	cancel()
	if want := []string{"x.A 0", "x.B 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConfigurationErrorsNameTheOption(t *testing.T) {
	for want, cfg := range map[string]kafarr.Config{
		"servers is empty":      {Registry: kafarr.Registry{URL: "http://r"}, Group: "g", Topics: []string{"t"}},
		"group is empty":        {Cluster: kafarr.Cluster{Servers: "s:1"}, Registry: kafarr.Registry{URL: "http://r"}, Topics: []string{"t"}},
		"topics is empty":       {Cluster: kafarr.Cluster{Servers: "s:1"}, Registry: kafarr.Registry{URL: "http://r"}, Group: "g"},
		"registry_url is empty": {Cluster: kafarr.Cluster{Servers: "s:1"}, Group: "g", Topics: []string{"t"}},
		`config: there is no property "no.such.thing"`: {Cluster: kafarr.Cluster{Servers: "s:1", Properties: map[string]string{"no.such.thing": "1"}}, Registry: kafarr.Registry{URL: "http://r"}, Group: "g", Topics: []string{"t"}},
		"config: enable.partition.eof must not be set": {Cluster: kafarr.Cluster{Servers: "s:1", Properties: map[string]string{"enable.partition.eof": "true"}}, Registry: kafarr.Registry{URL: "http://r"}, Group: "g", Topics: []string{"t"}},
		"config: go.logs.channel must not be set":      {Cluster: kafarr.Cluster{Servers: "s:1", Properties: map[string]string{"go.logs.channel": "true"}}, Registry: kafarr.Registry{URL: "http://r"}, Group: "g", Topics: []string{"t"}},
		`metadata: there is no column "x"`:             {Cluster: kafarr.Cluster{Servers: "s:1"}, Registry: kafarr.Registry{URL: "http://r"}, Messages: kafarr.Messages{Metadata: []kafarr.Metadata{{Column: "x"}}}, Group: "g", Topics: []string{"t"}},
	} {
		_, err := kafarr.Open(cfg)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
