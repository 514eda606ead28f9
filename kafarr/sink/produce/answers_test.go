package produce_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// produceFault fails Produce requests, on all partitions of t or on one.
func produceFault(err *kerr.Error, count int, partitions ...int32) kfake.Fault {
	return kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: partitions, Err: err, Count: count}
}

// holds reports whether a request has a batch with this number.
func holds(number int) func(kmsg.Request) bool {
	value := string(binary.BigEndian.AppendUint64(nil, uint64(number)))
	return func(req kmsg.Request) bool {
		return slices.ContainsFunc(req.(*kmsg.ProduceRequest).Topics[0].Partitions, func(p kmsg.ProduceRequestTopicPartition) bool { return strings.Contains(string(p.Records[61:]), value) })
	}
}

func TestWhatABrokerDoesNotTakeNowIsSentAgainInOrder(t *testing.T) {
	for _, err := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.ReplicaNotAvailable, kerr.KafkaStorageError, kerr.NotEnoughReplicas,
		kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut, kerr.UnknownServerError, kerr.CoordinatorLoadInProgress, kerr.FencedLeaderEpoch,
	} {
		t.Run(err.Message, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.send("t", 0, 3)
			r.flush()
			h := r.cluster.Fault(produceFault(err, 3))
			for i := range 60 {
				r.send("t", int32(i%4), 1+i%3)
			}
			r.flush()
			r.written()
			r.whole("t")
			if h.Hits() != 3 || !r.log.has(err.Message) || !r.log.has("all partitions are written to again") {
				t.Errorf("%d hits; %q", h.Hits(), r.log.lines)
			}
		})
	}
}

// TestTheWindowBeginsWithTheFirstBatchThatIsNotAcknowledged: a batch that was written and not acknowledged is recognized again only as long as no five others came after it.
func TestTheWindowBeginsWithTheFirstBatchThatIsNotAcknowledged(t *testing.T) {
	r := newRig(t, nil)
	r.send("t", 0, 3)
	r.flush()
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.RequestTimedOut, Count: 4, When: holds(3)})
	for range 60 {
		r.send("t", 0, 2)
	}
	r.flush()
	r.written()
	if got := r.read("t", 0, 123); !ascending(got, 123) {
		t.Errorf("got %v", got)
	}
}

func TestARefusedBatchIsNamedAndTheOthersAreWritten(t *testing.T) {
	for _, c := range []struct {
		err  *kerr.Error
		code status.Code
		text string
	}{
		{kerr.TopicAuthorizationFailed, status.AuthenticationError, "needs the right Write on topic t"},
		{kerr.ClusterAuthorizationFailed, status.AuthenticationError, "needs the right IdempotentWrite"},
		{kerr.InvalidRecord, status.BrokerError, "a compacted topic takes no message without a key"},
		{kerr.InvalidTimestamp, status.BrokerError, "message.timestamp.after.max.ms"},
		{kerr.CorruptMessage, status.BrokerError, "CORRUPT_MESSAGE"},
		{kerr.PolicyViolation, status.BrokerError, "POLICY_VIOLATION"},
	} {
		t.Run(c.err.Message, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.send("t", 2, 3)
			r.flush()
			r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{2}, Err: c.err, Count: -1, When: holds(3)})
			for range 20 { // five at a time: four come after the refused one with sequences that do not follow
				r.send("t", 2, 2)
			}
			r.send("t", 1, 2) // without the number 3: it may be in the same request
			r.flush()
			o := r.outcome("t", 2, 3)
			var e *status.Error
			if o.State != produce.Refused || !errors.As(o.Err, &e) || e.Code != c.code || !strings.HasPrefix(o.Err.Error(), "t[2]: "+c.err.Message) || !strings.Contains(o.Err.Error(), c.text) {
				t.Errorf("%+v", o)
			}
			got := r.read("t", 2, 41)
			want := []int{0, 1, 2}
			for i := 5; i < 43; i++ {
				want = append(want, i)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, of %+v", got, r.outcomes["t[2]"])
			}
			if o := r.outcome("t", 1, 0); o.State != produce.Written {
				t.Errorf("another partition: %+v", o)
			}
		})
	}
}

