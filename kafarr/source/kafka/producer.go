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

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// DeadLetters is a source.DeadLetters: a producer for one topic.
type DeadLetters struct {
	topic    string
	producer *kafka.Producer
	reports  chan kafka.Event
	running  sync.WaitGroup
	stopLogs chan struct{}
	tokens   sync.WaitGroup
	noTokens context.CancelFunc     // any more
	problem  atomic.Pointer[string] // the last thing that the client complained about
	secrets  *redact.Secrets

	// A broker refuses a batch as a whole, so letters of a batch that was too large are written once more, each in a batch of its own.
	openSingle func() (*DeadLetters, error) // nil: this one writes them so already
	single     *DeadLetters                 // nil until there is one; of the goroutine that reports

	mu     sync.RWMutex // held for reading by who uses the producer: its Close frees what they use
	closed bool
}

// sent is a letter on its way.
type sent struct {
	letter *source.Letter
	done   func(error)
}

// ofLetters are properties that dead letters need to be as they are: what the user's configuration says of them, for the consumer or in general, is left out.
var ofLetters = map[string]any{
	"enable.idempotence":                    true, // a retry within the client writes no letter twice
	"acks":                                  "all",
	"request.required.acks":                 nil, // acks, by its other name
	"max.in.flight":                         nil, // idempotence allows 5, a consumer's client more
	"max.in.flight.requests.per.connection": nil,
	"transactional.id":                      nil, // letters are in no transaction
	"delivery.report.only.error":            nil,
	"topic.blacklist":                       nil, // it keeps letters from being read by a pattern, and would keep them from being written
}

// unlessSet are properties that differ from librdkafka's defaults, unless the user's configuration has them.
var unlessSet = []struct{ name, alias, value string }{
	{"message.timeout.ms", "delivery.timeout.ms", "30000"}, // instead of five minutes, for which a commit would wait
	{"topic.metadata.propagation.max.ms", "", "5000"},      // instead of 30 s until a topic counts as missing: letters are tried again
	{"message.max.bytes", "", "1000000000"},                // how much is too much is for the brokers to say
}

// OpenDeadLetters makes a producer for a topic, with the Servers, Properties, Token and Log of a consumer's Config. It does not wait for the network.
func OpenDeadLetters(topic string, cfg Config) (*DeadLetters, error) {
	secrets, pass := redact.Properties(cfg.Properties), cfg.Log
	cfg.Log = func(level int, facility, message string) { pass(level, facility, secrets.Text(message)) }
	d, err := openDeadLetters(topic, cfg, secrets, nil)
	if err != nil {
		return nil, err
	}
	d.openSingle = func() (*DeadLetters, error) {
		return openDeadLetters(topic, cfg, secrets, kafka.ConfigMap{"batch.num.messages": 1})
	}
	return d, nil
}

func openDeadLetters(topic string, cfg Config, secrets *redact.Secrets, besides kafka.ConfigMap) (*DeadLetters, error) {
	conf, err := letterMap(cfg)
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
	d := &DeadLetters{topic: topic, reports: make(chan kafka.Event, 1000), stopLogs: make(chan struct{}), secrets: secrets}
	if d.producer, err = kafka.NewProducer(&conf); err != nil {
		return nil, configError(err, secrets)
	}
	d.running.Go(func() { passLogs(lines, d.stopLogs, cfg.Log) })
	d.running.Go(func() { d.hear(cfg.Log) })
	d.running.Go(d.report)
	var ctx context.Context
	ctx, d.noTokens = context.WithCancel(context.Background())
	if cfg.Token != nil {
		d.tokens.Go(func() { d.keepToken(ctx, cfg, secrets) })
	}
	return d, nil
}

