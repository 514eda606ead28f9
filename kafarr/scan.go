package kafarr

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

// ScanConfig says what to scan and how.
type ScanConfig struct {
	Cluster Cluster
	Topics  []string // names, or regular expressions (of package regexp), which begin with ^
	// Start says where partitions start; by default, and AtEarliest, with their first row. End says where they end: with the row before that offset. By default, and
	// AtLatest, with the rows that are there when the scan is planned.
	Start, End []PartitionOffset

	Registry Registry
	Messages Messages
	Memory   Memory // Limit is divided among the workers
	// Environment holds the variables that say which proxies and authorities HTTP requests and TLS use: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR; nil: those of
	// the process.
	Environment environ.Variables

	// Timeout bounds each wait for the cluster or the registry; 0: DefaultReadyTimeout.
	Timeout time.Duration
	// ReadLatest reads all versions of a topic's values as the one that was registered last under the subject "<topic>-value".
	ReadLatest bool
	// BatchRows are the most rows of a batch; 0: DefaultBatchRows.
	BatchRows int
	// AllowPartial makes it no error that rows of the plan are not in the log (any more).
	AllowPartial bool
	// TopicIDs are those of the topics as Scan found them (Plan.TopicIDs), for PlanOf: rows of a topic that was deleted and created again since then are an error.
	TopicIDs map[string][16]byte
	// Logger gets the client's log lines and the scan's own; nil drops them.
	Logger *slog.Logger
	// Dial replaces Kafka, for tests and replays.
	Dial func(fetch.Config) (ScanCluster, error)

	shared *schema.Shared // what the tasks of a plan have in common
}

// DefaultBatchRows is ScanConfig.BatchRows' default: past that, frames are no faster, and callers that take batches one by one wait longer for each.
const DefaultBatchRows = 1 << 17

// ScanRange is what is to be read of a partition: the rows whose offsets lie in [Start, End).
type ScanRange = fetch.Range

// ScanCluster is what a scan asks of Kafka. See fetch.Client.
type ScanCluster = scan.Cluster

// RangeReader is the source of a range's records.
type RangeReader = scan.RangeReader

// Scan fixes what is to be read: it asks the cluster where the partitions of the topics begin and end.
func Scan(ctx context.Context, cfg ScanConfig) (*Plan, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	cluster, err := cfg.dial()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	partitions, err := cluster.Partitions(ctx, cfg.Topics)
	if err != nil {
		return nil, wrap(err)
	}
	p := &Plan{}
	if p.Partitions, p.LogEnds, err = cfg.bounds(ctx, cluster, partitions); err != nil {
		return nil, wrap(err)
	}
	if cfg.ReadLatest {
		if p.Latest, err = cfg.inference().LatestSchemas(ctx, cluster, p.topics()); err != nil {
			return nil, wrap(err)
		}
	}
	for _, of := range []struct{ isKey, infers bool }{{false, cfg.Messages.infers()}, {true, cfg.Messages.infersKeys()}} {
		if !of.infers {
			continue
		}
		inferred, err := cfg.inference().InferredSchemas(ctx, cluster, p.Partitions, of.isKey)
		if err != nil {
			return nil, wrap(err)
		}
		p.Latest = append(p.Latest, inferred...)
	}
	cfg.TopicIDs = map[string][16]byte{}
	for _, topic := range p.topics() {
		if id := idOf(cluster, topic); id != ([16]byte{}) {
			cfg.TopicIDs[topic] = id
		}
	}
	planned, err := PlanOf(cfg, p.Partitions, p.Latest)
	if err != nil {
		return nil, err
	}
	planned.LogEnds = p.LogEnds
	return planned, nil
}

