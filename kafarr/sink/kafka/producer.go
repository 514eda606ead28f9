// Package kafka writes messages through librdkafka, with confluent-kafka-go as the client.
package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Config is what a producer needs.
type Config struct {
	Topic      string // that all messages are written to
	Servers    string
	Properties map[string]string // librdkafka's; those for consumers only are ignored
	// Token is asked for OAUTHBEARER's tokens, from a goroutine of the producer; nil: the client gets them by itself.
	Token func(context.Context) (source.Token, error)
	// Log is called from a goroutine of the producer for each line that librdkafka logs.
	Log rdkafka.Log
}

// Producer is a sink.Sink: a producer for one topic.
type Producer struct {
	topic    string
	client   *kafka.Producer
	reports  chan kafka.Event
	running  sync.WaitGroup
	stopLogs chan struct{}
	tokens   sync.WaitGroup
	noTokens context.CancelFunc     // any more
	problem  atomic.Pointer[string] // the last thing that the client complained about
	secrets  *redact.Secrets
	broken   atomic.Pointer[error] // the first panic of a goroutine

	// A broker refuses a batch as a whole, so messages of a batch that was too large are written once more, each in a batch of its own.
	openSingle func() (*Producer, error) // nil: this one writes them so already
	single     *Producer                 // nil until there is one; of the goroutine that reports

	mu     sync.RWMutex // held for reading by who uses the producer: its Close frees what they use
	closed bool
}

// sent is a message on its way.
type sent struct {
	message *sink.Message
	done    func(error)
}

// reserved are properties that a delivery needs to be as they are: what the user's configuration says of them, for the consumer or in general, is left out.
var reserved = map[string]any{
	"enable.idempotence":                    true, // a retry within the client writes no message twice
	"acks":                                  "all",
	"request.required.acks":                 nil, // acks, by its other name
	"max.in.flight":                         nil, // idempotence allows 5, a consumer's client more
	"max.in.flight.requests.per.connection": nil,
	"transactional.id":                      nil, // messages are in no transaction
	"delivery.report.only.error":            nil,
	"topic.blacklist":                       nil, // it keeps a topic from being read by a pattern, and would keep it from being written to
}

// unlessSet are properties that differ from librdkafka's defaults, unless the user's configuration has them.
var unlessSet = []struct{ name, alias, value string }{
	{"message.timeout.ms", "delivery.timeout.ms", "30000"}, // instead of five minutes, for which a commit would wait
	{"topic.metadata.propagation.max.ms", "", "5000"},      // instead of 30 s until a topic counts as missing: dead letters are tried again
	{"message.max.bytes", "", "1000000000"},                // how much is too much is for the brokers to say
}

// Open makes a producer. It does not wait for the network.
func Open(cfg Config) (*Producer, error) {
	secrets, pass := redact.Properties(cfg.Properties), cfg.Log
	cfg.Log = func(level int, facility, message string) { pass(level, facility, secrets.Text(message)) }
	p, err := open(cfg, secrets, nil)
	if err != nil {
		return nil, err
	}
	p.openSingle = func() (*Producer, error) {
		return open(cfg, secrets, kafka.ConfigMap{"batch.num.messages": 1})
	}
	return p, nil
}

func open(cfg Config, secrets *redact.Secrets, besides kafka.ConfigMap) (*Producer, error) {
	conf, err := configMap(cfg)
	if err != nil {
		return nil, err
	}
	maps.Copy(conf, besides)
	lines := make(chan kafka.LogEvent, 1000)
	conf["go.logs.channel.enable"] = true
	conf["go.logs.channel"] = lines
	conf["go.delivery.report.fields"] = "none"
	// Each is a channel's capacity, allocated at once; a million by default.
	conf["go.events.channel.size"] = 100
	conf["go.produce.channel.size"] = 0
	p := &Producer{topic: cfg.Topic, reports: make(chan kafka.Event, 1000), stopLogs: make(chan struct{}), secrets: secrets}
	if p.client, err = kafka.NewProducer(&conf); err != nil {
		return nil, rdkafka.ConfigError(err, secrets)
	}
	log := func(level int, facility, message string) {
		p.guard(func() { cfg.Log(level, facility, message) })
	}
	p.running.Go(func() { rdkafka.PassLogs(lines, p.stopLogs, log) })
	p.running.Go(func() { p.guard(func() { p.handleEvents(log) }) })
	p.running.Go(p.report)
	var ctx context.Context
	ctx, p.noTokens = context.WithCancel(context.Background())
	if cfg.Token != nil {
		p.tokens.Go(func() { p.guard(func() { p.keepToken(ctx, cfg, secrets) }) })
	}
	return p, nil
}

// guard runs f, and keeps a panic in it as the error of every later message: in a goroutine that nobody waits for, it would end the process.
func (p *Producer) guard(f func()) {
	if err := async.Catch(f); err != nil {
		p.broken.CompareAndSwap(nil, &err)
	}
}

