package produce_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// What tests/chaos and tests/integration give: brokers, a topic of three partitions, how long to write, "rows" or "transactions", and in how many of 1000 writes and reads a connection
// is cut.
const (
	ofServers = "PYKAFARR_PRODUCE_SERVERS"
	ofTopic   = "PYKAFARR_PRODUCE_TOPIC"
	ofSeconds = "PYKAFARR_PRODUCE_SECONDS"
	ofMode    = "PYKAFARR_PRODUCE_MODE"
	ofCuts    = "PYKAFARR_PRODUCE_CUTS"
	ofMoves   = "PYKAFARR_PRODUCE_MOVES" // milliseconds between two moves of all leaders; 0: they stay
	ofStop    = "PYKAFARR_PRODUCE_STOP"  // a file: when it is there, writing ends
)

const partitions = 3

// cutting is a client's connection that breaks, before the broker has what was written or before the client has the answer.
type cutting struct {
	net.Conn
	share int32
	until time.Time
	cuts  *atomic.Int32
}

func (c *cutting) breaks() bool {
	return rand.Int32N(1000) < c.share && time.Now().Before(c.until)
}

func (c *cutting) Write(p []byte) (int, error) {
	if c.breaks() {
		c.cuts.Add(1)
		n, _ := c.Conn.Write(p[:rand.IntN(len(p))])
		_ = c.Close()
		return n, errCut
	}
	return c.Conn.Write(p)
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.breaks() {
		c.cuts.Add(1)
		_ = c.Close()
		return 0, errCut
	}
	return c.Conn.Read(p)
}

// fate is what the producer says of a number: in the log, not in it, or not known.
type fate int8

const (
	isWritten fate = iota + 1
	isNot
	isOpen
)

// book is what became of each number, by partition.
type book struct {
	mu    sync.Mutex
	fates [partitions][]fate
}

func (b *book) enter(partition int32, from, to int, f fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.fates[partition]) < to {
		b.fates[partition] = append(b.fates[partition], 0)
	}
	for i := from; i < to; i++ {
		b.fates[partition][i] = f
	}
}

var fateOf = map[produce.State]fate{produce.Written: isWritten, produce.Refused: isNot, produce.NotSent: isNot, produce.Unknown: isOpen}

func setting(t *testing.T, name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		t.Fatal(name, err)
	}
	return n
}

// TestARealClusterHasWhatWasAcknowledgedOnceAndInOrder is run by `make chaos` and by tests/integration/test_producing.py, which kill brokers meanwhile.
func TestARealClusterHasWhatWasAcknowledgedOnceAndInOrder(t *testing.T) {
	servers, topic := os.Getenv(ofServers), os.Getenv(ofTopic)
	if servers == "" {
		t.Skip(ofServers + " is not set")
	}
	share, seconds := int32(setting(t, ofCuts)), setting(t, ofSeconds)
	var cuts atomic.Int32
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cutting{c, share, until, &cuts}, nil
	}
	properties := map[string]string{"retry.backoff.ms": "20", "reconnect.backoff.ms": "20", "socket.timeout.ms": "10000"}
	if os.Getenv(ofMode) == "transactions" {
		properties["transactional.id"] = topic
	}
	var lines log
	p, err := produce.OpenWith(produce.Settings{Servers: servers, Properties: properties, Log: lines.add}, kgo.Dialer(dial))
	if err != nil {
		t.Fatal(err)
	}
	b := &book{}
	writing := func() bool {
		_, err := os.Stat(os.Getenv(ofStop))
		return err != nil && time.Now().Before(until)
	}
	topics := []string{topic}
	if properties["transactional.id"] != "" {
		topics = append(topics, "__transaction_state")
	}
	// Then there is peace: a busy machine that loads a coordinator for longer than it stays moves it before each answer, until the broker ends the transaction.
	moving, stop := context.WithDeadline(t.Context(), until)
	moved := make(chan int, 1)
	if each := setting(t, ofMoves); each > 0 {
		go func() { moved <- move(moving, t, servers, topics, time.Duration(each)*time.Millisecond) }()
	} else {
		moved <- 0
	}
	if properties["transactional.id"] == "" {
		writeRows(t, p, topic, b, writing)
	} else {
		writeTransactions(t, p, topic, b, writing)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	moves := <-moved
	counts := b.compare(t, readTopic(t, servers, topic, b))
	fmt.Printf("%d rows acknowledged, %d not written, %d unknown; %d cuts, %d leaders moved, %d lines logged\n", counts[isWritten], counts[isNot], counts[isOpen], cuts.Load(), moves, len(lines.lines))
	if counts[isWritten] == 0 {
		t.Error("nothing was written: " + strings.Join(lines.lines, "\n"))
	}
}

