package kafarr_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// alternating is A,B,A,B,… at the offsets 0, 1, 2, …
func alternating(n int) []replay.Message {
	var out []replay.Message
	for i := range n {
		out = append(out, message(0, int64(i), uint32(1+i%2), byte(i)))
	}
	return out
}

func TestGroupedTypesComeOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(6)...)
		wantPolls(t, l, 4, "x.A 0 2", "x.B 1 3", "x.A 4", "x.B 5", "")
		if got := src.Stored("t", 0); got != 6 {
			t.Errorf("stored %d", got)
		}
	})
}

// TestAGroupedCommitCoversNoUndeliveredRow has rows of B, not handed over, between those of A that are acknowledged.
func TestAGroupedCommitCoversNoUndeliveredRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(6)...)
		wantPolls(t, l, 6, "x.A 0 2 4")
		if err := l.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 1 {
			t.Errorf("committed %d, want 1: the first row of B is not handed over", got)
		}
		wantPolls(t, l, 6, "x.B 1 3 5")
		if err := l.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 6 {
			t.Errorf("committed %d, want 6", got)
		}
	})
}

func TestBatchesAreCommittedInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed}, Acknowledge: kafarr.OnCommit}, alternating(4)...)
			var batches []*kafarr.Batch
			for {
				b, err := l.Poll(ctx, 100, 5*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				if b.NumRows() == 0 {
					break
				}
				batches = append(batches, b)
			}
			if got := src.Stored("t", 0); got != -1 {
				t.Errorf("stored %d: polling acknowledges nothing", got)
			}
			slices.Reverse(batches)
			var got []int64
			for _, b := range batches {
				if err := l.Commit(ctx, b); err != nil {
					t.Fatal(err)
				}
				got = append(got, src.Committed("t", 0))
				b.Release()
			}
			want := map[kafarr.Mixed][]int64{kafarr.SplitMixed: {0, 0, 0, 4}, kafarr.GroupMixed: {0, 4}}[mixed]
			if !slices.Equal(got, want) {
				t.Errorf("mixed %d: committed %v, want %v", mixed, got, want)
			}
		}
	})
}

func TestTheCommitOfABatchPassesTheErrorsThatWereRaisedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := func(offset int64) replay.Message {
			m := message(0, offset, 1, 0)
			m.Value = append(m.Value, 9)
			return m
		}
		l, src := open(t, kafarr.Config{Acknowledge: kafarr.OnCommit}, message(0, 0, 1, 0), bad(1), message(0, 2, 1, 2), bad(3))
		take := func() *kafarr.Batch {
			b, err := l.Poll(context.Background(), 10, 0)
			if err != nil {
				var e *kafarr.Error
				if !errors.As(err, &e) || e.Code != kafarr.DecodeError {
					t.Fatal(err)
				}
				return nil
			}
			t.Cleanup(b.Record.Release)
			return b
		}
		first := take()
		if take() != nil {
			t.Fatal("no error")
		}
		second := take()
		if take() != nil {
			t.Fatal("no error")
		}
		for _, step := range []struct {
			batch *kafarr.Batch
			want  int64
		}{{first, 1}, {second, 3}} { // the error after the second batch is nobody's yet
			if err := l.Commit(context.Background(), step.batch); err != nil {
				t.Fatal(err)
			}
			if got := src.Committed("t", 0); got != step.want {
				t.Errorf("committed %d, want %d", got, step.want)
			}
		}
		if err := l.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != 4 {
			t.Errorf("committed %d after all was acknowledged, want 4", got)
		}
	})
}

func TestACleanCloseCommitsOnlyWhatCommitNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Acknowledge: kafarr.OnCommit}, alternating(2)...)
		wantPolls(t, l, 1, "x.A 0", "x.B 1")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got := src.Committed("t", 0); got != -1 {
			t.Errorf("committed %d", got)
		}
	})
}

