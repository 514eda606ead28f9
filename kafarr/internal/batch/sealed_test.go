package batch_test

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// part is a partition of topic t.
func part(n int32) source.TopicPartition { return source.TopicPartition{Topic: "t", Partition: n} }

// stretch is a run of a partition's rows: these offsets, of [first, next).
type stretch struct {
	partition   int32
	first, next int64
	offsets     []int64
}

// sealed makes a batch of one column, which holds the rows' offsets.
func sealed(rejected *batch.Rejected, stretches ...stretch) *batch.Sealed {
	s := &batch.Sealed{ID: batch.NewID(), MessageType: "x.A"}
	c := column.NewFixed(arrow.PrimitiveTypes.Int64, 8)
	for _, of := range stretches {
		s.Segments = append(s.Segments, batch.Segment{TopicPartition: part(of.partition), Row: len(s.Offsets), Rows: len(of.offsets), First: of.first, Next: of.next})
		for _, offset := range of.offsets {
			c.Append64(uint64(offset))
		}
		s.Offsets = append(s.Offsets, of.offsets...)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "_offset", Type: arrow.PrimitiveTypes.Int64}}, nil)
	if len(s.Offsets) > 0 {
		s.Record = batch.NewRecord(schema, []arrow.ArrayData{c.Finish()}, len(s.Offsets))
	}
	if rejected != nil {
		s.Rejected = rejected.Finish()
	}
	return s
}

// rejectedRow adds a message to what was rejected.
func rejectedRow(r *batch.Rejected, partition int32, offset int64, value string) {
	record := source.Record{Value: unsafe.Pointer(unsafe.StringData(value)), ValueLen: int32(len(value)), KeyLen: -1, Offset: offset}
	r.Append(part(partition), &record, "DecodeError", "it is bad")
}

// told renders a batch: its ranges, then its rows, then what was rejected.
func told(s *batch.Sealed) string {
	var rows []int64
	if s.Record != nil {
		rows = slices.Clone(s.Record.Column(0).(*array.Int64).Int64Values())
	}
	if !slices.Equal(rows, s.Offsets) {
		return fmt.Sprintf("rows %v, offsets %v", rows, s.Offsets)
	}
	out := ""
	for _, r := range s.Ranges() {
		out += fmt.Sprintf("[%d] %d-%d:%d ", r.Partition, r.First, r.Next, r.Rows)
	}
	out += fmt.Sprint(rows)
	if s.Rejected != nil {
		for i := range int(s.Rejected.NumRows()) {
			out += fmt.Sprintf(" rejected %d %s", s.Rejected.Column(2).(*array.Int64).Value(i), s.Rejected.Column(5).(*array.Binary).ValueString(i))
		}
	}
	return out
}

func want(t *testing.T, got []*batch.Sealed, wanted ...string) {
	t.Helper()
	var all []string
	for _, s := range got {
		all = append(all, told(s))
		s.Release()
	}
	if !slices.Equal(all, wanted) {
		t.Errorf("got  %q\nwant %q", all, wanted)
	}
}

// released fails the test if a batch is left.
func released(t *testing.T) {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if left := cmem.Live() - before; left != 0 {
			t.Errorf("%d bytes are left", left)
		}
	})
}

func TestACutGivesTheFirstRowsAndLeavesTheOthers(t *testing.T) {
	released(t)
	rejected := batch.NewRejected()
	rejectedRow(rejected, 0, 1, "bad")
	s := sealed(rejected, stretch{0, 0, 4, []int64{0, 2, 3}}, stretch{1, 7, 9, []int64{7, 8}}, stretch{0, 4, 6, []int64{4, 5}})
	id := s.ID
	head := s.Cut(4)
	if head.ID == id || s.ID != id || head.MessageType != "x.A" {
		t.Errorf("the rest has to keep its ID, and the head to have one of its own: %d, %d, before %d", head.ID, s.ID, id)
	}
	want(t, []*batch.Sealed{head, s}, "[0] 0-4:3 [1] 7-8:1 [0 2 3 7] rejected 1 bad", "[1] 8-9:1 [0] 4-6:2 [8 4 5]")
}

