package produce

import (
	"bytes"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/sink"
)

// texts writes its values as they are, and overwrites all that it may use as scratch.
type texts []string

func (v texts) Encode(dst []byte, row int) (int, bool) {
	if len(dst) < len(v[row])+format.EncodeMargin {
		return 0, false
	}
	for i := range dst[:min(len(dst), 64)] {
		dst[i] = 0xaa
	}
	return copy(dst, v[row]), true
}

// header and value of a record as another client reads them.
type read struct {
	key, value []byte
	headers    []sink.Header
	timestamp  int64
}

// parse reads a stamped batch with franz-go.
func parse(t testing.TB, raw []byte) (kmsg.RecordBatch, []read) {
	t.Helper()
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	if int(b.Length) != len(raw)-12 || b.Magic != 2 || b.FirstOffset != 0 || b.LastOffsetDelta != b.NumRecords-1 {
		t.Fatalf("header %+v", b)
	}
	if sum := crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(b.CRC) != sum {
		t.Fatalf("sum %x, want %x", b.CRC, sum)
	}
	return b, records(t, &b, b.Records)
}

func records(t testing.TB, b *kmsg.RecordBatch, body []byte) []read {
	t.Helper()
	all := make([]read, b.NumRecords)
	for i := range all {
		length, size := varint(body)
		var rec kmsg.Record
		if err := rec.ReadFrom(body[:size+length]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if int(rec.Length) != length || int(rec.OffsetDelta) != i || rec.Attributes != 0 {
			t.Fatalf("record %d: %+v", i, rec)
		}
		r := read{key: rec.Key, value: rec.Value, timestamp: b.FirstTimestamp + rec.TimestampDelta64}
		for _, h := range rec.Headers {
			r.headers = append(r.headers, sink.Header{Name: h.Key, Value: h.Value})
		}
		all[i] = r
		body = body[size+length:]
	}
	if len(body) > 0 {
		t.Fatalf("%d bytes are left", len(body))
	}
	return all
}

func varint(b []byte) (value, size int) {
	var u uint64
	for {
		u |= uint64(b[size]&0x7f) << (7 * size)
		size++
		if b[size-1] < 0x80 {
			return int(u>>1) ^ -int(u&1), size
		}
	}
}

func equal(a, b read) bool {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	return same(a.key, b.key) && same(a.value, b.value) && a.timestamp == b.timestamp &&
		slices.EqualFunc(a.headers, b.headers, func(x, y sink.Header) bool { return x.Name == y.Name && same(x.Value, y.Value) })
}

var roomy = Bounds{Batch: 1_000_000, Message: 1_000_000}

func TestABatchReadsAsTheRecordsThatWereAppended(t *testing.T) {
	long := strings.Repeat("x", 300)
	values := texts{"a", "", long, "b", strings.Repeat("y", 20_000), "c"}
	prefix := []byte{0, 0, 0, 0, 7}
	rows := []struct {
		Record
		want read
	}{
		{Record{Value: values, Row: 0, Timestamp: 1000}, read{value: []byte("a")}},
		{Record{Value: values, Row: 1, Timestamp: 1000, Key: []byte{}}, read{key: []byte{}, value: []byte{}}},
		{Record{Value: values, Row: 2, Timestamp: 900, Prefix: prefix, Key: []byte("k")}, read{key: []byte("k"), value: []byte("\x00\x00\x00\x00\x07" + long)}},
		{Record{Timestamp: 2000, Key: []byte("gone")}, read{key: []byte("gone")}},
		{Record{Timestamp: 1 << 50}, read{}},
		{Record{Value: values, Row: 4, Timestamp: -5, Prefix: prefix}, read{value: []byte("\x00\x00\x00\x00\x07" + values[4])}},
		{
			Record{Value: values, Row: 5, Headers: []sink.Header{{Name: "trace", Value: []byte("1")}, {Name: "", Value: nil}, {Name: "empty", Value: []byte{}}}},
			read{value: []byte("c"), headers: []sink.Header{{Name: "trace", Value: []byte("1")}, {Name: "", Value: nil}, {Name: "empty", Value: []byte{}}}},
		},
		{Record{Key: []byte(long), Headers: []sink.Header{{Name: long, Value: []byte(long)}}}, read{key: []byte(long), headers: []sink.Header{{Name: long, Value: []byte(long)}}}},
	}
	b := NewBuilder(roomy, Compression{})
	for i := range rows {
		if result := b.Append(&rows[i].Record); result != Added {
			t.Fatalf("row %d: %v", i, result)
		}
	}
	raw, count, size := b.Seal()
	if int(count) != len(rows) || size != len(raw) {
		t.Fatalf("%d records, %d bytes of %d", count, size, len(raw))
	}
	Stamp(raw, 77, 3, 41, true)
	batch, got := parse(t, raw)
	if batch.ProducerID != 77 || batch.ProducerEpoch != 3 || batch.FirstSequence != 41 || batch.Attributes != transactional {
		t.Fatalf("stamp: %+v", batch)
	}
	if batch.FirstTimestamp != 1000 || batch.MaxTimestamp != 1<<50 || batch.PartitionLeaderEpoch != -1 {
		t.Fatalf("times: %+v", batch)
	}
	for i := range rows {
		rows[i].want.timestamp = rows[i].Timestamp
		if !equal(got[i], rows[i].want) {
			t.Fatalf("record %d: %+v, want %+v", i, got[i], rows[i].want)
		}
	}
	Stamp(raw, -1, -1, -1, false)
	if batch, _ := parse(t, raw); batch.ProducerID != -1 || batch.ProducerEpoch != -1 || batch.FirstSequence != -1 || batch.Attributes != 0 {
		t.Fatalf("without a producer id: %+v", batch)
	}
}

func TestRowsAreDividedIntoBatchesThatKeepTheirBoundAndOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make(texts, 5_000)
	for i := range values {
		values[i] = strings.Repeat(string(rune('a'+i%26)), random.IntN(40)*random.IntN(40))
	}
	b := NewBuilder(Bounds{Batch: 50_000, Message: 60_000}, Compression{})
	var all []read
	for next := 0; next < len(values); {
		var result Result
		if next, result = b.AppendRows(values, next, len(values), []byte{9}, 5); result == TooLarge {
			t.Fatal("too large")
		}
		if next < len(values) && b.Bytes() < 50_000-1_600-recordMargin {
			t.Fatalf("full with %d bytes", b.Bytes())
		}
		raw, _, _ := b.Seal()
		if len(raw) > 50_000 {
			t.Fatalf("%d bytes", len(raw))
		}
		Stamp(raw, 1, 0, 0, false)
		_, got := parse(t, raw)
		for i := range got {
			got[i].value = bytes.Clone(got[i].value)
		}
		all = append(all, got...)
		Recycle(raw)
	}
	for i, r := range all {
		if string(r.value) != "\x09"+values[i] {
			t.Fatalf("row %d: %q", i, r.value)
		}
	}
}

