package kafarr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// PlaceKind says what a Place is counted by.
type PlaceKind string

// The kinds of place. The zero value is AtCommitted.
const (
	AtCommitted PlaceKind = "committed" // where the group left off; auto.offset.reset where it never was
	AtEarliest  PlaceKind = "earliest"  // the first row that is still there
	AtLatest    PlaceKind = "latest"    // behind the last row
	AtOffset    PlaceKind = "offset"    // Value is an offset
	AtTime      PlaceKind = "time"      // Value is in milliseconds since 1970, UTC: the first row of that time or later, else the end
)

// Place is somewhere in a partition.
type Place struct {
	Kind  PlaceKind
	Value int64
	// TopicID is the id of the topic that an offset is of (Plan.TopicIDs): where the topic has another one by now, the place is an error. Zero: it is not checked.
	TopicID [16]byte
}

// errRecreated is an offset of a topic that does not exist any more.
var errRecreated = errors.New("the topic was deleted and created again since then, and its offsets are other rows")

// ofAnother is the error of an offset of a topic that had another id; nil where it is the same, or is not known.
func (p Place) ofAnother(id [16]byte) error {
	if p.TopicID == id || p.TopicID == ([16]byte{}) || id == ([16]byte{}) {
		return nil
	}
	return fmt.Errorf("offset %d is of the topic with the id %x, which is %x by now: %w", p.Value, p.TopicID, id, errRecreated)
}

// afterTheEnd explains an offset behind the end of the log: retention deletes rows at its beginning only.
func afterTheEnd(offset, end int64) string {
	if offset <= end {
		return ""
	}
	return "; if rows before that offset were there once, the topic was deleted and created again, or the log was truncated"
}

// Start says where partitions begin when this listener gets them for the first time. The most exact one that fits a partition counts.
type Start struct {
	Topic     string // empty: every topic
	Partition int32  // -1: every partition
	At        Place
}

// Target is where a Seek leads.
type Target struct {
	Topic     string
	Partition int32
	To        Place
}

func (p Place) validate(what string) error {
	switch p.Kind {
	case "", AtCommitted, AtEarliest, AtLatest:
		return nil
	case AtOffset, AtTime:
		if p.Value < 0 {
			return errorf(ConfigError, "%s: the %s %d is negative", what, p.Kind, p.Value)
		}
		return nil
	}
	return errorf(ConfigError, `%s is %q: it must be "committed", "earliest", "latest", "offset" or "time"`, what, p.Kind)
}

func (c *Config) validatePositions() error {
	for _, s := range c.Start {
		if err := s.At.validate("start"); err != nil {
			return err
		}
		if !c.mayRead(s) {
			return errorf(ConfigError, "start: %s is none of the topics and partitions that are read", s.place())
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

// mayRead tells whether there can be a partition that a start is for. A regular expression may find any topic.
func (c *Config) mayRead(s Start) bool {
	if s.Topic == "" || len(c.Topics)+len(c.Assign) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Topics, func(t string) bool { return t == s.Topic || strings.HasPrefix(t, "^") }) ||
		slices.ContainsFunc(c.Assign, func(p source.Position) bool {
			return p.Topic == s.Topic && (p.Partition == s.Partition || s.Partition < 0)
		})
}

func (s Start) place() string {
	if s.Partition < 0 {
		return s.Topic
	}
	return fmt.Sprintf("%s[%d]", s.Topic, s.Partition)
}

// startOf is where a partition begins.
func (c *Config) startOf(k source.TopicPartition) Place { return placeOf(c.Start, k) }

// placeOf is the place that fits a partition most exactly; the zero Place where none does.
func placeOf(list []Start, k source.TopicPartition) Place {
	at, _ := bestOf(list, k)
	return at
}

// bestOf is placeOf, and whether one fits.
func bestOf(list []Start, k source.TopicPartition) (at Place, found bool) {
	exactness := 0
	for _, s := range list {
		if fits := s.fits(k); fits > exactness {
			at, exactness = s.At, fits
		}
	}
	return at, exactness > 0
}

// readsTopic tells whether a topic may be among those that are read.
func (c *Config) readsTopic(topic string) bool {
	return c.mayRead(Start{Topic: topic, Partition: -1})
}

// fits says how exactly a partition is meant; 0: not at all.
func (s Start) fits(k source.TopicPartition) int {
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

// name is what a start is for, in messages.
func (s Start) name() string {
	switch {
	case s.Topic == "":
		return fmt.Sprintf("partition %d", s.Partition)
	case s.Partition < 0:
		return s.Topic
	}
	return fmt.Sprintf("%s[%d]", s.Topic, s.Partition)
}