func TestGroupedBadRowsAreToldAfterTheBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := message(0, 2, 1, 0)
		bad.Value = append(bad.Value, 9)
		plain := replay.Message{Topic: "t", Offset: 4, Value: []byte(`{}`)}
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 2, 1), bad, message(0, 3, 1, 3), plain, message(0, 5, 2, 5)}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, messages...)
		wantPolls(t, l, 10, "x.A 0 3", "x.B 1", "t[0]@2: schema 1: 1 bytes are left over after the last field")
		if got := src.Stored("t", 0); got != 2 {
			t.Errorf("stored %d, want 2: the bad row is passed when the next poll is called", got)
		}
		wantPolls(t, l, 10, "t[0]@4: the value begins with byte 0x7b instead of 0x00, the first of the schema-registry header; its first bytes look like an object or array in JSON: set value=\"json\" and schema=, or value=\"string\"", "x.B 5", "")
		if got := src.Stored("t", 0); got != 6 {
			t.Errorf("stored %d, want 6", got)
		}
		collected, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Errors: kafarr.Collect}}, messages...)
		wantPolls(t, collected, 10, "x.A 0 3 rejected 2", "x.B 1 5", "")
		skipped, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed, Errors: kafarr.Skip}}, messages...)
		wantPolls(t, skipped, 10, "x.A 0 3", "x.B 1 5", "")
	})
}

func TestAGroupedBatchIsCutForASmallerPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, alternating(8)...)
		wantPolls(t, l, 8, "x.A 0 2 4 6")
		wantPolls(t, l, 3, "x.B 1 3 5")
		if got := src.Stored("t", 0); got != 1 {
			t.Errorf("stored %d, want 1", got)
		}
		wantPolls(t, l, 3, "x.B 7")
		if got := src.Stored("t", 0); got != 7 {
			t.Errorf("stored %d, want 7", got)
		}
	})
}

// TestRowsOfALostPartitionAreDropped takes a partition away while its rows are half-built, between those of another.
func TestRowsOfALostPartitionAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			var messages []replay.Message
			for i := range int64(6) {
				messages = append(messages, message(int32(i%2), i, 1, byte(i)))
			}
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, Metadata: columns(kafarr.Partition)}}, messages...)
			if _, done, err := l.PollSlice(true, 100, time.Hour, 20*time.Millisecond); done || err != nil {
				t.Fatalf("done %v, error %v", done, err)
			}
			src.Revoke(source.Position{Topic: "t", Partition: 0})
			wantPolls(t, l, 100, "x.A 1", "x.A 3", "x.A 5", "")
			if err := l.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			if kept, lost := src.Committed("t", 1), src.Committed("t", 0); kept != 6 || lost != -1 {
				t.Errorf("committed %d of the partition that stays, %d of the one that was lost", kept, lost)
			}
		}
	})
}

func TestACommitForALostPartitionSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{}, message(0, 0, 1, 0), message(0, 1, 1, 1))
		b, err := l.Poll(context.Background(), 1, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		wantPolls(t, l, 1, "")
		var e *kafarr.Error
		if err := l.Commit(context.Background(), b); !errors.As(err, &e) || e.Code != kafarr.GroupError || e.Topic != "t" {
			t.Errorf("got %v", err)
		}
	})
}

// TestACommitForALostPartitionCoversTheOthers has a batch of two partitions, one of which is lost before the batch is committed.
func TestACommitForALostPartitionCoversTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Acknowledge: kafarr.OnCommit}, message(0, 0, 1, 0), message(1, 0, 1, 1), message(1, 1, 1, 2))
		b, err := l.Poll(context.Background(), 2, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		wantPolls(t, l, 2, "x.A 2")
		var e *kafarr.Error
		if err := l.Commit(context.Background(), b); !errors.As(err, &e) || e.Code != kafarr.GroupError || e.Partition != 0 {
			t.Errorf("got %v", err)
		}
		if kept, lost := src.Committed("t", 1), src.Committed("t", 0); kept != 1 || lost != -1 {
			t.Errorf("committed %d of the partition that stays, %d of the one that was lost", kept, lost)
		}
	})
}

