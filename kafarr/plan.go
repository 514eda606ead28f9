package kafarr

import (
	"context"
	"maps"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Plan is what a scan will read. It is data: PlanOf makes the same plan on any machine, from the configuration, Partitions, Latest and TopicIDs.
type Plan struct {
	// Partitions are what is read of each, sorted, those that have nothing included.
	Partitions []ScanRange
	// LogEnds are where logs ended when the scan was planned, of ranges that end later (ScanConfig.AllowPartial). What continues after this plan begins there, and not at the end
	// of the range: rows that come in between would be passed over.
	LogEnds []source.Position
	// Latest are the schemas that ScanConfig.ReadLatest has found; where none was given of values without a framing, those that were inferred of the first messages, and those of keys likewise.
	Latest []LatestSchema

	cfg ScanConfig
}

// LatestSchema is what a topic's values are read as. Another topic may have another version of the same type.
type LatestSchema = scan.LatestSchema

// TypeSchema is the Arrow schema of the rows of a message type.
type TypeSchema = scan.TypeSchema

// PlanOf is the plan of these ranges. It does not wait for the network.
func PlanOf(cfg ScanConfig, partitions []ScanRange, latest []LatestSchema) (*Plan, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	for _, r := range partitions {
		if r.Start < 0 || r.End < r.Start || r.Partition < 0 || r.Topic == "" {
			return nil, errorf(ConfigError, "%s[%d]: [%d, %d) is no range of offsets", r.Topic, r.Partition, r.Start, r.End)
		}
	}
	p := &Plan{Partitions: slices.Clone(partitions), Latest: latest, cfg: cfg}
	if err := cfg.Messages.validateTopics(p.topics()); err != nil {
		return nil, err
	}
	return p, nil
}

// Rows returns the number of offsets of the plan. There may be fewer rows: transactions and compaction leave offsets without a row.
func (p *Plan) Rows() int64 {
	rows := int64(0)
	for _, r := range p.Partitions {
		rows += r.End - r.Start
	}
	return rows
}

// TopicIDs are the ids of the topics, where brokers have some: for ScanConfig.TopicIDs.
func (p *Plan) TopicIDs() map[string][16]byte { return maps.Clone(p.cfg.TopicIDs) }

// planned returns the schemas that a topic's messages are read as; none: as they were written.
func (p *Plan) planned(topic string) (out scan.Planned) {
	for _, l := range p.Latest {
		switch {
		case l.Topic != topic:
		case l.IsKey:
			out.Keys = append(out.Keys, l.Schema)
		default:
			out.Values = append(out.Values, l.Schema)
		}
	}
	return out
}

// topics are the topics that are scanned, each once.
func (p *Plan) topics() []string {
	var out []string
	for _, r := range p.Partitions {
		if !slices.Contains(out, r.Topic) {
			out = append(out, r.Topic)
		}
	}
	return out
}

// Schemas returns the Arrow schemas of the rows before any is read: those of the reader schemas, else of the schemas that were registered last for the topics, else of the topics'
// last messages.
func (p *Plan) Schemas(ctx context.Context) ([]TypeSchema, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	return p.cfg.inference().Schemas(ctx, p.topics(), p.planned)
}

// RowBytes estimates the mean bytes of values, keys and headers per offset of each partition of the plan, from a sample in the middle; 0 where the sample has no record.
func (p *Plan) RowBytes(ctx context.Context) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	cluster, err := p.cfg.dial()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	return scan.RowBytes(ctx, cluster, p.Partitions)
}