func TestALargeRecordIsABatchOfItsOwnAndOneThatNoTopicTakesIsNamed(t *testing.T) {
	values := texts{"small", strings.Repeat("m", 5_000), strings.Repeat("l", 20_000), strings.Repeat("h", 3_000_000)}
	b := NewBuilder(Bounds{Batch: 1_000, Message: 10_000}, Compression{})
	if size := b.Measure(&Record{Value: values, Row: 1}); size < 5_000+headerSize || size > 5_000+headerSize+recordMargin {
		t.Fatalf("measured %d", size)
	}
	if size := b.Measure(&Record{Value: values, Row: 3}); size <= 10_000 {
		t.Fatalf("measured %d", size)
	}
	if result := b.Append(&Record{Value: values, Row: 0}); result != Added {
		t.Fatal(result)
	}
	for row := 1; row <= 3; row++ {
		if result := b.Append(&Record{Value: values, Row: row}); result != Full {
			t.Fatal(row, result)
		}
	}
	raw, count, _ := b.Seal()
	if count != 1 {
		t.Fatal(count)
	}
	Recycle(raw)
	if result := b.Append(&Record{Value: values, Row: 1}); result != Added || b.Records() != 1 {
		t.Fatal(result)
	}
	b.Discard()
	for row := 2; row <= 3; row++ {
		if result := b.Append(&Record{Value: values, Row: row}); result != TooLarge || b.Records() != 0 || b.Bytes() != 0 {
			t.Fatal(row, result)
		}
	}
	// The largest that fits.
	exact := texts{strings.Repeat("e", 10_000-b.Measure(&Record{Value: texts{strings.Repeat("e", 9_000)}})+9_000)}
	if size := b.Measure(&Record{Value: exact}); size != 10_000 {
		t.Fatal(size)
	}
	if result := b.Append(&Record{Value: exact}); result != Added {
		t.Fatal(result)
	}
	if raw, _, _ = b.Seal(); len(raw) != 10_000 {
		t.Fatal(len(raw))
	}
	if result := b.Append(&Record{Value: texts{exact[0] + "e"}}); result != TooLarge {
		t.Fatal(result)
	}
}

