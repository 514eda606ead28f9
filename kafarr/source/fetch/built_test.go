package fetch

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// bodies writes its values as they are, and uses what follows them as scratch.
type bodies [][]byte

func (v bodies) Encode(dst []byte, row int) (int, bool) {
	if len(dst) < len(v[row])+format.EncodeMargin {
		return 0, false
	}
	n := copy(dst, v[row])
	for i := range format.EncodeMargin {
		dst[n+i] = 0x55
	}
	return n, true
}

// scripted takes numbers and bytes from what a fuzzer gives.
type scripted struct{ left []byte }

func (s *scripted) number() int {
	if len(s.left) == 0 {
		return 0
	}
	n := int(s.left[0])
	s.left = s.left[1:]
	return n
}

// span gives null, nothing, or bytes of any length that a length's size depends on.
func (s *scripted) span() []byte {
	n := s.number()
	switch {
	case n == 0:
		return nil
	case n < 60:
		return bytes.Repeat([]byte{byte(n)}, n-1)
	case n < 240:
		return bytes.Repeat([]byte{byte(n)}, n*8)
	}
	return bytes.Repeat([]byte{byte(n), 1}, n*40)
}

// built is what a builder was given.
type built struct {
	values  bodies
	records []produce.Record
}

func (s *scripted) rows() built {
	var b built
	timestamp := int64(1_000)
	var prefix []byte
	for len(s.left) > 0 && len(b.records) < 600 {
		r := produce.Record{Row: len(b.values), Timestamp: timestamp}
		body := []byte(nil)
		switch kind := s.number(); {
		case kind < 100: // as the row before: a run of rows
			body = bytes.Repeat([]byte{'r'}, kind)
			r.Prefix = prefix
		case kind < 200:
			timestamp += int64(kind-150) << (kind % 50)
			prefix = s.span()
			body, r.Prefix, r.Timestamp = s.span(), prefix, timestamp
			r.Key = s.span()
		case kind < 230: // a tombstone
			r.Key = s.span()
			r.Row = -1
		default:
			for range kind - 229 {
				r.Headers = append(r.Headers, sink.Header{Name: string(s.span()), Value: s.span()})
			}
			body, r.Key = s.span(), s.span()
		}
		b.values = append(b.values, body)
		b.records = append(b.records, r)
	}
	for i := range b.records {
		if b.records[i].Row >= 0 {
			b.records[i].Value = b.values
		}
	}
	return b
}

// FuzzBuiltBatch builds batches of any rows and reads them again.
func FuzzBuiltBatch(f *testing.F) {
	f.Add(byte(0), uint16(0), []byte{10, 10, 150, 3, 4, 5, 210, 4, 240, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26})
	f.Add(byte(1), uint16(500), bytes.Repeat([]byte{31, 32, 63, 64, 10, 99}, 200))
	f.Add(byte(2), uint16(9), bytes.Repeat([]byte{130, 250, 250, 250, 70, 0, 1, 199, 65, 66, 67}, 20))
	f.Add(byte(3), uint16(60_000), bytes.Repeat([]byte{32, 63, 10, 245, 199, 1, 0, 220}, 100))
	f.Add(byte(4), uint16(2_000), bytes.Repeat([]byte{1}, 3_000))
	f.Fuzz(func(t *testing.T, codec byte, size uint16, script []byte) {
		rows := (&scripted{script}).rows()
		bounds := produce.Bounds{Batch: 100 + int(size), Message: 4 << 20}
		builder := produce.NewBuilder(bounds, produce.Compression{Codec: produce.Codec(codec % 5), Level: produce.DefaultLevel})
		begin := 0
		seal := func(end int) {
			raw, count, size := builder.Seal()
			if int(count) != end-begin || size > bounds.Batch && count > 1 || len(raw) > size {
				t.Fatalf("%d records of %d, %d bytes of %d", count, end-begin, len(raw), size)
			}
			produce.Stamp(raw, 1, 0, 0, false)
			compare(t, raw, &rows, begin, end)
			if count > 1 && begin == 0 {
				first, second, cut, err := produce.Split(raw)
				if err != nil {
					t.Fatal(err)
				}
				produce.Stamp(first, 1, 0, 0, false)
				produce.Stamp(second, 1, 0, cut, false)
				compare(t, first, &rows, 0, int(cut))
				compare(t, second, &rows, int(cut), end)
			}
			produce.Recycle(raw)
			begin = end
		}
		for i := 0; i < len(rows.records); {
			r := &rows.records[i]
			var result produce.Result
			if next := rows.run(i); next > i+1 {
				i, result = builder.AppendRows(r.Value, i, next, r.Prefix, r.Timestamp)
			} else if result = builder.Append(r); result == produce.Added {
				i++
			}
			switch result {
			case produce.TooLarge:
				if builder.Measure(&rows.records[i]) <= bounds.Message {
					t.Fatal("a record that fits is refused")
				}
				return
			case produce.Full:
				seal(i)
			case produce.Added:
			}
		}
		if builder.Records() > 0 {
			seal(len(rows.records))
		}
	})
}

