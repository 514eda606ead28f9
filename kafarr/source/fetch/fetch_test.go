package fetch

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// fill adds n batches of ten records, "0" and so on.
func (l *fakeLog) fill(n int) {
	for range n {
		var b batchOf
		for i := range 10 {
			b.records = append(b.records, rec{delta: int64(i), value: fmt.Append(nil, l.end+int64(i))})
		}
		b.epoch = l.epoch
		l.add(b.bytes())
	}
}

// numbers are the texts of [from, to).
func numbers(from, to int64) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// impatient is a configuration under which nothing is waited for for long, with answers of a few batches.
func impatient() Config {
	return Config{FetchBytes: 1000, RetryTimeout: 2 * time.Second, Properties: map[string]string{"retry.backoff.ms": "5", "retry.backoff.max.ms": "20", "fetch.wait.max.ms": "20", "reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "20"}}
}

// whole reads a range of numbers and wants all of them.
func whole(t *testing.T, c *Client, r Range, want Report) {
	t.Helper()
	rows, report, err := readAll(t, c, r)
	if err != nil || !slices.Equal(values(rows), numbers(r.Start, r.End)) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	want.Range, want.Next, want.Rows, want.Ended = r, r.End, r.End-r.Start, Complete
	if report != want {
		t.Errorf("%+v, want %+v", report, want)
	}
}

// fetches answers the n-th Fetch by what do returns.
func (f *fake) fetches(do func(n int, broker int32, req *kmsg.FetchRequest) kmsg.Response) {
	var n atomic.Int64
	f.answer = func(broker int32, req kmsg.Request) kmsg.Response {
		if fetch, ok := req.(*kmsg.FetchRequest); ok {
			return do(int(n.Add(1)), broker, fetch)
		}
		return nil
	}
}

// refusal is a Fetch's answer with an error of the partition.
func refusal(req *kmsg.FetchRequest, err *kerr.Error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
	p := kmsg.NewFetchResponseTopicPartition()
	p.ErrorCode = err.Code
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}

func TestErrorsThatPassCostNoRow(t *testing.T) {
	for _, err := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.UnknownTopicID, kerr.ReplicaNotAvailable, kerr.KafkaStorageError,
		kerr.RequestTimedOut, kerr.OffsetOutOfRange, kerr.OffsetNotAvailable, kerr.CorruptMessage,
	} {
		f := newFake(t, 1)
		f.topic("t").fill(100)
		f.fetches(func(n int, _ int32, req *kmsg.FetchRequest) kmsg.Response {
			if n%3 == 0 {
				return refusal(req, err)
			}
			return nil
		})
		t.Run(err.Message, func(t *testing.T) { whole(t, dial(t, f, impatient()), Range{"t", 0, 5, 998}, Report{}) })
	}
}

func TestConnectionsThatBreakCostNoRow(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n%3 == 0 {
			return hangUp
		}
		return nil
	})
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000}, Report{})
}

// TestASlowNetworkCostsTimeAndNoRow has a network that brings a third of an answer in the time of a request.
func TestASlowNetworkCostsTimeAndNoRow(t *testing.T) {
	f := newFake(t, 1)
	f.rate = 100_000
	log := f.topic("t")
	for range 60 {
		b := batchOf{records: []rec{{value: make([]byte, 5000)}}, epoch: log.epoch}
		log.add(b.bytes())
	}
	cfg := impatient()
	cfg.FetchBytes = 1 << 20
	rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 60})
	if err != nil || len(rows) != 60 || report.Ended != Complete {
		t.Errorf("%d rows, %+v, %v", len(rows), report, err)
	}
}

func TestAnotherLeaderGoesOnWhereTheOldOneStopped(t *testing.T) {
	f := newFake(t, 3)
	log := f.topic("t")
	log.fill(100)
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n%4 == 0 {
			f.change(func() { log.leader, log.epoch = (log.leader+1)%3, log.epoch+1 })
		}
		return nil
	})
	delete(f.maxAPI, 23) // whose checks are another test's
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000}, Report{})
}

func TestABrokerKilledInTheMiddleCostsNoRow(t *testing.T) {
	f := newFake(t, 2)
	log := f.topic("t")
	log.fill(100)
	f.change(func() { log.leader = 1; delete(f.maxAPI, 23) })
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n == 4 {
			go func() {
				f.kill(1)
				time.Sleep(100 * time.Millisecond)
				f.change(func() { log.leader, log.epoch = 0, 6 })
			}()
			return hangUp
		}
		return nil
	})
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000}, Report{})
}

func TestWhatLastsIsAnErrorThatSaysWhatWasTriedAndForHowLong(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.fetches(func(n int, _ int32, req *kmsg.FetchRequest) kmsg.Response {
		if n > 3 {
			return refusal(req, kerr.NotLeaderForPartition)
		}
		return nil
	})
	cfg := impatient()
	cfg.RetryTimeout = 300 * time.Millisecond
	rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 1000})
	read := int64(len(rows))
	if read == 0 || read == 1000 || report.Next != read || report.Rows != read || !slices.Equal(values(rows), numbers(0, read)) {
		t.Errorf("%d rows, %+v", read, report)
	}
	for _, part := range []string{fmt.Sprintf("t[0]: at offset %d: ", read), "fetch to broker 0 (127.0.0.1:", " tries in ", "NOT_LEADER_FOR_PARTITION"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if !strings.HasPrefix(report.Ended, "error: t[0]: at offset ") {
		t.Error(report.Ended)
	}
}