func TestVarintsHaveTheSizeThatIsReserved(t *testing.T) {
	var buf [binaryMax]byte
	for shift := range 63 {
		for _, v := range []int64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			if end := putVarint(buf[:], 0, v); end != varintSize(v) {
				t.Fatalf("%d: %d, want %d", v, varintSize(v), end)
			}
			if got, size := varint(buf[:]); int64(got) != v || size != varintSize(v) {
				t.Fatalf("%d reads as %d", v, got)
			}
		}
	}
	for _, v := range []int64{-1, math.MinInt64, math.MaxInt64, -64, -65} {
		putVarint(buf[:], 0, v)
		if got, _ := varint(buf[:]); int64(got) != v {
			t.Fatalf("%d reads as %d", v, got)
		}
	}
}

const binaryMax = 10

func TestNothingIsAllocatedForARow(t *testing.T) {
	values := make(texts, 1_000)
	for i := range values {
		values[i] = strings.Repeat("v", i%50)
	}
	b := NewBuilder(Bounds{Batch: 100_000, Message: 100_000}, Compression{})
	headers := []sink.Header{{Name: "h", Value: []byte("v")}}
	key := []byte("key")
	var encoder format.Encoder = values
	allocated := testing.AllocsPerRun(20, func() {
		for i := range values {
			r := Record{Value: encoder, Row: i, Key: key, Headers: headers, Timestamp: int64(i)}
			if b.Append(&r) != Added {
				t.Fatal("full")
			}
		}
		b.Discard()
	})
	if allocated > 2 { // the buffer's way into the pool and, after a collection, a new buffer
		t.Fatalf("%v allocations", allocated)
	}
}

func TestACutBatchTakesThePlaceOfTheWhole(t *testing.T) {
	values := make(texts, 1_001)
	b := NewBuilder(roomy, Compression{})
	var encoder format.Encoder = values
	for i := range values {
		values[i] = strings.Repeat("v", i%50)
		r := Record{Value: encoder, Row: i, Key: []byte{byte(i)}, Timestamp: 1_000 - int64(i)*3}
		if i%7 == 0 {
			r.Value = nil
			r.Headers = []sink.Header{{Name: "h"}}
		}
		if b.Append(&r) != Added {
			t.Fatal("full")
		}
	}
	raw, _, _ := b.Seal()
	Stamp(raw, 5, 6, 700, false)
	_, want := parse(t, raw)
	first, second, records, err := Split(raw)
	if err != nil || records != 500 {
		t.Fatal(records, err)
	}
	Stamp(first, 5, 6, 700, false)
	Stamp(second, 5, 6, 700+records, false)
	one, got := parse(t, first)
	two, rest := parse(t, second)
	if one.FirstTimestamp != 1_000 || one.MaxTimestamp != 1_000 || two.FirstTimestamp != -500 || two.MaxTimestamp != -500 {
		t.Fatal(one, two)
	}
	if !slices.EqualFunc(append(got, rest...), want, equal) {
		t.Fatal("the parts are not the whole")
	}
	b.Append(&Record{})
	alone, _, _ := b.Seal()
	if _, _, _, err := Split(alone); !errors.Is(err, ErrOneRecord) {
		t.Fatal(err)
	}
}
