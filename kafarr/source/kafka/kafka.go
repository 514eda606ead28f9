// Package kafka reads records through librdkafka. confluent-kafka-go is the client for all that is control (configuration,
// group, rebalances, commits); the messages themselves take a short way of ours, see fetch.h.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Config is what a Kafka source needs.
type Config struct {
	Servers    string
	Group      string
	Topics     []string          // names, or librdkafka's regular expressions, which begin with ^
	Assign     []source.Position // instead of Topics: these partitions, without the group's say; Offset 0
	Properties map[string]string // librdkafka's
	Timestamps bool              // fill Record.Timestamp
	Headers    bool              // fill Record.Headers
	// LeaderEpochs: fill Record.LeaderEpoch.
	LeaderEpochs bool
	Handler      source.Handler
	// Token is asked for OAUTHBEARER's tokens, from a goroutine of this source; nil: the client gets them by itself.
	Token func(context.Context) (Token, error)
	// Log is called from a goroutine of this source for each line that librdkafka logs; level is syslog's.
	Log func(level int, facility, message string)
}

// reserved properties would break this source; each comes with the reason.
var reserved = map[string]string{
	"enable.auto.offset.store": "offsets are stored when rows are acknowledged, or rows that nobody has seen would be committed",
	"enable.partition.eof":     "in batch consumption an end-of-partition event moves the position one too far, and rows are lost (confluentinc/librdkafka#4844)",
	"bootstrap.servers":        "it is the first argument",
	"metadata.broker.list":     "the servers are the first argument",
	"group.id":                 "it is the second argument",
	"log.queue":                "log lines go to the log handler",
}

// Kafka is a source.Source.
type Kafka struct {
	cfg      Config
	consumer *kafka.Consumer
	queue    *queue
	logs     sync.WaitGroup
	calls    sync.WaitGroup // under way, even if nobody waits for them any more: the client must outlive them
	stopLogs chan struct{}
	found    atomic.Bool // all partitions of cfg.Assign exist
	ctx      context.Context
	cancel   context.CancelFunc // at the beginning of Close
	secrets  *redact.Secrets
	wasReset atomic.Bool // resets is not empty

	// Of the goroutine that fetches.
	errs       []error
	closing    bool
	waiting    *revocation // asked for and not given up yet
	reassigned *bool       // the client's
	taken      bool        // cfg.Assign

	mu        sync.Mutex
	ended     bool                     // no call may begin any more
	joined    bool                     // an assignment was received, be it empty
	assigned  map[source.Position]bool // Offset 0; true once it is being fetched
	problem   string                   // the last thing that librdkafka complained about
	transport string                   // the last connection that failed
	down      error                    // since the last message: no broker could be reached
	downAt    time.Time                // the last time
	missing   map[string]error         // topics of the subscription that cannot be read
	paused    map[source.Position]bool // Offset 0, as are those of sought
	sought    map[source.Position]time.Time
	resets    []source.Position
	told      []error // by other goroutines, for the next Serve
	denied    bool    // the last thing heard of the cluster
	principal string  // of the last token
	noToken   string  // why there is none after that
	// diagnosing: a certificate is being looked at
	diagnosing bool
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
	secrets, pass := redact.Properties(cfg.Properties), cfg.Log
	cfg.Log = func(level int, facility, message string) { pass(level, facility, secrets.Text(message)) }
	k := &Kafka{
		secrets: secrets,
		cfg:     cfg, assigned: map[source.Position]bool{}, missing: map[string]error{}, paused: map[source.Position]bool{},
		sought: map[source.Position]time.Time{}, stopLogs: make(chan struct{}),
	}
	lines := make(chan kafka.LogEvent, 1000)
	conf["go.logs.channel.enable"] = true
	conf["go.logs.channel"] = lines
	if k.consumer, err = kafka.NewConsumer(&conf); err != nil {
		return nil, source.Errorf(source.Config, "%s", secrets.Text(configText(err)))
	}
	if k.queue, err = newQueue(k.consumer, wants(cfg)); err != nil {
		_ = k.consumer.Close()
		return nil, err
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.logs.Go(func() { passLogs(lines, k.stopLogs, k.logged) })
	if k.reassigned, err = reassigned(k.consumer); err != nil {
		_ = k.Close()
		return nil, err
	}
	if cfg.Token != nil {
		k.calls.Go(k.keepToken)
	}
	if len(cfg.Assign) > 0 {
		k.calls.Go(k.findPartitions)
		return k, nil
	}
	if err := k.consumer.SubscribeTopics(cfg.Topics, k.rebalanced); err != nil {
		_ = k.Close()
		return nil, source.Errorf(source.Config, "cannot subscribe to %s: %w", strings.Join(cfg.Topics, ", "), err)
	}
	return k, nil
}

func configMap(cfg Config) (kafka.ConfigMap, error) {
	conf := kafka.ConfigMap{}
	for name, value := range cfg.Properties {
		reason, isReserved := reserved[name]
		if strings.HasPrefix(name, "go.") {
			reason, isReserved = "it is internal to the Go client", true
		}
		if isReserved {
			return nil, source.Errorf(source.Config, "config: %s must not be set: %s", name, reason)
		}
		conf[name] = value
	}
	// librdkafka stops fetching a partition for this long, by default a second, whenever its queue is full: every reader that is slower than
	// the broker falls into that hole again and again.
	if _, set := conf["fetch.queue.backoff.ms"]; !set {
		conf["fetch.queue.backoff.ms"] = "5"
	}
	conf["bootstrap.servers"] = cfg.Servers
	conf["group.id"] = cfg.Group
	conf["enable.auto.offset.store"] = false
	return conf, nil
}

// configText turns the client's complaint about a property into one that says where it was set.
func configText(err error) string {
	var e kafka.Error
	if errors.As(err, &e) {
		return "config: " + strings.TrimSuffix(strings.TrimSpace(e.Error()), ".")
	}
	return "config: " + err.Error()
}

// passLogs passes a client's log lines on until stop is closed.
func passLogs(lines <-chan kafka.LogEvent, stop <-chan struct{}, log func(level int, facility, message string)) {
	for {
		select {
		case l := <-lines:
			log(l.Level, l.Tag, l.Message)
		case <-stop:
			for {
				select {
				case l := <-lines:
					log(l.Level, l.Tag, l.Message)
				default:
					return
				}
			}
		}
	}
}

// Serve implements source.Source.
func (k *Kafka) Serve() error {
	if len(k.cfg.Assign) > 0 {
		k.takeAssigned()
	}
	for k.waiting == nil {
		ev := k.consumer.Poll(0)
		if ev == nil {
			break
		}
		k.event(ev)
	}
	k.mu.Lock()
	k.errs, k.told = append(k.errs, k.told...), nil
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
	}
	return chunks, nil
}

