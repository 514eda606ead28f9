package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/pykafarr/pykafarr/kafarr/nearest"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Partitions are all partitions of topics, sorted. A name that begins with ^ is a regular expression, which finds neither the cluster's internal topics nor those of topic.blacklist.
func (c *Client) Partitions(ctx context.Context, topics []string) ([]source.Position, error) {
	names, patterns, err := source.Topics(topics)
	if err != nil {
		return nil, err
	}
	if len(patterns) > 0 {
		found, err := c.matching(ctx, patterns)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, nil
	}
	if err := c.persist(ctx, "partitions", func(ctx context.Context) error { return c.existing(ctx, names) }); err != nil {
		return nil, err
	}
	var out []source.Position
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		for p := range c.topics[name].leaders {
			out = append(out, source.Position{Topic: name, Partition: p})
		}
	}
	slices.SortFunc(out, func(a, b source.Position) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return out, nil
}

// existing learns topics. That one is not known is believed at once: who plans a scan has mistyped its name, or waits in vain.
func (c *Client) existing(ctx context.Context, names []string) error {
	err := c.learn(ctx, names)
	var of *topicError
	if errors.As(err, &of) && (errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.InvalidTopicException)) {
		text := "topic " + of.topic + ": the cluster does not have it, or does not show it to this user"
		return &source.Error{Code: status.TopicNotFoundError, Topic: of.topic, Partition: -1, Offset: -1, Err: fmt.Errorf("%s%s: %w", text, c.nearest(ctx, of.topic), of.err)}
	}
	return err
}

// nearest is a hint at the topic that an unknown name was meant for; empty where the cluster does not list its topics.
func (c *Client) nearest(ctx context.Context, unknown string) string {
	resp, err := c.metadata(ctx, nil)
	if err != nil {
		return ""
	}
	var names []string
	for _, t := range resp.Topics {
		if t.Topic != nil && !t.IsInternal {
			names = append(names, *t.Topic)
		}
	}
	return nearest.Qualified(unknown, names)
}

// matching are the topics that the patterns find.
func (c *Client) matching(ctx context.Context, patterns []source.Pattern) (found []string, err error) {
	hidden := func(name string) bool {
		return slices.Contains(source.Internal, name) || source.Finds(c.set.excluded, name)
	}
	err = c.persist(ctx, "topics", func(ctx context.Context) error {
		resp, err := c.metadata(ctx, nil)
		if err != nil {
			return err
		}
		found = found[:0]
		for _, pattern := range patterns {
			before := len(found)
			for _, t := range resp.Topics {
				if t.Topic != nil && !t.IsInternal && pattern.Finds(*t.Topic) && !hidden(*t.Topic) {
					found = append(found, *t.Topic)
				}
			}
			if len(found) == before {
				return source.Errorf(status.TopicNotFoundError, "topics: %q matches none of the topics that the cluster shows", pattern.String())
			}
		}
		return nil
	})
	return found, err
}