func TestACutBetweenTwoSegmentsDividesNone(t *testing.T) {
	released(t)
	s := sealed(nil, stretch{0, 0, 2, []int64{0, 1}}, stretch{1, 5, 9, []int64{5}})
	want(t, []*batch.Sealed{s.Cut(2), s}, "[0] 0-2:2 [0 1]", "[1] 5-9:1 [5]")
}

func TestABatchWithoutAPartitionIsInPartsThatHoldTheOthersRows(t *testing.T) {
	released(t)
	rejected := batch.NewRejected()
	rejectedRow(rejected, 0, 1, "of 0")
	rejectedRow(rejected, 1, 7, "of 1")
	s := sealed(rejected, stretch{0, 0, 2, []int64{0}}, stretch{1, 7, 9, []int64{8}}, stretch{0, 2, 4, []int64{2, 3}}, stretch{2, 5, 6, []int64{5}}, stretch{1, 9, 10, []int64{9}})
	want(t, s.Without(part(1)), "[0] 0-2:1 [0] rejected 1 of 0", "[0] 2-4:2 [2] 5-6:1 [2 3 5]")
}

func TestRejectedRowsAloneStayWithTheFirstPart(t *testing.T) {
	released(t)
	rejected := batch.NewRejected()
	rejectedRow(rejected, 2, 5, "alone")
	s := sealed(rejected, stretch{0, 0, 2, []int64{0, 1}}, stretch{1, 7, 9, []int64{7}}, stretch{2, 5, 6, nil})
	want(t, s.Without(part(1)), "[0] 0-2:2 [2] 5-6:0 [0 1] rejected 5 alone")
}

func TestABatchOfOnePartitionLeavesNothingWithoutIt(t *testing.T) {
	released(t)
	want(t, sealed(nil, stretch{1, 0, 2, []int64{0, 1}}).Without(part(1)))
}

func TestTheOffsetsOfAPartitionIncludeWhatWasRejectedAndWhatIsAnError(t *testing.T) {
	released(t)
	rejected := batch.NewRejected()
	rejectedRow(rejected, 0, 1, "bad")
	s := sealed(rejected, stretch{0, 0, 3, []int64{0, 2}}, stretch{1, 7, 8, []int64{7}})
	if got := s.OffsetsOf(part(0)); !slices.Equal(got, []int64{0, 2, 1}) {
		t.Error(got)
	}
	s.Release()
	failed := &batch.Sealed{Err: fmt.Errorf("bad"), Segments: []batch.Segment{{TopicPartition: part(1), First: 9, Next: 10}}}
	if got := failed.OffsetsOf(part(1)); !slices.Equal(got, []int64{9}) || !failed.Holds(part(1)) || failed.Holds(part(0)) {
		t.Error(got)
	}
}

func TestOnlyTheLastBatchByItselfIsGivenBackRowByRow(t *testing.T) {
	released(t)
	rejected := batch.NewRejected()
	rejectedRow(rejected, 0, 3, "bad")
	s := sealed(rejected, stretch{0, 0, 3, []int64{0, 2}}, stretch{1, 7, 8, []int64{7}}, stretch{0, 3, 6, []int64{5}})
	last := batch.DeliveredFrom(s)
	s.Release()
	if rows, known := last.Rows([]int64{int64(s.ID)}, part(0)); !known || !slices.Equal(rows, []int64{0, 2, 5, 3}) {
		t.Error(rows, known)
	}
	for _, ids := range [][]int64{nil, {int64(s.ID) + 1}, {int64(s.ID), int64(s.ID) + 1}} {
		if rows, known := last.Rows(ids, part(0)); known || rows != nil {
			t.Error(ids, rows)
		}
	}
}