func TestWhatAnAnswerSaysOfTimesAndRecordsIsPartOfTheOutcome(t *testing.T) {
	r := newRig(t, nil)
	r.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = p.Topics[0].Topic, p.Topics[0].TopicID
		for _, of := range p.Topics[0].Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			if rp.Partition = of.Partition; of.Partition == 0 {
				rp.BaseOffset, rp.LogAppendTime = 5, 1_700_000_000_456
			} else {
				er := kmsg.NewProduceResponseTopicPartitionErrorRecord()
				er.RelativeOffset, er.ErrorMessage = 1, kmsg.StringPtr("no key")
				rp.ErrorCode, rp.ErrorMessage, rp.ErrorRecords = kerr.InvalidRecord.Code, kmsg.StringPtr("one is bad"), append(rp.ErrorRecords, er)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
		return resp, nil, true
	})
	r.send("t", 0, 3)
	r.send("t", 1, 3)
	r.flush()
	if o := r.outcome("t", 0, 0); o.State != produce.Written || o.BaseOffset != 5 || o.LastOffset != 7 || o.LogAppendTime != 1_700_000_000_456 {
		t.Errorf("%+v", o)
	}
	o := r.outcome("t", 1, 0)
	if o.State != produce.Refused || fmt.Sprint(o.Records) != "[{1 no key}]" || !strings.Contains(o.Err.Error(), "one is bad") || !produce.IsOfRecords(o.Err) {
		t.Errorf("%+v", o)
	}
}

func TestALogThatHasLostWhatWasAcknowledgedIsAnErrorOfEachCall(t *testing.T) {
	r := newRig(t, nil)
	r.send("t", 0, 3)
	r.flush()
	r.cluster.Fault(produceFault(kerr.OutOfOrderSequenceNumber, -1, 0))
	for range 7 { // some come when it is known already
		_ = r.p.Send(t.Context(), sealed("t", 0, 0, 1, func(o produce.Outcome) {
			if o.State == produce.Written || o.State == produce.Unknown || !strings.Contains(o.Err.Error(), "the log has lost messages that had been acknowledged") {
				t.Errorf("%+v", o)
			}
		}))
	}
	r.flush()
	for range 2 {
		err := r.p.Send(t.Context(), sealed("t", 0, 0, 1, func(produce.Outcome) {}))
		if err == nil || !strings.HasPrefix(err.Error(), "t[0]: the log has lost messages") {
			t.Error(err)
		}
	}
	r.send("t", 1, 5)
	r.flush()
	if o := r.outcome("t", 1, 0); o.State != produce.Written {
		t.Errorf("another partition: %+v", o)
	}
}

func TestABatchThatIsTooLargeIsCutUntilTheTopicTakesIt(t *testing.T) {
	r := newRig(t, nil, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "300"}))
	for range 6 {
		r.send("t", 3, 50)
		r.send("t", 3, 1)
	}
	r.flush()
	r.written()
	if got := r.read("t", 3, 306); !ascending(got, 306) {
		t.Errorf("got %v", got)
	}
	o := r.outcome("t", 3, 0)
	n := int32(0)
	for _, part := range o.Parts {
		if part.First != n || part.State != produce.Written || part.BaseOffset != int64(n) {
			t.Errorf("%+v", part)
		}
		n += part.Records
	}
	if len(o.Parts) < 4 || n != 50 || o.BaseOffset != 0 || o.LastOffset != 49 || !r.log.has("lower batch.size") {
		t.Errorf("%+v", o)
	}
}

