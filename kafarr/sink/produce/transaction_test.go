package produce_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// protocols runs a test with the transactions of KIP-890 and with those before.
func protocols(t *testing.T, test func(t *testing.T, r *rig, n *network)) {
	for name, options := range map[string][]kfake.Opt{"newer": nil, "older": {kfake.MaxVersions(kversion.V3_9_0())}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n network
			test(t, newRig(t, map[string]string{"transactional.id": "mine"}, append(options, kfake.ListenFn(n.listen))...), &n)
		})
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// forget lets the numbers of the transaction that was aborted be sent again.
func (r *rig) forget(next map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, n := range next {
		for from := range r.outcomes[at] {
			if from >= n {
				delete(r.outcomes[at], from)
			}
		}
		r.next[at] = n
	}
}

// client asks the cluster.
func (r *rig) client() *kgo.Client {
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.cluster.ListenAddrs()...), kgo.DisableClientMetrics())
	r.must(err)
	r.t.Cleanup(cl.Close)
	return cl
}

// committed is the offset of a group on t[0]; -1: none.
func (r *rig) committed(group string) int64 {
	r.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.RequireStable = group, true
	t := kmsg.NewOffsetFetchRequestTopic()
	t.Topic, t.Partitions = "t", []int32{0}
	req.Topics = append(req.Topics, t)
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	gt := kmsg.NewOffsetFetchRequestGroupTopic()
	gt.Topic, gt.Partitions = "t", []int32{0}
	g.Topics = append(g.Topics, gt)
	req.Groups = append(req.Groups, g)
	cl := r.client()
	for range 100 {
		resp, err := req.RequestWith(r.t.Context(), cl)
		r.must(err)
		code, offset := int16(0), int64(-1)
		if len(resp.Groups) > 0 && len(resp.Groups[0].Topics) > 0 {
			code, offset = resp.Groups[0].Topics[0].Partitions[0].ErrorCode, resp.Groups[0].Topics[0].Partitions[0].Offset
		} else if len(resp.Topics) > 0 {
			code, offset = resp.Topics[0].Partitions[0].ErrorCode, resp.Topics[0].Partitions[0].Offset
		}
		if code != kerr.UnstableOffsetCommit.Code {
			return offset
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Fatal("the offset does not become stable")
	return 0
}

// ongoing is how many transactions are open.
func (r *rig) ongoing() int {
	r.t.Helper()
	req := kmsg.NewPtrListTransactionsRequest()
	req.StateFilters = []string{"Ongoing"}
	resp, err := req.RequestWith(r.t.Context(), r.client())
	r.must(err)
	return len(resp.TransactionStates)
}

var simple = produce.GroupMember{Group: "g", Generation: -1}

func TestReadersSeeCommittedTransactionsOnly(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		for i := range 12 {
			r.must(r.p.Begin(ctx))
			before := map[string]int{}
			for p := range int32(4) {
				before[place("t", p)] = r.next[place("t", p)]
			}
			for j := range 13 {
				r.send("t", int32(j%4), 1+(i+j)%4)
			}
			if i%3 == 1 {
				if i%2 == 1 {
					r.flush()
				}
				r.must(r.p.Abort(ctx))
				r.forget(before)
				continue
			}
			r.must(r.p.Commit(ctx))
		}
		r.written()
		r.whole("t")
		if n := r.ongoing(); n != 0 {
			t.Error(n, "transactions are open")
		}
	})
}

func TestATransactionMayHaveOffsetsOnlyRowsOnlyOrNothing(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		at := func(offset int64) []source.Position {
			return []source.Position{source.TopicPartition{Topic: "t"}.At(offset)}
		}
		r.must(r.p.Begin(ctx))
		r.must(r.p.SendOffsets(ctx, simple, at(5)))
		r.must(r.p.Commit(ctx))
		if got := r.committed("g"); got != 5 {
			t.Error("offsets only:", got)
		}
		r.must(r.p.Begin(ctx))
		r.must(r.p.Commit(ctx))
		r.must(r.p.Begin(ctx))
		r.must(r.p.Abort(ctx))
		r.must(r.p.Begin(ctx))
		r.must(r.p.SendOffsets(ctx, simple, nil))
		r.send("t", 1, 3)
		r.must(r.p.Commit(ctx))
		r.must(r.p.Begin(ctx))
		r.send("t", 1, 2)
		r.must(r.p.SendOffsets(ctx, simple, at(7)))
		r.must(r.p.Abort(ctx))
		if got := r.committed("g"); got != 5 {
			t.Error("aborted offsets:", got)
		}
		if got := r.read("t", 1, 3); !ascending(got, 3) {
			t.Error(got)
		}
		if n := r.ongoing(); n != 0 {
			t.Error(n, "transactions are open")
		}
	})
}

