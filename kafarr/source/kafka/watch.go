package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

var _ source.TopicWatcher = (*Kafka)(nil)

// How often the cluster is asked for the topics that are read, which takes longer where they are many, and how soon again when one is missing: a broker that has just started may not know them all.
const (
	topicPause    = 5 * time.Second
	pausePerTopic = 10 * time.Millisecond
	topicDoubt    = time.Second
	topicTimeout  = 3 * time.Second
)

// topics is what the cluster says of the topics that are read. librdkafka reports a deleted one in its log only, after topic.metadata.propagation.max.ms, and a re-created one not at all. Kafka.mu guards it.
type topics struct {
	next      time.Time
	asking    bool
	seen      map[string]topicSeen
	doubted   map[string]bool // missing in the last answer, for the first time
	gone      map[string]error
	recreated map[string]time.Time // not returned yet
}

// topicSeen is a topic as the last answer that had it.
type topicSeen struct {
	id [16]byte // zero: the broker has none
	at time.Time
}

func newTopics() topics {
	return topics{seen: map[string]topicSeen{}, doubted: map[string]bool{}, gone: map[string]error{}, recreated: map[string]time.Time{}}
}

// watch asks for the topics that are read, from time to time, in the background.
func (k *Kafka) watch(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := &k.topics
	if k.ended || t.asking || now.Before(t.next) {
		return
	}
	names := map[string]bool{}
	for p := range k.assigned {
		names[p.Topic] = true
	}
	for topic := range k.missing {
		if !strings.HasPrefix(topic, "^") {
			names[topic] = true
		}
	}
	for topic := range t.gone {
		if !names[topic] && !k.named(topic) {
			delete(t.gone, topic) // a pattern had found it
			continue
		}
		names[topic] = true
	}
	if len(names) == 0 {
		return
	}
	t.asking, t.next = true, now.Add(topicPause+time.Duration(len(names))*pausePerTopic)
	k.spawn(func() { k.askFor(slices.Sorted(maps.Keys(names)), now) })
}

// named reports whether the caller has named a topic; else a pattern finds it.
func (k *Kafka) named(topic string) bool {
	return slices.Contains(k.cfg.Topics, topic) || slices.ContainsFunc(k.cfg.Assign, func(p source.Position) bool { return p.Topic == topic })
}

func (k *Kafka) askFor(names []string, now time.Time) {
	found, err := k.describe(k.ctx, names)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.topics.asking = false
	if err != nil {
		return // the cluster does not answer
	}
	for name, d := range found {
		if k.topics.take(name, d, now) {
			k.refresh(name)
		}
		if d.Err == nil && len(k.cfg.Assign) == 0 { // of which partitions may be missing
			delete(k.missing, name)
		}
	}
}

func (k *Kafka) describe(ctx context.Context, names []string) (map[string]fetch.Description, error) {
	client, err := k.explorer.open(&k.cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	return client.Describe(ctx, names)
}

// refresh has the client learn at once that a topic is there again: it would ask after topic.metadata.refresh.interval.ms. k.mu is held.
func (k *Kafka) refresh(topic string) {
	if k.ended {
		return
	}
	k.spawn(func() {
		_, _ = k.consumer.GetMetadata(&topic, false, int(topicTimeout.Milliseconds())) // the client's own refreshing remains
	})
}

// take takes what the cluster says of a topic. back: it is there again, or is another one.
func (t *topics) take(name string, d fetch.Description, asked time.Time) (back bool) {
	switch {
	case d.Unknown:
		switch {
		case t.seen[name].at.IsZero(): // it was never there: UnavailableTopics says so
		case t.gone[name] != nil:
		case t.doubted[name]:
			t.gone[name] = &source.Error{
				Code: status.TopicNotFoundError, Topic: name, Partition: -1, Offset: -1,
				Err: fmt.Errorf("the topic was deleted, or is not shown to this user any more (%w)", d.Err),
			}
		default:
			t.doubted[name], t.next = true, asked.Add(topicDoubt)
		}
	case d.Err == nil:
		before := t.seen[name]
		back = t.gone[name] != nil
		delete(t.doubted, name)
		delete(t.gone, name)
		if before.id != d.ID && before.id != ([16]byte{}) && d.ID != ([16]byte{}) {
			back = true
			t.recreated[name] = before.at
		}
		t.seen[name] = topicSeen{d.ID, asked}
	}
	return back
}

// DeletedTopics implements source.TopicWatcher.
func (k *Kafka) DeletedTopics() map[string]error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.topics.gone) == 0 { // as before nearly every fetch
		return nil
	}
	return maps.Clone(k.topics.gone)
}

// TopicIDs implements source.TopicWatcher.
func (k *Kafka) TopicIDs(ctx context.Context, topics []string) (map[string][16]byte, error) {
	for {
		var found map[string]fetch.Description
		err := k.background(ctx, func() (err error) {
			found, err = k.describe(ctx, topics)
			return err
		})
		var of *source.Error
		switch {
		case err == nil:
			out := map[string][16]byte{}
			for name, d := range found {
				if d.ID != ([16]byte{}) {
					out[name] = d.ID
				}
			}
			return out, nil
		case !errors.As(err, &of) || of.Code != status.BrokerError:
			return nil, err
		}
		select {
		case <-time.After(askPause):
		case <-ctx.Done():
			return nil, source.Errorf(status.BrokerError, "ids of topics: the cluster does not answer: %w (%w)", err, ctx.Err())
		}
	}
}

// RecreatedTopics implements source.TopicWatcher.
func (k *Kafka) RecreatedTopics() map[string]time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.topics.recreated) == 0 {
		return nil
	}
	out := k.topics.recreated
	k.topics.recreated = map[string]time.Time{}
	return out
}