func TestARecordThatIsTooLargeIsRefusedAlone(t *testing.T) {
	r := newRig(t, nil)
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.MessageTooLarge, Count: -1, When: holds(7)})
	r.send("t", 0, 12)
	r.send("t", 0, 3)
	r.flush()
	o := r.outcome("t", 0, 0)
	if o.State != produce.Refused || !strings.Contains(o.Err.Error(), "the message is larger than max.message.bytes of the topic: it has ") {
		t.Errorf("%+v", o)
	}
	for _, part := range o.Parts {
		if (part.State == produce.Refused) != (part.First == 7 && part.Records == 1) {
			t.Errorf("%+v", part)
		}
	}
	if got := r.read("t", 0, 14); fmt.Sprint(got) != fmt.Sprint([]int{0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14}) {
		t.Errorf("got %v", got)
	}
}

func TestMaxMessageBytesIsAskedForAgain(t *testing.T) {
	r := newRig(t, nil)
	fault := r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.RequestTimedOut, Count: -1})
	for i, want := range []int{1_000_000, 1_000_000, 1_048_588, 1_048_588} { // an answer that may come with another try is not done without for long
		if i == 2 {
			fault.Remove()
			r.p.Age("t")
		}
		if most, err := r.p.MaxMessageBytes(t.Context(), "t"); most != want || err != nil {
			t.Errorf("try %d: %d, %v", i, most, err)
		}
	}
}

func TestAProducerThatMayNotBeIdempotentSaysWhichRightItNeeds(t *testing.T) {
	r := newRig(t, nil)
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: 1})
	r.send("t", 0, 3)
	r.flush()
	var e *status.Error
	if o := r.outcome("t", 0, 0); o.State != produce.NotSent || !errors.As(o.Err, &e) || e.Code != status.AuthenticationError || !strings.Contains(o.Err.Error(), "needs the right IdempotentWrite on the cluster") {
		t.Errorf("%+v", o)
	}
	r.next["t[0]"] = 0
	r.outcomes["t[0]"] = nil
	r.send("t", 0, 3) // it has been granted
	r.flush()
	r.written()
}

