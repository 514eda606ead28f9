package fetch

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestAnAnswerThatDoesNotNameTheTopicIsNotAskedForWithoutAPause(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t")
	f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
		if m, ok := req.(*kmsg.MetadataRequest); ok && len(m.Topics) > 0 {
			m.Topics = []kmsg.MetadataRequestTopic{}
			return f.metadata(m)
		}
		return nil
	}
	c := dial(t, f, Config{RetryTimeout: 300 * time.Millisecond})
	_, _, err := readAll(t, c, Range{Topic: "t", End: 1})
	if !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
	if n := f.count(kmsg.Metadata.Int16()); n > 20 {
		t.Errorf("%d requests within 300 ms", n)
	}
}

func TestPartitionsThatAnAnswerLeavesOutAreAnErrorOfThePlan(t *testing.T) {
	for name, numbers := range map[string][]int32{"no partition": {}, "a gap": {0, 2}, "without the first": {1}, "below zero": {-1, 0}} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			f.topic("t")
			var passes atomic.Bool
			f.answer = func(broker int32, req kmsg.Request) kmsg.Response {
				m, ok := req.(*kmsg.MetadataRequest)
				if !ok || passes.Load() {
					return nil
				}
				resp := f.usual(broker, m).(*kmsg.MetadataResponse)
				one := resp.Topics[0].Partitions[0]
				resp.Topics[0].Partitions = nil
				for _, one.Partition = range numbers {
					resp.Topics[0].Partitions = append(resp.Topics[0].Partitions, one)
				}
				return resp
			}
			c := dial(t, f, Config{RetryTimeout: 300 * time.Millisecond, Properties: map[string]string{"retry.backoff.ms": "5", "retry.backoff.max.ms": "20"}})
			if found, err := c.Partitions(t.Context(), []string{"t"}); !errors.Is(err, errNoAnswer) || !strings.Contains(err.Error(), "topic t: ") {
				t.Errorf("%v, %v", found, err)
			}
			passes.Store(true)
			if found, err := c.Partitions(t.Context(), []string{"t"}); err != nil || len(found) != 1 {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}

func TestALogWithoutABeginningOrAnEndIsAnErrorAndNotEmpty(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(10)
	replaced(f, func(asked *kmsg.ListOffsetsRequest, usual *kmsg.ListOffsetsResponse) kmsg.Response {
		usual.Topics[0].Partitions[0].Offset = -1
		return usual
	})
	cfg := impatient()
	cfg.RetryTimeout = 100 * time.Millisecond
	c := dial(t, f, cfg)
	for place, want := range map[int64]string{source.Beginning: "the beginning of the log", source.End: "the end of the log", 5: "the end of the log"} {
		got, err := c.Offsets(t.Context(), []source.Position{{Topic: "t", Offset: place}})
		if err == nil || !strings.Contains(err.Error(), "t[0]: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v, %v", place, got, err)
		}
	}
}
