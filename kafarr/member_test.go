package kafarr_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/mock"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// TestOffsetsOfAListenerAreCommittedByATransaction has the client in between, with members of groups of both protocols, and with assigned partitions.
func TestOffsetsOfAListenerAreCommittedByATransaction(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k, err := mock.New(mock.Config{Topics: map[string]int{"in": 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := k.Produce(ctx, mock.Request{Topic: "in", Values: [][]byte{[]byte("a"), []byte("b"), []byte("c"), []byte("d")}}); err != nil {
		t.Fatal(err)
	}
	p, err := kafarr.OpenProducer(kafarr.ProducerConfig{Cluster: kafarr.Cluster{Servers: k.Servers()}, TransactionalID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(ctx) }()
	for group, cfg := range map[string]kafarr.Config{
		"classic":  {Topics: []string{"in"}},
		"KIP-848":  {Topics: []string{"in"}, Cluster: kafarr.Cluster{Properties: map[string]string{"group.protocol": "consumer"}}},
		"assigned": {Assign: []source.Position{{Topic: "in"}}},
	} {
		properties := map[string]string{"auto.offset.reset": "earliest", "enable.auto.commit": "false"}
		maps.Copy(properties, cfg.Cluster.Properties)
		cfg.Cluster = kafarr.Cluster{Servers: k.Servers(), Properties: properties}
		cfg.Group, cfg.Messages, cfg.Acknowledge = group, kafarr.Messages{Value: kafarr.Bytes}, kafarr.OnCommit
		commitThree(ctx, t, p, cfg)
	}
}

// commitThree commits the first three rows of a topic by a transaction of their offsets alone.
func commitThree(ctx context.Context, t *testing.T, p *kafarr.Producer, cfg kafarr.Config) {
	t.Helper()
	l, err := kafarr.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Abort() }()
	b, err := l.Poll(ctx, 3, 10*time.Second)
	if err != nil || b.NumRows() != 3 {
		t.Fatal(cfg.Group, b, err)
	}
	defer b.Release()
	tx, err := p.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.CommitBatches(l, b); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Committed(ctx); err != nil || len(got) != 1 || got[0].Offset != 3 {
		t.Errorf("%s: committed %v, %v", cfg.Group, got, err)
	}
}
