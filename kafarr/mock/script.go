package mock

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Script decides what becomes of a request that a broker has received. It is called for the requests of one connection one after the other, and for those of several at the same
// time. Brokers are numbered from 0.
type Script func(broker int32, request kmsg.Request) Verdict

// Verdict is what becomes of a request. The zero Verdict leaves it to the broker.
type Verdict struct {
	// Answer is sent in place of the broker's own answer. The broker does not see the request.
	Answer kmsg.Response
	// CutBefore closes the connection. The broker does not see the request.
	CutBefore bool
	// CutAfter closes the connection in place of the answer: the broker has done what was asked.
	CutAfter bool
}

// Refuse answers a Produce request with an error of each of its partitions.
func Refuse(request kmsg.Request, with *kerr.Error) Verdict {
	r, ok := request.(*kmsg.ProduceRequest)
	if !ok {
		panic(fmt.Sprintf("mock: %T is no Produce request", request))
	}
	answer := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range r.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, with.Code, -1
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	return Verdict{Answer: answer}
}

// scripted listens as a broker whose connections follow a script.
type scripted struct {
	net.Listener
	broker int32
	script Script
}

// listenScripted gives kfake its listeners, of one broker after the other.
func listenScripted(script Script) func(network, address string) (net.Listener, error) {
	var brokers atomic.Int32
	return func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address) //nolint:noctx // as kfake does
		if err != nil {
			return nil, err
		}
		return &scripted{Listener: l, broker: brokers.Add(1) - 1, script: script}, nil
	}
}

func (s *scripted) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &scriptedConn{Conn: conn, broker: s.broker, script: s.script, verdicts: map[int32]Verdict{}}, nil
}

// scriptedConn is a connection between a client and kfake, which reads it from one goroutine and writes each answer whole.
type scriptedConn struct {
	net.Conn
	broker int32
	script Script
	rest   []byte // of the request that kfake reads

	mu       sync.Mutex
	verdicts map[int32]Verdict // on requests that kfake has and has not answered, by correlation id
}

// Read gives kfake the next request, unless the script says otherwise.
func (c *scriptedConn) Read(into []byte) (int, error) {
	if len(c.rest) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(into, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *scriptedConn) next() error {
	var size [4]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	if _, err := io.ReadFull(c.Conn, frame[4:]); err != nil {
		return err
	}
	c.rest = frame
	request, correlation := parse(frame[4:])
	if request == nil {
		return nil
	}
	verdict := c.script(c.broker, request)
	switch {
	case verdict.CutBefore:
		_ = c.Close()
		return net.ErrClosed
	case verdict.Answer != nil:
		c.rest = harmless(correlation)
	case !verdict.CutAfter:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verdicts[correlation] = verdict
	return nil
}

// Write sends an answer of kfake's to the client, unless the script has said otherwise.
func (c *scriptedConn) Write(answer []byte) (int, error) {
	if len(answer) < 8 {
		return c.Conn.Write(answer)
	}
	correlation := int32(binary.BigEndian.Uint32(answer[4:])) //nolint:gosec // bits
	c.mu.Lock()
	verdict, ok := c.verdicts[correlation]
	delete(c.verdicts, correlation)
	c.mu.Unlock()
	switch {
	case !ok:
		return c.Conn.Write(answer)
	case verdict.CutAfter:
		_ = c.Close()
		return 0, net.ErrClosed
	}
	if _, err := c.Conn.Write(framed(correlation, verdict.Answer)); err != nil {
		return 0, err
	}
	return len(answer), nil
}

// parse reads a request, nil where this is none.
func parse(frame []byte) (kmsg.Request, int32) {
	r := kbin.Reader{Src: frame}
	key, version, correlation := r.Int16(), r.Int16(), r.Int32()
	r.NullableString()
	request := kmsg.RequestForKey(key)
	if !r.Ok() || request == nil {
		return nil, 0
	}
	request.SetVersion(version)
	if request.IsFlexible() {
		kmsg.SkipTags(&r)
	}
	if request.ReadFrom(r.Src) != nil {
		return nil, 0
	}
	return request, correlation
}

// harmless is a request that kfake gets in place of one that it is not to see, so that answers keep their order.
func harmless(correlation int32) []byte {
	b := []byte{0, 0, 0, 10, 0, byte(kmsg.ApiVersions), 0, 0, 0, 0, 0, 0, 0xff, 0xff}
	binary.BigEndian.PutUint32(b[8:], uint32(correlation)) //nolint:gosec // bits
	return b
}

func framed(correlation int32, answer kmsg.Response) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4, 64), uint32(correlation)) //nolint:gosec // bits
	if answer.IsFlexible() && answer.Key() != kmsg.ApiVersions.Int16() {
		b = append(b, 0) // no tags
	}
	b = answer.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4)) //nolint:gosec // far below 4 GiB
	return b
}
