package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/mock"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// lines are what a client logs.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(_ int, facility, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, facility+": "+message)
}

func (l *lines) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.list), func(line string) bool { return !strings.Contains(line, text) })
}

// write writes one letter and waits for the answer.
func write(t *testing.T, d *kafka.DeadLetters, letter *source.Letter) error {
	t.Helper()
	answer := make(chan error, 1)
	d.Write(letter, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("no answer in 20 s")
		return nil
	}
}

func TestALetterArrivesAsItIs(t *testing.T) {
	k := cluster(t, "letters", 1)
	d, err := kafka.OpenDeadLetters("letters", kafka.Config{Servers: k.Servers(), Log: (&lines{}).add})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	headers := []source.LetterHeader{{Name: "a", Value: []byte("1")}, {Name: "a", Value: []byte{}}, {Name: "b"}}
	for _, letter := range []source.Letter{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: 1700000000123, Headers: headers},
		{Timestamp: 1700000000124},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1700000000125},
	} {
		if err := write(t, d, &letter); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := open(t, k, "letters", func(c *kafka.Config) { c.Timestamps, c.Headers = true, true })
	defer func() { _ = s.Close() }()
	var seen [][4]int64 // the lengths of value and key, timestamp, the number of headers
	got := fetch(t, s, 3, func(r *source.Record) {
		seen = append(seen, [4]int64{int64(r.ValueLen), int64(r.KeyLen), r.Timestamp, int64(r.HeaderCount)})
	})
	if want := []string{"0@0=v", "0@1=null", "0@2="}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := [][4]int64{{1, 1, 1700000000123, 3}, {-1, -1, 1700000000124, 0}, {0, 0, 1700000000125, 0}}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
}

func TestPropertiesForConsumersOnlyAreLeftOut(t *testing.T) {
	k := cluster(t, "letters", 1)
	log := &lines{}
	d, err := kafka.OpenDeadLetters("letters", kafka.Config{Servers: k.Servers(), Log: log.add, Properties: map[string]string{
		"auto.offset.reset": "earliest", "max.poll.interval.ms": "400000", "fetch.queue.backoff.ms": "5", "auto.commit.interval.ms": "100", // for consumers
		"client.id": "both", "max.in.flight": "100", "acks": "1", "request.required.acks": "0", "transactional.id": "x", // for both or producers
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := write(t, d, &source.Letter{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if warnings := log.with("CONFWARN"); len(warnings) > 0 {
		t.Error(warnings)
	}
	_, err = kafka.OpenDeadLetters("letters", kafka.Config{Servers: k.Servers(), Log: log.add, Properties: map[string]string{"compression.codec": "no-such"}})
	var e *source.Error
	if !errors.As(err, &e) || e.Code != status.ConfigError || !strings.Contains(err.Error(), "compression.codec") {
		t.Errorf("got %v", err)
	}
}

func TestALetterThatCannotBeDeliveredSaysWhy(t *testing.T) {
	log := &lines{}
	d, err := kafka.OpenDeadLetters("letters", kafka.Config{Servers: "127.0.0.1:1", Log: log.add, Properties: map[string]string{"message.timeout.ms": "500"}})
	if err != nil {
		t.Fatal(err)
	}
	err = write(t, d, &source.Letter{Value: []byte("v")})
	if err == nil || !strings.Contains(err.Error(), "timed out") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	if len(log.with("127.0.0.1:1")) == 0 {
		t.Errorf("nothing was logged: %q", log.list)
	}
	d.Close()
	if err := write(t, d, &source.Letter{}); err == nil {
		t.Error("a closed producer has taken a letter")
	}
}

// TestCloseGivesUpLettersOnTheirWay closes at moments at which letters are written by others and none can arrive.
func TestCloseGivesUpLettersOnTheirWay(t *testing.T) {
	k, err := mock.New(mock.Config{Topics: map[string]int{"letters": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	var all sync.WaitGroup
	for i := range 8 {
		servers := []string{"127.0.0.1:1", k.Servers()}[i%2]
		d, err := kafka.OpenDeadLetters("letters", kafka.Config{Servers: servers, Log: (&lines{}).add})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		all.Go(func() {
			for ctx.Err() == nil {
				d.Write(&source.Letter{Value: []byte("v")}, func(error) {})
				time.Sleep(time.Millisecond)
			}
		})
		all.Go(func() {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			d.Close()
			d.Close()
			cancel()
		})
	}
	all.Wait()
}