func letterMap(cfg Config) (kafka.ConfigMap, error) {
	known, err := properties()
	if err != nil {
		return nil, err
	}
	servers, err := source.Servers(cfg.Servers, cfg.Properties)
	if err != nil {
		return nil, err
	}
	conf := kafka.ConfigMap{"bootstrap.servers": strings.Join(servers, ",")}
	for name, value := range cfg.Properties {
		if _, ours := ofLetters[name]; !ours && known[name] != "C" { // the producer would ignore those for consumers, with a line in the log for each
			conf[name] = value
		}
	}
	for name, value := range ofLetters {
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
func (d *DeadLetters) keepToken(ctx context.Context, cfg Config, secrets *redact.Secrets) {
	t := tokens{ask: cfg.Token, secrets: secrets, log: cfg.Log}
	t.set = func(token Token) error { return d.producer.SetOAuthBearerToken(shown(token)) }
	t.missing = func(why error) { d.complains(why.Error(), cfg.Log) }
	t.keep(ctx)
}

// Write implements source.DeadLetters.
func (d *DeadLetters) Write(letter *source.Letter, done func(error)) {
	m := &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &d.topic, Partition: kafka.PartitionAny},
		Key:            letter.Key, Value: letter.Value, Opaque: sent{letter, done},
	}
	if letter.Timestamp != 0 {
		m.Timestamp = time.UnixMilli(letter.Timestamp)
	}
	for _, h := range letter.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Name, Value: h.Value})
	}
	if err := d.produce(m); err != nil {
		done(cmp.Or(d.fatal(), clientError(err)))
	}
}

func (d *DeadLetters) produce(m *kafka.Message) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return source.ErrClosed
	}
	return d.producer.Produce(m, d.reports)
}

// fatal is why the producer can never continue, nil where it can. What librdkafka answers for each letter then, "Fatal error" or "Purged in queue", names no cause.
func (d *DeadLetters) fatal() error {
	if !d.mu.TryRLock() { // it is being closed, which waits for the goroutine that reports
		return nil
	}
	defer d.mu.RUnlock()
	if d.closed {
		return nil
	}
	var e kafka.Error
	if !errors.As(d.producer.GetFatalError(), &e) {
		return nil
	}
	return source.Errorf(statusOf(e.Code()), "the producer cannot continue: %s", d.secrets.Text(e.Error()))
}

// report tells what became of letters.
func (d *DeadLetters) report() {
	for event := range d.reports {
		if m, ok := event.(*kafka.Message); ok {
			d.reported(m.Opaque.(sent), m.TopicPartition.Error)
		}
	}
	if d.single != nil {
		d.single.Close()
	}
}

func (d *DeadLetters) reported(s sent, err error) {
	var e kafka.Error
	if err == nil || !errors.As(err, &e) {
		s.done(err)
		return
	}
	switch e.Code() {
	case kafka.ErrMsgTimedOut:
		if why := d.problem.Load(); why != nil { // which the time-out itself does not tell
			err = fmt.Errorf("%w (%s)", err, *why)
		}
	case kafka.ErrMsgSizeTooLarge, kafka.ErrInvalidTimestamp:
		if d.openSingle != nil {
			d.writeSingle(s)
			return
		}
		err = fmt.Errorf("%w: %w", map[kafka.ErrorCode]error{
			kafka.ErrMsgSizeTooLarge: source.ErrMessageTooLarge, kafka.ErrInvalidTimestamp: source.ErrTimestampRefused,
		}[e.Code()], err)
	}
	s.done(cmp.Or(d.fatal(), clientError(err)))
}

// writeSingle writes a letter in a batch of its own.
func (d *DeadLetters) writeSingle(s sent) {
	if d.single == nil {
		single, err := d.openSingle()
		if err != nil {
			s.done(err)
			return
		}
		d.single = single
	}
	d.single.Write(s.letter, s.done)
}

// hear takes what the client tells besides.
func (d *DeadLetters) hear(log func(level int, facility, message string)) {
	for event := range d.producer.Events() {
		e, ok := event.(kafka.Error)
		if !ok {
			continue
		}
		if text := d.secrets.Text(e.Error()); e.Code() == kafka.ErrAllBrokersDown { // it says less than what came before it
			d.problem.CompareAndSwap(nil, &text)
		} else {
			d.complains(text, log)
		}
	}
}

func (d *DeadLetters) complains(text string, log func(level int, facility, message string)) {
	d.problem.Store(&text)
	log(4, "LETTERS", text)
}

// Close implements source.DeadLetters.
func (d *DeadLetters) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	d.noTokens()
	d.tokens.Wait()
	d.producer.Close()
	close(d.reports)
	close(d.stopLogs)
	d.running.Wait()
}