// Release implements source.Source.
func (k *Kafka) Release() { k.queue.release() }

// rebalanced is called by the client within Poll and Close.
func (k *Kafka) rebalanced(c *kafka.Consumer, ev kafka.Event) error {
	cooperative := c.GetRebalanceProtocol() == "COOPERATIVE"
	switch ev := ev.(type) {
	case kafka.AssignedPartitions:
		parts := ev.Partitions
		if !k.closing { // else the queue is gone, nobody reads the messages, and a question for committed offsets would time out
			parts = toClient(k.cfg.Handler.Assigned(fromClient(ev.Partitions), k.committed))
			for _, p := range parts {
				k.queue.forward(*p.Topic, p.Partition)
			}
		}
		var err error
		if cooperative {
			err = c.IncrementalAssign(parts)
		} else {
			err = c.Assign(parts)
		}
		if err == nil {
			err = k.pauseAgain(parts)
		}
		k.note(ev.Partitions, true)
		k.refused(err)
	case kafka.RevokedPartitions:
		k.asked(ev.Partitions, cooperative)
	}
	return nil
}

func (k *Kafka) note(partitions []kafka.TopicPartition, assigned bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.joined = assigned || len(k.assigned) > len(partitions)
	for _, p := range partitions {
		key := source.Position{Topic: *p.Topic, Partition: p.Partition}
		if assigned {
			k.assigned[key] = false
			delete(k.missing, key.Topic)
		} else {
			delete(k.assigned, key)
			delete(k.sought, key)
		}
	}
}

// committedTimeout bounds the question for committed offsets within a rebalance, which holds up the group.
const committedTimeout = 5 * time.Second

func (k *Kafka) committed(positions []source.Position) ([]source.Position, error) {
	parts, err := k.consumer.Committed(toClient(positions), int(committedTimeout.Milliseconds()))
	if err != nil {
		return nil, err
	}
	return fromClient(parts), nil
}

