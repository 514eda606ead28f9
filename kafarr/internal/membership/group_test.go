package membership_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// cluster is a source, the cluster behind it, and the listener around the group, as far as a group sees them. It writes down what is done to it.
type cluster struct {
	calls   []string
	refuse  error // the answer to Pause and Seek
	waiting string
	joined  bool
	missing map[string]error
	answers bool
	starts  membership.FoundStarts
	lines   []string
	failed  []error
	returns bool // partitions that come back begin at the committed offset
}

func (c *cluster) note(what string, at []source.Position) error {
	c.calls = append(c.calls, fmt.Sprint(what, " ", at))
	return c.refuse
}

func (c *cluster) ServeEvents() error                                 { return nil }
func (c *cluster) Fetch(int, time.Duration) ([]source.Chunk, error)   { return nil, nil }
func (c *cluster) Release()                                           {}
func (c *cluster) Ready() (bool, string)                              { return c.joined, c.waiting }
func (c *cluster) UnavailableTopics() map[string]error                { return c.missing }
func (c *cluster) LastConnectError() error                            { return nil }
func (c *cluster) Store([]source.Position) error                      { return nil }
func (c *cluster) Commit(context.Context, []source.Position) error    { return nil }
func (c *cluster) Close() error                                       { return nil }
func (c *cluster) Seek(_ context.Context, at []source.Position) error { return c.note("seek", at) }
func (c *cluster) Pause(at []source.Position) error                   { return c.note("pause", at) }
func (c *cluster) Resume(at []source.Position) error                  { _ = c.note("resume", at); return nil }
func (c *cluster) Paused(at []source.Position) []bool                 { return make([]bool, len(at)) }
func (c *cluster) Stuck() (bool, error)                               { return false, nil }
func (c *cluster) AnsweredSince(time.Time) bool                       { return c.answers }
func (c *cluster) Client(_ int, facility, message string)             { c.Warn(facility, message) }
func (c *cluster) Warn(facility, message string)                      { c.lines = append(c.lines, facility+": "+message) }
func (c *cluster) Assignment(string, []source.Position)               {}
func (c *cluster) CommittedOffsets(_ context.Context, at []source.Position) ([]source.Position, error) {
	return at, nil
}
func (c *cluster) ListOffsets(_ context.Context, at []source.Position) ([]source.Position, error) {
	return at, nil
}
func (c *cluster) FindStarts(context.Context, []source.TopicPartition) membership.FoundStarts {
	return c.starts
}
func (c *cluster) Beginnings(context.Context, []source.TopicPartition, map[source.TopicPartition]int64) (map[source.TopicPartition]membership.Beginning, error, error) {
	return nil, nil, nil
}

// member is a group of the cluster, and what it has in common with its listener.
type member struct {
	*membership.Group
	table   *partitions.Table
	tracker *delivery.Tracker
	events  membership.Events
}

func (c *cluster) member(t *testing.T, cfg membership.Config) *member {
	t.Helper()
	m := &member{table: partitions.NewTable(), tracker: delivery.New()}
	if cfg.Starts == nil {
		cfg.Starts = func(source.TopicPartition) bool { return false }
	}
	m.Group = membership.New(cfg, membership.Listener{
		Context: t.Context(), Leaving: func() bool { return false }, Discard: func(source.TopicPartition) {}, Fail: func(err error) { c.failed = append(c.failed, err) },
		Neighbours: func(_, _ time.Time) string { return "" }, Rebalances: &atomic.Int64{}, Returns: func() bool { return c.returns },
	}, m.table, m.tracker, &m.events, c)
	m.Connect(source.RolesOf(c), c)
	return m
}

// committedAt answers what the group has committed.
func committedAt(offset int64) func([]source.Position) ([]source.Position, error) {
	return func(asked []source.Position) ([]source.Position, error) {
		out := slices.Clone(asked)
		for i := range out {
			out[i].Offset = offset
		}
		return out, nil
	}
}

func TestAPartitionThatComesBackContinuesWhereThisListenerOrAnotherMemberHasCome(t *testing.T) {
	for _, c := range []struct {
		name            string
		next            partitions.Offset
		committed, want int64
	}{
		{"it is new", partitions.Offset{}, 9, source.Stored},
		{"nobody has read it since", partitions.At(5), 3, 5},
		{"another member has read it further", partitions.At(5), 9, 9},
	} {
		m := (&cluster{}).member(t, membership.Config{})
		m.table.Of(partition(0)).Next = c.next
		out := m.Assigned(positions(0), committedAt(c.committed))
		if out[0].Offset != c.want || !m.tracker.IsAssigned(partition(0)) {
			t.Errorf("%s: %v", c.name, out)
		}
	}
}

