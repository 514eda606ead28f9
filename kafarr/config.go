package kafarr

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	producer "github.com/pykafarr/pykafarr/kafarr/sink/kafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

// Config says what to listen to and how.
type Config struct {
	Servers string   // bootstrap servers, "host:port,host:port", as source.Servers reads them
	Group   string   // consumer group
	Topics  []string // to subscribe to: names, or regular expressions (of package regexp), which begin with ^

	// Assign are partitions to read instead of subscribing: the group has no say in them, it only keeps the commits. Offset is 0.
	Assign []source.Position
	// Start says where partitions begin that this listener gets for the first time; nil: where the group left off. Offsets that are not in
	// the log are told as an error by Poll, and reading begins where auto.offset.reset says.
	Start []PartitionOffset

	RegistryURL        string            // of a schema registry with Confluent's API
	RegistryProperties map[string]string // of its client, named as Confluent's clients name them
	Registry           registry.Registry // instead of RegistryURL

	Properties map[string]string // any property of librdkafka
	// Environment holds the variables that say which proxies and authorities HTTP requests and a scan's TLS use: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR;
	// nil: those of the process.
	Environment environ.Variables
	// OAuthToken is asked for the tokens of sasl.mechanism=OAUTHBEARER: at once, and again before each expires, from a goroutine of its own.
	OAuthToken func(context.Context) (OAuthToken, error)

	// Metadata are the columns behind the Avro fields. nil: Offset.
	Metadata []Metadata
	// Readers are the schemas to read as, Avro JSON: a message written as a type of the name, or of one of the aliases, of one of them is
	// resolved to it, so that all versions of a type have the same columns. Other types are read as they were written.
	Readers []string
	// Columns are the fields to read, as paths ("customer.zip"); nil: all.
	Columns []string
	// Unions and Recursion say how types without an Arrow counterpart are read.
	Unions    format.Unions
	Recursion format.Recursion
	// OutOfRange says what becomes of values that their Arrow types cannot hold, such as a time of day of 24:00.
	OutOfRange format.OutOfRange
	// Rules says what becomes of messages whose schemas have rules of a data contract that encrypt.
	Rules Rules
	// LocalSecret is the secret of the KMS that Confluent's clients call local, for DecryptRules; empty: keys that the registry does not decrypt itself are not known.
	LocalSecret string
	// Limits bound what schemas and messages may ask for.
	Limits format.Limits
	// BatchBytes ends a batch when its messages have this many bytes; 0, and at the most: DefaultBatchBytes.
	BatchBytes int
	// SchemaBytes bounds what compiled schemas take: those that were used the longest time ago are dropped, and compiled again when a message needs them. 0: DefaultSchemaBytes, or a
	// quarter of MemoryLimit where that is less.
	SchemaBytes int
	// MemoryLimit bounds the bytes that the listener holds: the client's queue, the messages taken from it, the batch being built and the letters to DeadLetterTopic;
	// 0: no bound but BatchBytes and those of librdkafka. What Poll has returned does not count.
	MemoryLimit int64
	// Value says what values are, and Key what keys are, where Metadata asks for them.
	Value, Key Content
	// Framing is how values say which schema they were written with, and Schemas those that they do not carry, for Bare and SingleObject. Keys are framed as Confluent
	// does, or as SchemaHeader or Apicurio do.
	Framing Framing
	Schemas []GivenSchema
	// Tombstones says what becomes of messages whose value is null.
	Tombstones Tombstones
	// Mixed says what becomes of messages of several types.
	Mixed Mixed
	// Acknowledge says what takes rows as processed.
	Acknowledge Acknowledge
	// Errors says what happens to messages that cannot be decoded.
	Errors ErrorMode
	// SchemaPatience is how long, with Skip and Collect, messages wait for a schema for which the registry answers that it does not know it, or with something of no use; then they
	// count as bad. 0: DefaultSchemaPatience; negative: none. A scan waits no longer than ReadyTimeout. With Raise a negative one is the error of the message at once, and any other
	// that of polls that bring nothing else.
	SchemaPatience time.Duration
	// DeadLetterTopic gets each rejected message, where Errors is Skip or Collect: key, value, timestamp and headers as they were, and headers "pykafarr.…" that say
	// why and whence. No commit covers a message before the brokers have its letter; after a rebalance or an end that was not clean, a letter may be there twice.
	DeadLetterTopic string
	// ReadyTimeout bounds the wait for the assignment and the first fetch; 0 means DefaultReadyTimeout.
	ReadyTimeout time.Duration
	// Logger gets the client's log lines and the listener's own; nil drops them.
	Logger *slog.Logger
	// OnAssign is told the partitions that this listener got, before anything is fetched of them, and may return where they begin (see
	// Rebalanced); a partition that it does not name begins as it does without OnAssign. Poll returns its error, and the next Poll calls it
	// again. OnRevoke is told those that the listener has to give up, before it does: they can still be committed, unless they are lost,
	// which another member may own by then. Poll and Close call them, between two turns of theirs; Commit and Seek may be called in them,
	// Poll may not. Whoever uses PollSlice asks Rebalance instead.
	OnAssign func(partitions []source.Position) (begin []PartitionOffset, err error)
	OnRevoke func(partitions []source.Position, lost bool)
	// Source replaces Kafka as the source of records, for tests and replays.
	Source func(source.Handler) (source.Source, error)
	// DeadLetters replaces the producer of DeadLetterTopic likewise; it is called when there is a first letter, and again after a failure.
	DeadLetters func() (sink.Sink, error)

	shared *schema.Shared    // nil: of this listener alone
	latest []registry.Schema // as Readers, of a scan that asked the registry for them
}

