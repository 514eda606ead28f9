package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func start(t *testing.T, topics map[string]int) *Kafka {
	t.Helper()
	k, err := New(Config{Topics: topics})
	must(t, err)
	t.Cleanup(k.Close)
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func raw(texts ...string) []json.RawMessage {
	records := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		records[i] = json.RawMessage(text)
	}
	return records
}

// consume reads n messages of a topic with a plain consumer.
func consume(t *testing.T, k *Kafka, topic string, n int) []*kafka.Message {
	t.Helper()
	c, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": k.Servers(), "group.id": t.Name(), "auto.offset.reset": "earliest",
	})
	must(t, err)
	defer func() { _ = c.Close() }()
	must(t, c.Subscribe(topic, nil))
	var messages []*kafka.Message
	for len(messages) < n {
		m, err := c.ReadMessage(15 * time.Second)
		if err != nil {
			t.Fatalf("after %d of %d messages: %v", len(messages), n, err)
		}
		messages = append(messages, m)
	}
	return messages
}

func TestSeveralBrokersServeGroups(t *testing.T) {
	k, err := New(Config{Brokers: 3, Topics: map[string]int{"t": 6}})
	must(t, err)
	defer k.Close()
	if n := len(strings.Split(k.Servers(), ",")); n != 3 {
		t.Errorf("%d servers", n)
	}
	_, err = k.Produce(t.Context(), Request{Topic: "t", Partition: -1, Values: make([][]byte, 60)})
	must(t, err)
	// The best of three groups: a busy machine may be slow, but a cluster that waits for members always is.
	best := time.Hour
	for i := range 3 {
		t.Run(fmt.Sprint("group ", i), func(t *testing.T) {
			begun := time.Now()
			consume(t, k, "t", 60)
			best = min(best, time.Since(begun))
		})
	}
	if best > 2500*time.Millisecond {
		t.Errorf("a group's first assignment took %v", best)
	}
}

func TestCloseEndsProduceAndMayBeRepeated(t *testing.T) {
	k := start(t, map[string]int{"t": 1})
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for {
				if _, err := k.Produce(t.Context(), Request{Topic: "t", Values: make([][]byte, 1000)}); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	for range 3 {
		calls.Go(k.Close)
	}
	calls.Wait()
	k.Close()
	if err := k.CreateTopic("u", 1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestCloseLeavesNeitherGoroutinesNorPorts(t *testing.T) {
	before := runtime.NumGoroutine()
	k, err := New(Config{})
	must(t, err)
	_, err = k.Produce(t.Context(), Request{Topic: "t", Schema: `"long"`, Records: raw("1", "2")})
	must(t, err)
	k.Close()
	for _, address := range []string{k.Servers(), strings.TrimPrefix(k.RegistryURL(), "http://")} {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			t.Errorf("%s still listens", address)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}

func TestNothingIsWrittenToStderr(t *testing.T) {
	// librdkafka writes to the C library's stderr, so the descriptor itself is swapped.
	text := stderrOf(t, func() {
		k, err := New(Config{Brokers: 2})
		must(t, err)
		_, err = k.Produce(t.Context(), Request{Topic: "t", Values: [][]byte{{1}}})
		must(t, err)
		k.Close()
	})
	if text != "" {
		t.Errorf("stderr: %s", text)
	}
}

func stderrOf(t *testing.T, run func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	must(t, err)
	restore := redirectStderr(t, file)
	func() {
		defer restore()
		run()
	}()
	_, err = file.Seek(0, io.SeekStart)
	must(t, err)
	text, err := io.ReadAll(file)
	must(t, err)
	return string(text)
}