func TestAPartitionContinuesWhereItStoppedThoughCommittedOffsetsCannotBeRead(t *testing.T) {
	c := &cluster{}
	m := c.member(t, membership.Config{})
	m.table.Of(partition(0)).Next = partitions.At(5)
	out := m.Assigned(positions(0), func([]source.Position) ([]source.Position, error) { return nil, errors.New("no answer") })
	if out[0].Offset != 5 || len(c.lines) != 1 {
		t.Errorf("%v, logged %q", out, c.lines)
	}
}

func TestAPartitionThatComesBackBeginsAtTheCommittedOffsetWhereTransactionsCommit(t *testing.T) {
	configured := func(source.TopicPartition) bool { return true }
	for _, c := range []struct {
		name      string
		cfg       membership.Config
		committed int64
		want      int64
	}{
		{"the group has committed less than was read", membership.Config{}, 3, source.Stored},
		{"the group has committed less, and the configuration says where new partitions begin", membership.Config{Starts: configured}, 3, source.Stored},
		{"the group has committed nothing", membership.Config{}, -1, source.Stored},
		{"the group has committed nothing, and the configuration says where new partitions begin", membership.Config{Starts: configured}, -1, 7},
	} {
		around := &cluster{returns: true, starts: membership.FoundStarts{At: []source.Position{partition(0).At(7)}, Committed: []source.Position{partition(0).At(-1)}}}
		m := around.member(t, c.cfg)
		m.table.Of(partition(0)).Next = partitions.At(5)
		m.tracker.Take(partition(0), 1, 3, 5)
		if out := m.Assigned(positions(0), committedAt(c.committed)); out[0].Offset != c.want {
			t.Errorf("%s: %v", c.name, out)
		}
		if _, open := m.tracker.FirstUndelivered(partition(0)); open {
			t.Errorf("%s: rows from before are open", c.name)
		}
	}
}

func TestAPartitionWhoseStartIsNotKnownIsPausedAndAskedAboutUntilItIs(t *testing.T) {
	c := &cluster{starts: membership.FoundStarts{Err: errors.New("no answer")}}
	m := c.member(t, membership.Config{Starts: func(source.TopicPartition) bool { return true }})
	m.Assigned(positions(0), committedAt(0))
	if !slices.Equal(c.calls, []string{"pause [{t 0 -1}]"}) || m.Fault() == nil {
		t.Fatalf("calls %q, fault %v", c.calls, m.Fault())
	}
	c.starts = membership.FoundStarts{At: []source.Position{partition(0).At(7)}, Committed: []source.Position{partition(0).At(3)}}
	for end := time.Now().Add(10 * time.Second); m.Fault() != nil && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := m.Retry(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"pause [{t 0 -1}]", "seek [{t 0 7}]", "resume [{t 0 7}]"}; !slices.Equal(c.calls, want) {
		t.Errorf("calls %q, want %q", c.calls, want)
	}
	if next := m.table.Of(partition(0)).Next; next != partitions.At(7) {
		t.Errorf("next is %v", next)
	}
}

func TestAPartitionThatItsUserHasPausedMeanwhileStaysPausedWhenItsStartIsKnown(t *testing.T) {
	c := &cluster{starts: membership.FoundStarts{Err: errors.New("no answer")}}
	m := c.member(t, membership.Config{Starts: func(source.TopicPartition) bool { return true }})
	m.Assigned(positions(0), committedAt(0))
	m.KeepPaused(partition(0))
	if m.Fault() != nil {
		t.Error("a poll fails for a partition that its user has paused")
	}
	if err := m.Move(partition(0).At(4), 0); err != nil {
		t.Fatal(err)
	}
	if len(c.calls) != 1 {
		t.Errorf("calls %q", c.calls)
	}
}

func TestStartsOutsideOfTheLogAreErrorsAndTheClientsResetCounts(t *testing.T) {
	outside := status.Errorf(status.BrokerError, "not in the log")
	outside.Topic, outside.Partition = "t", 0
	c := &cluster{starts: membership.FoundStarts{
		At: []source.Position{partition(0).At(99), partition(1).At(2)}, Committed: positions(0, 1), Outside: []*status.Error{outside},
	}}
	m := c.member(t, membership.Config{Starts: func(source.TopicPartition) bool { return true }})
	m.Assigned(positions(0, 1), committedAt(0))
	if len(c.failed) != 1 || m.table.Of(partition(0)).Next.Known || m.table.Of(partition(1)).Next != partitions.At(2) {
		t.Errorf("failed %v, next %v and %v", c.failed, m.table.Of(partition(0)).Next, m.table.Of(partition(1)).Next)
	}
}

// schema is a look-up.
type schema struct{ answered bool }

func (s *schema) Outage(at source.Position) *status.Error {
	return status.Errorf(status.RegistryError, "no answer").At(at.Topic, at.Partition, at.Offset)
}

func (s *schema) What() string   { return "schema" }
func (s *schema) Answered() bool { return s.answered }
func (s *schema) Missing() bool  { return false }