func TestACommitWithoutAnAnswerIsUnknownAndNeverSentAgain(t *testing.T) {
	for _, before := range []bool{true, false} {
		protocols(t, func(t *testing.T, r *rig, n *network) {
			ctx := t.Context()
			var mu sync.Mutex
			commits := 0
			r.cluster.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r.cluster.KeepControl()
				mu.Lock()
				defer mu.Unlock()
				commits++
				return nil, nil, false
			})
			r.must(r.p.Begin(ctx))
			r.send("t", 0, 3)
			r.flush()
			if key := int32(kmsg.EndTxn.Int16()); before {
				n.cutRequest.Store(key)
			} else {
				n.cutAnswer.Store(key)
			}
			err := r.p.Commit(ctx)
			var e *status.Error
			if !errors.Is(err, produce.ErrUnknownCommit) || !errors.As(err, &e) || e.Code != status.BrokerError {
				t.Fatal(err)
			}
			r.must(r.p.Begin(ctx))
			r.send("t", 1, 4)
			r.must(r.p.Commit(ctx))
			want := 3
			if before {
				want = 0
			}
			got := r.readAll("t", want+4, 0, 1)
			mu.Lock()
			defer mu.Unlock()
			if !ascending(got[0], want) || !ascending(got[1], 4) || commits != map[bool]int{true: 1, false: 2}[before] {
				t.Errorf("got %v, %d commits", got, commits)
			}
		})
	}
}

// TestOffsetsOfACommitWithoutAnAnswerAreThereWithTheirRowsOrNotAtAll cuts the connection before the coordinator has the commit, and before the producer has the answer.
func TestOffsetsOfACommitWithoutAnAnswerAreThereWithTheirRowsOrNotAtAll(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		protocols(t, func(t *testing.T, r *rig, n *network) {
			ctx := t.Context()
			var mu sync.Mutex
			commits := 0
			r.cluster.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r.cluster.KeepControl()
				mu.Lock()
				defer mu.Unlock()
				if req.(*kmsg.EndTxnRequest).Commit {
					commits++
				}
				return nil, nil, false
			})
			r.must(r.p.Begin(ctx))
			r.send("t", 0, 3)
			n.cutAnswer.Store(int32(kmsg.TxnOffsetCommit.Int16())) // offsets that are sent again are the same offsets
			r.must(r.p.SendOffsets(ctx, simple, []source.Position{source.TopicPartition{Topic: "t"}.At(7)}))
			r.flush()
			if key := int32(kmsg.EndTxn.Int16()); arrives {
				n.cutAnswer.Store(key)
			} else {
				n.cutRequest.Store(key)
			}
			if err := r.p.Commit(ctx); !errors.Is(err, produce.ErrUnknownCommit) {
				t.Fatal(err)
			}
			offset, rows := r.committed("g"), 0
			if arrives {
				rows = 3
			}
			if want := map[bool]int64{false: -1, true: 7}[arrives]; offset != want {
				t.Errorf("offset %d is committed, and not %d", offset, want)
			}
			r.must(r.p.Begin(ctx))
			r.send("t", 1, 4)
			r.must(r.p.SendOffsets(ctx, simple, []source.Position{source.TopicPartition{Topic: "t"}.At(9)}))
			r.must(r.p.Commit(ctx))
			if got := r.committed("g"); got != 9 {
				t.Errorf("offset %d is committed by the transaction after it", got)
			}
			got := r.readAll("t", rows+4, 0, 1)
			mu.Lock()
			defer mu.Unlock()
			if !ascending(got[0], rows) || !ascending(got[1], 4) || commits != map[bool]int{false: 1, true: 2}[arrives] {
				t.Errorf("got %v, %d commits", got, commits)
			}
			if n := r.ongoing(); n != 0 {
				t.Error(n, "transactions are open")
			}
		})
	}
}

