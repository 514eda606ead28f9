package produce_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// network is between clients and brokers: it cuts connections that carry Produce requests.
type network struct {
	before, after atomic.Int32 // in how many of 1000 reads or answers the connection is cut: before the broker has the request whole, or before the client has the answer
	silent        atomic.Bool  // answers are swallowed
	cuts          atomic.Int32
	produced      atomic.Int32 // Produce requests that came
	// The next request of this key is cut off before the broker has it, or its answer before the client has it; 0: none is.
	cutRequest, cutAnswer atomic.Int32
}

func (n *network) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	return &listener{l, n}, err
}

type listener struct {
	net.Listener
	n *network
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, n: l.n}, nil
}

type conn struct {
	net.Conn
	n       *network
	produce atomic.Bool
	key     atomic.Int32 // of the last request
}

var errCut = errors.New("the network cuts the connection")

// Read reads what the broker is to have. A Produce request begins with its length and the key 0.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if len(p) > 100 && n > 60 { // a body, and not a length
		c.produce.Store(binary.BigEndian.Uint16(p) == uint16(kmsg.Produce.Int16()))
		if c.produce.Load() {
			c.n.produced.Add(1)
		}
	}
	if len(p) > 4 && n > 8 {
		c.key.Store(int32(binary.BigEndian.Uint16(p)))
		if key := c.key.Load(); key != 0 && c.n.cutRequest.CompareAndSwap(key, 0) {
			return 0, c.cut()
		}
	}
	if len(p) > 100 && n > 60 {
		if c.produce.Load() && rand.Int32N(1000) < c.n.before.Load() {
			return 0, c.cut()
		}
	}
	return n, err
}

// Write writes what the client is to have.
func (c *conn) Write(p []byte) (int, error) {
	if key := c.key.Load(); key != 0 && c.n.cutAnswer.CompareAndSwap(key, 0) {
		return 0, c.cut()
	}
	if c.produce.Load() && c.n.silent.Load() {
		return len(p), nil
	}
	if c.produce.Load() && rand.Int32N(1000) < c.n.after.Load() {
		return 0, c.cut()
	}
	return c.Conn.Write(p)
}

func (c *conn) cut() error {
	c.n.cuts.Add(1)
	_ = c.Close()
	return errCut
}

func TestCutConnectionsLoseNothingAndWriteNothingTwice(t *testing.T) {
	for name, c := range map[string]struct{ before, after int32 }{"before the broker has the request": {60, 0}, "before the client has the answer": {0, 60}, "either": {40, 40}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n network
			r := newRig(t, nil, kfake.ListenFn(n.listen))
			n.before.Store(c.before)
			n.after.Store(c.after)
			for i := range 1500 {
				r.send("t", int32(i%4), 1+i%7)
			}
			r.flush()
			n.before.Store(0)
			n.after.Store(0)
			r.written()
			r.whole("t")
			if t.Log(n.cuts.Load(), "cuts"); n.cuts.Load() < 10 {
				t.Errorf("%d cuts only", n.cuts.Load())
			}
			if !r.log.has("has no answer") || !r.log.has("all partitions are written to again") {
				t.Error("the log does not say it")
			}
		})
	}
}

// TestTheFirstBatchOfAPartitionGoesAlone: a broker takes any sequence of a producer id that the partition does not know, so that the second batch could overtake the first.
func TestTheFirstBatchOfAPartitionGoesAlone(t *testing.T) {
	t.Parallel()
	for _, idle := range []bool{false, true} { // brokers forget a producer that has been idle for long
		var n network
		r := newRig(t, map[string]string{"delivery.timeout.ms": "2000"}, kfake.ListenFn(n.listen))
		from := 0
		if idle {
			r.send("t", 0, 2)
			r.flush()
			r.p.Forget("t", 0)
			from = 2
		}
		n.silent.Store(true)
		before := n.produced.Load()
		for range 9 {
			r.send("t", 0, 2)
		}
		r.flush()
		if got := n.produced.Load() - before; got != 1 || r.outcome("t", 0, from).State != produce.Unknown || r.outcome("t", 0, from+2).State != produce.NotSent {
			t.Errorf("%d requests, %v", got, r.outcomes)
		}
	}
}

