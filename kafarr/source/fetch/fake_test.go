package fetch

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// fake is a cluster of brokers that speak as much of the protocol as a scan and a producer without idempotence need.
type fake struct {
	t         testing.TB
	mu        sync.Mutex
	listeners []net.Listener
	conns     map[net.Conn]int // and whose they are
	logs      map[string]*fakeLog
	order     []string
	// answer replaces a broker's answer where it does not return nil; it holds no lock. hangUp instead closes the connection.
	answer func(broker int32, req kmsg.Request) kmsg.Response
	maxAPI map[int16]int16
	seen   map[int16]int // requests by key
	calls  sync.WaitGroup
	tls    *tls.Config // nil: none
	rate   int         // bytes a second of each connection; 0: no bound
}

// hangUp is an answer that is none.
var hangUp kmsg.Response = kmsg.NewPtrFetchResponse()

// undecodable is an answer that breaks off in its midst, though its length is right.
type undecodable struct{ kmsg.Response }

func (u undecodable) AppendTo(to []byte) []byte {
	before := len(to)
	to = u.Response.AppendTo(to)
	return to[:before+(len(to)-before)/2]
}

// fakeLog is a topic of one partition.
type fakeLog struct {
	id         [16]byte
	leader     int32
	epoch      int32
	start, end int64
	stable     int64 // -1: end
	batches    [][]byte
	epochEnds  int64 // where any epoch ended that is asked for
	aborted    []abortedUpTo
}

// abortedUpTo is an aborted transaction with its marker's offset: brokers name those that reach to the offset asked for.
type abortedUpTo struct {
	aborted
	marker int64
}

func newFake(t testing.TB, brokers int) *fake {
	f := &fake{t: t, conns: map[net.Conn]int{}, logs: map[string]*fakeLog{}, seen: map[int16]int{}, maxAPI: map[int16]int16{0: 9, 1: 18, 2: 9, 3: 12, 18: 3, 23: 4}}
	for id := range brokers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f.listeners = append(f.listeners, l)
		f.calls.Go(func() { f.accept(id, l) })
	}
	t.Cleanup(func() {
		for id := range f.listeners {
			f.kill(id)
		}
		f.calls.Wait()
	})
	return f
}

// kill ends a broker.
func (f *fake) kill(id int) {
	_ = f.listeners[id].Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn, of := range f.conns {
		if of == id {
			_ = conn.Close()
		}
	}
}

func (f *fake) servers() string { return f.listeners[0].Addr().String() }

// topic makes a topic of one partition, led by the first broker.
func (f *fake) topic(name string) *fakeLog {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := &fakeLog{stable: -1, id: [16]byte{1, byte(len(f.logs))}, epoch: 5}
	f.logs[name] = l
	f.order = append(f.order, name)
	return l
}

// change alters the cluster.
func (f *fake) change(alter func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	alter()
}

func (f *fake) count(key int16) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[key]
}

// add appends a batch, whose base it sets; the sum does not cover that.
func (l *fakeLog) add(raw []byte) {
	raw = slices.Clone(raw)
	binary.BigEndian.PutUint64(raw, uint64(l.end))
	l.batches = append(l.batches, raw)
	l.end += int64(binary.BigEndian.Uint32(raw[23:])) + 1
}

func (f *fake) accept(id int, l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		if f.tls != nil {
			conn = tls.Server(conn, f.tls)
		}
		f.conns[conn] = id
		f.mu.Unlock()
		f.calls.Go(func() {
			defer conn.Close()
			for f.serve(int32(id), conn) == nil {
			}
		})
	}
}

func (f *fake) serve(id int32, conn net.Conn) error {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	raw := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, raw); err != nil {
		return err
	}
	r := kbin.Reader{Src: raw}
	key, version, correlation := r.Int16(), r.Int16(), r.Int32()
	r.NullableString()
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	if req.IsFlexible() {
		kmsg.SkipTags(&r)
	}
	if err := req.ReadFrom(r.Src); err != nil {
		f.t.Errorf("request %d, version %d: %v", key, version, err)
		return err
	}
	f.mu.Lock()
	f.seen[key]++
	answer := f.answer
	f.mu.Unlock()
	var resp kmsg.Response
	if answer != nil {
		resp = answer(id, req)
	}
	if resp == hangUp {
		return io.EOF
	}
	if resp == nil {
		resp = f.usual(id, req)
	}
	resp.SetVersion(version)
	out := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(correlation))
	if resp.IsFlexible() && key != 18 {
		out = append(out, 0)
	}
	out = resp.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	for f.rate > 0 && len(out) > f.rate/20 {
		if _, err := conn.Write(out[:f.rate/20]); err != nil {
			return err
		}
		out = out[f.rate/20:]
		time.Sleep(time.Second / 20)
	}
	_, err := conn.Write(out)
	return err
}

func (f *fake) usual(id int32, req kmsg.Request) kmsg.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch req := req.(type) {
	case *kmsg.ApiVersionsRequest:
		resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
		for key, version := range f.maxAPI {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: version})
		}
		return resp
	case *kmsg.MetadataRequest:
		return f.metadata(req)
	case *kmsg.ProduceRequest:
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.Topics {
			f.logs[t.Topic].add(t.Partitions[0].Records)
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.Partitions = t.Topic, []kmsg.ProduceResponseTopicPartition{kmsg.NewProduceResponseTopicPartition()}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp
	case *kmsg.ListOffsetsRequest:
		return f.offsets(id, req)
	case *kmsg.FetchRequest:
		return f.fetch(id, req)
	case *kmsg.OffsetForLeaderEpochRequest:
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		p := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
		rt.Topic, p.EndOffset = req.Topics[0].Topic, f.logs[req.Topics[0].Topic].epochEnds
		rt.Partitions = append(rt.Partitions, p)
		resp.Topics = append(resp.Topics, rt)
		return resp
	}
	f.t.Errorf("the fake broker does not know request %d", req.Key())
	return hangUp
}

