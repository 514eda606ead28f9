// Package mock is a Kafka cluster and a schema registry inside the process, with which programs that read
// Avro topics are tested and shown without installing anything.
//
//	k, err := mock.New(mock.Config{Topics: map[string]int{"prices": 3}})
//	defer k.Close()
//	_, err = k.Produce(ctx, mock.Request{
//		Topic:     "prices",
//		Partition: -1,
//		Schema:    `{"type":"record","name":"Price","fields":[{"name":"bid","type":"double"}]}`,
//		Records:   []json.RawMessage{[]byte(`{"bid":1.25}`)},
//	})
//	// any client: k.Servers(), k.RegistryURL()
//
// The cluster is librdkafka's own mock cluster behind real TCP ports on 127.0.0.1, so every Kafka client can use
// it. What it lacks against a broker, as tried with librdkafka 2.11:
//
//   - It keeps about 5 MB of each partition, as it was sent, and silently drops the oldest beyond that. Produce
//     compresses what it sends and returns an error when messages of its own call are gone already.
//   - A producer or a metadata request that asks for it creates an unknown topic with 4 partitions; a consumer does
//     not. Produce creates one with 1 partition, New and CreateTopic with as many as they are told.
//   - Consumer groups, transactions and idempotence work; KIP-848 groups, admin requests that change topics, ACLs,
//     quotas, TLS and SASL do not. Topics cannot be deleted.
//   - Groups form at once; brokers as a rule wait 3 seconds for more members.
//
// The registry holds its schemas in memory and speaks the part of Confluent's REST interface that serializers and
// clients use. It gives ids from 1 and checks no compatibility.
package mock