// OAuthToken is what OAUTHBEARER shows to brokers.
type OAuthToken = kafka.Token

// DefaultReadyTimeout is Config.ReadyTimeout's default.
const DefaultReadyTimeout = 30 * time.Second

// DefaultBatchBytes ends a batch before a column's 32-bit offsets could overflow: no column holds more bytes than came in.
const DefaultBatchBytes = 1 << 30

func (c *Config) validate() error {
	if c.Source == nil {
		_, err := source.Servers(c.Servers, c.Properties)
		switch {
		case err != nil:
			return wrap(err)
		case strings.TrimSpace(c.Group) == "":
			return errorf(ConfigError, "group is empty: it wants the name of a consumer group")
		case len(c.Topics) == 0 && len(c.Assign) == 0:
			return errorf(ConfigError, "topics is empty: it wants at least one topic")
		case slices.Contains(c.Topics, ""):
			return errorf(ConfigError, "topics holds an empty name")
		case strings.ContainsRune(c.Servers+c.Group+strings.Join(c.Topics, ""), 0):
			return errorf(ConfigError, "servers, group and topics must not hold a NUL character")
		}
	}
	if err := c.validateTopics(); err != nil {
		return err
	}
	if err := c.validateContent(); err != nil {
		return err
	}
	if err := c.validateDeadLetters(); err != nil {
		return err
	}
	if c.Registry == nil && c.RegistryURL == "" && c.needsRegistry() {
		return errorf(ConfigError, "registry_url is empty: it wants the URL of a schema registry, such as http://registry:8081/")
	}
	if c.Rules == DecryptRules && c.Mixed == GroupMixed {
		return errorf(ConfigError, `rules is to decrypt, and mixed is group: values are decrypted with mixed="split" only`)
	}
	if c.ReadyTimeout < 0 {
		return errorf(ConfigError, "ready_timeout is negative")
	}
	if c.BatchBytes < 0 || c.BatchBytes > DefaultBatchBytes {
		return errorf(ConfigError, "limits: batch_bytes must be from 1 to %d, not %d", DefaultBatchBytes, c.BatchBytes)
	}
	if c.SchemaBytes < 0 {
		return errorf(ConfigError, "limits: schema_bytes is negative")
	}
	if err := c.validateMemory(); err != nil {
		return err
	}
	if _, err := c.Limits.Resolved(); err != nil {
		return errorf(ConfigError, "%w", err)
	}
	if err := c.validatePositions(); err != nil {
		return err
	}
	return assemble.ValidateMetadata(c.Metadata)
}

