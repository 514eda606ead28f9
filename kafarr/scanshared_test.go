package kafarr_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

func TestTasksShareTheLookUpOfASchema(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = fmt.Fprintf(w, `{"schema":%q}`, first)
	}))
	defer server.Close()
	messages := logged(0, 0, 30)
	cfg := scanConfig(t, &cluster{messages: messages})
	cfg.Registry.Client, cfg.Registry.URL = nil, server.URL
	p := plan(t, cfg)
	for _, task := range p.Tasks(1) {
		elsewhere, err := kafarr.PlanOf(cfg, []kafarr.ScanRange{task.ScanRange}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(t, elsewhere.Read()); err != nil || len(got) != 1 {
			t.Errorf("got %v and %v", got, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestTheClientsOfAStreamShareATokenUntilHalfOfItsLife(t *testing.T) {
	var asked, atOnce atomic.Int64
	var clients sync.Mutex
	var tokens []string
	c := &cluster{messages: append(logged(0, 0, 3), logged(1, 0, 3)...)}
	cfg := scanConfig(t, c)
	cfg.Cluster.OAuthToken = func(context.Context) (kafarr.OAuthToken, error) {
		if atOnce.Add(1) > 1 {
			t.Error("two clients ask at once")
		}
		defer atOnce.Add(-1)
		time.Sleep(5 * time.Millisecond)
		return kafarr.OAuthToken{Value: fmt.Sprint(asked.Add(1)), Expiry: time.Now().Add(time.Hour)}, nil
	}
	planned := plan(t, cfg)
	cfg.Dial = func(of fetch.Config) (kafarr.ScanCluster, error) {
		token, err := of.Token(t.Context())
		clients.Lock()
		defer clients.Unlock()
		tokens = append(tokens, token.Value)
		if err != nil {
			return nil, err
		}
		return c.dial(of)
	}
	asking, err := kafarr.PlanOf(cfg, planned.Partitions, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, asking.Read()); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if token != "1" {
			t.Errorf("tokens %v, want the first only", tokens)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("%d tokens were asked for, want 1", asked.Load())
	}
}
