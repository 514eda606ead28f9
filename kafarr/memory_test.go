package kafarr_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// large are framed byte values of this many bytes each.
func large(n, size int) []replay.Message {
	out := make([]replay.Message, n)
	for i := range out {
		out[i] = replay.Message{Topic: "t", Offset: int64(i), Value: make([]byte, size)}
	}
	return out
}

func TestAMemoryLimitEndsBatchesOfLargeMessagesAtTheirShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, limit = 1 << 20, 32 << 20
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.Bytes}, Memory: kafarr.Memory{Limit: limit}}, large(20, size)...)
		for range 5 { // an eighth of the limit is four messages; without the bound the twenty are one run and one batch
			b, err := l.Poll(t.Context(), 100, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if b.NumRows() != limit/8/size {
				t.Errorf("a batch of %d messages, want %d", b.NumRows(), limit/8/size)
			}
			b.Release()
		}
	})
}

func TestAMessageLargerThanItsShareStillComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.Bytes}, Memory: kafarr.Memory{Limit: kafarr.MinMemoryLimit}}, large(2, 8<<20)...)
		for range 2 {
			b, err := l.Poll(t.Context(), 100, 0)
			if err != nil {
				t.Fatal(err)
			}
			if b.NumRows() != 1 {
				t.Errorf("a batch of %d messages, want 1", b.NumRows())
			}
			b.Release()
		}
	})
}

func TestAMemoryLimitNamesWhatContradictsIt(t *testing.T) {
	valid := kafarr.Config{Cluster: kafarr.Cluster{Servers: "127.0.0.1:9"}, Registry: kafarr.Registry{URL: "http://r"}, Memory: kafarr.Memory{Limit: 64 << 20}, Group: "g", Topics: []string{"t"}}
	for want, change := range map[string]func(*kafarr.Config){
		"memory_limit must be 16777216 bytes (16 MiB) or more, not 16777215": func(c *kafarr.Config) { c.Memory.Limit = kafarr.MinMemoryLimit - 1 },
		"memory_limit must be 16777216 bytes (16 MiB) or more, not -1":       func(c *kafarr.Config) { c.Memory.Limit = -1 },
		"too: config: fetch.max.bytes, config: max.partition.fetch.bytes, config: queued.max.messages.kbytes, limits: batch_bytes: give": func(c *kafarr.Config) {
			c.Memory.BatchBytes = 1
			c.Cluster.Properties = map[string]string{"fetch.max.bytes": "1", "max.partition.fetch.bytes": "1", "queued.max.messages.kbytes": "1", "fetch.min.bytes": "1"}
		},
	} {
		cfg := valid
		change(&cfg)
		_, err := kafarr.Open(cfg)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// librdkafka refuses properties that contradict one another, such as fetch.max.bytes below message.max.bytes.
func TestLibrdkafkaTakesEveryMemoryLimit(t *testing.T) {
	for _, limit := range []int64{kafarr.MinMemoryLimit, 100 << 20, 1 << 30, 64 << 30, 1 << 62} {
		l, err := kafarr.Open(kafarr.Config{
			Cluster:  kafarr.Cluster{Servers: "127.0.0.1:9", Properties: map[string]string{"message.max.bytes": "30000000"}},
			Registry: kafarr.Registry{URL: "http://r"},
			Memory:   kafarr.Memory{Limit: limit},
			Group:    "g",
			Topics:   []string{"t"},
		})
		if err != nil {
			t.Errorf("%d: %v", limit, err)
			continue
		}
		_ = l.Abort()
	}
}

func TestAMemoryLimitBoundsTheLettersOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		cfg := box.config(kafarr.Skip, kafarr.SplitMixed)
		cfg.Memory.Limit = 16 << 20
		var messages []replay.Message
		for i := range int64(6) { // none of them is framed
			messages = append(messages, replay.Message{Topic: "t", Offset: i, Value: bytes.Repeat([]byte("x"), 1<<20)})
		}
		l, _ := box.listen(t, cfg, messages...)
		wantPolls(t, l, 10, "")
		if got := box.came(); got != 2 {
			t.Errorf("%d letters of 1 MiB on their way, want 2: an eighth of the limit", got)
		}
		box.answer(2, nil)
		wantPolls(t, l, 10, "")
		if got := box.came(); got != 4 {
			t.Errorf("%d letters came, want 4", got)
		}
		box.answer(2, nil)
		wantPolls(t, l, 10, "")
		box.answer(2, nil)
	})
}
