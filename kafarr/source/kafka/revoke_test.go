package kafka_test

import (
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

// quick makes the embedded broker's rebalances short.
func quick(c *kafka.Config) {
	c.Properties["session.timeout.ms"], c.Properties["heartbeat.interval.ms"] = "1000", "100"
	c.Properties["partition.assignment.strategy"] = "range"
}

// serve serves both until something has happened.
func serve(t *testing.T, what string, done func() bool, sources ...*kafka.Kafka) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		for _, s := range sources {
			if err := s.ServeEvents(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func closeAll(t *testing.T, sources ...*kafka.Kafka) {
	t.Helper()
	for _, s := range sources {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestARevocationThatIsKeptHoldsUpTheGroupUntilItIsGivenUp(t *testing.T) {
	k := cluster(t, "t", 2)
	first, h := open(t, k, "t", quick)
	serve(t, "the first member gets nothing", func() bool { return len(h.assigned) == 2 }, first)
	h.keeps = true
	second, h2 := open(t, k, "t", quick)
	serve(t, "nothing is asked back", func() bool { return h.asked > 0 }, first, second)

	begun := time.Now()
	serve(t, "", func() bool { return time.Since(begun) > 500*time.Millisecond }, first, second)
	if len(h.revoked) > 0 || len(h2.assigned) > 0 || h.asked != 1 {
		t.Errorf("kept, and asked %d times, revoked %v, the other assigned %v", h.asked, h.revoked, h2.assigned)
	}

	h.keeps = false
	first.ConfirmRebalance()
	first.ConfirmRebalance() // nothing waits any more
	if len(h.revoked) != 2 {
		t.Errorf("revoked %v", h.revoked)
	}
	// On a slow machine, the first member gives its partition up and gets it again once more.
	serve(t, "the group does not continue", func() bool { return len(h.assigned) >= 3 && len(h2.assigned) == 1 }, first, second)
	closeAll(t, first, second)
}

func TestASourceClosesWithARevocationKept(t *testing.T) {
	k := cluster(t, "t", 2)
	first, h := open(t, k, "t", quick)
	serve(t, "the first member gets nothing", func() bool { return len(h.assigned) == 2 }, first)
	h.keeps = true
	second, _ := open(t, k, "t", quick)
	serve(t, "nothing is asked back", func() bool { return h.asked > 0 }, first, second)
	closeAll(t, first, second)
	if len(h.revoked) != 2 || h.asked != 1 {
		t.Errorf("revoked %v, asked %d times", h.revoked, h.asked)
	}
}
