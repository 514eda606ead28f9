package fetch

import (
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// seeds are batches of all kinds.
func seeds() [][]byte {
	records := []rec{
		{value: []byte("value"), key: []byte("key"), headers: [][2][]byte{{[]byte("name"), []byte("value")}, {[]byte("null"), nil}}},
		{delta: 1, since: -5, key: []byte{}},
		{delta: 900, since: 1 << 40, value: make([]byte, 300)},
	}
	var out [][]byte
	for _, c := range []codec{codecNone, codecGzip, codecSnappy, codecLZ4, codecZstd} {
		out = append(out, batchOf{base: 17, codec: c, records: records, epoch: 3}.bytes())
	}
	return append(out,
		batchOf{attributes: int16(codecSnappy), body: append([]byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x03"), 1, 0, 5), count: 1}.bytes(),
		batchOf{lastDelta: 5, producer: 8}.bytes(), marked(8, 0).bytes(), marked(8, 1).bytes(),
		batchOf{producer: 8, attributes: transactional | logAppendTime, records: records}.bytes(),
	)
}

// touched reads all that a record points at.
func touched(t *testing.T, r *source.Record) {
	if r.KeyLen < -1 || r.ValueLen < -1 || r.HeaderCount < 0 {
		t.Fatalf("%+v", r)
	}
	n := 0
	see := func(p unsafe.Pointer, length int32) {
		for _, b := range unsafe.Slice((*byte)(p), max(length, 0)) {
			n += int(b)
		}
	}
	see(r.Key, r.KeyLen)
	see(r.Value, r.ValueLen)
	for _, h := range unsafe.Slice(r.Headers, r.HeaderCount) {
		see(h.Name, h.NameLen)
		see(h.Value, h.ValueLen)
	}
}

// FuzzRecordBatch reads one batch, whose checksum it makes right: header, decompression within a small bound, records.
func FuzzRecordBatch(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	const bound = 1 << 16
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, rest, err := nextBatch(raw, false)
		if err != nil {
			return
		}
		if len(rest) >= len(raw) || b.last < b.base || b.count < 0 {
			t.Fatalf("%+v, %d of %d bytes left", b, len(rest), len(raw))
		}
		d := decompressor{bound: bound}
		body := b.records
		if b.codec() != codecNone {
			if body, err = d.expand(b.codec(), b.records, nil); err != nil {
				return
			}
			if len(body) > bound {
				t.Fatalf("%d bytes", len(body))
			}
		}
		_, _ = marker(b, body)
		var r records
		r.begin(b, body)
		out, total, before := make([]source.Record, 0, 16), int32(0), int64(math.MinInt64)
		for more := true; more; {
			var got []source.Record
			got, more, _ = r.take(out, b.base+1, b.last, true)
			for i := range got {
				touched(t, &got[i])
				if got[i].Offset <= before || got[i].Offset <= b.base || got[i].Offset >= b.last {
					t.Fatalf("offset %d after %d, of (%d, %d)", got[i].Offset, before, b.base, b.last)
				}
				before = got[i].Offset
			}
			if total += int32(len(got)); total > b.count {
				t.Fatalf("%d records of %d", total, b.count)
			}
		}
	})
}

// FuzzAnswer reads all that an answer brings of a partition, as a reader does.
func FuzzAnswer(f *testing.F) {
	var all []byte
	for _, s := range seeds() {
		all = append(all, s...)
		f.Add(s, int64(8), int64(0), int64(0), int64(math.MaxInt64))
	}
	f.Add(all, int64(8), int64(0), int64(17), int64(20))
	f.Add(all[:len(all)-3], int64(8), int64(5), int64(0), int64(1000))
	f.Fuzz(func(t *testing.T, raw []byte, producer, first, start, end int64) {
		if start < 0 || end < start {
			return
		}
		p := kmsg.NewFetchResponseTopicPartition()
		p.RecordBatches = raw
		p.AbortedTransactions = []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: producer, FirstOffset: first}}
		a := &answer{}
		_, err := a.read(&p, start, end, false)
		if a.next < start || a.next > end {
			t.Fatalf("%d is not of [%d, %d]", a.next, start, end)
		}
		a.ended, a.err = Complete, err
		if err != nil {
			a.ended = "error"
		}
		answers := make(chan *answer, 1)
		answers <- a
		c := &Client{set: settings{isolation: readCommitted, expandedMax: 1 << 16}, cfg: Config{Headers: true}}
		close(answers)
		r, _ := c.readerOf(Range{"t", 0, start, end}, answers)
		defer r.Close()
		before := int64(-1)
		for !r.Ended() {
			chunks, _ := r.Fetch(10, time.Second)
			for _, c := range chunks {
				for i := range c.Records {
					touched(t, &c.Records[i])
					if o := c.Records[i].Offset; o < start || o >= end || o <= before {
						t.Fatalf("offset %d after %d, of [%d, %d)", o, before, start, end)
					}
					before = c.Records[i].Offset
				}
			}
			r.Release()
		}
		if got := r.Report(); got.Next < start || got.Next > end || got.Next <= before {
			t.Fatalf("%+v after %d", got, before)
		}
	})
}
