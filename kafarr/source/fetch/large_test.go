package fetch

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// TestOneRecordBatchAtATimeBecomesLarge has four readers of batches that all become more than a batch may without waiting for its turn. Each holds what it was given for a while.
func TestOneRecordBatchAtATimeBecomesLarge(t *testing.T) {
	const readers, batches = 4, 3
	value := bytes.Repeat([]byte("large "), (largeBytes+largeBytes/4)/6)
	for _, c := range []codec{codecGzip, codecSnappy, codecLZ4, codecZstd} {
		t.Run(c.String(), func(t *testing.T) {
			f := newFake(t, 1)
			for i := range readers {
				log := f.topic(fmt.Sprint("t", i))
				for range batches {
					log.add(batchOf{codec: c, records: []rec{{value: value}, {delta: 1, value: []byte("small")}}}.bytes())
					log.add(batchOf{codec: c, records: []rec{{value: []byte("small")}}}.bytes())
				}
			}
			var held, most atomic.Int64
			var running sync.WaitGroup
			cfg := Config{Large: NewLargeBatches()}
			for i := range readers {
				reader := dial(t, f, cfg).Read(Range{Topic: fmt.Sprint("t", i), End: 3 * batches})
				running.Go(func() {
					defer func() { _ = reader.Close() }()
					var got []int
					for end := time.Now().Add(2 * time.Minute); !reader.Ended() && time.Now().Before(end); {
						chunks, err := reader.Fetch(1, 100*time.Millisecond)
						if err != nil {
							t.Error(err)
							return
						}
						for _, r := range recordsOf(chunks) {
							got = append(got, int(r.ValueLen))
							if int(r.ValueLen) != len(value) {
								continue
							}
							most.Store(max(most.Load(), held.Add(1)))
							time.Sleep(5 * time.Millisecond)
							if text := spanText(r.Value, r.ValueLen); text != string(value) {
								t.Error("another reader has written into a batch that is being read")
							}
							held.Add(-1)
						}
						reader.Release()
					}
					if want := slices.Repeat([]int{len(value), 5, 5}, batches); !slices.Equal(got, want) {
						t.Errorf("got values of %v bytes, want %v", got, want)
					}
				})
			}
			running.Wait()
			if most.Load() != 1 {
				t.Errorf("%d readers had a large batch at the same time", most.Load())
			}
		})
	}
}

func recordsOf(chunks []source.Chunk) (out []source.Record) {
	for i := range chunks {
		out = append(out, chunks[i].Records...)
	}
	return out
}

func TestAReaderThatIsClosedGivesItsTurnBack(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").add(batchOf{codec: codecZstd, records: []rec{{value: make([]byte, 2*largeBytes)}, {delta: 1, value: []byte("small")}}}.bytes())
	cfg := Config{Large: NewLargeBatches()}
	for range 3 {
		reader := dial(t, f, cfg).Read(Range{Topic: "t", End: 2})
		for end := time.Now().Add(30 * time.Second); ; {
			chunks, err := reader.Fetch(1, 100*time.Millisecond)
			if err != nil || time.Now().After(end) {
				t.Fatal("no record comes:", err)
			}
			if len(chunks) > 0 {
				break
			}
		}
		_ = reader.Close()
	}
}
