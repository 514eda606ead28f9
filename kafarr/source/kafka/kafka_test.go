package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/mock"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// handler takes every partition from where the group left off.
type handler struct {
	assigned, revoked []source.Position
	keeps             bool // what is asked back
	asked             int
}

func (h *handler) Assigned(p []source.Position, _ func([]source.Position) ([]source.Position, error)) []source.Position {
	out := slices.Clone(p)
	for i := range out {
		out[i].Offset = source.Stored
	}
	h.assigned = append(h.assigned, out...)
	return out
}

func (h *handler) Assigning([]source.Position) bool { return false }

func (h *handler) Revoking([]source.Position, bool) bool {
	h.asked++
	return h.keeps
}

func (h *handler) Revoked(p []source.Position, _ bool) { h.revoked = append(h.revoked, p...) }

func open(t *testing.T, k *mock.Kafka, topic string, more func(*kafka.Config)) (*kafka.Kafka, *handler) {
	t.Helper()
	h := &handler{}
	c := kafka.Config{
		Servers: k.Servers(), Group: "g-" + t.Name(), Topics: []string{topic}, Handler: h,
		Properties: map[string]string{"auto.offset.reset": "earliest"}, Log: func(int, string, string) {},
	}
	if more != nil {
		more(&c)
	}
	s, err := kafka.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

// fetch reads until it has n records, rendered as "partition@offset=value".
func fetch(t *testing.T, s *kafka.Kafka, n int, see func(*source.Record)) []string {
	t.Helper()
	var out []string
	for deadline := time.Now().Add(20 * time.Second); len(out) < n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d records in 20 s", len(out), n)
		}
		if err := s.ServeEvents(); err != nil {
			t.Fatal(err)
		}
		chunks, err := s.Fetch(n-len(out), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			for i := range c.Records {
				r := &c.Records[i]
				value := "null"
				if r.ValueLen >= 0 {
					value = string(unsafe.Slice((*byte)(r.Value), r.ValueLen))
				}
				out = append(out, fmt.Sprintf("%d@%d=%s", c.Partition, r.Offset, value))
				if see != nil {
					see(r)
				}
			}
		}
		s.Release()
	}
	return out
}

