package mock

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

func client(t *testing.T, k *Kafka, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(options, kgo.SeedBrokers(k.Servers()))...)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// batchOf is a record batch of so many records.
func batchOf(records int) []byte {
	b := produce.NewBuilder(produce.Bounds{Batch: 1 << 20, Message: 1 << 20}, produce.Compression{})
	for i := range records {
		b.Append(&produce.Record{Key: []byte{byte(i)}, Timestamp: 1000})
	}
	batch, _, _ := b.Seal()
	return batch
}

// write sends a batch and returns the answer, nil where the connection was lost.
func write(t *testing.T, c *kgo.Client, topic string, batch []byte) *kmsg.ProduceResponseTopicPartition {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := kmsg.NewPtrProduceRequest()
	r.Acks, r.TimeoutMillis = -1, 5_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = batch
	rt.Partitions = append(rt.Partitions, rp)
	r.Topics = append(r.Topics, rt)
	answer, err := c.Broker(0).Request(ctx, named{r})
	if err != nil {
		return nil
	}
	return &answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
}

// named is a request of the last version that names topics, and that the client sends as it is.
type named struct{ *kmsg.ProduceRequest }

func (named) MaxVersion() int16 { return 12 }

func TestIdempotentBatchesAreAnsweredAsBrokersDo(t *testing.T) {
	k := start(t, map[string]int{"t": 1, "small": 1})
	c := client(t, k)
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "small"
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = "max.message.bytes", kmsg.StringPtr("100")
	resource.Configs = append(resource.Configs, config)
	alter.Resources = append(alter.Resources, resource)
	if _, err := alter.RequestWith(context.Background(), c); err != nil {
		t.Fatal(err)
	}

	stamped := func(records int, epoch int16, sequence int32) []byte {
		b := batchOf(records)
		produce.Stamp(b, 4711, epoch, sequence, false)
		return b
	}
	corrupt := stamped(10, 0, 0)
	corrupt[len(corrupt)-1]++
	for _, step := range []struct {
		name  string
		topic string
		batch []byte
		code  error
		base  int64
	}{
		{"a sum that is wrong", "t", corrupt, kerr.CorruptMessage, 0},
		{"the first batch", "t", stamped(10, 0, 0), nil, 0},
		{"the same again", "t", stamped(10, 0, 0), nil, 0},
		{"the next one", "t", stamped(5, 0, 10), nil, 10},
		{"a gap", "t", stamped(5, 0, 20), kerr.OutOfOrderSequenceNumber, 0},
		{"an overlap", "t", stamped(5, 0, 12), kerr.OutOfOrderSequenceNumber, 0},
		{"the first again, among the last five", "t", stamped(10, 0, 0), nil, 0},
		{"2", "t", stamped(1, 0, 15), nil, 15},
		{"3", "t", stamped(1, 0, 16), nil, 16},
		{"4", "t", stamped(1, 0, 17), nil, 17},
		{"5", "t", stamped(1, 0, 18), nil, 18},
		{"the first again, too old to be known", "t", stamped(10, 0, 0), kerr.OutOfOrderSequenceNumber, 0},
		{"the next epoch", "t", stamped(1, 1, 0), nil, 19},
		{"the epoch before", "t", stamped(1, 0, 19), kerr.InvalidProducerEpoch, 0},
		{"more than max.message.bytes", "small", stamped(50, 0, 0), kerr.MessageTooLarge, 0},
		{"no such topic", "none", stamped(1, 0, 0), kerr.UnknownTopicOrPartition, 0},
	} {
		p := write(t, c, step.topic, step.batch)
		if p == nil {
			t.Fatalf("%s: no answer", step.name)
		}
		if err := kerr.ErrorForCode(p.ErrorCode); !errors.Is(err, step.code) || err == nil && p.BaseOffset != step.base {
			t.Fatalf("%s: %v at %d", step.name, err, p.BaseOffset)
		}
	}
}

func TestAScriptRefusesAndCutsBeforeAndAfterTheBrokerActs(t *testing.T) {
	var verdict atomic.Pointer[Verdict]
	var refuse atomic.Bool
	k, err := New(Config{Topics: map[string]int{"t": 1}, Script: func(broker int32, request kmsg.Request) Verdict {
		if _, ok := request.(*kmsg.ProduceRequest); !ok {
			return Verdict{}
		}
		if refuse.Swap(false) {
			return Refuse(request, kerr.NotEnoughReplicas)
		}
		if v := verdict.Swap(nil); v != nil {
			return *v
		}
		return Verdict{}
	}})
	must(t, err)
	t.Cleanup(k.Close)
	c := client(t, k, kgo.RequestRetries(0))
	next := int32(0)
	batch := func() []byte {
		b := batchOf(3)
		produce.Stamp(b, 1, 0, next, false)
		return b
	}
	accepted := func(base int64) {
		t.Helper()
		if p := write(t, c, "t", batch()); p == nil || p.ErrorCode != 0 || p.BaseOffset != base {
			t.Fatalf("%+v", p)
		}
		next += 3
	}
	accepted(0)
	refuse.Store(true)
	if p := write(t, c, "t", batch()); p == nil || p.ErrorCode != kerr.NotEnoughReplicas.Code {
		t.Fatalf("%+v", p)
	}
	verdict.Store(&Verdict{CutBefore: true})
	if p := write(t, c, "t", batch()); p != nil {
		t.Fatalf("%+v", p)
	}
	accepted(3) // neither was written
	verdict.Store(&Verdict{CutAfter: true})
	if p := write(t, c, "t", batch()); p != nil {
		t.Fatalf("%+v", p)
	}
	accepted(6) // the answer to a batch that was written before
	accepted(9)
}

func TestReadersOfCommittedRecordsSeeNoAbortedTransaction(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	p := client(t, k, kgo.TransactionalID("mover"), kgo.DefaultProduceTopic("t"))
	for i, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		must(t, p.BeginTransaction())
		must(t, p.ProduceSync(ctx, &kgo.Record{Value: []byte{byte(i)}}).FirstErr())
		must(t, p.EndTransaction(ctx, end))
	}
	reader := client(t, k, kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var got []byte
	for len(got) < 2 {
		fetches := reader.PollFetches(ctx)
		must(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, r.Value...) })
	}
	if string(got) != "\x01\x03" {
		t.Fatalf("%v", got)
	}
}