func writeRows(t *testing.T, p *produce.Producer, topic string, b *book, writing func() bool) {
	var next [partitions]int
	for writing() {
		for q := range int32(partitions) {
			from := next[q]
			next[q] += 1 + rand.IntN(500)
			to := next[q]
			if err := p.Send(t.Context(), sealed(topic, q, from, to, func(o produce.Outcome) { b.enter(q, from, to, fateOf[o.State]) })); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Millisecond) // the faults are what counts
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func writeTransactions(t *testing.T, p *produce.Producer, topic string, b *book, writing func() bool) {
	var next [partitions]int
	for ctx := t.Context(); writing(); {
		if err := p.Begin(ctx); err != nil {
			t.Log("begin: ", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		before := next
		for range 1 + rand.IntN(4) {
			for q := range int32(partitions) {
				from := next[q]
				next[q] += 1 + rand.IntN(50)
				if p.Send(ctx, sealed(topic, q, from, next[q], func(produce.Outcome) {})) != nil {
					break // Commit says why
				}
			}
		}
		result := isWritten
		err := errors.New("it is aborted on purpose")
		if rand.IntN(4) > 0 {
			err = p.Commit(ctx)
		}
		switch {
		case errors.Is(err, produce.ErrUnknownCommit):
			result = isOpen
		case err != nil:
			result = isNot
			for try := 0; ; try++ {
				var e *status.Error
				if err := p.Abort(ctx); err == nil || errors.As(err, &e) && e.Code == status.StateError { // the commit, or the try before, has ended it already
					break
				} else if try == 20 {
					t.Fatal("abort: ", err)
				}
			}
		}
		for q := range int32(partitions) {
			b.enter(q, before[q], next[q], result)
		}
	}
}

// readTopic is what a reader of committed records finds, by partition.
func readTopic(t *testing.T, servers, topic string, b *book) (values [partitions][]int) {
	from := map[int32]kgo.Offset{}
	for q := range int32(partitions) {
		from[q] = kgo.NewOffset().AtStart()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for quiet := 0; quiet < 4; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		n := 0
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			values[r.Partition] = append(values[r.Partition], int(binary.BigEndian.Uint64(r.Value)))
			n++
		})
		cancel()
		if quiet++; n > 0 {
			quiet = 0
		}
	}
	return values
}

// compare looks for what is lost, there twice, out of order, or there although it was given up.
func (b *book) compare(t *testing.T, values [partitions][]int) map[fate]int {
	counts := map[fate]int{}
	for q := range partitions {
		seen := map[int]bool{}
		last := -1
		for _, v := range values[q] {
			if v <= last || seen[v] {
				t.Errorf("partition %d: %d comes after %d", q, v, last)
			}
			seen[v], last = true, v
		}
		lost, undead := 0, 0
		for v, f := range b.fates[q] {
			counts[f]++
			if f == isWritten && !seen[v] {
				lost++
			}
			if f == isNot && seen[v] {
				undead++
			}
		}
		if lost > 0 || undead > 0 {
			t.Errorf("partition %d: %d acknowledged rows are lost, %d are there that were given up", q, lost, undead)
		}
	}
	return counts
}
