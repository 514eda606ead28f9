package fetch

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// row is a record's copy.
type row struct {
	offset     int64
	key, value string // "-": null
	headers    string
	time       int64
	timeType   int32
	epoch      int32
}

func spanText(p unsafe.Pointer, n int32) string {
	if n < 0 {
		return "-"
	}
	return string(unsafe.Slice((*byte)(p), n))
}

func rowOf(r *source.Record) row {
	out := row{offset: r.Offset, key: spanText(r.Key, r.KeyLen), value: spanText(r.Value, r.ValueLen), time: r.Timestamp, timeType: r.TimestampType, epoch: r.LeaderEpoch}
	for _, h := range unsafe.Slice(r.Headers, r.HeaderCount) {
		out.headers += spanText(h.Name, h.NameLen) + "=" + spanText(h.Value, h.ValueLen) + ";"
	}
	return out
}

func dial(t testing.TB, f *fake, cfg Config) *Client {
	t.Helper()
	cfg.Servers = f.servers()
	c, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// readAll reads a range to its end, or its error.
func readAll(t testing.TB, c *Client, r Range) ([]row, Report, error) {
	t.Helper()
	reader := c.Read(r)
	defer reader.Close()
	return drain(t, reader)
}

func drain(t testing.TB, reader *Reader) (out []row, report Report, failed error) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !reader.Ended(); {
		if time.Now().After(deadline) {
			t.Fatalf("the reader hangs at %+v", reader.Report())
		}
		chunks, err := reader.Fetch(1+len(out)%7, 100*time.Millisecond) // one may ask for more than the one before it
		if err != nil {
			failed = err
		}
		for _, chunk := range chunks {
			for i := range chunk.Records {
				out = append(out, rowOf(&chunk.Records[i]))
			}
		}
		reader.Release()
	}
	return out, reader.Report(), failed
}

func values(rows []row) (out []string) {
	for _, r := range rows {
		out = append(out, r.value)
	}
	return out
}

func messages(first, n int) (out []*kgo.Record) {
	for i := range n {
		out = append(out, &kgo.Record{Value: fmt.Appendf(nil, "message %d", first+i), Key: fmt.Appendf(nil, "%d", first+i)})
	}
	return out
}

func TestReaderReadsWhatProducersCompress(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			log := f.topic("t")
			var want []string
			for batch := range 5 {
				f.produce("t", codec, messages(100*batch, 100)...)
				for i := range 100 {
					want = append(want, fmt.Sprintf("message %d", 100*batch+i))
				}
			}
			if !slices.ContainsFunc(log.batches, func(raw []byte) bool { // what does not become smaller is written as it is
				b, _, err := nextBatch(raw, true)
				return err == nil && b.codec().String() == name
			}) {
				t.Fatal("the producer has compressed nothing")
			}
			c := dial(t, f, Config{})
			for _, r := range []Range{{"t", 0, 0, 500}, {"t", 0, 123, 377}, {"t", 0, 100, 200}, {"t", 0, 499, 500}, {"t", 0, 7, 7}} {
				rows, report, err := readAll(t, c, r)
				if err != nil || !slices.Equal(values(rows), want[r.Start:r.End]) {
					t.Fatalf("%v: %d rows, %v", r, len(rows), err)
				}
				if want := (Report{Range: r, Next: r.End, Rows: r.End - r.Start, Ended: Complete}); report != want {
					t.Errorf("%v: %+v", r, report)
				}
			}
		})
	}
}
