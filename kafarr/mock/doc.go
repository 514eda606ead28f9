// Package mock is a Kafka cluster and a schema registry inside the process. Programs that read Avro topics can be
// tested and shown with it, without installing anything.
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
// The cluster is franz-go's kfake behind real TCP ports on 127.0.0.1, so every Kafka client can use it. How it
// differs from a broker:
//
//   - It keeps all messages in memory, as they were sent, until it is closed. Produce compresses.
//   - A producer or a metadata request that asks for it creates an unknown topic with 4 partitions; a consumer does
//     not. Produce creates one with 1 partition, New and CreateTopic with as many as the caller asks for.
//   - Groups form at once, while brokers by default wait 3 seconds for more members. A member that has left is removed
//     at once, and one that died is removed after its session, as on a broker. Sessions may be as short as 100 ms.
//   - A message may have up to 64 MiB.
//   - Producers may be idempotent and may have transactions: sequences, epochs and fencing are checked as on a broker. A
//     batch is not looked into.
//   - Config.Script refuses requests and cuts connections, before or after the broker has done what was asked.
//   - There are neither TLS nor SASL, and no metrics of clients are collected.
//
// The registry holds its schemas in memory and speaks the part of Confluent's REST interface that serializers and
// clients use. It gives ids from 1 and checks no compatibility.
package mock
