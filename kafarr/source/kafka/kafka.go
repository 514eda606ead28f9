// Package kafka reads records through librdkafka. confluent-kafka-go is the client for control (configuration,
// group, rebalances, commits). The messages themselves take a shorter way, which fetch.h describes.
package kafka

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Kafka is a source.Source.
type Kafka struct {
	cfg      Config
	consumer *kafka.Consumer
	client   *rdkafka.Private // what is private of it
	queue    *queue
	logs     sync.WaitGroup
	calls    sync.WaitGroup // under way, even if nobody waits for them any more: the client must outlive them
	stopLogs chan struct{}
	logLevel int         // the highest of the lines that the user asked for, as of syslog
	found    atomic.Bool // all partitions of cfg.Assign exist
	ctx      context.Context
	cancel   context.CancelFunc // at the beginning of Close
	secrets  *redact.Secrets
	patterns map[string]source.Pattern // by what the client knows them as
	wasReset atomic.Bool               // resets is not empty
	broken   atomic.Pointer[error]     // the first panic of a goroutine

	// Of the goroutine that fetches.
	errs     []error
	closing  bool
	waiting  *change   // asked for and not answered yet
	taken    bool      // cfg.Assign
	fetchers *fetchers // nil: none will be stopped

	explorer explorer

	mu            sync.Mutex
	ended         bool                           // no call may begin any more
	joined        bool                           // an assignment was received, be it empty
	assigned      map[source.TopicPartition]bool // true once it is being fetched
	problem       string                         // the last thing that librdkafka complained about
	transport     string                         // the last connection that failed
	down          error                          // no broker can be reached, until one answers
	downAt        time.Time                      // when that was noticed last
	askingBrokers bool                           // brokers are asked until one answers
	missing       map[string]error               // topics of the subscription that cannot be read
	hints         map[string]string              // of missing topics: which name was probably meant
	paused        map[source.TopicPartition]bool
	sought        map[source.TopicPartition]time.Time
	resets        []source.Position
	reported      []error // by other goroutines, for the next ServeEvents
	denied        bool    // the last thing heard of the cluster
	principal     string  // of the last token
	noToken       string  // why there is none after that
	// diagnosing: a certificate is being looked at
	diagnosing bool
	fatal      error     // the client will never continue
	turnedAway error     // the group does not admit this member; until it does
	unfetched  error     // why partitions will not be fetched until they are assigned again
	answered   time.Time // the last time that the cluster answered a question of ours
	probing    bool      // there is one on its way
	topics     topics
}

// Open makes a consumer and subscribes. It does not wait for the network.
func Open(cfg Config) (*Kafka, error) {
	if err := source.CheckToken(cfg.Properties, cfg.Token != nil); err != nil {
		return nil, err
	}
	conf, err := configMap(cfg)
	if err != nil {
		return nil, err
	}
	topics, patterns, err := subscription(cfg.Topics)
	if err != nil {
		return nil, err
	}
	secrets, pass := redact.Properties(cfg.Properties), cfg.Log
	cfg.Log = func(level int, facility, message string) { pass(level, facility, secrets.Text(message)) }
	k := &Kafka{
		secrets: secrets, patterns: patterns,
		cfg: cfg, assigned: map[source.TopicPartition]bool{}, missing: map[string]error{}, hints: map[string]string{}, paused: map[source.TopicPartition]bool{},
		sought: map[source.TopicPartition]time.Time{}, stopLogs: make(chan struct{}), fetchers: watchFetchers(cfg), topics: newTopics(),
	}
	k.logLevel = watchProtocol(conf, cfg.Properties)
	lines := make(chan kafka.LogEvent, 1000)
	conf["go.logs.channel.enable"] = true
	conf["go.logs.channel"] = lines
	if k.consumer, err = kafka.NewConsumer(&conf); err != nil {
		return nil, rdkafka.ConfigError(err, secrets)
	}
	if k.client, err = rdkafka.ReachPrivate(k.consumer); err == nil {
		k.queue, err = newQueue(k.client, wants(cfg))
	}
	if err != nil {
		_ = k.consumer.Close()
		return nil, err
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.logs.Go(func() {
		rdkafka.PassLogs(lines, k.stopLogs, func(level int, facility, message string) {
			k.guard(func() { k.logged(level, facility, message) }) // for each line: the client waits for all of them to be taken
		})
	})
	if cfg.Token != nil {
		k.spawn(k.keepToken)
	}
	if len(cfg.Assign) > 0 {
		k.spawn(k.findPartitions)
		return k, nil
	}
	if err := k.consumer.SubscribeTopics(topics, k.rebalanced); err != nil {
		_ = k.Close()
		return nil, source.Errorf(status.ConfigError, "cannot subscribe to %s: %w", strings.Join(cfg.Topics, ", "), err)
	}
	return k, nil
}

// spawn runs f in a goroutine that Close waits for.
func (k *Kafka) spawn(f func()) { k.calls.Go(func() { k.guard(f) }) }

// guard runs f, and keeps a panic in it for every later ServeEvents: in a goroutine that nobody waits for, it would end the process, and what the goroutine did for the client
// is not done any more.
func (k *Kafka) guard(f func()) {
	if err := async.Catch(f); err != nil {
		k.broken.CompareAndSwap(nil, &err)
	}
}

// ServeEvents implements source.Source.
func (k *Kafka) ServeEvents() error {
	if broken := k.broken.Load(); broken != nil {
		return *broken
	}
	if len(k.cfg.Assign) > 0 {
		k.takeAssigned()
	}
	k.watch(time.Now())
	for k.waiting == nil {
		ev := k.consumer.Poll(0)
		if ev == nil {
			break
		}
		k.event(ev)
	}
	k.mu.Lock()
	k.errs, k.reported = append(k.errs, k.reported...), nil
	k.mu.Unlock()
	if len(k.errs) == 0 {
		return nil
	}
	err := k.errs[0]
	k.errs = k.errs[1:]
	return err
}

// Fetch implements source.Source.
func (k *Kafka) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	chunks, err := k.queue.take(limit, wait, k.failed)
	if err != nil {
		return nil, err
	}
	if len(chunks) > 0 {
		k.came(chunks)
		k.fetchers.fetched(chunks)
	}
	return chunks, nil
}

// Release implements source.Source.
func (k *Kafka) Release() { k.queue.release() }

// Close implements source.Source.
func (k *Kafka) Close() error {
	if k.closing {
		return source.ErrClosed
	}
	k.closing = true
	k.mu.Lock()
	k.ended = true
	k.mu.Unlock()
	k.cancel()
	k.calls.Wait()
	k.explorer.close()
	k.ConfirmRebalance() // or Consumer.Close waits for ever
	fatal, _ := k.queue.fatal()
	k.queue.close()
	var err error
	if fatal != 0 {
		k.queue.abandon(k.client)
	} else {
		err = k.consumer.Close()
	}
	close(k.stopLogs)
	k.logs.Wait()
	return err
}

func fromClient(parts []kafka.TopicPartition) []source.Position {
	out := make([]source.Position, len(parts))
	for i, p := range parts {
		out[i] = source.Position{Topic: *p.Topic, Partition: p.Partition, Offset: int64(p.Offset)}
	}
	return out
}

func toClient(positions []source.Position) []kafka.TopicPartition {
	out := make([]kafka.TopicPartition, len(positions))
	for i, p := range positions {
		out[i] = kafka.TopicPartition{Topic: &positions[i].Topic, Partition: p.Partition, Offset: kafka.Offset(p.Offset)}
	}
	return out
}