func TestAMissingRightIsToldAtOnce(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(1)
	f.fetches(func(_ int, _ int32, req *kmsg.FetchRequest) kmsg.Response {
		return refusal(req, kerr.TopicAuthorizationFailed)
	})
	if _, _, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 10}); err == nil || !strings.Contains(err.Error(), "TOPIC_AUTHORIZATION_FAILED") || f.count(1) != 1 {
		t.Errorf("%v after %d tries", err, f.count(1))
	}
}

func TestThrottlingIsWaitedForLongerThanFailures(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.fetches(func(n int, _ int32, req *kmsg.FetchRequest) kmsg.Response {
		if n < 9 {
			resp := req.ResponseKind().(*kmsg.FetchResponse)
			resp.ThrottleMillis = 100
			return resp
		}
		return nil
	})
	cfg := impatient()
	cfg.RetryTimeout = 500 * time.Millisecond
	whole(t, dial(t, f, cfg), Range{"t", 0, 0, 1000}, Report{})
}

func TestABrokerThatOnlyThrottlesIsGivenUp(t *testing.T) {
	for _, millis := range []int32{1, math.MaxInt32, math.MinInt32} {
		f := newFake(t, 1)
		f.topic("t").fill(100)
		f.fetches(func(_ int, _ int32, req *kmsg.FetchRequest) kmsg.Response {
			resp := req.ResponseKind().(*kmsg.FetchResponse)
			resp.ThrottleMillis = millis
			return resp
		})
		cfg := impatient()
		cfg.RetryTimeout = 300 * time.Millisecond
		began := time.Now()
		_, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 1000})
		if err == nil || report.Ended == Complete || millis > 0 && !strings.Contains(err.Error(), "throttles this client (quotas)") {
			t.Errorf("%d ms: %+v, %v", millis, report, err)
		}
		if took := time.Since(began); took > 20*time.Second || f.count(1) > 100 {
			t.Errorf("%d ms: %d requests in %v", millis, f.count(1), took)
		}
	}
}

func TestReplicasThatSendAReaderToAndFroAreGivenUp(t *testing.T) {
	f := newFake(t, 2)
	f.topic("t").fill(100)
	f.fetches(func(_ int, broker int32, req *kmsg.FetchRequest) kmsg.Response {
		resp := f.from(0, req).(*kmsg.FetchResponse)
		resp.Topics[0].Partitions[0].PreferredReadReplica, resp.Topics[0].Partitions[0].RecordBatches = 1-broker, nil
		return resp
	})
	cfg := impatient()
	cfg.RetryTimeout, cfg.Properties["client.rack"] = 300*time.Millisecond, "here"
	_, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 1000})
	if err == nil || report.Ended == Complete || !strings.Contains(err.Error(), "sends readers to") {
		t.Errorf("%+v, %v", report, err)
	}
	if n := f.count(1); n > 100 {
		t.Errorf("%d requests", n)
	}
}

func TestAReplicaThatSendsAReaderBackIsLeftForTheLeader(t *testing.T) {
	f := newFake(t, 2)
	f.topic("t").fill(100)
	f.fetches(func(_ int, broker int32, req *kmsg.FetchRequest) kmsg.Response {
		if broker == 0 && req.Rack == "" {
			return nil
		}
		resp := f.from(0, req).(*kmsg.FetchResponse)
		resp.Topics[0].Partitions[0].PreferredReadReplica, resp.Topics[0].Partitions[0].RecordBatches = 1-broker, nil
		return resp
	})
	cfg := impatient()
	cfg.Properties["client.rack"] = "here"
	whole(t, dial(t, f, cfg), Range{"t", 0, 0, 1000}, Report{})
}

func TestARackSPreferredReplicaIsReadAndLeftWhenItFails(t *testing.T) {
	f := newFake(t, 2)
	f.topic("t").fill(100)
	var ofReplica atomic.Int64
	f.fetches(func(_ int, broker int32, req *kmsg.FetchRequest) kmsg.Response {
		if broker == 1 {
			if ofReplica.Add(1) > 5 {
				return refusal(req, kerr.OffsetOutOfRange)
			}
			return f.from(0, req)
		}
		if req.Rack == "here" {
			resp := f.from(0, req).(*kmsg.FetchResponse)
			resp.Topics[0].Partitions[0].PreferredReadReplica, resp.Topics[0].Partitions[0].RecordBatches = 1, nil
			return resp
		}
		return nil
	})
	cfg := impatient()
	cfg.Properties["client.rack"] = "here"
	whole(t, dial(t, f, cfg), Range{"t", 0, 0, 1000}, Report{})
	if ofReplica.Load() != 6 {
		t.Errorf("the replica was asked %d times", ofReplica.Load())
	}
}

