package partitions_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

var k = source.TopicPartition{Topic: "t", Partition: 1}

func TestARunEndsWhereTheClientBeganAgain(t *testing.T) {
	for name, c := range map[string]struct {
		reset partitions.Offset
		run   []int64
		want  int
	}{
		"without gaps":                        {run: []int64{4, 5, 6}, want: 3},
		"a gap is nothing special":            {run: []int64{4, 7, 9}, want: 3},
		"an earlier offset":                   {run: []int64{4, 5, 0, 1}, want: 2},
		"after an offset that was not there":  {reset: partitions.At(6), run: []int64{4, 5, 8}, want: 2},
		"all before that offset":              {reset: partitions.At(20), run: []int64{4, 5, 8}, want: 3},
		"all after that offset":               {reset: partitions.At(2), run: []int64{4, 5, 8}, want: 3},
		"one record says nothing of the next": {reset: partitions.At(4), run: []int64{4}, want: 1},
	} {
		p := partitions.Partition{Reset: c.reset}
		if got := p.UntilDiscontinuity(recordsOf(c.run...)); len(got) != c.want {
			t.Errorf("%s: %d records, want %d", name, len(got), c.want)
		}
	}
}

func TestTheNextRecordFollowsOrDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		next, reset partitions.Offset
		first       int64
		how         partitions.Continuity
		expected    int64
	}{
		"nothing was read":                          {first: 7, how: partitions.Follows},
		"the next one":                              {next: partitions.At(7), first: 7, how: partitions.Follows, expected: 7},
		"a later one":                               {next: partitions.At(7), first: 9, how: partitions.Follows, expected: 7},
		"an earlier one":                            {next: partitions.At(7), first: 3, how: partitions.WentBack, expected: 7},
		"after deleted records":                     {next: partitions.At(7), reset: partitions.At(7), first: 12, how: partitions.Skipped, expected: 7},
		"fetched before the client began again":     {next: partitions.At(5), reset: partitions.At(7), first: 5, how: partitions.Follows, expected: 5},
		"before the first offset that was asked":    {reset: partitions.At(7), first: 0, how: partitions.WentBack, expected: 7},
		"the offset that was asked, there it is":    {reset: partitions.At(7), first: 7, how: partitions.Follows, expected: 7},
		"back, in a log that was asked in vain too": {next: partitions.At(7), reset: partitions.At(9), first: 2, how: partitions.WentBack, expected: 7},
	} {
		p := partitions.Partition{Next: c.next, Reset: c.reset}
		how, expected := p.Follow(c.first)
		if how != c.how || expected != c.expected {
			t.Errorf("%s: got %v, %d, want %v, %d", name, how, expected, c.how, c.expected)
		}
		if how == partitions.WentBack && (p.Next != partitions.At(c.first) || p.Reset.Known || p.Discontinued.IsZero()) {
			t.Errorf("%s: the partition did not go back: %+v", name, p)
		}
		if how == partitions.Skipped && p.Reset.Known {
			t.Errorf("%s: it would be reported again: %+v", name, p)
		}
	}
}

// TestEachDiscardedRowComesOnceMore discards random rows of a partition, also while others are read again, and reads it until the end.
func TestEachDiscardedRowComesOnceMore(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		const end = 40
		var p partitions.Partition
		count := make([]int, end) // how often each row was delivered and not discarded
		at, taken := 0, 0
		for discards := 0; at < end; {
			n := min(1+r.IntN(8), end-at)
			offsets := make([]int64, n)
			for i := range offsets {
				offsets[i] = int64(at + i)
			}
			delivered, rest := p.Undelivered(recordsOf(offsets...))
			if delivered > 0 {
				at += delivered
				continue
			}
			for _, record := range rest {
				count[record.Offset]++
			}
			at += len(rest)
			taken = max(taken, at)
			if discards < 4 && r.IntN(3) == 0 { // any rows of those before, which are read again from the first of them on
				discards++
				var gone []int64
				for offset := range taken {
					if count[offset] == 1 && r.IntN(4) == 0 {
						count[offset]--
						gone = append(gone, int64(offset))
					}
				}
				if len(gone) > 0 {
					for offset := at; offset < taken; offset++ { // what was to come again, and has not yet
						if count[offset] == 0 && !slices.Contains(gone, int64(offset)) {
							gone = append(gone, int64(offset))
						}
					}
					p.Redeliver(gone, int64(taken))
					at = int(slices.Min(gone))
				}
			}
		}
		for offset, n := range count {
			if n != 1 {
				t.Fatalf("seed %d: row %d was delivered %d times: %v", seed, offset, n, count)
			}
		}
	}
}

func TestTheBufferGivesEachRecordOnce(t *testing.T) {
	var b partitions.Buffer
	other := source.TopicPartition{Topic: "t", Partition: 2}
	b.Hold([]source.Chunk{chunkOf(k, 1, 2, 3), chunkOf(other, 7), chunkOf(k, 4)})
	if at := b.Next(); at != k.At(1) {
		t.Errorf("the first record is %v", at)
	}
	b.Take(2)
	if at, any := b.First(k); !any || at != 3 {
		t.Errorf("the first record of %v is %d %v", k, at, any)
	}
	b.Drop(k)
	if _, any := b.First(k); any {
		t.Errorf("records of %v are left", k)
	}
	if chunk, records := b.Rest(); chunk.TopicPartition() != other || len(records) != 1 || records[0].Offset != 7 {
		t.Errorf("got %v of %v", records, chunk)
	}
	b.Take(1)
	if chunk, _ := b.Rest(); chunk != nil {
		t.Errorf("records are left: %v", chunk)
	}
}

func TestTheTableKnowsWhereNothingMayBeReadYet(t *testing.T) {
	table := partitions.NewTable()
	table.Of(k).Start = partitions.StartUnresolvedPaused
	table.Of(source.TopicPartition{Topic: "t"}).ResetTo(5)
	if got := table.Unresolved(); !slices.Equal(got, []source.TopicPartition{k}) {
		t.Errorf("got %v", got)
	}
	if got := table.Resets(); len(got) != 1 || got[source.TopicPartition{Topic: "t"}] != 5 {
		t.Errorf("got %v", got)
	}
}

func recordsOf(offsets ...int64) []source.Record {
	out := make([]source.Record, len(offsets))
	for i, offset := range offsets {
		out[i].Offset = offset
	}
	return out
}

func chunkOf(k source.TopicPartition, offsets ...int64) source.Chunk {
	return source.Chunk{Topic: k.Topic, Partition: k.Partition, Records: recordsOf(offsets...)}
}
