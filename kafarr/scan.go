package kafarr

import (
	"context"
	"io"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

// ScanConfig says what to scan and how.
type ScanConfig struct {
	// Config counts as far as it says where the cluster and the registry are, what messages are, and what becomes of them. Start is where partitions begin (by default with
	// their first row), ReadyTimeout bounds each wait for cluster or registry, and MemoryLimit is shared out among those who read. What has to do with groups, commits and dead
	// letters must be left out.
	Config
	// End says where partitions end: with the row before that offset. By default, and AtLatest, with the rows that are there when the scan is planned.
	End []PartitionOffset
	// ReadLatest reads all versions of a topic's values as the one that was registered last under the subject "<topic>-value".
	ReadLatest bool
	// BatchRows are the most rows of a batch; 0: DefaultBatchRows.
	BatchRows int
	// AllowPartial makes it no error that rows of the plan are not in the log (any more).
	AllowPartial bool
	// TopicIDs are those of the topics as Scan found them (Plan.TopicIDs), for PlanOf: rows of a topic that was deleted and created again since then are an error.
	TopicIDs map[string][16]byte
	// Cluster replaces Kafka, for tests and replays.
	Cluster func(fetch.Config) (Cluster, error)

	large *fetch.LargeBatches // of a stream without MemoryLimit
}

// DefaultBatchRows is ScanConfig.BatchRows' default: past that, frames are no faster, and those who take batches in turns wait longer for each.
const DefaultBatchRows = 1 << 17

// ScanRange is what is to be read of a partition: the rows whose offsets lie in [Start, End).
type ScanRange = fetch.Range

// Cluster is what a scan asks of Kafka. See fetch.Client, which it is.
type Cluster interface {
	Partitions(ctx context.Context, topics []string) ([]source.Position, error)
	Offsets(ctx context.Context, positions []source.Position) ([]source.Position, error)
	Read(r ScanRange) RangeReader
	Close()
}

// RangeReader is the source of a range's records.
type RangeReader interface {
	source.Fetcher
	source.Bounded
	io.Closer
	Report() fetch.Report
}

// kafkaCluster is a fetch.Client as a Cluster.
type kafkaCluster struct{ *fetch.Client }

func (c kafkaCluster) Read(r ScanRange) RangeReader { return c.Client.Read(r) }

// Scan fixes what is to be read: it asks the cluster where the partitions of the topics begin and end.
func Scan(ctx context.Context, cfg ScanConfig) (*Plan, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.ReadyTimeout)
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
	if p.Partitions, err = cfg.bounds(ctx, cluster, partitions); err != nil {
		return nil, wrap(err)
	}
	if cfg.ReadLatest {
		if p.Latest, err = cfg.latestSchemas(ctx, cluster, p.topics()); err != nil {
			return nil, wrap(err)
		}
	}
	cfg.TopicIDs = map[string][16]byte{}
	for _, topic := range p.topics() {
		if id := idOf(cluster, topic); id != ([16]byte{}) {
			cfg.TopicIDs[topic] = id
		}
	}
	return PlanOf(cfg, p.Partitions, p.Latest)
}

// checked fills in the defaults and tells what is wrong.
func (c ScanConfig) checked() (ScanConfig, error) {
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"group", c.Group != ""}, {"assign", len(c.Assign) > 0}, {"acknowledge", c.Acknowledge != OnNextPoll}, {"dead_letter_topic", c.DeadLetterTopic != ""},
		{"on_assign", c.OnAssign != nil}, {"on_revoke", c.OnRevoke != nil}, {"Source", c.Source != nil}, {"DeadLetters", c.DeadLetters != nil},
	} {
		if option.given {
			return c, errorf(ConfigError, "%s is given: a scan is no member of a group, and commits nothing", option.name)
		}
	}
	if c.BatchRows < 0 {
		return c, errorf(ConfigError, "num_messages is %d: it must be at least 1", c.BatchRows)
	}
	if c.ReadLatest && len(c.Readers) > 0 {
		return c, errorf(ConfigError, "reader_schema is given, and the latest one is asked for: give the one or the other")
	}
	if latest := c.Value == Usual || c.Value == Avro || c.Value == Auto; c.ReadLatest && (!latest || !c.Framing.AsksRegistry()) {
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
	if c.ReadyTimeout == 0 {
		c.ReadyTimeout = DefaultReadyTimeout
	}
	if c.SchemaPatience == 0 {
		c.SchemaPatience = DefaultSchemaPatience
	}
	c.SchemaPatience = min(c.SchemaPatience, c.ReadyTimeout)
	if c.shared == nil {
		c.shared = schema.NewShared()
	}
	if c.BatchRows == 0 {
		c.BatchRows = DefaultBatchRows
	}
	if c.Metadata == nil {
		c.Metadata = []Metadata{{Column: Offset}}
	}
	if c.Value == Usual {
		c.Value = Avro
	}
	if c.Key == Usual {
		c.Key = Bytes
	}
	as := c.Config
	as.Group = "none"
	if c.Cluster != nil && as.Servers == "" {
		as.Servers = "none"
	}
	if err := as.validate(); err != nil {
		return c, err
	}
	if c.Registry == nil && c.RegistryURL != "" {
		var err error
		if c.Registry, err = sharedRegistry(c.RegistryURL, c.RegistryProperties, c.Environment); err != nil {
			return c, wrap(err)
		}
	}
	return c, nil
}

// dial makes a client of the cluster. It does not wait for the network.
func (c *ScanConfig) dial() (Cluster, error) {
	log := newLogSink(c.Logger)
	cfg := fetch.Config{
		Servers: c.Servers, Properties: c.Properties, Headers: c.wants(Headers) || c.Framing == SchemaHeader, SkipDeleted: true, RetryTimeout: c.ReadyTimeout,
		Token: c.OAuthToken, Log: log.client, TopicIDs: c.TopicIDs, Environment: c.Environment,
	}
	cfg.FetchBytes, cfg.DecompressedBytes = c.fetchBytes()
	cfg.Large = c.large
	cfg.MetadataBytes = int(min(c.MemoryLimit/metadataShare, 1<<30))
	open := c.Cluster
	if open == nil {
		open = func(cfg fetch.Config) (Cluster, error) {
			client, err := fetch.Dial(cfg)
			if err != nil {
				return nil, err
			}
			return kafkaCluster{client}, nil
		}
	}
	cluster, err := open(cfg)
	if err != nil {
		return nil, wrap(err)
	}
	return cluster, nil
}

// persist tries again what fails for now, such as a registry that is down, until ctx ends.
func persist(ctx context.Context, try func() error) error {
	for pause := schema.FirstRetryPause; ; pause = min(2*pause, schema.LastRetryPause) {
		err := try()
		if err == nil || !schema.IsTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