func TestATopicIsWaitedForUntilItCountsAsMissing(t *testing.T) {
	r := newRig(t, map[string]string{"topic.metadata.propagation.max.ms": "500"})
	for i := range 5 {
		name := fmt.Sprint("new-", i)
		time.AfterFunc(time.Duration(i*50)*time.Millisecond, func() {
			if err := r.cluster.CreateTopic(name, 2, nil); err != nil {
				t.Error(err)
			}
		})
		r.send(name, 1, 3)
	}
	r.flush()
	r.written()
	for _, name := range []string{"no-such", "no-such", "no-such-2"} {
		var e *status.Error
		if _, err := r.p.Partitions(t.Context(), name, false); !errors.As(err, &e) || e.Code != status.TopicNotFoundError || e.Topic != name {
			t.Error(err)
		}
	}
	if err := r.cluster.CreateTopic("no-such-2", 3, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := r.p.Partitions(t.Context(), "no-such-2", false); n != 3 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.p.Partitions(t.Context(), "new-1", false); n != 2 || err != nil {
		t.Error(n, err)
	}
	r.send("no-such", 0, 1)
	r.send("t", 4, 1) // it has four
	r.flush()
	if o := r.outcome("no-such", 0, 0); o.State != produce.NotSent || !strings.Contains(o.Err.Error(), "the cluster does not have the topic") {
		t.Errorf("%+v", o)
	}
	if o := r.outcome("t", 4, 0); o.State != produce.NotSent || !strings.Contains(o.Err.Error(), "the topic has 4 partitions only") {
		t.Errorf("%+v", o)
	}
}

func TestARecreatedTopicGetsNothingThatWasMeantForTheOldOne(t *testing.T) {
	r := newRig(t, nil)
	r.send("t", 0, 3)
	r.flush()
	if err := errors.Join(r.cluster.DeleteTopic("t"), r.cluster.CreateTopic("t", 4, nil)); err != nil {
		t.Fatal(err)
	}
	r.send("t", 0, 2)
	r.flush()
	if o := r.outcome("t", 0, 3); o.State != produce.Refused || !strings.Contains(o.Err.Error(), "was deleted and created again") {
		t.Errorf("%+v", o)
	}
	r.next["t[0]"] = 0
	r.outcomes["t[0]"] = nil
	r.send("t", 0, 4) // is meant for the new one
	r.flush()
	r.written()
	if got := r.read("t", 0, 4); !ascending(got, 4) {
		t.Errorf("got %v", got)
	}
}

// TestATopicThatIsRecreatedUnderLoadHasNothingThatWasGivenUp looks at the new topic: each row in it is there once, in order, and was acknowledged.
func TestATopicThatIsRecreatedUnderLoadHasNothingThatWasGivenUp(t *testing.T) {
	r := newRig(t, nil)
	var mu sync.Mutex
	states := map[int]produce.State{}
	next, failures := 0, 0
	for i := range 300 {
		from := next
		next += 2
		if err := r.p.Send(t.Context(), sealed("t", 0, from, next, func(o produce.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			for n := from; n < from+2; n++ {
				states[n] = o.State
			}
			if o.State != produce.Written {
				if failures++; !errors.Is(o.Err, produce.ErrRecreated) {
					t.Errorf("%+v", o)
				}
			}
		})); err != nil && !errors.Is(err, produce.ErrRecreated) {
			t.Fatal(err)
		}
		if i == 150 {
			if err := errors.Join(r.cluster.DeleteTopic("t"), r.cluster.CreateTopic("t", 4, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if i%10 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	r.flush()
	from := next
	r.next["t[0]"] = from
	r.send("t", 0, 3)
	r.flush()
	r.written()
	values := r.read("t", 0, 3)
	mu.Lock()
	defer mu.Unlock()
	for i, v := range values {
		if i > 0 && v <= values[i-1] || v < from && states[v] != produce.Written {
			t.Errorf("%d is there after %v", v, values[:i])
		}
	}
	if n := len(values); n < 3 || values[n-1] != from+2 {
		t.Errorf("the rows that were sent last are not there: %v", values)
	}
	t.Log(failures, "batches were given up")
}

func TestLeadersMayMoveUnderLoad(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	moved := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			_ = r.cluster.MoveTopicPartition("t", rand.Int32N(4), rand.Int32N(3))
			time.Sleep(2 * time.Millisecond)
		}
		moved <- n
	}()
	for i := range 2000 {
		r.send("t", int32(i%4), 1+i%5)
	}
	r.flush()
	cancel()
	t.Log(<-moved, "moves")
	r.written()
	r.whole("t")
}

func TestBatchesOfOtherProducersLieBetweenAndOffsetsAreRight(t *testing.T) {
	r := newRig(t, nil)
	other := &rig{t: t, cluster: r.cluster, outcomes: map[string]map[int]produce.Outcome{}, next: map[string]int{}}
	other.open(strings.Join(r.cluster.ListenAddrs(), ","), nil)
	for range 20 {
		r.send("t", 0, 3)
		other.send("t", 0, 2)
	}
	r.flush()
	other.flush()
	r.written()
	seen := map[int64]bool{}
	for _, of := range []*rig{r, other} {
		for from, o := range of.outcomes["t[0]"] {
			for at := o.BaseOffset; at <= o.LastOffset; at++ {
				if seen[at] {
					t.Errorf("offset %d twice, of the batch from %d on", at, from)
				}
				seen[at] = true
			}
		}
	}
	if len(seen) != 100 {
		t.Error(len(seen))
	}
}

func TestWithoutIdempotenceOrderHoldsAllTheSame(t *testing.T) {
	for _, acks := range []string{"all", "1", "0"} {
		r := newRig(t, map[string]string{"enable.idempotence": "false", "acks": acks})
		r.send("t", 0, 1)
		r.flush()
		if acks != "0" {
			r.cluster.Fault(produceFault(kerr.NotLeaderForPartition, 3))
		}
		for i := range 40 {
			r.send("t", int32(i%4), 1+i%3)
		}
		r.flush()
		r.written()
		r.whole("t")
	}
}
