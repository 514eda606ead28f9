package fetch

import (
	"strings"
	"testing"
	"time"
)

func TestAPanicOfAGoroutineThatFetchesIsTheReadersError(t *testing.T) {
	c := dial(t, newFake(t, 1), Config{})
	answers := make(chan *answer, 1)
	answers <- nil // what no fetcher sends
	close(answers)
	reader, ctx := c.readerOf(Range{Topic: "t", End: 1}, answers)
	defer reader.Close()
	began := time.Now()
	for !reader.Ended() {
		if time.Since(began) > 10*time.Second {
			t.Fatal("nobody is told")
		}
		if _, err := reader.Fetch(1, time.Millisecond); err != nil {
			if !strings.HasPrefix(err.Error(), "t[0]: panic: ") || !strings.HasPrefix(reader.Report().Ended, "error: t[0]: panic") {
				t.Errorf("got %v, the report says %s", err, reader.Report().Ended)
			}
			if ctx.Err() == nil {
				t.Error("the others continue")
			}
			return
		}
	}
	t.Error("it ended without an error")
}

func TestKeptBuffersHaveABoundForAllOfThem(t *testing.T) {
	b := buffers{most: 10_000}
	var used [][]byte
	for range keptBuffers {
		used = append(used, make([]byte, 0, 1000))
	}
	b.give(used)
	if len(b.free) != 10 {
		t.Errorf("%d buffers are kept, want 10", len(b.free))
	}
	for range 10 {
		if b.take() == nil {
			t.Fatal("a kept one is not given again")
		}
	}
	if b.take() != nil {
		t.Error("there is one too many")
	}
	b.give([][]byte{make([]byte, 0, 10_001), make([]byte, 0, 10_000)})
	if len(b.free) != 1 || cap(b.free[0]) != 10_000 {
		t.Errorf("%d buffers are kept, want the one that has room", len(b.free))
	}
}