func (c *Config) validateTopics() error {
	names, _, err := source.Topics(c.Topics)
	if err != nil {
		return wrap(err)
	}
	excluded, err := source.Excluded(c.Properties)
	if err != nil {
		return wrap(err)
	}
	for _, p := range c.Assign {
		names = append(names, p.Topic)
	}
	for _, name := range names {
		if source.Finds(excluded, name) {
			return errorf(ConfigError, "config: topic.blacklist hides %q, which is to be read: take it out of the one or the other", name)
		}
	}
	seen := map[string]bool{}
	for _, t := range c.Topics {
		if seen[t] {
			return errorf(ConfigError, "topics holds %q twice", t)
		}
		seen[t] = true
	}
	return nil
}

func (c *Config) validateContent() error {
	given := !c.Framing.AsksRegistry()
	switch typed := c.Value == Avro || c.Value == Auto; {
	case !typed && (c.Framing != Confluent || len(c.Schemas) > 0):
		return errorf(ConfigError, "value is bytes or string: there is no framing and no schema then")
	case !typed && (len(c.Columns) > 0 || len(c.Readers) > 0):
		return errorf(ConfigError, "value is bytes or string: there are no fields for columns to choose from, and nothing to read as another schema")
	case given && len(c.Schemas) == 0:
		return errorf(ConfigError, "framing is bare or single_object: give the schemas")
	case !given && len(c.Schemas) > 0:
		return errorf(ConfigError, "schemas are given: they are for framing bare and single_object")
	case c.Framing == Bare && c.Value == Auto:
		return errorf(ConfigError, "value is auto: with framing bare nothing tells a message with a schema from one without")
	case c.Framing == Apicurio && c.Registry == nil && c.RegistryURL != "" && c.RegistryProperties[registry.UseID] == "":
		return errorf(ConfigError, `framing is apicurio: say in registry_config which ids the serializers write, {%q: "globalId"} (the default of Apicurio 2) or "contentId" (that of Apicurio 3)`, registry.UseID)
	}
	return nil
}

// needsRegistry tells whether some message may name a schema that only a registry knows.
func (c *Config) needsRegistry() bool {
	values := (c.Value == Avro || c.Value == Auto) && c.Framing.AsksRegistry()
	return values || c.wants(Key) && (c.Key == Avro || c.Key == Auto)
}

// openRegistry makes the registry client; nil: no message names a schema of a registry.
func (c *Config) openRegistry() (registry.Registry, error) {
	if c.Registry != nil || c.RegistryURL == "" {
		return c.Registry, nil
	}
	reg, err := registry.NewConfluent(c.RegistryURL, c.RegistryProperties, c.Environment)
	if err != nil {
		return nil, wrap(err)
	}
	return reg, nil
}

// openSource makes the source.
func (c *Config) openSource(h source.Handler, log *logSink) (source.Source, error) {
	open := c.Source
	if open == nil {
		open = func(h source.Handler) (source.Source, error) {
			return kafka.Open(kafka.Config{
				Servers: c.Servers, Group: c.Group, Topics: c.Topics, Assign: c.Assign, Properties: c.consumerProperties(), Environment: c.Environment,
				Timestamps: c.wants(Timestamp) || c.wants(TimestampType) || c.Errors == Collect || c.DeadLetterTopic != "",
				Headers:    c.wants(Headers) || c.Framing == SchemaHeader || c.DeadLetterTopic != "", LeaderEpochs: c.wants(LeaderEpoch),
				Handler: h, Log: log.client, Token: c.OAuthToken,
			})
		}
	}
	src, err := open(h)
	if err != nil {
		return nil, wrap(err)
	}
	return src, nil
}

// openDeadLetters makes the producer of dead letters, with the consumer's properties as far as they are not for consumers only.
func (c *Config) openDeadLetters(log *logSink) func() (sink.Sink, error) {
	if c.DeadLetters != nil {
		return c.DeadLetters
	}
	return func() (sink.Sink, error) {
		return producer.Open(producer.Config{Topic: c.DeadLetterTopic, Servers: c.Servers, Properties: c.Properties, Log: log.client, Token: c.OAuthToken})
	}
}

func (c *Config) wants(column MetadataColumn) bool {
	return slices.ContainsFunc(c.Metadata, func(m Metadata) bool { return m.Column == column })
}
