package fetch

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Client asks a cluster and reads from it. It may be used by several goroutines, but a broker serves a connection's requests in turn: a client for each range that is read at a time.
type Client struct {
	cfg     Config
	set     settings
	kafka   *kgo.Client
	secrets *redact.Secrets
	cut     cutOff

	mu     sync.Mutex
	topics map[string]*topic // as the last answer of the cluster has them
	hosts  map[int32]string
}

// topic is what the cluster says of one.
type topic struct {
	id      [16]byte
	leaders map[int32]leader
}

// leader is who has a partition; broker is below 0 while nobody does.
type leader struct {
	broker, epoch int32
	err           error
}

// Dial makes a client. It checks the configuration, and does not wait for the network.
func Dial(cfg Config) (*Client, error) {
	set, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, set: set, secrets: set.Secrets, topics: map[string]*topic{}, hosts: map[int32]string{}}
	if c.cfg.Log == nil {
		c.cfg.Log = func(int, string, string) {}
	}
	if c.kafka, err = kgo.NewClient(append(set.Options, kgo.WithHooks(&c.cut))...); err != nil {
		return nil, source.Errorf(status.ConfigError, "config: %w", c.secrets.Error(err))
	}
	return c, nil
}

// TopicID is the id of a topic whose partitions were asked for; zero where the brokers are too old to have ids.
func (c *Client) TopicID(name string) [16]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.topics[name]; t != nil {
		return t.id
	}
	return [16]byte{}
}

// Close ends what is under way.
func (c *Client) Close() { c.kafka.Close() }

// bounded is the time of one question. The client waits before it for as long as the answer before has asked for, which may be 24 days.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.set.RetryTimeout+c.set.throttled)
}

// metadata asks for topics; none: for all.
func (c *Client) metadata(ctx context.Context, names []string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	resp, err := req.RequestWith(ctx, c.kafka)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range resp.Brokers {
		c.hosts[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return resp, nil
}

// learn asks for topics that are read, and keeps the answer.
func (c *Client) learn(ctx context.Context, names []string) error {
	resp, err := c.metadata(ctx, names)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names { // who asks for what is known would ask for ever
		if !slices.ContainsFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool { return t.Topic != nil && *t.Topic == name }) {
			return &topicError{name, errNoAnswer}
		}
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil {
			continue
		}
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return &topicError{*t.Topic, err}
		}
		known := &topic{id: t.TopicID, leaders: map[int32]leader{}}
		for _, p := range t.Partitions {
			known.leaders[p.Partition] = leader{p.Leader, p.LeaderEpoch, kerr.ErrorForCode(p.ErrorCode)}
		}
		if err := known.whole(); err != nil {
			return &topicError{*t.Topic, err}
		}
		c.topics[*t.Topic] = known
	}
	return nil
}

// whole reports whether an answer names all partitions: they are numbered from 0. A partition that it leaves out would be missing from a plan, without an error.
func (t *topic) whole() error {
	if len(t.leaders) == 0 {
		return fmt.Errorf("%w: the topic has no partitions in it", errNoAnswer)
	}
	for p := range int32(len(t.leaders)) { //nolint:gosec // a topic has fewer
		if _, ok := t.leaders[p]; !ok {
			return fmt.Errorf("%w %d, and names %d others", errNoAnswer, p, len(t.leaders))
		}
	}
	return nil
}

// leaderOf is who has a partition, and the topic's id. It asks the cluster if nothing is known, or if what is known shall be forgotten.
func (c *Client) leaderOf(ctx context.Context, name string, partition int32, refresh bool) (leader, [16]byte, error) {
	for {
		c.mu.Lock()
		t := c.topics[name]
		c.mu.Unlock()
		if t != nil && !refresh {
			l, ok := t.leaders[partition]
			switch {
			case !ok:
				return l, t.id, &partitionError{name, partition, kerr.UnknownTopicOrPartition}
			case l.broker < 0 && l.err == nil:
				return l, t.id, &partitionError{name, partition, kerr.LeaderNotAvailable}
			case l.broker < 0:
				return l, t.id, &partitionError{name, partition, l.err}
			}
			return l, t.id, nil
		}
		if err := c.learn(ctx, []string{name}); err != nil {
			return leader{}, [16]byte{}, err
		}
		refresh = false
	}
}

// topicError and partitionError give what the cluster says its place.
type topicError struct {
	topic string
	err   error
}

func (e *topicError) Error() string { return fmt.Sprintf("topic %s: %v", e.topic, e.err) }
func (e *topicError) Unwrap() error { return e.err }

type partitionError struct {
	topic     string
	partition int32
	err       error
}

func (e *partitionError) Error() string {
	return fmt.Sprintf("%s[%d]: %v", e.topic, e.partition, e.err)
}
func (e *partitionError) Unwrap() error { return e.err }

// brokerName is "broker 3 (host:9092)".
func (c *Client) brokerName(id int32) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("broker %d (%s)", id, c.hosts[id])
}