func (f *fake) metadata(req *kmsg.MetadataRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	for id, l := range f.listeners {
		host, port, _ := net.SplitHostPort(l.Addr().String())
		n, _ := strconv.Atoi(port)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = int32(id), host, int32(n)
		resp.Brokers = append(resp.Brokers, b)
	}
	names := f.order
	if req.Topics != nil {
		names = nil
		for _, t := range req.Topics {
			names = append(names, *t.Topic)
		}
	}
	for _, name := range names {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = kmsg.StringPtr(name)
		l, ok := f.logs[name]
		if !ok {
			t.ErrorCode = kerr.UnknownTopicOrPartition.Code
			resp.Topics = append(resp.Topics, t)
			continue
		}
		t.TopicID, t.IsInternal = l.id, name[0] == '_'
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Leader, p.LeaderEpoch = l.leader, l.epoch
		if l.leader < 0 {
			p.ErrorCode = kerr.LeaderNotAvailable.Code
		}
		t.Partitions = append(t.Partitions, p)
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func (f *fake) offsets(id int32, req *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for _, asked := range t.Partitions {
			p := kmsg.NewListOffsetsResponseTopicPartition()
			p.Partition = asked.Partition
			l, ok := f.logs[t.Topic]
			switch {
			case !ok || asked.Partition != 0:
				p.ErrorCode = kerr.UnknownTopicOrPartition.Code
			case l.leader != id:
				p.ErrorCode = kerr.NotLeaderForPartition.Code
			case asked.Timestamp == source.End:
				p.Offset = l.end
				if req.IsolationLevel == readCommitted && l.stable >= 0 {
					p.Offset = l.stable
				}
			case asked.Timestamp == source.Beginning || asked.Timestamp == earliestLocal:
				p.Offset = l.start
			default:
				for _, raw := range l.batches {
					if b, _, _ := nextBatch(raw, false); p.Offset < 0 && b.lastTime >= asked.Timestamp {
						p.Offset, p.Timestamp = b.base, b.lastTime
					}
				}
			}
			rt.Partitions = append(rt.Partitions, p)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func (f *fake) fetch(id int32, req *kmsg.FetchRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	asked := req.Topics[0]
	rt := kmsg.NewFetchResponseTopic()
	rt.Topic, rt.TopicID = asked.Topic, asked.TopicID
	p := kmsg.NewFetchResponseTopicPartition()
	var l *fakeLog
	for name, log := range f.logs {
		if req.Version >= 13 && log.id == asked.TopicID || req.Version < 13 && name == asked.Topic {
			l = log
		}
	}
	at := asked.Partitions[0].FetchOffset
	switch {
	case l == nil:
		p.ErrorCode = kerr.UnknownTopicID.Code
	case l.leader != id:
		p.ErrorCode = kerr.NotLeaderForPartition.Code
	case asked.Partitions[0].CurrentLeaderEpoch < l.epoch:
		p.ErrorCode = kerr.FencedLeaderEpoch.Code
	case at < l.start || at > l.end:
		p.ErrorCode = kerr.OffsetOutOfRange.Code
	default:
		p.HighWatermark, p.LastStableOffset, p.LogStartOffset = l.end, l.end, l.start
		if l.stable >= 0 {
			p.LastStableOffset = l.stable
		}
		for _, a := range l.aborted {
			if a.marker < at {
				continue
			}
			p.AbortedTransactions = append(p.AbortedTransactions, kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: a.producer, FirstOffset: a.first})
		}
		for _, raw := range l.batches {
			b, _, err := nextBatch(raw, false)
			if err == nil && (b.last < at || req.IsolationLevel == readCommitted && l.stable >= 0 && b.base >= l.stable) {
				continue
			}
			if room := int(asked.Partitions[0].PartitionMaxBytes) - len(p.RecordBatches); len(p.RecordBatches) > 0 && room < len(raw) {
				p.RecordBatches = append(p.RecordBatches, raw[:max(room, 0)]...)
				break
			}
			p.RecordBatches = append(p.RecordBatches, raw...)
		}
		if len(p.RecordBatches) == 0 {
			time.Sleep(time.Duration(min(req.MaxWaitMillis, 20)) * time.Millisecond)
		}
	}
	rt.Partitions = append(rt.Partitions, p)
	resp.Topics = append(resp.Topics, rt)
	return resp
}

// produce writes messages with franz-go's producer, as one batch.
func (f *fake) produce(topic string, codec kgo.CompressionCodec, records ...*kgo.Record) {
	f.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(f.servers()), kgo.DisableIdempotentWrite(), kgo.ProducerBatchCompression(codec), kgo.RequiredAcks(kgo.LeaderAck()),
		kgo.DefaultProduceTopic(topic), kgo.ManualFlushing(), kgo.ProducerBatchMaxBytes(1<<24), kgo.BrokerMaxWriteBytes(1<<25), kgo.DisableClientMetrics())
	if err != nil {
		f.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, r := range records {
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				f.t.Error(err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		f.t.Fatal(err)
	}
}
