package produce_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

// numbers are the values of a batch: 8 bytes each.
type numbers []int

func (n numbers) Encode(dst []byte, row int) (int, bool) {
	if len(dst) < 8 {
		return 0, false
	}
	binary.BigEndian.PutUint64(dst, uint64(n[row]))
	return 8, true
}

// sealed is a batch of the numbers [from, to).
func sealed(topic string, partition int32, from, to int, done func(produce.Outcome)) *produce.Batch {
	b := produce.NewBuilder(produce.Bounds{Batch: 1 << 20, Message: 1 << 20}, produce.Compression{})
	var n numbers
	for i := from; i < to; i++ {
		n = append(n, i)
	}
	if row, _ := b.AppendRows(n, 0, len(n), nil, 1_700_000_000_000); row != len(n) {
		panic(row)
	}
	bytes, records, raw := b.Seal()
	return &produce.Batch{Topic: topic, Partition: partition, Bytes: bytes, Records: records, Raw: raw, Done: done}
}

// log collects a producer's lines.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(level int, _, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprint(level, " ", line))
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.lines, func(line string) bool { return strings.Contains(line, text) })
}

// rig is a cluster, a producer and the outcomes of what was sent.
type rig struct {
	t       *testing.T
	cluster *kfake.Cluster
	p       *produce.Producer
	log     log

	mu       sync.Mutex
	outcomes map[string]map[int]produce.Outcome // by partition and first number
	next     map[string]int
}

func place(topic string, partition int32) string { return fmt.Sprintf("%s[%d]", topic, partition) }

// newRig makes a cluster of three brokers with the topic t of four partitions.
func newRig(t *testing.T, properties map[string]string, options ...kfake.Opt) *rig {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(4, "t")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := &rig{t: t, cluster: c, outcomes: map[string]map[int]produce.Outcome{}, next: map[string]int{}}
	r.open(strings.Join(c.ListenAddrs(), ","), properties)
	return r
}

func (r *rig) open(servers string, properties map[string]string) {
	r.t.Helper()
	all := map[string]string{"retry.backoff.ms": "10", "retry.backoff.max.ms": "50", "reconnect.backoff.ms": "10"}
	for name, value := range properties {
		all[name] = value
	}
	p, err := produce.Open(produce.Settings{Servers: servers, Properties: all, Log: r.log.add})
	if err != nil {
		r.t.Fatal(err)
	}
	r.p = p
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			r.t.Error(err)
		}
		if r.t.Failed() {
			r.t.Log(strings.Join(r.log.lines, "\n"))
		}
	})
}

// send sends the next n numbers of a partition.
func (r *rig) send(topic string, partition int32, n int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	at := place(topic, partition)
	r.mu.Lock()
	from := r.next[at]
	r.next[at] += n
	r.mu.Unlock()
	err := r.p.Send(ctx, sealed(topic, partition, from, from+n, func(o produce.Outcome) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.outcomes[at] == nil {
			r.outcomes[at] = map[int]produce.Outcome{}
		}
		if _, twice := r.outcomes[at][from]; twice {
			r.t.Errorf("%s: the batch from %d on has two outcomes", at, from)
		}
		r.outcomes[at][from] = o
	}))
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) flush() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.p.Flush(ctx); err != nil {
		r.t.Fatal(err)
	}
}

// outcome is that of the batch that begins with a number.
func (r *rig) outcome(topic string, partition int32, from int) produce.Outcome {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	o, is := r.outcomes[place(topic, partition)][from]
	if !is {
		r.t.Fatalf("%s: the batch from %d on has no outcome", place(topic, partition), from)
	}
	return o
}

// written expects that each batch was written.
func (r *rig) written() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, batches := range r.outcomes {
		for from, o := range batches {
			if o.State != produce.Written || o.Err != nil {
				r.t.Errorf("%s: the batch from %d on: %+v", at, from, o)
			}
		}
	}
}

// read is what a consumer reads of a partition.
func (r *rig) read(topic string, partition int32, n int) []int {
	r.t.Helper()
	return r.readAll(topic, n, partition)[partition]
}

// readAll is what a consumer of committed records reads of partitions, n records in all.
func (r *rig) readAll(topic string, n int, partitions ...int32) map[int32][]int {
	r.t.Helper()
	from := map[int32]kgo.Offset{}
	for _, p := range partitions {
		from[p] = kgo.NewOffset().AtStart()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.cluster.ListenAddrs()...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.DisableClientMetrics(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		r.t.Fatal(err)
	}
	defer cl.Close()
	values, total := map[int32][]int{}, 0
	poll := func(d time.Duration) {
		ctx, cancel := context.WithTimeout(r.t.Context(), d)
		defer cancel()
		cl.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			values[rec.Partition] = append(values[rec.Partition], int(binary.BigEndian.Uint64(rec.Value)))
			total++
		})
	}
	for deadline := time.Now().Add(20 * time.Second); total < n && time.Now().Before(deadline); {
		poll(time.Second)
	}
	poll(300 * time.Millisecond) // what is there twice comes after the rest
	return values
}

// whole expects the numbers up to what was sent in each partition, each once and in order.
func (r *rig) whole(topic string) {
	r.t.Helper()
	total := 0
	for p := range int32(4) {
		total += r.next[place(topic, p)]
	}
	values := r.readAll(topic, total, 0, 1, 2, 3)
	for p := range int32(4) {
		if n := r.next[place(topic, p)]; !ascending(values[p], n) {
			r.t.Errorf("%s: got %v, want the numbers up to %d", place(topic, p), values[p], n)
		}
	}
}

func ascending(values []int, n int) bool {
	for i, v := range values {
		if v != i {
			return false
		}
	}
	return len(values) == n
}

func TestBatchesAreWrittenInTheOrderInWhichTheyAreSent(t *testing.T) {
	r := newRig(t, nil)
	for i := range 200 {
		r.send("t", int32(i%4), 1+i%7)
	}
	r.flush()
	r.written()
	r.whole("t")
	if o := r.outcome("t", 1, 0); o.BaseOffset != 0 || o.LastOffset != 1 || o.LogAppendTime != -1 {
		t.Errorf("%+v", o)
	}
}
