package kafarr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// OffsetKind says how an OffsetSpec names an offset.
type OffsetKind string

// The kinds of OffsetSpec. The zero value is AtCommitted.
const (
	AtCommitted OffsetKind = "committed" // the offset that the group has committed; auto.offset.reset where it has committed none
	AtEarliest  OffsetKind = "earliest"  // the first row that is still there
	AtLatest    OffsetKind = "latest"    // the end of the log, after the last row
	AtOffset    OffsetKind = "offset"    // Value is an offset
	AtTime      OffsetKind = "time"      // Value is in milliseconds since 1970, UTC: the first row of that time or later, else the end
)

// OffsetSpec names an offset of a partition, which the cluster may have to look up.
type OffsetSpec struct {
	Kind  OffsetKind
	Value int64
	// TopicID is the id of the topic that an offset is of (Plan.TopicIDs): where the topic has another id by now, the offset is an error. Zero: the id is not checked.
	TopicID [16]byte
}

// PartitionOffset names an offset of one partition or of several: where a listener starts, where a Seek leads, where a scan starts and ends. Of several that fit a
// partition, the most exact one counts.
type PartitionOffset struct {
	Topic     string // empty: every topic
	Partition int32  // -1: every partition
	Offset    OffsetSpec
}

// errRecreated is an offset of a topic that does not exist any more.
var errRecreated = errors.New("the topic was deleted and created again since then, and its offsets are other rows")

// checkTopicID returns an error where the offset is of a topic that had another id; nil where the id is the same, or is not known.
func (o OffsetSpec) checkTopicID(id [16]byte) error {
	if o.TopicID == id || o.TopicID == ([16]byte{}) || id == ([16]byte{}) {
		return nil
	}
	return fmt.Errorf("offset %d is of the topic with the id %x, which is %x by now: %w", o.Value, o.TopicID, id, errRecreated)
}

// afterTheEnd explains an offset past the end of the log: retention deletes rows at its beginning only.
func afterTheEnd(offset, end int64) string {
	if offset <= end {
		return ""
	}
	return "; if rows before that offset were there once, the topic was deleted and created again, or the log was truncated"
}

func (o OffsetSpec) validate(what string) error {
	switch o.Kind {
	case "", AtCommitted, AtEarliest, AtLatest:
		return nil
	case AtOffset, AtTime:
		if o.Value < 0 {
			return errorf(ConfigError, "%s: the %s %d is negative", what, o.Kind, o.Value)
		}
		return nil
	}
	return errorf(ConfigError, `%s is %q: it must be "committed", "earliest", "latest", "offset" or "time"`, what, o.Kind)
}

func (c *Config) validatePositions() error {
	for _, s := range c.Start {
		if err := s.Offset.validate("start"); err != nil {
			return err
		}
		if !c.mayRead(s) {
			return errorf(ConfigError, "start: %s is none of the topics and partitions that are read", s.name())
		}
	}
	seen := map[source.TopicPartition]bool{}
	for _, p := range c.Assign {
		k := p.TopicPartition()
		switch {
		case p.Topic == "" || strings.ContainsRune(p.Topic, 0) || p.Topic[0] == '^':
			return errorf(ConfigError, "assign: %q is no topic's name", p.Topic)
		case p.Partition < 0:
			return errorf(ConfigError, "assign: %s has no partition %d", p.Topic, p.Partition)
		case seen[k]:
			return errorf(ConfigError, "assign holds %s[%d] twice", p.Topic, p.Partition)
		}
		seen[k] = true
	}
	if len(c.Assign) > 0 && len(c.Topics) > 0 {
		return errorf(ConfigError, "topics and assign exclude each other: a subscription gets its partitions from the group")
	}
	return nil
}

// mayRead tells whether there can be a partition that is named and read.
func (c *Config) mayRead(s PartitionOffset) bool {
	return len(c.Topics)+len(c.Assign) == 0 || s.mayBeOf(c.Topics) ||
		slices.ContainsFunc(c.Assign, func(p source.Position) bool {
			return p.Topic == s.Topic && (p.Partition == s.Partition || s.Partition < 0)
		})
}

// mayBeOf tells whether a partition of these topics can be named. A regular expression may find any topic.
func (s PartitionOffset) mayBeOf(topics []string) bool {
	return s.Topic == "" || slices.ContainsFunc(topics, func(t string) bool { return t == s.Topic || strings.HasPrefix(t, "^") })
}

// specFor returns the OffsetSpec that fits a partition most exactly; the zero value where none does.
func specFor(list []PartitionOffset, k source.TopicPartition) OffsetSpec {
	at, _ := findSpec(list, k)
	return at
}

// findSpec is specFor, and whether one fits.
func findSpec(list []PartitionOffset, k source.TopicPartition) (at OffsetSpec, found bool) {
	exactness := 0
	for _, s := range list {
		if fits := s.fits(k); fits > exactness {
			at, exactness = s.Offset, fits
		}
	}
	return at, exactness > 0
}

// readsTopic tells whether a topic may be among those that are read.
func (c *Config) readsTopic(topic string) bool {
	return c.mayRead(PartitionOffset{Topic: topic, Partition: -1})
}

// fits says how exactly a partition is named; 0: not at all.
func (s PartitionOffset) fits(k source.TopicPartition) int {
	switch {
	case s.Topic != "" && s.Topic != k.Topic, s.Partition >= 0 && s.Partition != k.Partition:
		return 0
	case s.Topic != "" && s.Partition >= 0:
		return 4
	case s.Topic != "":
		return 3
	case s.Partition >= 0:
		return 2
	}
	return 1
}

// name says in messages which partitions are meant.
func (s PartitionOffset) name() string {
	switch {
	case s.Topic == "":
		return fmt.Sprintf("partition %d", s.Partition)
	case s.Partition < 0:
		return s.Topic
	}
	return fmt.Sprintf("%s[%d]", s.Topic, s.Partition)
}