// Ready implements source.Source. A partition is being fetched when its watermarks are known, which a fetch response brings.
func (k *Kafka) Ready() (joined bool, waitingFor string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.joined && len(k.cfg.Assign) > 0 {
		return false, k.because("the partitions to be found")
	}
	if !k.joined {
		return false, k.because("the group " + k.cfg.Group + " to assign partitions")
	}
	var waiting []string
	for p, fetching := range k.assigned {
		if !fetching {
			_, high, err := k.consumer.GetWatermarkOffsets(p.Topic, p.Partition)
			fetching = err == nil && high >= 0
			k.assigned[p] = fetching
		}
		if k.awaited(p, fetching) {
			waiting = append(waiting, fmt.Sprintf("%s[%d]", p.Topic, p.Partition))
		}
	}
	if len(waiting) == 0 {
		return true, ""
	}
	sort.Strings(waiting)
	if len(waiting) > 5 {
		waiting = append(waiting[:5], fmt.Sprintf("%d more", len(waiting)-5))
	}
	return true, k.because("the first fetch of " + strings.Join(waiting, ", "))
}

func (k *Kafka) because(what string) string {
	if k.problem == "" {
		return what
	}
	return what + "; " + k.problem
}

// Missing implements source.Source.
func (k *Kafka) Missing() map[string]error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.missing)
}

// Down implements source.Source.
func (k *Kafka) Down(since time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.downAt.Before(since) {
		return nil
	}
	return k.down
}

// Store implements source.Source.
func (k *Kafka) Store(positions []source.Position) error {
	k.mu.Lock()
	mine := make([]source.Position, 0, len(positions))
	for _, p := range positions {
		if _, ok := k.assigned[source.Position{Topic: p.Topic, Partition: p.Partition}]; ok {
			mine = append(mine, p)
		}
	}
	k.mu.Unlock()
	if len(mine) == 0 {
		return nil
	}
	_, err := k.consumer.StoreOffsets(toClient(mine))
	var e kafka.Error
	if errors.As(err, &e) && e.Code() == kafka.ErrState { // revoked in this very moment
		return nil
	}
	if err != nil {
		return clientError(err)
	}
	return nil
}

// Commit implements source.Source.
func (k *Kafka) Commit(ctx context.Context, positions []source.Position) error {
	if len(positions) == 0 {
		return nil
	}
	err := k.background(ctx, func() error { // the client's call cannot be interrupted; it ends by its own time-outs
		err := k.commitOnce(positions)
		for try := 0; try < commitTries && isUnsettled(err); try++ {
			time.Sleep(commitPause)
			if lost := k.lost(positions); lost != nil {
				return lost
			}
			err = k.commitOnce(positions)
		}
		return err
	})
	var placed *source.Error
	var e kafka.Error
	if !errors.As(err, &placed) && errors.As(err, &e) {
		return clientError(fmt.Errorf("commit: %w", err))
	}
	return err
}

func (k *Kafka) commitOnce(positions []source.Position) error {
	parts, err := k.consumer.CommitOffsets(toClient(positions))
	for _, p := range parts {
		if err == nil && p.Error != nil {
			err = &source.Error{Kind: source.Group, Topic: *p.Topic, Partition: p.Partition, Offset: int64(p.Offset), Err: fmt.Errorf("commit of offset %d: %w", p.Offset, p.Error)}
		}
	}
	return err
}

// lost is the error of the first partition that was revoked since its commit was begun: nil where none was. Its new owner may have committed more.
func (k *Kafka) lost(positions []source.Position) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range positions {
		if _, ok := k.assigned[source.Position{Topic: p.Topic, Partition: p.Partition}]; !ok {
			err := errors.New("the partition was revoked while this offset was being committed: its new owner delivers the rows behind the last commit again")
			return &source.Error{Kind: source.Group, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset, Err: err}
		}
	}
	return nil
}

// The coordinator takes no commit while it hands out a new assignment, nor in its first moments, which does not last long.
const (
	commitTries = 30
	commitPause = 100 * time.Millisecond
)

func isUnsettled(err error) bool {
	var e kafka.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case kafka.ErrRebalanceInProgress, kafka.ErrIllegalGeneration, // of which a member of a cooperative group has not heard yet
		kafka.ErrNotCoordinator, kafka.ErrCoordinatorNotAvailable, kafka.ErrCoordinatorLoadInProgress:
		return true
	}
	return false
}

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
	k.GiveUp() // or Consumer.Close waits for ever
	fatal := k.queue.fatal()
	k.queue.close()
	var err error
	if fatal {
		k.queue.abandon(k.consumer)
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