// TestRejectedRowsOfALostPartitionAreDropped has a bad row in each of two partitions, of which one is lost before anything is handed over.
func TestRejectedRowsOfALostPartitionAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			var messages []replay.Message
			for i := range int64(6) {
				m := message(int32(i%2), i, 1, byte(i))
				if i == 2 || i == 3 {
					m.Value, m.Key = []byte("bad"), []byte("key")
				}
				messages = append(messages, m)
			}
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, Errors: kafarr.Collect}}, messages...)
			if _, done, err := l.PollSlice(true, 100, time.Hour, 20*time.Millisecond); done || err != nil {
				t.Fatalf("done %v, error %v", done, err)
			}
			src.Revoke(source.Position{Topic: "t", Partition: 0})
			wantPolls(t, l, 100, "x.A 1 rejected 1", "x.A 5", "")
			if kept, lost := src.Stored("t", 1), src.Stored("t", 0); kept != 6 || lost != -1 {
				t.Errorf("stored %d of the partition that stays, %d of the one that was lost", kept, lost)
			}
		}
	})
}

// TestACutBatchAcknowledgesNoRejectedRowThatWasNotHandedOver cuts a batch after a rejected row.
func TestACutBatchAcknowledgesNoRejectedRowThatWasNotHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := []replay.Message{message(0, 0, 1, 0), {Topic: "t", Offset: 1, Value: []byte("bad")}, message(0, 2, 1, 2), message(0, 3, 1, 3)}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Collect}}, messages...)
		if _, done, err := l.PollSlice(true, 100, time.Hour, 20*time.Millisecond); done || err != nil {
			t.Fatalf("done %v, error %v", done, err)
		}
		wantPolls(t, l, 2, "x.A 0 2 rejected 1", "x.A 3", "")
		if got := src.Stored("t", 0); got != 4 {
			t.Errorf("stored %d", got)
		}
	})
}

// TestRowsWhoseSchemaCannotBeHadAreSkippedOrCollected has a value of an unknown schema, and a key of one, between good rows.
func TestRowsWhoseSchemaCannotBeHadAreSkippedOrCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := []byte{0, 0, 0, 0, 99, 0}
		messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 99, 1), message(0, 2, 1, 2), message(0, 3, 1, 3), message(0, 4, 99, 4), message(0, 5, 1, 5)}
		keyed := []replay.Message{message(0, 0, 1, 0), message(0, 1, 1, 1), message(0, 2, 1, 2)}
		keyed[1].Key = unknown
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			skipping, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, Errors: kafarr.Skip, SchemaPatience: -1}}, messages...)
			wantPolls(t, skipping, 10, "x.A 0 2 3 5", "")
			if got := src.Stored("t", 0); got != 6 {
				t.Errorf("stored %d", got)
			}
			collecting, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, Errors: kafarr.Collect, SchemaPatience: -1}}, messages...)
			wantPolls(t, collecting, 10, "x.A 0 2 3 5 rejected 2", "")
			byKey, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, SchemaPatience: -1, Errors: kafarr.Collect, Metadata: columns(kafarr.Key), Key: kafarr.Avro}}, keyed...)
			wantPolls(t, byKey, 10, "x.A 0 2 rejected 1", "")
			nulls := []replay.Message{message(0, 0, 99, 0), tombstone(1, nil), message(0, 2, 1, 2), message(0, 3, 99, 3), tombstone(4, nil)}
			kept, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: mixed, SchemaPatience: -1, Errors: kafarr.Collect, Tombstones: kafarr.KeepTombstones, Metadata: columns(kafarr.Offset, kafarr.Tombstone)}}, nulls...)
			wantRendered(t, kept, "x.A n=(null),2,(null) _offset=1,2,4 _tombstone=true,false,true", "")
		}
	})
}

// TestRowsOfOneTypeStayInTheirOrderWhateverTheirSchemas has two schemas of the same columns in turns, and both are known.
func TestRowsOfOneTypeStayInTheirOrderWhateverTheirSchemas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, message(0, 0, 1, 0), message(0, 1, 3, 1))
		wantPolls(t, l, 10, "x.A 0 1")
		src.Add(message(0, 2, 1, 2), message(0, 3, 2, 3), message(0, 4, 3, 4), message(0, 5, 1, 5), message(0, 6, 2, 6), message(0, 7, 3, 7))
		wantPolls(t, l, 10, "x.A 2 4 5 7", "x.B 3 6", "")
	})
}
