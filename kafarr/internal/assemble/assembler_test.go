package assemble

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// book is a ledger that writes down what it is told: "take 0-2" and "skip 3".
type book struct{ lines []string }

func (b *book) Take(_ source.TopicPartition, _ batch.ID, first, next int64) {
	b.lines = append(b.lines, fmt.Sprintf("take %d-%d", first, next))
}
func (b *book) Skip(_ source.TopicPartition, next int64) {
	b.lines = append(b.lines, fmt.Sprintf("skip %d", next))
}
func (b *book) Split(_, _ batch.ID, ranges []batch.Range) {
	b.lines = append(b.lines, fmt.Sprintf("split at %d", ranges[0].Next))
}
func (b *book) Replace(_ batch.ID, parts []delivery.Part) {
	b.lines = append(b.lines, fmt.Sprintf("replace by %d", len(parts)))
}

// assembling makes an Assembler of the schemas of a routing, whose poll wants ten rows.
func assembling(t *testing.T, cfg Config) (*Assembler, *book) {
	t.Helper()
	ledger := &book{}
	cfg.Schemas = routing(t, cfg.Mixed, cfg.Tombstones, false).schemas
	cfg.BatchBytes, cfg.Ledger, cfg.Columns = 1<<20, ledger, Options{Metadata: []Metadata{{Column: Offset}}}
	a := New(cfg)
	a.Begin(10)
	t.Cleanup(a.Release)
	return a, ledger
}

// addAll gives an Assembler the records of a partition as a poll does, and returns why it stopped before them all.
func addAll(a *Assembler, partition int32, records []source.Record) (left []source.Record, last Added) {
	chunk := &source.Chunk{Topic: "t", Partition: partition, Records: records}
	for len(records) > 0 && a.Room() > 0 {
		a.BeginRecords()
		last = a.Add(chunk, a.Within(records), records)
		records = records[last.N:]
		if last.Stop != NeedFetch {
			return records, last
		}
	}
	return records, Added{}
}

// delivered renders what an Assembler delivers: the type and offsets of a batch, what was rejected, errors.
func delivered(a *Assembler) (out []string) {
	a.SealAll()
	for s := a.Next(); s != nil; s = a.Next() {
		text := ""
		if s.Record != nil {
			column := s.Record.Column(int(s.Record.NumCols()) - 1).(*array.Int64)
			text = fmt.Sprint(s.MessageType, column.Int64Values())
		}
		if s.Rejected != nil {
			text += fmt.Sprintf(" rejected %v", s.Rejected.Column(2).(*array.Int64).Int64Values())
		}
		if s.Err != nil {
			text = fmt.Sprintf("error at %d", s.Err.(*status.Error).Offset) //nolint:errorlint // it is that very type
		}
		out = append(out, strings.TrimSpace(text))
		s.Release()
	}
	return out
}

func TestOnePolicyDealsWithRecordsThatCannotBecomeRows(t *testing.T) {
	for _, c := range []struct {
		mixed  Mixed
		errors ErrorMode
		words  string
		want   string // what comes in turn, of polls
		ledger string
	}{
		{SplitMixed, Raise, "1 1! 1 ? 9 1", "T1[0]; error at 1; T1[2]; error at 3; error at 4; T1[5]", "take 0-1 take 1-2 take 2-3 take 3-4 take 4-5 take 5-6"},
		{SplitMixed, Skip, "1 1! 1 ? 9 1", "T1[0 2 5]", "take 0-1 skip 2 take 2-3 skip 4 skip 5 take 5-6"},
		{SplitMixed, Collect, "1 1! 1 ? 9 1", "T1[0 2 5] rejected [1 3 4]", "take 0-1 take 1-2 take 2-3 take 3-4 take 4-5 take 5-6"},
		{GroupMixed, Raise, "1 2 1! 1 2", "T1[0 3]; T2[1 4]; error at 2", "take 0-1 take 2-3 take 3-4 take 1-5 skip 5"},
		{GroupMixed, Skip, "1 2 1! 1 2", "T1[0 3]; T2[1 4]", "take 0-1 take 3-4 take 1-5 skip 5"},
		{GroupMixed, Collect, "1 2 1! 1 2", "T1[0 3] rejected [2]; T2[1 4]", "take 0-1 take 2-3 take 3-4 take 1-5 skip 5"},
		{GroupMixed, Skip, "? 9 1", "T1[2]", "skip 1 skip 2 take 2-3 skip 3"},
	} {
		var rejected []int64
		a, ledger := assembling(t, Config{Mixed: c.mixed, Errors: c.errors, Rejected: func(_ *source.Chunk, r *source.Record, _ *status.Error) { rejected = append(rejected, r.Offset) }})
		var got []string
		bad := int64(0)
		for records := framedRecords(c.words); len(records) > 0; {
			records, _ = addAll(a, 0, records)
			got = append(got, delivered(a)...)
		}
		for _, word := range strings.Fields(c.words) {
			if strings.ContainsAny(word, "!?9") {
				bad++
			}
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("mixed %d, errors %d: %s, want %s", c.mixed, c.errors, text, c.want)
		}
		if text := strings.Join(ledger.lines, " "); text != c.ledger {
			t.Errorf("mixed %d, errors %d: %s, want %s", c.mixed, c.errors, text, c.ledger)
		}
		counters := a.Counters()
		if int64(len(rejected)) != bad || c.errors == Skip && counters.Skipped.Load() != bad || c.errors == Collect && counters.Rejected.Load() != bad {
			t.Errorf("mixed %d, errors %d: %v were rejected, %d skipped, %d collected", c.mixed, c.errors, rejected, counters.Skipped.Load(), counters.Rejected.Load())
		}
	}
}

