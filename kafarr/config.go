package kafarr

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/linger"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

// Config says what to listen to and how.
type Config struct {
	Cluster Cluster
	Group   string   // consumer group
	Topics  []string // to subscribe to: names, or regular expressions (of package regexp), which begin with ^

	// Assign are partitions to read instead of a subscription: the group does not assign them, and keeps their commits only. Offset is 0.
	Assign []source.Position
	// Start says where partitions start that this listener gets for the first time; nil: at the offset that the group has committed. Poll returns an error for each offset that is not in
	// the log, and reading starts where auto.offset.reset says.
	Start []PartitionOffset

	Registry Registry
	Messages Messages
	Memory   Memory
	// Environment holds the variables that say which proxies and authorities HTTP requests use: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR; nil: those of the process.
	Environment environ.Variables

	// Acknowledge says what takes rows as processed.
	Acknowledge Acknowledge
	// DeadLetterTopic gets each rejected message, where Messages.Errors is Skip or Collect: key, value, timestamp and headers as they were, and headers "pykafarr.…" that say
	// why it was rejected and where it came from. No commit covers a message before the brokers have its letter; after a rebalance or an unclean end, a letter may be written twice.
	DeadLetterTopic string
	// ReadyTimeout bounds the wait for the assignment and the first fetch; 0 means DefaultReadyTimeout.
	ReadyTimeout time.Duration
	// Logger gets the client's log lines and the listener's own; nil drops them.
	Logger *slog.Logger
	// OnAssign is called with the partitions that this listener got, before anything is fetched of them, and may return where they start (see
	// Rebalanced); a partition that it does not name starts as it does without OnAssign. Poll returns its error, and the next Poll calls it
	// again. OnRevoke is called with those that the listener has to give up, before it does: they can still be committed, unless they are lost,
	// which another member may own by then. Poll and Close call them, between two turns of theirs; Commit and Seek may be called in them,
	// Poll may not. Callers of PollSlice ask Rebalance instead.
	OnAssign func(partitions []source.Position) (begin []PartitionOffset, err error)
	OnRevoke func(partitions []source.Position, lost bool)
	// Source replaces Kafka as the source of records, for tests and replays.
	Source func(source.Handler) (source.Source, error)
	// DeadLetters replaces the producer of DeadLetterTopic likewise; it is called when there is a first letter, and again after a failure.
	DeadLetters func() (sink.Sink, error)
}

// DefaultReadyTimeout is Config.ReadyTimeout's default.
const DefaultReadyTimeout = 30 * time.Second

// withDefaults fills in what is not given.
func (c Config) withDefaults() Config {
	c.Messages = c.Messages.withDefaults()
	c.ReadyTimeout = cmp.Or(c.ReadyTimeout, DefaultReadyTimeout)
	return c
}

func (c *Config) validate() error {
	if c.Source == nil {
		if err := c.Cluster.validate(); err != nil {
			return err
		}
		switch {
		case strings.TrimSpace(c.Group) == "":
			return errorf(ConfigError, "group is empty: it wants the name of a consumer group")
		case strings.ContainsRune(c.Group, 0):
			return errorf(ConfigError, "group must not hold a NUL character")
		case len(c.Topics) == 0 && len(c.Assign) == 0:
			return errorf(ConfigError, "topics is empty: it wants at least one topic")
		}
	}
	if err := c.validateTopics(); err != nil {
		return err
	}
	if err := c.Messages.validate(&c.Registry); err != nil {
		return err
	}
	if err := c.Messages.validateTopics(c.topicNames()); err != nil {
		return err
	}
	if err := c.validateDeadLetters(); err != nil {
		return err
	}
	if c.ReadyTimeout < 0 {
		return errorf(ConfigError, "ready_timeout is negative")
	}
	if err := c.Memory.validate(c.Cluster.Properties); err != nil {
		return err
	}
	return c.validatePositions()
}

func (c *Config) validateTopics() error {
	if _, err := topicNames(c.Topics); err != nil {
		return err
	}
	return c.Cluster.readsAll(c.topicNames())
}

// topicNames are the topics that are read by their names, and not by a pattern.
func (c *Config) topicNames() []string {
	names, _ := topicNames(c.Topics) // validateTopics has checked them
	for _, p := range c.Assign {
		names = append(names, p.Topic)
	}
	return names
}

// openSource makes the source.
func (c *Config) openSource(h source.Handler, log *clientlog.Log) (source.Source, error) {
	open, m := c.Source, &c.Messages
	if open == nil {
		open = func(h source.Handler) (source.Source, error) {
			return kafka.Open(kafka.Config{
				Servers: c.Cluster.Servers, Group: c.Group, Topics: c.Topics, Assign: c.Assign, Properties: c.Memory.consumerProperties(c.Cluster.Properties), Environment: c.Environment,
				Timestamps: m.wants(Timestamp) || m.wants(TimestampType) || m.Errors == Collect || c.DeadLetterTopic != "",
				Headers:    m.needHeaders() || c.DeadLetterTopic != "", LeaderEpochs: m.wants(LeaderEpoch),
				Handler: h, Log: log.Client, Token: c.Cluster.OAuthToken,
			})
		}
	}
	src, err := open(h)
	if err != nil {
		return nil, wrap(err)
	}
	return src, nil
}

// letters is how dead letters are written: with those of the cluster's properties that are not for consumers only.
func (c *Config) letters() (linger.Config, error) {
	batches, err := batchSettingsOf(c.Cluster.Properties)
	if err != nil {
		return linger.Config{}, err
	}
	partitioner, err := batches.partitionerOf("")
	if err != nil {
		return linger.Config{}, err
	}
	settings := produce.Settings{Servers: c.Cluster.Servers, Properties: c.Cluster.Properties, Environment: c.Environment, Token: c.Cluster.OAuthToken}
	if c.Memory.Limit != 0 {
		settings.MemoryLimit = int64(c.Memory.letterBytes())
	}
	return linger.Config{Topic: c.DeadLetterTopic, Cluster: settings, Batch: batches.bounds.Batch, Compression: batches.compression, Partitioner: partitioner}, nil
}

// openDeadLetters makes the writer of dead letters.
func (c *Config) openDeadLetters(log *clientlog.Log) func() (sink.Sink, error) {
	if c.DeadLetters != nil {
		return c.DeadLetters
	}
	return func() (sink.Sink, error) {
		letters, err := c.letters()
		if err != nil {
			return nil, err
		}
		letters.Cluster.Log = log.Client
		return linger.Open(letters)
	}
}
