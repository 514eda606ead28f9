package kafarr_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/mock"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestATransactionCommitsOffsetsOfTheMemberThatTheRowsWereHandedOverTo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k, err := mock.New(mock.Config{Topics: map[string]int{"in": 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := k.Produce(ctx, mock.Request{Topic: "in", Values: [][]byte{[]byte("a"), []byte("b"), []byte("c"), []byte("d")}}); err != nil {
		t.Fatal(err)
	}
	// A group of its own for each, so that there is no rebalance.
	listen := func(group string, acknowledge kafarr.Acknowledge) *kafarr.Listener {
		l, err := kafarr.Open(kafarr.Config{
			Cluster: kafarr.Cluster{Servers: k.Servers(), Properties: map[string]string{"auto.offset.reset": "earliest", "enable.auto.commit": "false"}},
			Group:   group, Topics: []string{"in"}, Messages: kafarr.Messages{Value: kafarr.Bytes}, Acknowledge: acknowledge,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Abort() })
		return l
	}
	p, err := produce.Open(produce.Settings{Servers: k.Servers(), Properties: map[string]string{"transactional.id": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(ctx) }()
	l := listen("g", kafarr.OnCommit)
	b, err := l.Poll(ctx, 4, 5*time.Second)
	if err != nil || b.NumRows() != 4 {
		t.Fatal(b, err)
	}
	defer b.Release()
	member, known := b.GroupMember()
	if !known || member.Group != "g" || member.Member == "" || member.Generation < 1 {
		t.Fatalf("%+v", member)
	}
	commit := func() error {
		if err := p.Begin(ctx); err != nil {
			return err
		}
		if err := p.SendOffsets(ctx, member, []source.Position{{Topic: "in", Partition: 0, Offset: 2}}); err != nil {
			return errors.Join(err, p.Abort(ctx))
		}
		return p.Commit(ctx)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	member.Generation-- // as if the rows had been handed over before a rebalance
	var e *status.Error
	if err := commit(); !errors.As(err, &e) || e.Code != status.GroupError {
		t.Errorf("the rows have another owner by now: %v", err)
	}
	usual, err := listen("h", kafarr.OnNextPoll).Poll(ctx, 1, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer usual.Release()
	if _, known := usual.GroupMember(); known {
		t.Error("the listener commits these offsets by itself")
	}
}
