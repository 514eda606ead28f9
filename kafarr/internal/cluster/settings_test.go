package cluster

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestALoggerThatPanicsDoesNotEndTheProcess(t *testing.T) {
	s, err := Read(Config{User: "a scan", Servers: "a:1"})
	if err != nil {
		t.Fatal(err)
	}
	logger{s: s, log: func(int, string, string) { panic("on purpose") }}.Log(kgo.LogLevelError, "a line of the client's") // which it logs in goroutines of its own
}

func TestPausesBetweenConnectionsGrowToTheirBound(t *testing.T) {
	s, err := Read(Config{User: "a scan", Servers: "a:1", Properties: map[string]string{"reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "35", "log_level": "3"}})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{0: 10, 1: 10, 2: 20, 3: 35, 99: 35} {
		if got := s.pauses(n); got != time.Duration(want)*time.Millisecond {
			t.Errorf("try %d: %v", n, got)
		}
	}
	if s.logLevel != 3 {
		t.Error(s.logLevel)
	}
}