func TestARecordWhoseSchemaIsBeingLookedUpIsNotTaken(t *testing.T) {
	a, ledger := assembling(t, Config{})
	left, why := addAll(a, 0, framedRecords("1 1 8 1"))
	if len(left) != 2 || why.Stop != SchemaPending || why.Wait == nil {
		t.Errorf("%d are left, %+v", len(left), why)
	}
	if got := delivered(a); !slices.Equal(got, []string{"T1[0 1]"}) || !slices.Equal(ledger.lines, []string{"take 0-2"}) {
		t.Error(got, ledger.lines)
	}
}

func TestABatchEndsWhereTheTypeChangesAndTombstonesComeAfterTheirRows(t *testing.T) {
	a, _ := assembling(t, Config{})
	left, why := addAll(a, 0, framedRecords("1 - 1 2"))
	if len(left) != 1 || why.Stop != SchemaChanged {
		t.Errorf("%d are left, %+v", len(left), why)
	}
	if got := delivered(a); !slices.Equal(got, []string{"T1[0 2]", "null[1]"}) {
		t.Error(got)
	}
}

func TestARowOfATombstonesKeyEndsTheBatch(t *testing.T) {
	a, _ := assembling(t, Config{})
	left, why := addAll(a, 0, framedRecords("1/1 -/2 1/1 1/2")) // keys are the schema's number and the offset: another key each
	if len(left) != 0 {
		t.Errorf("%d are left, %+v", len(left), why)
	}
	delivered(a)
	records := framedRecords("1/1 -/2 1/1")
	records[2].Key, records[2].KeyLen = records[1].Key, records[1].KeyLen
	left, why = addAll(a, 0, records)
	if len(left) != 1 || why.Stop != SchemaChanged {
		t.Errorf("%d are left, %+v", len(left), why)
	}
}

func TestASmallerPollGetsTheFirstRowsOfABatch(t *testing.T) {
	a, ledger := assembling(t, Config{Mixed: GroupMixed})
	addAll(a, 0, framedRecords("1 1 1 2"))
	a.SealAll()
	a.Begin(2)
	if got := delivered(a); !slices.Equal(got, []string{"T1[0 1]", "T1[2]", "T2[3]"}) || !slices.Contains(ledger.lines, "split at 2") {
		t.Error(got, ledger.lines)
	}
}

func TestDroppingAPartitionKeepsTheOthersRows(t *testing.T) {
	released(t)
	a, ledger := assembling(t, Config{Mixed: GroupMixed, Errors: Raise})
	addAll(a, 0, framedRecords("1 2 1"))
	addAll(a, 1, framedRecords("1 1!"))
	dropped := a.Drop(source.TopicPartition{Topic: "t"})
	slices.Sort(dropped)
	if !slices.Equal(dropped, []int64{0, 1, 2}) || !slices.Contains(ledger.lines, "replace by 1") || !slices.Contains(ledger.lines, "replace by 0") {
		t.Error(dropped, ledger.lines)
	}
	if got := delivered(a); !slices.Equal(got, []string{"T1[0]", "error at 1"}) {
		t.Error(got)
	}
	addAll(a, 1, framedRecords("1!"))
	if dropped := a.Drop(source.TopicPartition{Topic: "t", Partition: 1}); !slices.Equal(dropped, []int64{0}) || a.Pending() {
		t.Error("the error of a dropped partition is still to come", dropped)
	}
}