func TestABlockedPartitionGoesBackToItsRecordAndContinuesWhenTheRegistryHasAnswered(t *testing.T) {
	c := &cluster{}
	m := c.member(t, membership.Config{})
	s := &schema{}
	if !m.Blocked.Block(t.Context(), membership.Wait{Record: partition(0).At(5), Lookup: s, Hint: "look"}) {
		t.Fatal("not blocked")
	}
	if err := m.Fault(); err == nil || !strings.Contains(err.Error(), "t[0]@5: no answer; look") {
		t.Errorf("fault: %v", err)
	}
	if err := m.Retry(); err != nil || m.Fault() == nil {
		t.Errorf("it continues before there is an answer: %v", err)
	}
	s.answered = true
	if err := m.Retry(); err != nil || m.Fault() != nil {
		t.Errorf("it does not continue: %v", err)
	}
	if want := []string{"pause [{t 0 5}]", "seek [{t 0 5}]", "resume [{t 0 5}]"}; !slices.Equal(c.calls, want) {
		t.Errorf("calls %q, want %q", c.calls, want)
	}
}

func TestABlockedPartitionIsItsUsersOnceHePausesIt(t *testing.T) {
	c := &cluster{}
	m := c.member(t, membership.Config{})
	m.Blocked.Block(t.Context(), membership.Wait{Record: partition(0).At(5), Lookup: &schema{}})
	m.KeepPaused(partition(0))
	if err := m.Blocked.Unblock(partition(0)); err != nil || m.Fault() != nil || len(c.calls) != 2 {
		t.Errorf("%v, fault %v, calls %q", err, m.Fault(), c.calls)
	}
}

func TestAPartitionThatCannotBePausedIsNotBlocked(t *testing.T) {
	c := &cluster{refuse: errors.New("no")}
	m := c.member(t, membership.Config{})
	if m.Blocked.Block(t.Context(), membership.Wait{Record: partition(0).At(5), Lookup: &schema{}}) || m.Fault() != nil {
		t.Error("blocked all the same")
	}
}

func TestAWaitForTheAssignmentIsAnErrorOnlyWhereItDoesNotEndByItself(t *testing.T) {
	cfg := membership.Config{ReadyTimeout: time.Minute, Topics: []string{"t"}}
	began := time.Now()
	late := began.Add(2 * time.Minute)
	for _, c := range []struct {
		name string
		cluster
		now     time.Time
		want    membership.CaughtUp
		failure string
	}{
		{"nothing is waited for", cluster{}, began, membership.Caught, ""},
		{"the wait has begun", cluster{waiting: "the group"}, began, membership.NotYet, ""},
		{"the cluster answers", cluster{waiting: "the group", answers: true}, late, membership.GivenUp, ""},
		{"no broker answers", cluster{waiting: "the group"}, late, membership.NotYet, "after 1m0s still waiting for the group"},
		{"a topic does not exist", cluster{waiting: "the group", answers: true, missing: map[string]error{"t": errors.New("unknown")}}, late, membership.NotYet, "topics that cannot be read: t (unknown)"},
	} {
		m := c.member(t, cfg)
		m.Readiness.Begin(began)
		got, err := m.Readiness.Check(began, c.now)
		if got != c.want || (err == nil) != (c.failure == "") || err != nil && !strings.Contains(err.Error(), c.failure) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func TestWhatThereIsIsReadOnceTheWaitForAllPartitionsWasGivenUp(t *testing.T) {
	c := &cluster{waiting: "the first fetch of t[1]", joined: true, answers: true}
	m := c.member(t, membership.Config{ReadyTimeout: time.Minute})
	began := time.Now()
	if got, _ := m.Readiness.Check(began, began); got != membership.NotYet {
		t.Errorf("before: %v", got)
	}
	_, _ = m.Readiness.Check(began, began.Add(time.Hour))
	if got, _ := m.Readiness.Check(began, began); got != membership.Caught {
		t.Errorf("after: %v", got)
	}
}

func TestANamedPartitionHasToBeAssigned(t *testing.T) {
	m := (&cluster{}).member(t, membership.Config{})
	m.tracker.Assign(positions(0, 1))
	if err := m.Has([]source.Position{partition(1).At(0), {Topic: "t", Partition: -1}}); err != nil {
		t.Error(err)
	}
	if err := m.Has([]source.Position{partition(2).At(0)}); err == nil {
		t.Error("a partition of another member is one of this")
	}
	if chosen, err := m.Chosen([]source.Position{{Topic: "t", Partition: -1}}); err != nil || len(chosen) != 2 {
		t.Errorf("%v, %v", chosen, err)
	}
	if chosen, err := m.Chosen([]source.Position{}); err != nil || len(chosen) != 0 {
		t.Errorf("none is named: %v, %v", chosen, err)
	}
}
