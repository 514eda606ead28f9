package produce

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/mock"
)

func TestEachKeyGoesWhereLibrdkafkaSendsIt(t *testing.T) {
	const partitions = 7
	random := rand.New(rand.NewPCG(7, 7))
	keys := [][]byte{{}, []byte("hejsan")}
	for range 300 {
		key := make([]byte, random.IntN(40))
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		keys = append(keys, key)
	}
	topic := "t"
	cluster, err := mock.New(mock.Config{Topics: map[string]int{topic: partitions}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	for name, partitioner := range Partitioners {
		if name == "random" {
			continue
		}
		p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": cluster.Servers(), "partitioner": name, "linger.ms": 0})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		delivered := make(chan kafka.Event, len(keys))
		for i, key := range keys {
			if err := p.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Key: key, Opaque: i}, delivered); err != nil {
				t.Fatal(err)
			}
		}
		for range keys {
			var m *kafka.Message
			select {
			case e := <-delivered:
				m = e.(*kafka.Message)
			case <-time.After(30 * time.Second):
				t.Fatal("no report")
			}
			if m.TopicPartition.Error != nil {
				t.Fatal(m.TopicPartition.Error)
			}
			key := keys[m.Opaque.(int)]
			if want, ok := partitioner.Partition(key, partitions); ok && m.TopicPartition.Partition != want {
				t.Errorf("%s: librdkafka sends %q to %d, and not to %d", name, key, m.TopicPartition.Partition, want)
			} else if !ok && len(key) > 0 {
				t.Errorf("%s: %q may go anywhere", name, key)
			}
		}
	}
}
