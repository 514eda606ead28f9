package produce

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/mock"
)

// contents are values that compress, and values that do not.
var contents = map[string]func(row int) string{
	"words": func(row int) string {
		return "value " + strconv.Itoa(row*row) + " of a thousand and one " + strconv.Itoa(row)
	},
	"noise": func(row int) string {
		random := rand.NewPCG(uint64(row), 3)
		b := make([]byte, 0, 2_000)
		for len(b) < cap(b) {
			b = binary.LittleEndian.AppendUint64(b, random.Uint64())
		}
		return string(b)
	},
}

// filled is a batch of about so many bytes, and its values.
func filled(t testing.TB, size int, content func(int) string, c Compression) (raw []byte, values texts) {
	t.Helper()
	b := NewBuilder(Bounds{Batch: size, Message: size}, c)
	for size > 0 {
		values = append(values, content(len(values)))
		size -= len(values[len(values)-1])
	}
	end, _ := b.AppendRows(values, 0, len(values), nil, 1)
	raw, _, _ = b.Seal()
	return raw, values[:end]
}

func compressions() []Compression {
	all := []Compression{{Codec: None}}
	for codec := Gzip; codec <= Zstd; codec++ {
		all = append(all, Compression{Codec: codec, Level: DefaultLevel})
	}
	return append(all, Compression{Gzip, 1}, Compression{Gzip, 0}, Compression{LZ4, 0}, Compression{LZ4, 9}, Compression{Zstd, 1}, Compression{Zstd, 9})
}

func TestAnotherClientReadsWhatEachCodecMakes(t *testing.T) {
	for _, c := range compressions() {
		for _, size := range []int{200, 70_000, 4<<20 + 100_000} {
			if size > 70_000 && c.Level != DefaultLevel {
				continue // slow
			}
			for name, content := range contents {
				raw, values := filled(t, size, content, c)
				Stamp(raw, 1, 2, 3, false)
				var b kmsg.RecordBatch
				if err := b.ReadFrom(raw); err != nil {
					t.Fatal(err)
				}
				if got := Codec(b.Attributes & codecMask); got != c.Codec && (size > 200 && name == "words" && c.Level != 0 || got != None) {
					t.Fatalf("%v of %d %s is of codec %v", c, size, name, got)
				}
				if len(raw) > size {
					t.Fatalf("%v of %d %s takes %d bytes", c, size, name, len(raw))
				}
				body, err := kgo.DefaultDecompressor().Decompress(b.Records, kgo.CompressionCodecType(b.Attributes&codecMask))
				if err != nil {
					t.Fatalf("%v of %d %s: %v", c, size, name, err)
				}
				got := records(t, &b, body)
				if len(got) != len(values) {
					t.Fatalf("%v of %d %s: %d records of %d", c, size, name, len(got), len(values))
				}
				for i := range got {
					if string(got[i].value) != values[i] {
						t.Fatalf("%v of %d %s: record %d differs", c, size, name, i)
					}
				}
				if len(got) > 1 && c.Level == DefaultLevel {
					first, second, _, err := Split(raw)
					if err != nil || len(first)+len(second) > len(raw)*11/10+2*headerSize {
						t.Fatalf("%v of %d %s is cut into %d and %d: %v", c, size, name, len(first), len(second), err)
					}
				}
				Recycle(raw)
			}
		}
	}
}

func TestLibrdkafkaReadsWhatEachCodecMakes(t *testing.T) {
	const topic = "t"
	cluster, err := mock.New(mock.Config{Topics: map[string]int{topic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Servers()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	var want []string
	for _, c := range compressions() {
		for _, size := range []int{70_000, 4<<20 + 100_000} {
			if size > 70_000 && c.Level != DefaultLevel {
				continue // slow
			}
			raw, values := filled(t, size, contents["words"], c)
			Stamp(raw, -1, -1, -1, false)
			if err := deliver(t.Context(), client, topic, raw); err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			want = append(want, values...)
		}
	}
	consumer, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": cluster.Servers(), "group.id": "g", "auto.offset.reset": "earliest", "check.crcs": true, "fetch.message.max.bytes": 64 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	if err := consumer.Subscribe(topic, nil); err != nil {
		t.Fatal(err)
	}
	for i, value := range want {
		m, err := consumer.ReadMessage(20 * time.Second)
		if err != nil || !bytes.Equal(m.Value, []byte(value)) {
			t.Fatalf("message %d of %d: %v", i, len(want), err)
		}
	}
}

// deliver writes a batch to partition 0.
func deliver(ctx context.Context, client *kgo.Client, topic string, raw []byte) error {
	r := kmsg.NewPtrProduceRequest()
	r.Acks, r.TimeoutMillis = -1, 5_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = raw
	rt.Partitions = append(rt.Partitions, rp)
	r.Topics = append(r.Topics, rt)
	answer, err := client.Broker(0).Request(ctx, named{r})
	if err != nil {
		return err
	}
	if code := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; code != 0 {
		return fmt.Errorf("code %d", code)
	}
	return nil
}

// named is a request of the last version that names topics, and that the client sends as it is.
type named struct{ *kmsg.ProduceRequest }

func (named) MaxVersion() int16 { return 12 }

func TestCodecsAndLevelsHaveLibrdkafkasNamesAndBounds(t *testing.T) {
	for _, c := range []struct {
		codec string
		level int
		ok    bool
	}{
		{"none", -1, true}, {"none", 7, true}, {"gzip", 9, true}, {"gzip", 10, false}, {"lz4", 12, true}, {"lz4", 13, false}, {"snappy", -1, true}, {"snappy", 0, true},
		{"snappy", 1, false}, {"zstd", 22, true}, {"zstd", 23, false}, {"zstd", -2, false}, {"brotli", -1, false},
	} {
		got, err := NewCompression(c.codec, c.level)
		if (err == nil) != c.ok || c.ok && (got.Codec.String() != c.codec || got.Level != c.level) {
			t.Errorf("%s at %d: %v, %v", c.codec, c.level, got, err)
		}
	}
}