func cluster(t *testing.T, topic string, partitions int, values ...[]byte) *mock.Kafka {
	t.Helper()
	k, err := mock.New(mock.Config{Topics: map[string]int{topic: partitions}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	at := int64(1700000000123)
	if len(values) > 0 {
		if _, err := k.Produce(context.Background(), mock.Request{Topic: topic, Partition: -1, Values: values, Timestamp: &at}); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestRecordsOfAllPartitionsComeThroughOneQueue(t *testing.T) {
	k := cluster(t, "t", 3, []byte("a"), []byte("b"), nil, []byte(""), []byte("e"), []byte("f"))
	s, h := open(t, k, "t", func(c *kafka.Config) { c.Timestamps = true })
	got := fetch(t, s, 6, func(r *source.Record) {
		if r.Timestamp != 1700000000123 || r.TimestampType != 1 || r.KeyLen != -1 {
			t.Errorf("timestamp %d of type %d, key length %d", r.Timestamp, r.TimestampType, r.KeyLen)
		}
	})
	slices.Sort(got)
	if want := []string{"0@0=a", "0@1=", "1@0=b", "1@1=e", "2@0=null", "2@1=f"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if joined, waiting := s.Ready(); !joined || waiting != "" {
		t.Errorf("joined %v, waiting for %q", joined, waiting)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(h.assigned) != 3 || len(h.revoked) != 3 {
		t.Errorf("assigned %v, revoked %v", h.assigned, h.revoked)
	}
	if err := s.Close(); !errors.Is(err, source.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
}

func TestACommittedPositionIsWhereTheNextMemberBegins(t *testing.T) {
	k := cluster(t, "t", 1, []byte("a"), []byte("b"), []byte("c"))
	group := func(c *kafka.Config) { c.Group = "one" }
	first, _ := open(t, k, "t", group)
	fetch(t, first, 3, nil)
	if err := first.Commit(context.Background(), []source.Position{{Topic: "t", Offset: 2}}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, _ := open(t, k, "t", group)
	if got := fetch(t, second, 1, nil); got[0] != "0@2=c" {
		t.Error(got)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAMemberIsNamedOnlyWhileTheGroupHasIt(t *testing.T) {
	ctx := t.Context()
	k := cluster(t, "t", 1, []byte("a"))
	joined, _ := open(t, k, "t", nil)
	fetch(t, joined, 1, nil)
	if m, err := joined.Member(ctx); err != nil || m.Group != "g-"+t.Name() || m.Member == "" || m.Instance != "" || m.Generation < 1 {
		t.Errorf("joined: %+v, %v", m, err)
	}
	if err := joined.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := joined.Member(ctx); !errors.Is(err, source.ErrClosed) {
		t.Errorf("closed: %v", err)
	}

	alone, _ := open(t, k, "t", func(c *kafka.Config) { c.Servers = "127.0.0.1:1" })
	defer func() { _ = alone.Close() }()
	var e *source.Error
	if m, err := alone.Member(ctx); !errors.As(err, &e) || e.Code != status.GroupError {
		t.Errorf("not joined: %+v, %v", m, err) // brokers would take its offsets without a look at the group
	}

	assigned, _ := open(t, k, "t", func(c *kafka.Config) { c.Topics, c.Assign = nil, []source.Position{{Topic: "t"}} })
	defer func() { _ = assigned.Close() }()
	m, err := assigned.Member(ctx)
	m.Cluster = "" // known once the broker has said it
	if err != nil || m != (source.GroupMember{Group: "g-" + t.Name(), Generation: -1}) {
		t.Errorf("assigned: %+v, %v", m, err)
	}

	static, _ := open(t, k, "t", func(c *kafka.Config) { c.Group, c.Properties["group.instance.id"] = "static", "one" })
	defer func() { _ = static.Close() }()
	fetch(t, static, 1, nil)
	if m, err := static.Member(ctx); err != nil || m.Instance != "one" {
		t.Errorf("static: %+v, %v", m, err)
	}
}

// TestCloseIsSafeAtAnyMoment closes while the group is being joined, while an assignment is on its way and while records flow: an
// assignment within Close must not be forwarded to the queue that is gone.
func TestCloseIsSafeAtAnyMoment(t *testing.T) {
	k := cluster(t, "t", 4, []byte("a"), []byte("b"))
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			s, _ := open(t, k, "t", func(c *kafka.Config) { c.Group = fmt.Sprintf("any-%d", i) })
			for end := time.Now().Add(time.Duration(i) * 40 * time.Millisecond); time.Now().Before(end); {
				_ = s.ServeEvents()
				_, _ = s.Fetch(1, 5*time.Millisecond)
				s.Release()
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAClusterThatCannotBeReachedIsTheReasonGiven(t *testing.T) {
	k := cluster(t, "t", 1)
	s, _ := open(t, k, "t", func(c *kafka.Config) { c.Servers = "127.0.0.1:1" })
	defer func() { _ = s.Close() }()
	since := time.Now()
	for deadline := since.Add(10 * time.Second); s.LastConnectError() == nil && time.Now().Before(deadline); {
		_ = s.ServeEvents()
		_, _ = s.Fetch(1, 10*time.Millisecond)
	}
	if err := s.LastConnectError(); err == nil || !strings.Contains(err.Error(), "no broker of 127.0.0.1:1 can be reached") {
		t.Error(err)
	}
	if joined, waiting := s.Ready(); joined || !strings.Contains(waiting, "127.0.0.1:1") {
		t.Errorf("joined %v, waiting for %q", joined, waiting)
	}
}

func TestAPanicInAGoroutineOfTheClientIsAnErrorOfEveryLaterCall(t *testing.T) {
	for name, change := range map[string]func(*kafka.Config){
		"a token function panics": func(c *kafka.Config) {
			c.Properties = map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"}
			c.Token = func(context.Context) (kafka.Token, error) { panic("mine") }
		},
		"a logger panics": func(c *kafka.Config) { c.Log = func(int, string, string) { panic("mine") } },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := kafka.Config{
				Servers: "127.0.0.1:1", Group: "g", Topics: []string{"t"}, Handler: &handler{}, Properties: map[string]string{}, Log: func(int, string, string) {},
			}
			change(&cfg)
			k, err := kafka.Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(20 * time.Second); err == nil && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				err = k.ServeEvents()
			}
			for range 2 {
				if err == nil || !strings.Contains(err.Error(), "panic: mine") {
					t.Errorf("got %v", err)
				}
				err = k.ServeEvents()
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
