package mock

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/linkedin/goavro/v2"
)

const priceSchema = `{"type":"record","name":"Price","namespace":"fx","fields":[
	{"name":"symbol","type":"string"},{"name":"bid","type":["null","double"],"default":null},{"name":"ticks","type":"long"}]}`

func TestRecordsComeOutAsTheyWentIn(t *testing.T) {
	k := start(t, nil)
	at := int64(1700000000123)
	result, err := k.Produce(t.Context(), Request{
		Topic: "prices", Schema: priceSchema, Timestamp: &at,
		Records: raw(`{"symbol":"GBPUSD","bid":1.25,"ticks":9007199254740993}`, `{"symbol":"EURUSD","ticks":-9223372036854775808}`),
		Keys:    [][]byte{[]byte("k"), nil},
	})
	must(t, err)
	if result.Produced != 2 || result.SchemaID == nil || *result.SchemaID != 1 {
		t.Errorf("got %+v", result)
	}
	codec, err := goavro.NewCodec(priceSchema)
	must(t, err)
	want := []string{
		`map[bid:map[double:1.25] symbol:GBPUSD ticks:9007199254740993]`,
		`map[bid:<nil> symbol:EURUSD ticks:-9223372036854775808]`,
	}
	for i, m := range consume(t, k, "prices", 2) {
		if m.Value[0] != 0 || binary.BigEndian.Uint32(m.Value[1:]) != 1 {
			t.Errorf("framing %x", m.Value[:5])
		}
		native, rest, err := codec.NativeFromBinary(m.Value[5:])
		must(t, err)
		if got := fmt.Sprint(native); got != want[i] || len(rest) != 0 {
			t.Errorf("got %s, want %s", got, want[i])
		}
		if m.Timestamp.UnixMilli() != at {
			t.Errorf("timestamp %v", m.Timestamp)
		}
		if wantKey := []string{"k", ""}[i]; string(m.Key) != wantKey || (wantKey == "") != (m.Key == nil) {
			t.Errorf("key %q", m.Key)
		}
	}
}

func TestRequestsAreReadFromJSON(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	var request Request
	must(t, json.Unmarshal([]byte(`{"topic":"t","partition":-1,"timestamp_ms":null,"values":["AAE=",null,""],"keys":null}`), &request))
	result, err := k.Produce(t.Context(), request)
	must(t, err)
	text, err := json.Marshal(result)
	must(t, err)
	if string(text) != `{"schema_id":null,"produced":3}` {
		t.Errorf("result %s", text)
	}
	got := consume(t, k, "t", 3)
	if string(got[0].Value) != "\x00\x01" || got[1].Value != nil || got[2].Value == nil || len(got[2].Value) != 0 {
		t.Errorf("got %q %v %v", got[0].Value, got[1].Value, got[2].Value)
	}
}

func TestPartitionMinusOneSpreadsEvenlyAcrossCalls(t *testing.T) {
	k := start(t, map[string]int{"t": 3})
	for range 3 {
		_, err := k.Produce(t.Context(), Request{Topic: "t", Partition: -1, Values: [][]byte{{1}, {2}}})
		must(t, err)
	}
	count := map[int32]int{}
	for _, m := range consume(t, k, "t", 6) {
		count[m.TopicPartition.Partition]++
	}
	if count[0] != 2 || count[1] != 2 || count[2] != 2 {
		t.Errorf("got %v", count)
	}
}

func TestManyMessagesKeepTheirOrder(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	const n = 200_000
	values := make([][]byte, n)
	for i := range values {
		values[i] = binary.BigEndian.AppendUint64(nil, uint64(i))
	}
	_, err := k.Produce(t.Context(), Request{Topic: "t", Values: values})
	must(t, err)
	for i, m := range consume(t, k, "t", n) {
		if got := binary.BigEndian.Uint64(m.Value); got != uint64(i) {
			t.Fatalf("message %d is %d", i, got)
		}
	}
}

func TestAllMessagesAreKept(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	noise := rand.NewChaCha8([32]byte{})
	values := make([][]byte, 16)
	for i := range values {
		values[i] = make([]byte, 2<<20) // nothing that can be compressed
		_, _ = noise.Read(values[i])
	}
	_, err := k.Produce(t.Context(), Request{Topic: "t", Values: values})
	must(t, err)
	for i, m := range consume(t, k, "t", len(values)) {
		if !bytes.Equal(m.Value, values[i]) {
			t.Errorf("message %d has other bytes than were produced", i)
		}
	}
}