func TestWhatIsNotAnsweredInTimeIsUnknownAndTheNextBatchesAreWritten(t *testing.T) {
	t.Parallel()
	var n network
	r := newRig(t, map[string]string{"delivery.timeout.ms": "2000"}, kfake.ListenFn(n.listen))
	r.send("t", 0, 2)
	r.flush()
	n.silent.Store(true)
	began := time.Now()
	for range 8 {
		r.send("t", 0, 3)
	}
	r.flush()
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Error(took)
	}
	states := map[produce.State]int{}
	for i := range 8 {
		o := r.outcome("t", 0, 2+3*i)
		states[o.State]++
		if o.Err == nil || !strings.Contains(o.Err.Error(), "delivery.timeout.ms (2s)") || !strings.HasPrefix(o.Err.Error(), "t[0]: ") {
			t.Errorf("%+v", o)
		}
	}
	if states[produce.Unknown] != 5 || states[produce.NotSent] != 3 {
		t.Error(states)
	}
	n.silent.Store(false)
	for range 20 {
		r.send("t", 0, 2)
	}
	r.flush()
	got := r.read("t", 0, 57)
	seen := map[int]int{}
	for i, v := range got {
		if seen[v]++; seen[v] > 1 || i > 0 && got[i-1] >= v {
			t.Fatalf("%d comes twice, or late: %v", v, got)
		}
	}
	for i := range 40 {
		if seen[26+i] != 1 {
			t.Errorf("%d is not there", 26+i)
		}
	}
	if !r.log.has("epoch 1 of producer id") {
		t.Error("no new epoch")
	}
}

