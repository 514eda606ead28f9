package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// server answers with canned bodies and counts its requests by path.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	answers  map[string]http.HandlerFunc
	requests map[string]int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{answers: map[string]http.HandlerFunc{}, requests: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.URL.Path]++
	answer := s.answers[r.URL.Path]
	s.mu.Unlock()
	if answer == nil {
		answer = reply(404, `{"error_code":40403,"message":"Schema not found"}`)
	}
	answer(w, r)
}

func (s *server) on(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
}

func (s *server) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

func reply(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

const longSchema = `{"schema":"\"long\""}`

// open returns a registry that does not wait long before it tries again, and closes it at the test's end.
func openRegistry(t *testing.T, url string, properties ...string) *confluent {
	t.Helper()
	given := map[string]string{"retries.wait.ms": "1", "retries.max.wait.ms": "2"}
	for i := 0; i < len(properties); i += 2 {
		given[properties[i]] = properties[i+1]
	}
	r, err := NewConfluent(url, given, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.(*confluent).Close() })
	return r.(*confluent)
}

// noGoroutineStays fails the test when goroutines are left over at its end.
func noGoroutineStays(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
	})
}

func wantKind(t *testing.T, err error, kind Kind, words ...string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("not a *registry.Error: %v", err)
	}
	if failed.Kind != kind {
		t.Errorf("kind %d, want %d: %v", failed.Kind, kind, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func path(id int) string { return fmt.Sprintf("/schemas/ids/%d", id) }

var background = context.Background()