func TestTopicOfAnotherProducerIsUsedWithItsPartitions(t *testing.T) {
	k := start(t, nil)
	topic := "theirs"
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": k.Servers(), "log_level": 0})
	must(t, err)
	defer p.Close()
	_, err = p.GetMetadata(&topic, false, 5000)
	must(t, err)
	_, err = k.Produce(t.Context(), Request{Topic: topic, Partition: 3, Values: [][]byte{{1}}})
	must(t, err)
}

func TestWrongRequestsSayWhatIsWrongAndWriteNothing(t *testing.T) {
	k := start(t, map[string]int{"t": 2})
	cases := []struct {
		request Request
		index   int
		words   string
	}{
		{Request{Topic: "t", Schema: priceSchema, Records: raw(`{"symbol":"a","ticks":1}`, `{"symbol":5,"ticks":1}`)}, 1, "symbol: 5 is not a string"},
		{Request{Topic: "t", Schema: priceSchema, Records: raw(`{`)}, 0, "not JSON"},
		{Request{Topic: "t", Schema: `{"type":"record"}`, Records: raw(`{}`)}, -1, "a record without a name"},
		{Request{Topic: "t", Schema: `{`}, -1, "Invalid schema {"},
		{Request{Topic: "t", Records: raw(`1`)}, -1, "without a schema"},
		{Request{Topic: "t", Schema: `"long"`, Values: [][]byte{{1}}}, -1, "values beside a schema"},
		{Request{Topic: "t", Bodies: [][]byte{{1}}}, -1, "records without a schema"},
		{Request{Topic: "t", Schema: `{}`, SchemaType: "JSON", Records: raw(`1`)}, -1, "give bodies for one of type JSON"},
		{Request{Topic: "t", Schema: `{}`, SchemaType: "JSON", Records: raw(`1`), Bodies: [][]byte{{1}}}, -1, "records beside bodies"},
		{Request{Topic: "t", Schema: `{`, SchemaType: "JSON", Bodies: [][]byte{{1}}}, -1, "Invalid schema {"},
		{Request{Topic: "t", Schema: `{}`, SchemaType: "XML", Bodies: [][]byte{{1}}}, -1, "Invalid schema type XML"},
		{Request{Topic: "t", Values: [][]byte{{1}}, Keys: [][]byte{}}, -1, "0 keys for 1 messages"},
		{Request{Topic: "t", Partition: 2, Values: [][]byte{{1}}}, -1, "has 2 partitions"},
		{Request{Topic: "t", Partition: -2, Values: [][]byte{{1}}}, -1, "-2 is none of them"},
		{Request{Topic: "a b", Values: [][]byte{{1}}}, -1, `topic "a b"`},
		{Request{Topic: "", Values: [][]byte{{1}}}, -1, `topic ""`},
	}
	for _, c := range cases {
		_, err := k.Produce(t.Context(), c.request)
		var wrong *RequestError
		if !errors.As(err, &wrong) || wrong.Index != c.index || !strings.Contains(err.Error(), c.words) {
			t.Errorf("want %q at %d, got %v", c.words, c.index, err)
		}
	}
	_, err := k.Produce(t.Context(), Request{Topic: "t", Values: [][]byte{[]byte("only this")}})
	must(t, err)
	if m := consume(t, k, "t", 1)[0]; string(m.Value) != "only this" || m.TopicPartition.Offset != 0 {
		t.Errorf("got %v %q", m.TopicPartition, m.Value)
	}
	for _, err := range []error{k.CreateTopic("t", 1), k.CreateTopic("u", 0), k.CreateTopic("..", 1)} {
		if err == nil {
			t.Error("created")
		}
	}
	if _, err := New(Config{Brokers: -1}); err == nil {
		t.Error("a cluster of -1 brokers")
	}
	if _, err := New(Config{Topics: map[string]int{"t": -1}}); err == nil {
		t.Error("a topic of -1 partitions")
	}
}

func TestContextEndsProduce(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Produce(ended, Request{Topic: "t", Values: make([][]byte, 10_000)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