func TestTheWaitForATopicsPartitionsIsNoLongerThanThatForItsRows(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for servers, why := range map[string]string{"127.0.0.1:1": "connection refused", silent.Addr().String(): "the question was not answered"} {
		r := &rig{t: t, outcomes: map[string]map[int]produce.Outcome{}, next: map[string]int{}}
		r.open(servers, map[string]string{"delivery.timeout.ms": "300"})
		_, err := r.p.Partitions(t.Context(), "t", false)
		if err == nil || !strings.Contains(err.Error(), "no broker of "+servers+" has said within 300ms") || !strings.Contains(err.Error(), why) {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatNoBrokerHasSeenIsNotSent(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, outcomes: map[string]map[int]produce.Outcome{}, next: map[string]int{}}
	r.open("127.0.0.1:1", map[string]string{"message.timeout.ms": "300"})
	r.send("t", 0, 3)
	r.flush()
	if o := r.outcome("t", 0, 0); o.State != produce.NotSent || !strings.Contains(o.Err.Error(), "connection refused") || !strings.Contains(o.Err.Error(), "127.0.0.1:1") {
		t.Errorf("%+v", o)
	}
	if !r.log.has("the cluster cannot be asked") {
		t.Error("nothing was logged")
	}
}

// TestTooFewReplicasUntilTheEndAreARefusalOrAnUnknownOutcome: with min.insync.replicas, a leader says whether it has appended the batch all the same.
func TestTooFewReplicasUntilTheEndAreARefusalOrAnUnknownOutcome(t *testing.T) {
	for answer, want := range map[*kerr.Error]produce.State{kerr.NotEnoughReplicas: produce.Refused, kerr.NotEnoughReplicasAfterAppend: produce.Unknown} {
		t.Run(answer.Message, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, map[string]string{"delivery.timeout.ms": "1500"})
			fault := r.cluster.Fault(produceFault(answer, -1, 0))
			at := 0
			r.send("t", 0, 2)
			r.flush()
			// On a busy machine, the time may end between a request and its answer: nobody knows then what became of it.
			for tries := 1; tries < 5 && r.outcome("t", 0, at).State != want && r.log.has("has no answer"); tries++ {
				at += 2
				r.send("t", 0, 2)
				r.flush()
			}
			if o := r.outcome("t", 0, at); o.State != want || !strings.Contains(o.Err.Error(), "delivery.timeout.ms (1.5s): "+answer.Message) {
				t.Errorf("%+v", o)
			}
			fault.Remove()
			r.send("t", 0, 3)
			r.flush()
			if o := r.outcome("t", 0, at+2); o.State != produce.Written {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestABatchThatIsUnknownHoldsUpNoOtherPartition(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"delivery.timeout.ms": "2000"})
	r.cluster.Fault(produceFault(kerr.RequestTimedOut, -1, 0))
	r.send("t", 0, 1)
	for i := range 30 {
		r.send("t", int32(1+i%3), 2)
	}
	r.flush()
	if o := r.outcome("t", 0, 0); o.State != produce.Unknown || !strings.Contains(o.Err.Error(), "REQUEST_TIMED_OUT") {
		t.Errorf("%+v", o)
	}
	if o := r.outcome("t", 3, 0); o.State != produce.Written {
		t.Errorf("%+v", o)
	}
}

func TestSendWaitsForRoomAndItsContextEndsTheWait(t *testing.T) {
	var n network
	r := newRig(t, map[string]string{"queue.buffering.max.kbytes": "100"}, kfake.ListenFn(n.listen))
	r.send("t", 0, 1)
	r.flush()
	n.silent.Store(true)
	for range 6 { // a buffer has 16 KiB
		r.send("t", 1, 10)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.p.Send(ctx, sealed("t", 1, 0, 10, func(produce.Outcome) { t.Error("it was not taken") })); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := r.p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestCloseGivesEachBatchItsOutcome(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		var n network
		r := newRig(t, nil, kfake.ListenFn(n.listen))
		r.send("t", 0, 1)
		r.flush()
		n.silent.Store(i%2 == 0)
		for j := range 40 {
			r.send("t", int32(j%4), 1+j%3)
		}
		time.Sleep(time.Duration(i) * 5 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		for range 2 {
			if err := r.p.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		total := 0
		for _, of := range r.outcomes {
			for _, o := range of {
				total++
				var e *status.Error
				if o.State != produce.Written && (!errors.As(o.Err, &e) || e.Code != status.ClosedError) {
					t.Errorf("%+v", o)
				}
			}
		}
		if total != 41 {
			t.Errorf("%d outcomes", total)
		}
		if err := r.p.Send(t.Context(), sealed("t", 0, 0, 1, func(produce.Outcome) {})); !errors.Is(err, produce.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestAPanicIsAnErrorOfEachCall(t *testing.T) {
	r := newRig(t, nil)
	r.send("t", 0, 1)
	r.flush()
	r.p.Panic()
	<-r.p.Ended()
	for range 2 {
		var e *status.Error
		if err := r.p.Send(t.Context(), sealed("t", 0, 0, 1, func(produce.Outcome) {})); !errors.As(err, &e) || e.Code != status.InternalError || !strings.Contains(err.Error(), "on purpose") {
			t.Error(err)
		}
		if err := r.p.Flush(t.Context()); err == nil {
			t.Error("flushed")
		}
	}
}

func TestAPanicOfTheLoggerIsAnErrorOfEachCall(t *testing.T) {
	p, err := produce.Open(produce.Settings{Servers: "127.0.0.1:1", Properties: map[string]string{"message.timeout.ms": "500"}, Log: func(int, string, string) { panic("on purpose") }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 {
		var e *status.Error
		if _, err := p.Partitions(ctx, "t", false); !errors.As(err, &e) || e.Code != status.InternalError || !strings.Contains(err.Error(), "on purpose") {
			t.Error(err)
		}
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestSequencesAndEpochsWrap(t *testing.T) {
	r := newRig(t, nil)
	r.send("t", 0, 1)
	r.flush()
	r.p.SetNext("t", 0, math.MaxInt32-2, math.MaxInt16)
	var got [][2]int64
	r.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		records := p.Topics[0].Partitions[0].Records
		got = append(got, [2]int64{int64(int16(binary.BigEndian.Uint16(records[51:]))), int64(binary.BigEndian.Uint32(records[53:]))})
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = p.Topics[0].Topic, p.Topics[0].TopicID
		rp := kmsg.NewProduceResponseTopicPartition()
		if len(got) == 4 {
			rp.ErrorCode, rp.LogStartOffset = kerr.UnknownProducerID.Code, 1_000_000 // only its age
		}
		rt.Partitions = append(rt.Partitions, rp)
		resp.Topics = append(resp.Topics, rt)
		return resp, nil, true
	})
	for range 4 {
		r.send("t", 0, 3)
		r.flush()
	}
	r.written()
	if want := fmt.Sprint([][2]int64{{math.MaxInt16, math.MaxInt32 - 2}, {math.MaxInt16, 0}, {math.MaxInt16, 3}, {math.MaxInt16, 6}, {0, 0}}); fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestThrottlingDoesNotCountAsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"delivery.timeout.ms": "1500"})
	r.send("t", 0, 1)
	r.flush()
	throttles := 2
	r.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if throttles--; throttles < 0 {
			r.cluster.DropControl()
			return nil, nil, false
		}
		r.cluster.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		resp.ThrottleMillis = 2000
		for _, t := range p.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, part := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = part.Partition, kerr.NotLeaderForPartition.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	for range 8 {
		r.send("t", 0, 2)
	}
	r.flush()
	r.written()
	if got := r.read("t", 0, 17); !ascending(got, 17) || !r.log.has("lets the producer wait for 2s (quotas)") {
		t.Error(got)
	}
}
