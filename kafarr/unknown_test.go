package kafarr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// ways are what Messages.Errors and Messages.Mixed may be.
var ways = map[string]kafarr.Config{
	"raise": {}, "skip": {Messages: kafarr.Messages{Errors: kafarr.Skip}}, "collect": {Messages: kafarr.Messages{Errors: kafarr.Collect}},
	"raise, grouped": {Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, "skip, grouped": {Messages: kafarr.Messages{Errors: kafarr.Skip, Mixed: kafarr.GroupMixed}},
}

// TestAnIDThatTheRegistryDoesNotKnowYetPassesNoRow has a registry that lags behind the writers, on defaults.
func TestAnIDThatTheRegistryDoesNotKnowYetPassesNoRow(t *testing.T) {
	for kind, code := range map[registry.Kind]kafarr.Code{registry.NotFound: kafarr.SchemaNotFoundError, registry.Invalid: kafarr.RegistryError} {
		for name, cfg := range ways {
			inBubble(t, fmt.Sprint(name, ", ", code), func(t *testing.T) {
				lagging := &outage{id: 2, kind: kind}
				cfg.Registry.Client = lagging
				l, src := open(t, cfg, needsB()...)
				wantPolls(t, l, 100, "x.A 0 10 11")
				for range 3 {
					_, err := l.Poll(context.Background(), 100, 10*time.Millisecond)
					var e *kafarr.Error
					if !errors.As(err, &e) || e.Code != code || e.Partition != 0 || e.Offset != 1 || e.SchemaID != 2 {
						t.Fatalf("got %v, want %v at t[0]@1", err, code)
					}
				}
				src.Add(message(1, 2, 1, 12))
				wantPolls(t, l, 100, "x.A 12") // the other partition continues
				if err := l.Commit(context.Background()); err != nil || src.Committed("t", 0) != 1 || src.Committed("t", 1) != 3 {
					t.Errorf("%v, committed %d and %d, want 1 and 3", err, src.Committed("t", 0), src.Committed("t", 1))
				}
				lagging.end()
				if cfg.Messages.Mixed == kafarr.GroupMixed {
					wantInTheEnd(t, l, "x.B 1 3", "x.A 2")
				} else {
					wantInTheEnd(t, l, "x.B 1", "x.A 2", "x.B 3")
				}
				if s := l.Stats(); s.Skipped+s.Rejected != 0 {
					t.Errorf("rows were passed: %+v", s)
				}
			})
		}
	}
}

// untilPassed polls until no more rows are missing, whatever polls say in between.
func untilPassed(t *testing.T, l *kafarr.Listener, passed func() bool) (got []string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !passed(); {
		if time.Now().After(end) {
			t.Fatalf("%d polls, the last %q, %+v", len(got), got[max(len(got)-3, 0):], l.Stats())
		}
		if p := poll(t, l, 100); p != "" {
			got = append(got, p)
		}
	}
	return got
}

func TestAnIDThatStaysUnknownBlocksItsPartitionNoLongerThanThePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range []kafarr.ErrorMode{kafarr.Skip, kafarr.Collect} {
			cfg := kafarr.Config{Registry: kafarr.Registry{Client: &outage{id: 2, kind: registry.NotFound}}, Messages: kafarr.Messages{Errors: mode, SchemaPatience: 300 * time.Millisecond}}
			l, src := open(t, cfg, needsB()...)
			wantPolls(t, l, 100, "x.A 0 10 11")
			if s := l.Stats(); s.Skipped+s.Rejected != 0 {
				t.Errorf("rows were passed before the patience was over: %+v", s)
			}
			got := untilPassed(t, l, func() bool { return l.Stats().Skipped+l.Stats().Rejected == 2 })
			if !strings.Contains(strings.Join(got, ";"), "503") {
				t.Errorf("nothing says that the partition waits: %q", got)
			}
			src.Add(message(0, 4, 2, 4), message(0, 5, 1, 5)) // the id is bad by now
			got = append(got, untilPassed(t, l, func() bool { return src.Stored("t", 0) == 6 })...)
			if s := l.Stats(); s.Rows != 5 || s.Skipped+s.Rejected != 3 {
				t.Errorf("%q, %+v: want 5 rows, and 3 that are bad", got, s)
			}
		}
	})
}

func TestWhereErrorsAreRaisedNoPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, src := open(t, kafarr.Config{Registry: kafarr.Registry{Client: &outage{id: 2, kind: registry.NotFound}}, Messages: kafarr.Messages{SchemaPatience: time.Millisecond}}, needsB()...)
		wantPolls(t, l, 100, "x.A 0 10 11")
		for range 20 {
			if got := poll(t, l, 100); !strings.HasPrefix(got, "t[0]@1: schema 2: ") {
				t.Fatalf("got %q", got)
			}
		}
		if got := src.Stored("t", 0); got > 1 {
			t.Errorf("stored %d", got)
		}
	})
}