// from is what another broker would answer.
func (f *fake) from(broker int32, req *kmsg.FetchRequest) kmsg.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetch(broker, req)
}

func TestOlderBrokersAreAskedByTheTopicsName(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.maxAPI = map[int16]int16{0: 7, 1: 11, 2: 2, 3: 7, 18: 2}
	whole(t, dial(t, f, impatient()), Range{"t", 0, 3, 1000}, Report{})
	f = newFake(t, 1)
	f.topic("t").id = [16]byte{} // ids are not in use yet
	f.logs["t"].fill(100)
	whole(t, dial(t, f, impatient()), Range{"t", 0, 3, 1000}, Report{})
}

func TestATopicThatWasMadeAnewSinceItWasPlannedIsNotRead(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	c := dial(t, f, impatient())
	if _, err := c.Partitions(t.Context(), []string{"t"}); err != nil {
		t.Fatal(err)
	}
	planned := map[string][16]byte{"t": c.TopicID("t")}
	cfg := impatient()
	cfg.TopicIDs = planned
	whole(t, dial(t, f, cfg), Range{"t", 0, 0, 100}, Report{})
	f.change(func() { f.logs["t"].id[0] = 99 })
	if rows, _, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 100}); err == nil || !strings.Contains(err.Error(), "created again") || len(rows) > 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestATopicThatWasMadeAnewIsNotReadOn(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n == 3 {
			f.change(func() { f.logs["t"].id[0] = 99 })
		}
		return nil
	})
	if rows, _, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000}); err == nil || !strings.Contains(err.Error(), "created again") || len(rows) == 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestABatchLargerThanTheFetchSizeIsRead(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.add(batchOf{records: []rec{{value: []byte("0")}}}.bytes())
	log.add(batchOf{records: []rec{{value: []byte(strings.Repeat("x", 100_000))}}}.bytes())
	log.add(batchOf{records: []rec{{value: []byte("2")}}}.bytes())
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 3})
	if err != nil || len(rows) != 3 || len(rows[1].value) != 100_000 || report.Ended != Complete {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}

func TestADamagedBatchEndsTheRangeAfterTheRowsBeforeIt(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(3)
	log.batches[2][len(log.batches[2])-1]++
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 30})
	if err == nil || !strings.Contains(err.Error(), "t[0]: at offset 20, from broker 0 (") || !strings.Contains(err.Error(), "CRC-32C") || len(rows) != 20 || report.Next != 20 {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
	cfg := impatient()
	cfg.Properties["check.crcs"] = "false"
	log.batches[2][len(log.batches[2])-1]--
	log.batches[2][20]++ // the sum itself
	if rows, _, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 30}); err != nil || len(rows) != 30 {
		t.Errorf("without sums: %d rows, %v", len(rows), err)
	}
}

func TestARecordThatCannotBeReadIsNamed(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(1)
	good := rec{value: []byte("10")}.append(nil)
	log.add(batchOf{body: append(good, 99), count: 2, lastDelta: 1}.bytes())
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 12})
	if err == nil || !strings.Contains(err.Error(), "t[0]: at offset 11: a record extends past") || !slices.Equal(values(rows), numbers(0, 11)) || report.Next != 11 {
		t.Errorf("%v, %v, %+v", values(rows), err, report)
	}
}

func TestABatchThatClaimsNoRecordsButHoldsSomeIsNotPassed(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(1)
	log.add(batchOf{body: rec{value: []byte("10")}.append(nil), count: 0}.bytes())
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 11})
	if err == nil || !strings.Contains(err.Error(), "t[0]: at offset 10, from broker 0") || !strings.Contains(err.Error(), "claims no records") || len(rows) != 10 || report.Ended == Complete {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}

func TestCloseEndsAReaderThatWaits(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(1)
	block := make(chan struct{})
	f.fetches(func(int, int32, *kmsg.FetchRequest) kmsg.Response { <-block; return hangUp })
	defer close(block)
	reader := dial(t, f, Config{}).Read(Range{"t", 0, 0, 10})
	if chunks, err := reader.Fetch(10, 50*time.Millisecond); chunks != nil || err != nil {
		t.Error(chunks, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := reader.Close(); !errors.Is(err, source.ErrClosed) {
		t.Error(err)
	}
}

func TestRecordsLiveUntilTheyAreReleased(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t")
	for i := range 40 {
		f.produce("t", kgo.ZstdCompression(), messages(10*i, 10)...)
	}
	reader := dial(t, f, Config{}).Read(Range{"t", 0, 0, 400})
	defer reader.Close()
	next := 0
	for !reader.Ended() {
		var held [][]source.Record
		chunks, err := reader.Fetch(33, time.Second) // ends within a batch
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			held = append(held, c.Records)
		}
		for _, records := range held {
			for i := range records {
				if got := rowOf(&records[i]).value; got != fmt.Sprintf("message %d", next) {
					t.Fatalf("%q at %d", got, next)
				}
				next++
			}
		}
		reader.Release()
	}
	if next != 400 {
		t.Errorf("%d rows", next)
	}
}