func configMap(cfg Config) (kafka.ConfigMap, error) {
	known, err := rdkafka.Properties()
	if err != nil {
		return nil, err
	}
	servers, err := source.Servers(cfg.Servers, cfg.Properties)
	if err != nil {
		return nil, err
	}
	conf := kafka.ConfigMap{"bootstrap.servers": strings.Join(servers, ",")}
	for name, value := range cfg.Properties {
		if _, ours := reserved[name]; !ours && known[name] != "C" { // the producer would ignore those for consumers, with a line in the log for each
			conf[name] = value
		}
	}
	for name, value := range reserved {
		if value != nil {
			conf[name] = value
		}
	}
	for _, p := range unlessSet {
		if conf[p.name] == nil && (p.alias == "" || conf[p.alias] == nil) {
			conf[p.name] = p.value
		}
	}
	return conf, nil
}

// keepToken gives the producer tokens of its own: librdkafka keeps them by client.
func (p *Producer) keepToken(ctx context.Context, cfg Config, secrets *redact.Secrets) {
	t := rdkafka.Tokens{Ask: cfg.Token, Secrets: secrets, Log: cfg.Log}
	t.Set = func(token source.Token) error { return p.client.SetOAuthBearerToken(rdkafka.ClientToken(token)) }
	t.Missing = func(why error) { p.complains(why.Error(), cfg.Log) }
	t.Keep(ctx)
}

// Write implements sink.Sink.
func (p *Producer) Write(message *sink.Message, done func(error)) {
	if broken := p.broken.Load(); broken != nil {
		done(*broken)
		return
	}
	m := &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &p.topic, Partition: kafka.PartitionAny},
		Key:            message.Key, Value: message.Value, Opaque: sent{message, done},
	}
	if message.Timestamp != 0 {
		m.Timestamp = time.UnixMilli(message.Timestamp)
	}
	for _, h := range message.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Name, Value: h.Value})
	}
	if err := p.produce(m); err != nil {
		done(cmp.Or(p.fatal(), rdkafka.Error(err)))
	}
}

func (p *Producer) produce(m *kafka.Message) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return source.ErrClosed
	}
	return p.client.Produce(m, p.reports)
}

// fatal is why the producer can never continue, nil where it can. What librdkafka answers for each message then, "Fatal error" or "Purged in queue", names no cause.
func (p *Producer) fatal() error {
	if !p.mu.TryRLock() { // it is being closed, which waits for the goroutine that reports
		return nil
	}
	defer p.mu.RUnlock()
	if p.closed {
		return nil
	}
	var e kafka.Error
	if !errors.As(p.client.GetFatalError(), &e) {
		return nil
	}
	return source.Errorf(rdkafka.StatusOf(e.Code()), "the producer cannot continue: %s", p.secrets.Text(e.Error()))
}

// report answers for the messages whose deliveries have ended.
func (p *Producer) report() {
	for event := range p.reports {
		if m, ok := event.(*kafka.Message); ok {
			p.guard(func() { p.reported(m.Opaque.(sent), m.TopicPartition.Error) }) // for each: a message waits for its answer
		}
	}
	if p.single != nil {
		p.single.Close()
	}
}

func (p *Producer) reported(s sent, err error) {
	var e kafka.Error
	if err == nil || !errors.As(err, &e) {
		s.done(err)
		return
	}
	switch e.Code() {
	case kafka.ErrMsgTimedOut:
		if why := p.problem.Load(); why != nil { // which the time-out itself does not tell
			err = fmt.Errorf("%w (%s)", err, *why)
		}
	case kafka.ErrMsgSizeTooLarge, kafka.ErrInvalidTimestamp:
		if p.openSingle != nil {
			p.writeSingle(s)
			return
		}
		err = fmt.Errorf("%w: %w", map[kafka.ErrorCode]error{
			kafka.ErrMsgSizeTooLarge: sink.ErrMessageTooLarge, kafka.ErrInvalidTimestamp: sink.ErrTimestampRefused,
		}[e.Code()], err)
	}
	s.done(cmp.Or(p.fatal(), rdkafka.Error(err)))
}

// writeSingle writes a message in a batch of its own.
func (p *Producer) writeSingle(s sent) {
	if p.single == nil {
		single, err := p.openSingle()
		if err != nil {
			s.done(err)
			return
		}
		p.single = single
	}
	p.single.Write(s.message, s.done)
}

// handleEvents handles the client's events that are not about one message.
func (p *Producer) handleEvents(log rdkafka.Log) {
	for event := range p.client.Events() {
		e, ok := event.(kafka.Error)
		if !ok {
			continue
		}
		if text := p.secrets.Text(e.Error()); e.Code() == kafka.ErrAllBrokersDown { // it says less than what came before it
			p.problem.CompareAndSwap(nil, &text)
		} else {
			p.complains(text, log)
		}
	}
}

func (p *Producer) complains(text string, log rdkafka.Log) {
	p.problem.Store(&text)
	log(4, "LETTERS", text)
}

// Close implements sink.Sink.
func (p *Producer) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.noTokens()
	p.tokens.Wait()
	p.client.Close()
	close(p.reports)
	close(p.stopLogs)
	p.running.Wait()
}