// checked fills in the defaults and returns what is wrong.
func (c ScanConfig) checked() (ScanConfig, error) {
	if c.BatchRows < 0 {
		return c, errorf(ConfigError, "num_messages is %d: it must be at least 1", c.BatchRows)
	}
	c.Messages = c.Messages.withDefaults()
	m := &c.Messages
	if c.ReadLatest && len(m.Readers) > 0 {
		return c, errorf(ConfigError, "reader_schema is given, and the latest one is asked for: give the one or the other")
	}
	if c.ReadLatest && (!m.Value.IsTyped() || !m.Framing.AsksRegistry()) {
		return c, errorf(ConfigError, `reader_schema is "latest": the registry knows the schemas of values with framing confluent, schema_header and apicurio only`)
	}
	for _, bound := range c.startAndEnd() {
		for _, s := range bound.offsets {
			if s.Offset.Kind == AtCommitted {
				return c, errorf(ConfigError, "%s is %q: a scan has no group that could have committed something", bound.name, s.Offset.Kind)
			}
			if err := s.Offset.validate(bound.name); err != nil {
				return c, err
			}
		}
	}
	if c.Timeout < 0 {
		return c, errorf(ConfigError, "timeout is negative")
	}
	c.Timeout = cmp.Or(c.Timeout, DefaultReadyTimeout)
	m.SchemaPatience = min(m.SchemaPatience, c.Timeout)
	c.BatchRows = cmp.Or(c.BatchRows, DefaultBatchRows)
	if c.shared == nil {
		c.shared = schema.NewShared()
	}
	if err := c.validate(); err != nil {
		return c, err
	}
	if c.Registry.Client == nil && c.Registry.URL != "" {
		var err error
		if c.Registry.Client, err = sharedRegistry(c.Registry.URL, c.Registry.Properties, c.Environment); err != nil {
			return c, wrap(err)
		}
	}
	return c, nil
}

func (c *ScanConfig) validate() error {
	if c.Dial == nil {
		if err := c.Cluster.validate(); err != nil {
			return err
		}
	}
	if len(c.Topics) == 0 {
		return errorf(ConfigError, "topics is empty: it wants at least one topic")
	}
	names, err := topicNames(c.Topics)
	if err != nil {
		return err
	}
	if err := c.Cluster.readsAll(names); err != nil {
		return err
	}
	if err := c.Messages.validate(&c.Registry); err != nil {
		return err
	}
	if err := c.Messages.validateTopics(names); err != nil {
		return err
	}
	if err := c.Memory.validate(c.Cluster.Properties); err != nil {
		return err
	}
	for _, s := range c.Start {
		if !s.mayBeOf(c.Topics) {
			return errorf(ConfigError, "start: %s is none of the topics and partitions that are read", s.name())
		}
	}
	return nil
}

// dial makes a client of the cluster that answers questions. It does not wait for the network.
func (c *ScanConfig) dial() (ScanCluster, error) {
	return c.dialWith(c.Memory, c.Cluster.OAuthToken, nil)
}

// dialWith makes a client of the cluster that holds no more than memory says. large is what the clients of a stream without a memory limit share.
func (c *ScanConfig) dialWith(memory Memory, token func(context.Context) (OAuthToken, error), large *fetch.LargeBatches) (ScanCluster, error) {
	log := clientlog.New(c.Logger)
	cfg := fetch.Config{
		Servers: c.Cluster.Servers, Properties: c.Cluster.Properties, Headers: c.Messages.needHeaders(), SkipDeleted: true, RetryTimeout: c.Timeout,
		Token: token, Log: log.Client, TopicIDs: c.TopicIDs, Environment: c.Environment, Large: large,
	}
	cfg.FetchBytes, cfg.DecompressedBytes = memory.fetchBytes()
	cfg.MetadataBytes = int(min(memory.Limit/metadataShare, 1<<30))
	open := c.Dial
	if open == nil {
		open = scan.Dial
	}
	cluster, err := open(cfg)
	if err != nil {
		return nil, wrap(err)
	}
	return cluster, nil
}

// schemaSources are what resolves the schemas of messages. planned is what they are read as.
func (c *ScanConfig) schemaSources(bytes int, planned scan.Planned) schemaSources {
	return schemaSources{registry: c.Registry.Client, shared: c.shared, bytes: bytes, planned: planned, inference: schema.InferredBefore}
}

// inference finds the schemas of rows before any is read.
func (c *ScanConfig) inference() *scan.Inference {
	m := c.Messages
	m.Errors, m.SchemaPatience = Raise, -1 // what the registry does not have is an error at once
	log := clientlog.New(c.Logger)
	return &scan.Inference{
		Dial: c.dial, Registry: c.Registry.Client,
		Resolvers: func(ctx context.Context, planned scan.Planned) (*schema.Resolvers, error) {
			from := c.schemaSources(c.Memory.schemaBytes(), planned)
			from.shared = from.shared.WithoutReaders()
			return m.resolvers(ctx, from, log)
		},
		Errors: c.Messages.Errors, Limits: m.Limits, Framing: m.Framing, Value: m.Value, Key: m.Key, HasReaders: len(m.Readers) > 0,
		Columns: m.columnOptions(c.Memory.columnBytes()), Headers: m.wants(Headers),
	}
}