func TestAnotherProducerWithTheSameTransactionalIDIsAnErrorOfEachCall(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		r.must(r.p.Begin(ctx))
		r.send("t", 0, 3)
		r.flush()
		other := &rig{t: t, cluster: r.cluster, outcomes: map[string]map[int]produce.Outcome{}, next: map[string]int{}}
		other.open(strings.Join(r.cluster.ListenAddrs(), ","), map[string]string{"transactional.id": "mine"})
		r.must(other.p.Begin(ctx))
		other.send("t", 0, 2)
		other.flush()
		// Kafka knows by the epoch that an id has been given out again; this cluster does not.
		r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TxnID: "mine", TopLevel: true, Err: kerr.ProducerFenced, Count: -1})
		r.send("t", 0, 1)
		if err := r.p.Commit(ctx); err == nil {
			t.Error("committed")
		}
		for range 2 {
			if err := r.p.Abort(ctx); !errors.Is(err, produce.ErrFenced) {
				t.Error(err)
			}
			if err := r.p.Begin(ctx); !errors.Is(err, produce.ErrFenced) {
				t.Error(err)
			}
			if err := r.p.Send(ctx, sealed("t", 0, 0, 1, func(produce.Outcome) {})); !errors.Is(err, produce.ErrFenced) {
				t.Error(err)
			}
		}
		r.must(other.p.Commit(ctx))
		if got := r.read("t", 0, 2); !ascending(got, 2) {
			t.Error(got)
		}
	})
}

func TestATransactionWithARefusedBatchCanOnlyBeAborted(t *testing.T) {
	for _, refusal := range []*kerr.Error{kerr.InvalidRecord, kerr.TransactionAbortable, kerr.InvalidTxnState, kerr.OutOfOrderSequenceNumber} {
		protocols(t, func(t *testing.T, r *rig, _ *network) {
			ctx := t.Context()
			r.must(r.p.Begin(ctx))
			r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: refusal, Count: -1, When: holds(3)}) // until it is aborted
			r.send("t", 0, 4)
			for range 9 { // some come when it is known already
				_ = r.p.Send(ctx, sealed("t", 0, 0, 1, func(o produce.Outcome) {
					if o.State == produce.Written {
						t.Errorf("%+v", o)
					}
				}))
			}
			err := r.p.Commit(ctx)
			if err == nil || !strings.Contains(err.Error(), "the transaction can only be aborted: t[0]: "+refusal.Message) {
				t.Error(err)
			}
			if err := r.p.Send(ctx, sealed("t", 1, 0, 1, func(produce.Outcome) {})); err == nil || !strings.Contains(err.Error(), "can only be aborted") {
				t.Error(err)
			}
			if err := r.p.SendOffsets(ctx, simple, []source.Position{{Topic: "t", Offset: 3}}); err == nil || !strings.Contains(err.Error(), "can only be aborted") {
				t.Error(err)
			}
			r.must(r.p.Abort(ctx))
			r.next["t[0]"] = 0
			r.outcomes["t[0]"] = nil
			r.must(r.p.Begin(ctx))
			r.send("t", 0, 3)
			r.must(r.p.Commit(ctx))
			r.written()
			if got := r.read("t", 0, 3); !ascending(got, 3) {
				t.Error(got)
			}
		})
	}
}

func TestAMemberThatHasLostItsPartitionsCommitsNothing(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		r.must(r.p.Begin(ctx))
		r.send("t", 0, 1)
		r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Group: "g", Err: kerr.IllegalGeneration})
		err := r.p.SendOffsets(ctx, produce.GroupMember{Group: "g", Member: "m", Generation: 4}, []source.Position{{Topic: "t", Offset: 3}})
		var e *status.Error
		if !errors.As(err, &e) || e.Code != status.GroupError || !strings.Contains(err.Error(), "the member has lost its partitions since it was given these rows") {
			t.Error(err)
		}
		if err := r.p.Commit(ctx); err == nil || !strings.Contains(err.Error(), "can only be aborted") {
			t.Error(err)
		}
		r.must(r.p.Abort(ctx))
		if got := r.committed("g"); got != -1 {
			t.Error(got)
		}
	})
}

