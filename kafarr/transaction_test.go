package kafarr_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// groupMember is a source that is a member of a group.
type groupMember struct {
	*replay.Source
	generation int32
	asked      func() // within Member
}

func (m *groupMember) Member(context.Context) (source.GroupMember, error) {
	if m.asked != nil {
		m.asked()
	}
	return source.GroupMember{Group: "g", Member: "m", Generation: m.generation}, nil
}

// coordinator is a sink whose calls about transactions fail on demand.
type coordinator struct {
	*messages
	failing   map[string]error // by the name of the call
	member    kafarr.GroupMember
	sent      []source.Position
	committed []source.Position
}

func (c *coordinator) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.messages.Flush(ctx)
}

func (c *coordinator) Commit(ctx context.Context) error {
	if err := c.failing["commit"]; err != nil {
		return err
	}
	c.committed, c.sent = append(c.committed, c.sent...), nil
	return c.messages.Commit(ctx)
}

func (c *coordinator) Abort(ctx context.Context) error {
	if err := c.failing["abort"]; err != nil {
		return err
	}
	c.sent = nil
	return c.messages.Abort(ctx)
}

func (c *coordinator) SendOffsets(_ context.Context, m kafarr.GroupMember, offsets []source.Position) error {
	c.member, c.sent = m, append(c.sent, offsets...)
	return c.failing["offsets"]
}

// copier is a listener whose batches ride in transactions of a producer.
type copier struct {
	*testing.T
	l    *kafarr.Listener
	src  *groupMember
	sink *coordinator
	p    *kafarr.Producer
}

func newCopier(t *testing.T, log ...replay.Message) *copier {
	t.Helper()
	c := &copier{T: t, src: &groupMember{Source: replay.New(log...), generation: 3}, sink: &coordinator{messages: &messages{partitions: 1}, failing: map[string]error{}}}
	cfg := kafarr.Config{Acknowledge: kafarr.OnCommit, Cluster: kafarr.Cluster{Properties: map[string]string{"enable.auto.commit": "false"}}}
	c.l = openOver(t, cfg, c.src, c.src.Source)
	c.p = producerOf(t, c.sink, map[string]string{"transactional.id": "t"})
	return c
}

// poll returns the next batch.
func (c *copier) poll(limit int) *kafarr.Batch {
	c.Helper()
	b, err := c.l.Poll(c.Context(), limit, 0)
	for end := 0; err == nil && b.NumRows() == 0 && end < 1000; end++ {
		b, err = c.l.Poll(c.Context(), limit, 1_000_000)
	}
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(b.Release)
	return b
}

// copy writes the batches' rows and offsets in a transaction, and does something before its commit.
func (c *copier) copy(meanwhile func(), batches ...*kafarr.Batch) error {
	c.Helper()
	tx, err := c.p.Begin(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if _, err := tx.Send(c.Context(), bare("prices"), prices(c.T, 1)); err != nil {
		c.Fatal(err)
	}
	if err := tx.CommitBatches(c.l, batches...); err != nil {
		if failed := tx.Abort(c.Context()); failed != nil {
			c.Fatal(failed)
		}
		return err
	}
	meanwhile()
	return tx.Commit(c.Context())
}

func (c *copier) want(err error, code kafarr.Code, text string) {
	c.Helper()
	var e *kafarr.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(err.Error(), text) {
		c.Errorf("got %v, want %v: %s", err, code, text)
	}
}

func (c *copier) wantCommitted(want ...source.Position) {
	c.Helper()
	if !slices.Equal(c.sink.committed, want) {
		c.Errorf("committed %v, want %v", c.sink.committed, want)
	}
}

func next(offset int64) source.Position { return source.Position{Topic: "t", Offset: offset} }

func nothing() {}

func TestATransactionCommitsTheOffsetsOfABatchForItsMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 5)...)
		for _, err := range []error{c.copy(nothing, c.poll(2)), c.copy(nothing, c.poll(2))} {
			if err != nil {
				t.Error(err)
			}
		}
		c.wantCommitted(next(2), next(4))
		if c.sink.member != (kafarr.GroupMember{Group: "g", Member: "m", Generation: 3}) {
			t.Error(c.sink.member)
		}
		c.want(c.l.Commit(t.Context()), kafarr.StateError, "are committed by transactions")
		if err := c.l.Close(); err != nil || c.src.Committed("t", 0) != -1 {
			t.Errorf("%v, and the listener has committed %d by itself", err, c.src.Committed("t", 0))
		}
	})
}

func TestABatchWhoseTransactionFailedIsOpenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, call := range []string{"offsets", "commit"} {
			c := newCopier(t, line(0, 2)...)
			b := c.poll(2)
			c.sink.failing[call] = source.Errorf(kafarr.BrokerError, "refused")
			c.want(c.copy(nothing, b), kafarr.BrokerError, "refused; the transaction is aborted")
			delete(c.sink.failing, call)
			if err := c.copy(nothing, b); err != nil {
				t.Error(err)
			}
			c.wantCommitted(next(2))
		}
	})
}

func TestATransactionThatCouldNotBeAbortedIsAbortedByTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 2)...)
		b := c.poll(2)
		c.sink.failing["commit"], c.sink.failing["abort"] = source.Errorf(kafarr.BrokerError, "refused"), source.Errorf(kafarr.BrokerError, "no answer")
		c.want(c.copy(nothing, b), kafarr.BrokerError, "refused; aborting the transaction failed, too, so that the next one does it first: no answer")
		if _, err := c.p.Begin(t.Context()); err == nil {
			t.Error("a transaction has begun within another one")
		}
		clear(c.sink.failing)
		if err := c.copy(nothing, b); err != nil {
			t.Error(err)
		}
		c.wantCommitted(next(2))
		if want := []string{"begin", "abort", "begin", "commit"}; !slices.Equal(c.sink.calls, want) {
			t.Error(c.sink.calls)
		}
	})
}

func TestABatchWhoseCommitIsUnknownIsNeitherAcknowledgedNorOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 2)...)
		b := c.poll(2)
		c.sink.failing["commit"] = source.Errorf(kafarr.BrokerError, "%w", kafarr.ErrUnknownCommit)
		c.want(c.copy(nothing, b), kafarr.BrokerError, "seek to the committed offsets")
		clear(c.sink.failing)
		c.want(c.copy(nothing, b), kafarr.StateError, "of which it is not known whether it was committed")
		if err := c.l.Seek(t.Context(), kafarr.PartitionOffset{Topic: "t", Offset: kafarr.OffsetSpec{Kind: kafarr.AtEarliest}}); err != nil {
			t.Fatal(err)
		}
		if err := c.copy(nothing, c.poll(2)); err != nil {
			t.Error(err)
		}
		c.wantCommitted(next(2))
	})
}

func TestARebalanceBeforeTheCommitAbortsTheTransaction(t *testing.T) {
	for name, when := range map[string]func(c *copier) (rebalanced func()){
		"before the member is asked for": func(c *copier) func() { return func() { c.rebalance() } },
		"while the member is asked for":  func(c *copier) func() { c.src.asked = c.rebalance; return nothing },
	} {
		inBubble(t, name, func(t *testing.T) {
			c := newCopier(t, line(0, 2)...)
			b := c.poll(2)
			c.want(c.copy(when(c), b), kafarr.GroupError, "its new owner reads the rows from offset 0 on again. Seek the partitions that this listener has to their committed offsets, where it reads on; the transaction is aborted")
			c.wantCommitted()
		})
	}
}

// rebalance takes the partition away, and gives it back.
func (c *copier) rebalance() {
	c.Helper()
	c.src.asked = nil
	c.src.Revoke(next(0))
	c.src.Regain(next(0))
	if _, err := c.l.Poll(c.Context(), 1, 0); err != nil {
		c.Error(err)
	}
}

func TestABatchIsNotCommittedBeforeTheRowsThatPrecedeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 4)...)
		first, second := c.poll(2), c.poll(2)
		c.want(c.copy(nothing, second), kafarr.StateError, "t[0]: the rows before offset 4 cannot be committed: the row at offset 0, of another batch, is not")
		if err := c.copy(nothing, second, first); err != nil {
			t.Error(err)
		}
		c.wantCommitted(next(4))
	})
}