// run is where rows end that differ in their values only.
func (b *built) run(from int) int {
	first := &b.records[from]
	end := from
	for ; end < len(b.records); end++ {
		r := &b.records[end]
		if r.Value == nil || r.Key != nil || r.Headers != nil || r.Timestamp != first.Timestamp || !bytes.Equal(r.Prefix, first.Prefix) {
			break
		}
	}
	return end
}

// compare reads a batch and compares it with the rows [begin, end).
func compare(t *testing.T, raw []byte, rows *built, begin, end int) {
	t.Helper()
	b, rest, err := nextBatch(raw, true)
	if err != nil || len(rest) > 0 || int(b.count) != end-begin {
		t.Fatalf("%d records of %d, %d bytes are left: %v", b.count, end-begin, len(rest), err)
	}
	body := b.records
	if b.codec() != codecNone {
		d := decompressor{bound: 64 << 20}
		if body, err = d.expand(b.codec(), b.records, nil); err != nil {
			t.Fatal(err)
		}
	}
	var r records
	r.begin(b, body)
	got, more, err := r.take(make([]source.Record, 0, b.count+1), 0, 1<<40, true)
	if err != nil || more || len(got) != end-begin {
		t.Fatalf("%d records of %d, and more: %v: %v", len(got), end-begin, more, err)
	}
	most := got[0].Timestamp
	for i := range got {
		want, g := &rows.records[begin+i], &got[i]
		most = max(most, g.Timestamp)
		var value []byte
		if want.Value != nil {
			value = append(append([]byte{}, want.Prefix...), rows.values[want.Row]...)
		}
		if g.Offset != int64(i) || g.Timestamp != want.Timestamp || !same(g.Key, g.KeyLen, want.Key) || !same(g.Value, g.ValueLen, value) || int(g.HeaderCount) != len(want.Headers) {
			t.Fatalf("record %d: %+v is not %+v", i, g, want)
		}
		for j, h := range unsafe.Slice(g.Headers, g.HeaderCount) {
			if !same(h.Name, h.NameLen, []byte(want.Headers[j].Name)) && want.Headers[j].Name != "" || !same(h.Value, h.ValueLen, want.Headers[j].Value) {
				t.Fatalf("record %d: header %d differs", i, j)
			}
		}
	}
	if b.lastTime != most || b.firstTime != got[0].Timestamp {
		t.Fatalf("times %d to %d, and the header says %d to %d", got[0].Timestamp, most, b.firstTime, b.lastTime)
	}
}

func same(p unsafe.Pointer, length int32, want []byte) bool {
	if want == nil {
		return length == -1
	}
	return int(length) == len(want) && bytes.Equal(unsafe.Slice((*byte)(p), length), want)
}
