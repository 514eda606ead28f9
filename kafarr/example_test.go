package kafarr_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/mock"
)

// listen is the README's example.
func listen(ctx context.Context) error {
	l, err := kafarr.Open(kafarr.Config{
		Cluster:  kafarr.Cluster{Servers: "kafka:9092", Properties: map[string]string{"auto.offset.reset": "earliest"}},
		Registry: kafarr.Registry{URL: "http://registry:8081/"},
		Group:    "my-group", Topics: []string{"PRICES"},
	})
	if err != nil {
		return err
	}
	defer l.Close()
	for batch, err := range l.Batches(ctx, 100_000, time.Second) {
		if err != nil {
			return err
		}
		fmt.Println(batch.MessageType, batch.NumRows(), batch.Ranges)
		batch.Release()
	}
	return nil
}

// scanAll is the example of docs/scans.md.
func scanAll(ctx context.Context) error {
	plan, err := kafarr.Scan(ctx, kafarr.ScanConfig{
		Cluster: kafarr.Cluster{Servers: "kafka:9092"}, Topics: []string{"PRICES"}, Registry: kafarr.Registry{URL: "http://registry:8081/"},
	})
	if err != nil {
		return err
	}
	stream := plan.Read()
	defer stream.Close()
	for batch, err := range stream.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(batch.MessageType, batch.NumRows(), batch.Ranges)
		batch.Release()
	}
	fmt.Println(stream.Report())
	return nil
}

// A Listener reads what was produced to an embedded broker.
func Example() {
	ctx := context.Background()
	k, err := mock.New(mock.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer k.Close()
	records, err := mock.Records(map[string]any{"bid": 1.25}, map[string]any{"bid": 1.5})
	if err != nil {
		log.Fatal(err)
	}
	_, err = k.Produce(ctx, mock.Request{
		Topic: "PRICES", Records: records,
		Schema: `{"type": "record", "name": "com.example.Price", "fields": [{"name": "bid", "type": "double"}]}`,
	})
	if err != nil {
		log.Fatal(err)
	}
	l, err := kafarr.Open(kafarr.Config{
		Cluster:  kafarr.Cluster{Servers: k.Servers(), Properties: map[string]string{"auto.offset.reset": "earliest"}},
		Registry: kafarr.Registry{URL: k.RegistryURL()},
		Group:    "example", Topics: []string{"PRICES"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	batch, err := l.Poll(ctx, 2, 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	defer batch.Release()
	fmt.Println(batch.MessageType, batch.Record.Column(0), batch.Ranges)
	// Output: com.example.Price [1.25 1.5] [{PRICES 0 0 2 2}]
}

// A Scan reads what was there when it was planned.
func ExampleScan() {
	ctx := context.Background()
	k, err := mock.New(mock.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer k.Close()
	records, err := mock.Records(map[string]any{"bid": 1.25}, map[string]any{"bid": 1.5})
	if err != nil {
		log.Fatal(err)
	}
	_, err = k.Produce(ctx, mock.Request{
		Topic: "PRICES", Records: records,
		Schema: `{"type": "record", "name": "com.example.Price", "fields": [{"name": "bid", "type": "double"}]}`,
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := kafarr.Scan(ctx, kafarr.ScanConfig{Cluster: kafarr.Cluster{Servers: k.Servers()}, Topics: []string{"PRICES"}, Registry: kafarr.Registry{URL: k.RegistryURL()}})
	if err != nil {
		log.Fatal(err)
	}
	stream := plan.Read()
	defer stream.Close()
	for batch, err := range stream.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.MessageType, batch.Record.Column(0))
		batch.Release()
	}
	fmt.Println(plan.Partitions, stream.Report()[0].Ended)
	// Output:
	// com.example.Price [1.25 1.5]
	// [{PRICES 0 0 2}] complete
}

var _, _ = listen, scanAll // compiled, never run: there is no broker of that name
