package produce

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Settings say how the cluster is reached and what is promised.
type Settings struct {
	Servers string
	// Properties have librdkafka's names. Those that only consumers have are ignored; one that has no counterpart here is a ConfigError.
	Properties map[string]string
	// Environment says which authorities are trusted where no property does, and which proxy a token endpoint is behind.
	Environment environ.Variables
	// MemoryLimit bounds the bytes of batches that wait for their outcome; 0: 32 MiB, or queue.buffering.max.kbytes where it is set.
	MemoryLimit int64
	// Token is asked for OAUTHBEARER's tokens; nil: the properties say how to get them.
	Token func(context.Context) (source.Token, error)
	Log   func(level int, facility, message string)
	// User is what errors call the producer, and Facility what its log lines are of; empty: "a producer", and "PRODUCE".
	User, Facility string
	// CreateTopics lets brokers create a topic that they do not have, where their auto.create.topics.enable does; allow.auto.create.topics=false does without.
	CreateTopics bool
}

// Defaults that are not librdkafka's.
const (
	defaultMemory      = 32 << 20
	defaultPropagation = 5 * time.Second // until a topic that the cluster does not know counts as missing
)

// window is how many batches of a partition are on their way. A broker recognizes only the last five again (KIP-98).
const window = 5

// maxRequestBytes bounds a request of several batches: a broker takes socket.request.max.bytes, which is 100 MiB by default, and who waits for an answer waits for all of them.
const maxRequestBytes = 16 << 20

// settings are what the configuration comes to.
type settings struct {
	cluster.Settings

	servers       string // for errors
	acks          int16
	idempotent    bool
	window        int
	delivery      time.Duration // 0: for ever
	answer        time.Duration // within which a broker is to answer
	propagation   time.Duration
	retries       int
	memory        int64
	messageMax    int
	transactional string // transactional.id
	transaction   time.Duration
	createTopics  bool
	log           func(level int, message string)
	broken        atomic.Pointer[error] // the first panic of Log
}

// Check checks the settings as Open does.
func (c *Settings) Check() error {
	_, err := c.read()
	return err
}

// read checks the configuration.
func (c *Settings) read() (*settings, error) {
	s := &settings{
		acks: -1, idempotent: true, window: window, delivery: 5 * time.Minute, answer: 30 * time.Second, propagation: defaultPropagation, retries: 1<<31 - 1, memory: defaultMemory,
		messageMax: 1_000_000_000, transaction: time.Minute, createTopics: c.CreateTopics, servers: c.Servers,
	}
	user, facility := cmp.Or(c.User, "a producer"), cmp.Or(c.Facility, "PRODUCE")
	log := func(level int, facility, message string) { // on goroutines of the client's, and under locks
		if c.Log == nil {
			return
		}
		if err := async.Catch(func() { c.Log(level, facility, message) }); err != nil {
			s.broken.CompareAndSwap(nil, &err)
		}
	}
	own := s.properties()
	common, err := cluster.Read(cluster.Config{
		User: user, Facility: facility, Servers: c.Servers, Properties: c.Properties, Own: own, Passed: passedOver, Environment: c.Environment, Token: c.Token, Log: log,
		Unanswered: ofNoAcks(c.Properties),
	})
	if err != nil {
		return nil, err
	}
	s.Settings = *common
	s.log = func(level int, message string) { log(level, facility, s.Secrets.Text(message)) }
	if c.MemoryLimit > 0 {
		s.memory = c.MemoryLimit
	}
	if err := s.agree(c.Properties); err != nil {
		return nil, err
	}
	s.Options = append(s.Options, kgo.BrokerMaxWriteBytes(1<<30), kgo.DisableIdempotentWrite())
	if s.acks == 0 {
		s.Options = append(s.Options, kgo.RequiredAcks(kgo.NoAck()), kgo.ProduceRequestTimeout(s.answer))
	}
	return s, nil
}

