package fetch

import (
	"encoding/binary"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// bare is an answer whose body is given.
type bare struct {
	kmsg.Response
	body []byte
}

func (b bare) AppendTo(to []byte) []byte { return append(to, b.body...) }

// claims is a body in which a list claims so many elements, or a part so many tags, of which none is there; some bytes follow.
func claims(before int, n uint32, after int) []byte {
	return append(binary.AppendUvarint(make([]byte, before), uint64(n)), make([]byte, after)...)
}

func TestAnAnswerThatClaimsMoreThanItHoldsTakesNeitherMemoryNorTime(t *testing.T) {
	const much = 900_000 // within all bounds
	cases := map[string]struct {
		key   int16
		body  []byte
		words string
	}{
		"brokers":                    {3, claims(4, much, much), "claims more than it holds"},
		"topics":                     {3, claims(4+1+1+4, much, much), "claims more than it holds"},
		"partitions of a topic":      {3, claims(4+1+1+4+1+2+1+16+1, much, much), "claims more than it holds"},
		"tags of metadata":           {3, claims(4+1+1+4+1, math.MaxUint32, 0), "more than 32 tags"},
		"more metadata than is read": {3, make([]byte, 17<<20), "at most 16777216 are read"},
		"topics with offsets":        {2, claims(4, much, much), "claims more than it holds"},
		"tags of offsets":            {2, claims(5, math.MaxUint32, 0), "more than 32 tags"},
		"topics of a fetch":          {1, claims(4+2+4, 50<<20, 50<<20), "where 1 was asked for"},
		"tags of a fetch":            {1, claims(4+2+4+1, math.MaxUint32, 0), "more than 32 tags"},
		"aborted transactions":       {1, claims(4+2+4+1+16+1+4+2+8+8+8, 10<<20, 20<<20), "claims more than it holds"},
		"API versions":               {18, make([]byte, 2<<20), "at most 1048576 are read"},
	}
	// One topic, one partition: what is claimed lies within.
	cases["aborted transactions"].body[10], cases["aborted transactions"].body[27] = 2, 2
	cases["partitions of a topic"].body[10] = 2
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			f.topic("t").fill(10)
			f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
				if req.Key() == c.key {
					return bare{req.ResponseKind(), c.body}
				}
				return nil
			}
			cfg := impatient()
			cfg.RetryTimeout = 20 * time.Second // for 100 MB on a busy machine; what is refused is not asked for again
			cl := dial(t, f, cfg)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := time.Now()
			var err error
			if c.key == 1 {
				_, _, err = readAll(t, cl, Range{Topic: "t", End: 100})
			} else {
				_, err = cl.Offsets(t.Context(), []source.Position{{Topic: "t", Offset: source.End}})
			}
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8*uint64(len(c.body))+32<<20 {
				t.Errorf("%d bytes were allocated for an answer of %d", n, len(c.body))
			}
			if n := f.count(c.key); n > 2 {
				t.Errorf("asked %d times for what does not change", n)
			}
		})
	}
}

func TestAMemoryLimitBoundsMetadata(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t")
	f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
		if _, ok := req.(*kmsg.MetadataRequest); ok {
			return bare{req.ResponseKind(), make([]byte, 1<<20)}
		}
		return nil
	}
	cfg := impatient()
	cfg.MetadataBytes = 1000
	_, err := dial(t, f, cfg).Partitions(t.Context(), []string{"t"})
	if err == nil || !strings.Contains(err.Error(), f.servers()+": its answer to Metadata (version 12) is not read: it has 1048581 bytes, and at most 1048576 are read") {
		t.Errorf("got %v", err)
	}
}

func TestTagsBeforeAnAnswerAreNotRunThrough(t *testing.T) {
	for _, key := range []int16{1, 2, 3} {
		f := newFake(t, 1)
		f.topic("t").fill(10)
		f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
			if req.Key() == key {
				return flexibleHead{req.ResponseKind()}
			}
			return nil
		}
		_, _, err := readAll(t, dial(t, f, impatient()), Range{Topic: "t", End: 100})
		if key == 2 {
			_, err = dial(t, f, impatient()).Offsets(t.Context(), []source.Position{{Topic: "t", Offset: source.End}})
		}
		if err == nil || !strings.Contains(err.Error(), "more than 32 tags") {
			t.Errorf("%d: %v", key, err)
		}
	}
}

// flexibleHead has four billion tags in its head: that of one that is not flexible has none, so that the body begins there.
type flexibleHead struct{ kmsg.Response }

func (flexibleHead) IsFlexible() bool          { return false }
func (flexibleHead) AppendTo(to []byte) []byte { return append(to, 0xff, 0xff, 0xff, 0xff, 0x0f) }

func TestANewLeaderThatDoesNotKnowTheEpochThatWasReadHasLostTheLog(t *testing.T) {
	for _, end := range []int64{-1, math.MinInt64} {
		rows, report, err := newLeader(t, func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response {
			r.Topics[0].Partitions[0].EndOffset = end
			return r
		})
		if err == nil || report.Ended == Complete || int64(len(rows)) != report.Next || !strings.Contains(err.Error(), "does not know epoch 5, of which offsets up to") {
			t.Errorf("%d: %d rows, %v, %+v", end, len(rows), err, report)
		}
	}
}

func TestABrokerThatAsksToWaitForDaysIsGivenUp(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(10)
	replaced(f, func(_ *kmsg.ListOffsetsRequest, usual *kmsg.ListOffsetsResponse) kmsg.Response {
		usual.ThrottleMillis = math.MaxInt32
		usual.Topics[0].Partitions[0].ErrorCode = kerr.NotLeaderForPartition.Code
		return usual
	})
	f.change(func() { log.batches = log.batches[:5] })
	cfg := impatient()
	cfg.RetryTimeout = 200 * time.Millisecond
	c := dial(t, f, cfg)
	c.set.throttled = 200 * time.Millisecond
	for name, try := range map[string]func() error{
		"while it is planned": func() error {
			_, err := c.Offsets(t.Context(), []source.Position{{Topic: "t", Offset: source.End}})
			return err
		},
		"while it is read": func() error {
			_, _, err := readAll(t, c, Range{Topic: "t", End: 100})
			return err
		},
	} {
		begun := time.Now()
		if err := try(); err == nil || time.Since(begun) > 8*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(begun))
		}
	}
}