func TestACommitUnderWayKeepsBatchesOutOfTransactions(t *testing.T) {
	c := newCopier(t)
	log := replay.New(line(0, 2)...)
	src := &slowCommit{groupMember: &groupMember{Source: log}, begun: make(chan struct{}), end: make(chan struct{})}
	c.l = openOver(t, kafarr.Config{Acknowledge: kafarr.OnCommit, Cluster: kafarr.Cluster{Properties: map[string]string{"enable.auto.commit": "false"}}}, src, log)
	b := c.poll(2)
	done := make(chan error)
	go func() { done <- c.l.Commit(context.Background()) }()
	<-src.begun
	c.want(c.copy(nothing, b), kafarr.StateError, "a commit of this listener is under way")
	close(src.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// slowCommit is a source whose commits wait.
type slowCommit struct {
	*groupMember
	begun, end chan struct{}
	once       sync.Once
}

func (s *slowCommit) Commit(context.Context, []source.Position) error {
	s.once.Do(func() { close(s.begun) })
	<-s.end
	return nil
}

func TestAListenerThatMayCommitByItselfGivesNoBatchToATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, change := range map[string]func(*kafarr.Config){
			`acknowledge="commit"`:           func(cfg *kafarr.Config) { cfg.Acknowledge = kafarr.OnNextPoll },
			"enable.auto.commit":             func(cfg *kafarr.Config) { delete(cfg.Cluster.Properties, "enable.auto.commit") },
			"isolation.level=read_committed": func(cfg *kafarr.Config) { cfg.Cluster.Properties["isolation.level"] = "read_uncommitted" },
		} {
			c := newCopier(t)
			cfg := kafarr.Config{Acknowledge: kafarr.OnCommit, Cluster: kafarr.Cluster{Properties: map[string]string{"enable.auto.commit": "false"}}}
			change(&cfg)
			src := replay.New(line(0, 1)...)
			c.l = openOver(t, cfg, &groupMember{Source: src}, src)
			c.want(c.copy(nothing, c.poll(1)), kafarr.ConfigError, want)
		}
		c := newCopier(t)
		c.l, _ = open(t, kafarr.Config{Acknowledge: kafarr.OnCommit}, line(0, 1)...)
		c.want(c.copy(nothing, c.poll(1)), kafarr.ConfigError, "this source is no member of one")
	})
}

func TestAPartitionThatComesBackBeginsAtTheOffsetThatATransactionCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 4)...)
		if err := c.copy(nothing, c.poll(2)); err != nil {
			t.Fatal(err)
		}
		if err := c.src.Commit(t.Context(), c.sink.committed); err != nil {
			t.Fatal(err)
		}
		lost := c.poll(1)
		c.src.Revoke(next(0))
		c.src.Regain(next(0))
		again := c.poll(2)
		c.want(c.copy(nothing, lost), kafarr.GroupError, "t[0]: the partition was taken away")
		if again.Ranges[0].First != 2 || again.NumRows() != 2 {
			t.Errorf("the rows from offset 2 on do not come again: %v", again.Ranges)
		}
		if err := c.copy(nothing, again); err != nil {
			t.Error(err)
		}
		c.wantCommitted(next(2), next(4))
	})
}

func TestAnAbortDuringACommitComesTooLate(t *testing.T) {
	c := newCopier(t, line(0, 2)...)
	b := c.poll(2)
	tx, err := c.p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.CommitBatches(c.l, b); err != nil {
		t.Fatal(err)
	}
	aborted := make(chan error)
	c.src.asked = func() { go func() { aborted <- tx.Abort(context.Background()) }() }
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-aborted; err != nil || slices.Contains(c.sink.calls, "abort") {
		t.Error(err, c.sink.calls)
	}
	c.want(c.copy(nothing, b), kafarr.StateError, "they are acknowledged")
}

func TestATransactionWhoseCommitWasInterruptedMayBeAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCopier(t, line(0, 2)...)
		b := c.poll(2)
		tx, err := c.p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.CommitBatches(c.l, b); err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tx.Commit(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := tx.Abort(t.Context()); err != nil {
			t.Error(err)
		}
		if err := c.copy(nothing, b); err != nil {
			t.Error(err)
		}
		c.wantCommitted(next(2))
	})
}