func TestAnIDThatNoRegistryGivesIsBadAtOnce(t *testing.T) {
	apicurio := replay.Message{Topic: "t", Offset: 2, Value: binary.BigEndian.AppendUint64([]byte{0}, 17)}
	messages := []replay.Message{message(0, 0, 1, 0), message(0, 1, 1<<31|99, 1), apicurio, message(0, 3, 1, 3)}
	asked := &outage{}
	for name, cfg := range ways {
		inBubble(t, name, func(t *testing.T) {
			cfg.Registry.Client = asked
			l, src := open(t, cfg, messages...)
			got := untilPassed(t, l, func() bool { return src.Stored("t", 0) == 4 })
			if cfg.Messages.Errors != kafarr.Raise {
				if s := l.Stats(); s.Rows != 2 || s.Skipped+s.Rejected != 2 {
					t.Errorf("%q, %+v", got, s)
				}
				return
			}
			if len(got) != 4 || !strings.HasPrefix(got[1], "t[0]@1: ") || !strings.Contains(got[1], "schema id -2147483549, which no registry gives") || !strings.Contains(got[2], "schema id 0, ") {
				t.Errorf("got %q", got)
			}
		})
	}
	if asked.asked != 0 {
		t.Errorf("the registry was asked %d times", asked.asked)
	}
}

func TestThousandsOfUnknownIDsAreAskedForManyAtATime(t *testing.T) {
	const ids = 400
	var mu sync.Mutex
	asked, now, most := map[string]int{}, 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error_code":40403,"message":"Schema not found"}`))
	}))
	defer server.Close()
	var messages []replay.Message
	for i := range int64(ids) {
		messages = append(messages, message(0, i, uint32(1000+i), 1))
	}
	client, err := registry.NewConfluent(server.URL, map[string]string{"max.retries": "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: client}, Messages: kafarr.Messages{Errors: kafarr.Skip, SchemaPatience: 500 * time.Millisecond}}, messages...)
	untilPassed(t, l, func() bool { return l.Stats().Skipped == ids })
	mu.Lock()
	defer mu.Unlock()
	total := 0
	for _, n := range asked {
		total += n
	}
	if most < 8 || most > 20 || total > 3*ids {
		t.Errorf("%d requests, %d at a time at the most", total, most)
	}
}

// TestAScanWaitsForAnIDOnceInAllOfItsRanges has an unknown id in each of eight partitions, which one worker reads.
func TestAScanWaitsForAnIDOnceInAllOfItsRanges(t *testing.T) {
	var messages []replay.Message
	for p := range int32(8) {
		messages = append(messages, message(p, 0, 1, 1), message(p, 1, 2, 2), message(p, 2, 1, 3))
	}
	cfg := scanConfig(t, &cluster{messages: messages, topics: map[string]int32{"t": 8}})
	lagging := &outage{id: 2, kind: registry.NotFound}
	cfg.Registry.Client, cfg.Messages.Errors, cfg.Messages.SchemaPatience = lagging, kafarr.Skip, 300*time.Millisecond
	s := plan(t, cfg).Read()
	if got, err := readAll(t, s); err != nil || len(got) != 16 {
		t.Errorf("%d rows, %v", len(got), err)
	}
	for _, c := range s.Report() {
		if c.Skipped != 1 || c.Rows != 2 || c.Ended != kafarr.ScanComplete {
			t.Errorf("%+v", c)
		}
	}
	lagging.mu.Lock()
	defer lagging.mu.Unlock()
	if lagging.asked > 40 {
		t.Errorf("asked %d times", lagging.asked)
	}
}

func TestAScanReadsTheRowsOfASchemaThatComesLate(t *testing.T) {
	for _, mode := range []kafarr.ErrorMode{kafarr.Raise, kafarr.Skip, kafarr.Collect} {
		lagging := &outage{id: 2, kind: registry.NotFound}
		messages := []replay.Message{message(0, 0, 1, 1), message(0, 1, 2, 2), message(0, 2, 1, 3)}
		cfg := scanConfig(t, &cluster{messages: messages})
		cfg.Registry.Client, cfg.Messages.Errors = lagging, mode
		s := plan(t, cfg).Read()
		time.AfterFunc(200*time.Millisecond, lagging.end)
		got, err := readAll(t, s)
		want(t, got, err, messages[:1], messages[1:2], messages[2:])
	}
}
