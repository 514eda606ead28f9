package lz4

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	pierrec "github.com/pierrec/lz4/v4"
)

// words are bytes that lz4 makes shorter, noise are bytes that it does not.
func words(n int) []byte {
	random := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, 0, n+20)
	for len(b) < n {
		b = strconv.AppendInt(append(b, " words and "...), int64(random.IntN(1000)), 10)
	}
	return b[:n]
}

func noise(n int) []byte {
	random := rand.New(rand.NewPCG(2, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestAnotherReaderReadsFramesOfEverySizeAndLevel(t *testing.T) {
	for _, n := range []int{0, 1, 12, 13, 1 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 256<<10 + 1, 1 << 20, 4<<20 - 1, 4 << 20, 4<<20 + 1, 9 << 20} {
		for _, level := range []int{-1, 0, LeastHigh, MostHigh + 5} {
			if level >= LeastHigh && n > 1<<20 {
				continue // slow
			}
			for name, make := range map[string]func(int) []byte{"words": words, "noise": noise} {
				from := make(n)
				to := bytes.Repeat([]byte{0xee}, Bound(n)+1)
				end := Frame(to[:Bound(n)], from, level)
				if to[Bound(n)] != 0xee {
					t.Fatalf("%d %s at level %d: a byte past the bound is written", n, name, level)
				}
				if name == "words" && n > 100 && end > n*9/10 {
					t.Errorf("%d bytes become %d at level %d", n, end, level)
				}
				got, err := io.ReadAll(pierrec.NewReader(bytes.NewReader(to[:end])))
				if err != nil || !bytes.Equal(got, from) {
					t.Fatalf("%d %s at level %d: %d bytes, %v", n, name, level, len(got), err)
				}
			}
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	from := words(1 << 20)
	to := make([]byte, Bound(len(from)))
	b.SetBytes(int64(len(from)))
	b.ReportAllocs()
	for b.Loop() {
		Frame(to, from, 0)
	}
}