// agree checks properties against each other, as librdkafka does.
func (s *settings) agree(properties map[string]string) error {
	_, asked := properties["enable.idempotence"]
	switch {
	case s.transactional != "" && !s.idempotent:
		return source.Errorf(status.ConfigError, "config: transactional.id needs enable.idempotence=true")
	case s.idempotent && s.acks != -1 && (asked || s.transactional != ""):
		return source.Errorf(status.ConfigError, "config: enable.idempotence=true needs acks=all")
	case s.idempotent && s.acks != -1: // who asks for fewer acknowledgements gets no more than they can promise
		s.idempotent = false
	}
	if s.idempotent && s.window > window {
		return source.Errorf(status.ConfigError, "config: max.in.flight is %d: with enable.idempotence=true it is at most %d", s.window, window)
	}
	if _, set := first(properties, "max.in.flight", "max.in.flight.requests.per.connection"); !s.idempotent && !set {
		s.window = 1 // without sequences a retry would overtake what was sent after it
	}
	return nil
}

func first(properties map[string]string, names ...string) (string, bool) {
	for _, name := range names {
		if value, set := properties[name]; set {
			return value, true
		}
	}
	return "", false
}

func ofNoAcks(properties map[string]string) bool {
	value, _ := first(properties, "acks", "request.required.acks")
	return value == "0"
}

// properties are librdkafka's properties of producers, with librdkafka's ranges.
func (s *settings) properties() map[string]cluster.Reader {
	acks := func(value string) error {
		switch strings.ToLower(value) {
		case "all", "-1":
			s.acks = -1
		case "0":
			s.acks = 0
		case "1":
			s.acks = 1
		default:
			return fmt.Errorf("it wants all, 1 or 0")
		}
		return nil
	}
	kilobytes := func(value string) error {
		if err := cluster.Number(1, 2147483647, &s.memory)(value); err != nil {
			return err
		}
		s.memory <<= 10
		return nil
	}
	createTopics := func(value string) error {
		may := false
		if err := cluster.Boolean(&may)(value); err != nil {
			return err
		}
		s.createTopics = s.createTopics && may
		return nil
	}
	return map[string]cluster.Reader{
		"acks": acks, "request.required.acks": acks,
		"enable.idempotence": cluster.Boolean(&s.idempotent),
		"max.in.flight":      cluster.Number(1, 1000000, &s.window), "max.in.flight.requests.per.connection": cluster.Number(1, 1000000, &s.window),
		"message.timeout.ms": cluster.Millis(0, 2147483647, &s.delivery), "delivery.timeout.ms": cluster.Millis(0, 2147483647, &s.delivery),
		"request.timeout.ms":                cluster.Millis(1, 900000, &s.answer),
		"retries":                           cluster.Number(0, 2147483647, &s.retries),
		"message.send.max.retries":          cluster.Number(0, 2147483647, &s.retries),
		"topic.metadata.propagation.max.ms": cluster.Millis(0, 3600000, &s.propagation),
		"queue.buffering.max.kbytes":        kilobytes,
		"message.max.bytes":                 cluster.Number(1000, 1000000000, &s.messageMax),
		"transactional.id":                  cluster.Text(&s.transactional),
		"allow.auto.create.topics":          createTopics,
		"transaction.timeout.ms":            cluster.Millis(1000, 2147483647, &s.transaction),
	}
}

// passedOver are properties that mean nothing to what sends batches: those of consumers, and those of who builds the batches.
var passedOver = cluster.SetOf(append([]string{
	"client.rack", "fetch.max.bytes", "max.partition.fetch.bytes", "fetch.message.max.bytes", "fetch.min.bytes", "fetch.wait.max.ms", "check.crcs", "isolation.level",
	"message.copy.max.bytes", "linger.ms", "queue.buffering.max.ms", "queue.buffering.max.messages", "queue.buffering.backpressure.threshold", "batch.size", "batch.num.messages",
	"compression.type", "compression.codec", "compression.level", "enable.gapless.guarantee", "partitioner", "sticky.partitioning.linger.ms", "delivery.report.only.error",
}, cluster.Consumers...)...)
