package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/mock"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/kafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	consumer "github.com/pykafarr/pykafarr/kafarr/source/kafka"
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

// write writes one message and waits for the answer.
func write(t *testing.T, p *kafka.Producer, message *sink.Message) error {
	t.Helper()
	answer := make(chan error, 1)
	p.Write(message, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("no answer in 20 s")
		return nil
	}
}

func cluster(t *testing.T, topic string) *mock.Kafka {
	t.Helper()
	k, err := mock.New(mock.Config{Topics: map[string]int{topic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// all takes every partition from its beginning.
type all struct{}

func (all) Assigning([]source.Position) bool      { return false }
func (all) Revoking([]source.Position, bool) bool { return false }
func (all) Revoked([]source.Position, bool)       {}
func (all) Assigned(p []source.Position, _ func([]source.Position) ([]source.Position, error)) []source.Position {
	out := slices.Clone(p)
	for i := range out {
		out[i].Offset = source.Beginning
	}
	return out
}

// read reads the first n messages of a topic.
func read(t *testing.T, k *mock.Kafka, topic string, n int, see func(*source.Record)) {
	t.Helper()
	s, err := consumer.Open(consumer.Config{
		Servers: k.Servers(), Group: "g", Topics: []string{topic}, Handler: all{}, Timestamps: true, Headers: true, Log: func(int, string, string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for deadline := time.Now().Add(30 * time.Second); n > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages did not come in 30 s", n)
		}
		if err := s.ServeEvents(); err != nil {
			t.Fatal(err)
		}
		chunks, err := s.Fetch(n, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			for i := range c.Records {
				see(&c.Records[i])
				n--
			}
		}
		s.Release()
	}
}

func TestAMessageArrivesAsItIs(t *testing.T) {
	k := cluster(t, "letters")
	d, err := kafka.Open(kafka.Config{Topic: "letters", Servers: k.Servers(), Log: (&lines{}).add})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	headers := []sink.Header{{Name: "a", Value: []byte("1")}, {Name: "a", Value: []byte{}}, {Name: "b"}}
	for _, letter := range []sink.Message{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: 1700000000123, Headers: headers},
		{Timestamp: 1700000000124},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1700000000125},
	} {
		if err := write(t, d, &letter); err != nil {
			t.Fatal(err)
		}
	}
	var values []string
	var seen [][4]int64 // the lengths of value and key, timestamp, the number of headers
	read(t, k, "letters", 3, func(r *source.Record) {
		values = append(values, string(unsafe.Slice((*byte)(r.Value), max(r.ValueLen, 0))))
		seen = append(seen, [4]int64{int64(r.ValueLen), int64(r.KeyLen), r.Timestamp, int64(r.HeaderCount)})
	})
	if want := []string{"v", "", ""}; !slices.Equal(values, want) {
		t.Errorf("got %q, want %q", values, want)
	}
	if want := [][4]int64{{1, 1, 1700000000123, 3}, {-1, -1, 1700000000124, 0}, {0, 0, 1700000000125, 0}}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
}

func TestPropertiesForConsumersOnlyAreLeftOut(t *testing.T) {
	k := cluster(t, "letters")
	log := &lines{}
	d, err := kafka.Open(kafka.Config{Topic: "letters", Servers: k.Servers(), Log: log.add, Properties: map[string]string{
		"auto.offset.reset": "earliest", "max.poll.interval.ms": "400000", "fetch.queue.backoff.ms": "5", "auto.commit.interval.ms": "100", // for consumers
		"client.id": "both", "max.in.flight": "100", "acks": "1", "request.required.acks": "0", "transactional.id": "x", // for both or producers
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := write(t, d, &sink.Message{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if warnings := log.with("CONFWARN"); len(warnings) > 0 {
		t.Error(warnings)
	}
	_, err = kafka.Open(kafka.Config{Topic: "letters", Servers: k.Servers(), Log: log.add, Properties: map[string]string{"compression.codec": "no-such"}})
	var e *source.Error
	if !errors.As(err, &e) || e.Code != status.ConfigError || !strings.Contains(err.Error(), "compression.codec") {
		t.Errorf("got %v", err)
	}
}

func TestAMessageThatCannotBeDeliveredSaysWhy(t *testing.T) {
	log := &lines{}
	d, err := kafka.Open(kafka.Config{Topic: "letters", Servers: "127.0.0.1:1", Log: log.add, Properties: map[string]string{"message.timeout.ms": "500"}})
	if err != nil {
		t.Fatal(err)
	}
	err = write(t, d, &sink.Message{Value: []byte("v")})
	if err == nil || !strings.Contains(err.Error(), "timed out") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	if len(log.with("127.0.0.1:1")) == 0 {
		t.Errorf("nothing was logged: %q", log.list)
	}
	d.Close()
	if err := write(t, d, &sink.Message{}); err == nil {
		t.Error("a closed producer has taken a message")
	}
}

// TestCloseGivesUpMessagesOnTheirWay closes at moments at which messages are written by others and none can arrive.
func TestCloseGivesUpMessagesOnTheirWay(t *testing.T) {
	k := cluster(t, "letters")
	var running sync.WaitGroup
	for i := range 8 {
		servers := []string{"127.0.0.1:1", k.Servers()}[i%2]
		d, err := kafka.Open(kafka.Config{Topic: "letters", Servers: servers, Log: (&lines{}).add})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		running.Go(func() {
			for ctx.Err() == nil {
				d.Write(&sink.Message{Value: []byte("v")}, func(error) {})
				time.Sleep(time.Millisecond)
			}
		})
		running.Go(func() {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			d.Close()
			d.Close()
			cancel()
		})
	}
	running.Wait()
}

func TestAPanicInAGoroutineOfTheProducerIsTheErrorOfLaterMessages(t *testing.T) {
	k := cluster(t, "letters")
	var once sync.Once
	for name, cfg := range map[string]kafka.Config{
		"a token function panics": {
			Servers: "127.0.0.1:1", Properties: map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "message.timeout.ms": "300"},
			Token: func(context.Context) (source.Token, error) { panic("mine") },
		},
		"a logger panics": {
			Servers: "127.0.0.1:1", Properties: map[string]string{"message.timeout.ms": "300"},
		},
		"an answer panics": {Servers: k.Servers()},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Topic, cfg.Log = "letters", func(int, string, string) {}
			if name == "a logger panics" {
				cfg.Log = func(int, string, string) { panic("mine") }
			}
			p, err := kafka.Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if name == "an answer panics" {
				p.Write(&sink.Message{}, func(error) { once.Do(func() { panic("mine") }) })
			}
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
				if err = write(t, p, &sink.Message{}); err != nil && strings.Contains(err.Error(), "panic: mine") {
					return
				}
			}
			t.Errorf("got %v", err)
		})
	}
}