func TestATransactionSaysWhichRightIsMissing(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		denied := func(err error, right string) {
			t.Helper()
			var e *status.Error
			if !errors.As(err, &e) || e.Code != status.AuthenticationError || !strings.Contains(err.Error(), "the principal needs the right "+right) {
				t.Error(err)
			}
			r.must(r.p.Abort(ctx))
		}
		// Which of the two requests is refused depends on the protocol.
		r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Topic: "t", Err: kerr.TopicAuthorizationFailed, Count: 1})
		r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.TopicAuthorizationFailed, Count: 1})
		r.must(r.p.Begin(ctx))
		r.send("t", 0, 3)
		denied(r.p.Commit(ctx), "Write on topic t")
		for fault, right := range map[*kfake.Fault]string{
			{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Topic: "t", Err: kerr.TopicAuthorizationFailed, Count: 1}: "Read on topic t",
			{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Group: "g", Err: kerr.GroupAuthorizationFailed, Count: 1}: "Read on group g",
		} {
			r.cluster.Fault(*fault)
			r.must(r.p.Begin(ctx))
			denied(r.p.SendOffsets(ctx, simple, []source.Position{{Topic: "t", Offset: 3}}), right)
		}
	})
}

func TestCoordinatorsThatMoveOrWaitAreWaitedFor(t *testing.T) {
	protocols(t, func(t *testing.T, r *rig, _ *network) {
		ctx := t.Context()
		for i := range 6 {
			for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.EndTxn, kmsg.AddOffsetsToTxn} {
				r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, TopLevel: true, Err: []*kerr.Error{kerr.ConcurrentTransactions, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress}[i%3], Count: 2})
			}
			r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Group: "g", Err: kerr.CoordinatorLoadInProgress, Count: 2})
			r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Topic: "t", Err: kerr.ConcurrentTransactions, Count: 2})
			r.must(r.p.Begin(ctx))
			r.send("t", 2, 2)
			r.must(r.p.SendOffsets(ctx, simple, []source.Position{{Topic: "t", Offset: int64(i)}}))
			if i == 3 {
				r.cluster.RehashCoordinators()
			}
			r.must(r.p.Commit(ctx))
			if got := r.committed("g"); got != int64(i) {
				t.Error(got)
			}
		}
		if got := r.read("t", 2, 12); !ascending(got, 12) {
			t.Error(got)
		}
	})
}

func TestBatchesBelongIntoATransaction(t *testing.T) {
	r := newRig(t, map[string]string{"transactional.id": "mine"})
	ctx := t.Context()
	state := func(err error) {
		t.Helper()
		var e *status.Error
		if !errors.As(err, &e) || e.Code != status.StateError {
			t.Error(err)
		}
	}
	state(r.p.Send(ctx, sealed("t", 0, 0, 1, func(produce.Outcome) {})))
	state(r.p.Commit(ctx))
	state(r.p.Abort(ctx))
	r.must(r.p.Begin(ctx))
	state(r.p.Begin(ctx))
	r.send("t", 0, 1)
	ended, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r.must(r.p.Close(ended))
	if n := r.ongoing(); n != 0 {
		t.Error("Close leaves a transaction open")
	}
	plain := newRig(t, nil)
	state(plain.p.Begin(ctx))
	for _, properties := range []map[string]string{{"transactional.id": "x", "enable.idempotence": "false"}, {"enable.idempotence": "true", "acks": "1"}, {"max.in.flight": "6"}} {
		var e interface{ Status() *status.Error }
		if _, err := produce.Open(produce.Settings{Servers: "a:1", Properties: properties}); !errors.As(err, &e) || e.Status().Code != status.ConfigError {
			t.Error(fmt.Sprint(properties), err)
		}
	}
}
