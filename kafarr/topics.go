package kafarr

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// How long the questions may take by which partitions of re-created topics are moved to their beginning, and how soon they are asked again.
const (
	rewindTimeout = 2 * time.Second
	rewindPause   = 500 * time.Millisecond
)

// watched is what a listener knows of the topics that it reads, besides their rows.
type watched struct {
	told   map[string]error        // topics that are gone, and were named by an error
	behind []source.TopicPartition // of re-created topics, which are still to be moved to their beginning
	due    time.Time               // not before
}

// watch follows what the source says of the topics. One that is gone is an error once, and of every poll that gets nothing as long as it is gone, see gone. life.mu is held.
func (l *Listener) watch() {
	if l.watcher == nil {
		return
	}
	for topic, last := range l.watcher.Recreated() {
		l.recreated(topic, last)
	}
	l.rewind()
	gone := l.watcher.Gone()
	for topic := range l.watched.told {
		if gone[topic] == nil {
			delete(l.watched.told, topic)
			l.log.warn("TOPIC", topic+": the topic is there again")
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(gone)) {
		if l.watched.told[topic] != nil {
			continue
		}
		l.watched.told[topic] = gone[topic]
		l.log.warn("TOPIC", topic+": "+wrap(gone[topic]).Err.Error())
		if err := l.gone(); err != nil {
			l.fail(err)
		}
	}
}

// gone is the error of the topics that are gone; nil where there are none. A topic that a pattern has found leaves the assignment by itself.
func (l *Listener) gone() error {
	if l.watcher == nil {
		return nil
	}
	found := l.watcher.Gone()
	maps.DeleteFunc(found, func(topic string, _ error) bool { return !l.cfg.names(topic) })
	if len(found) == 0 {
		return nil
	}
	topics := slices.Sorted(maps.Keys(found))
	e := wrap(found[topics[0]])
	others := ""
	if len(topics) > 1 {
		others = ", and so were " + strings.Join(topics[1:], ", ")
	}
	e.Err = fmt.Errorf("%w%s: create it again, or open a listener without it; the other topics are read on", e.Err, others)
	return e
}

// names tells whether the caller has named a topic.
func (c *Config) names(topic string) bool {
	return slices.Contains(c.Topics, topic) || slices.ContainsFunc(c.Assign, func(p source.Position) bool { return p.Topic == topic })
}

// recreated has the partitions of a topic that was deleted and created again read from their beginning. An offset of the deleted topic says nothing about this one: where it is longer already, its first rows
// would be passed over. last: when the deleted one was last seen. Where the client has begun again since, because the new log was shorter, nothing is left to do.
func (l *Listener) recreated(topic string, last time.Time) {
	l.hearResets()
	for _, p := range l.Assignment() {
		if k := p.TopicPartition(); k.Topic == topic && l.partitions.Of(k).Discontinued.Before(last) && l.tracker.IsAssigned(k) && !slices.Contains(l.watched.behind, k) {
			l.watched.behind = append(l.watched.behind, k)
		}
	}
	if l.cfg.Properties["auto.offset.reset"] == "error" {
		e := errorf(BrokerError, "the topic was deleted and created again: it is read from its beginning")
		e.Topic = topic
		l.fail(e)
	}
}

// rewind moves partitions of re-created topics to their beginning, as far as the client is ready for it. life.mu is held.
func (l *Listener) rewind() {
	if len(l.watched.behind) == 0 || l.positioner == nil || time.Now().Before(l.watched.due) {
		return
	}
	ctx, cancel := context.WithTimeout(l.life.ctx, rewindTimeout)
	defer cancel()
	var left []source.TopicPartition
	for _, k := range l.watched.behind {
		if !l.tracker.IsAssigned(k) {
			l.partitions.Of(k).Next = partitions.Offset{} // it begins as one that is new to this listener, if it comes back
			continue
		}
		expected := int64(-1)
		if next := l.partitions.Of(k).Next; next.Known {
			expected = next.At
		}
		if err := l.beginAgain(ctx, k); err != nil {
			l.watched.due = time.Now().Add(rewindPause)
			left = append(left, k)
			l.log.client(6, "TOPIC", fmt.Sprintf("%s[%d]: moving to the beginning of the re-created topic is tried again: %v", k.Topic, k.Partition, err))
			continue
		}
		l.partitions.Of(k).Reset = partitions.Offset{}
		l.log.warn("TOPIC", fmt.Sprintf("%s[%d]: the topic was deleted and created again: offset %d was to come, and reading continues at its beginning", k.Topic, k.Partition, expected))
		l.happen(Event{Kind: LogWentBack, Topic: k.Topic, Partition: k.Partition, Old: expected, New: l.partitions.Of(k).Next.At})
	}
	l.watched.behind = left
}

func (l *Listener) beginAgain(ctx context.Context, k source.TopicPartition) error {
	place := []source.Position{k.At(source.Beginning)}
	to, err := l.positioner.AskOffsets(ctx, place)
	if err != nil {
		return err
	}
	group, err := l.positioner.AskCommitted(ctx, place)
	if err != nil {
		return err
	}
	if err := l.positioner.Seek(ctx, to); err != nil {
		return err
	}
	return l.moved(to[0], group[0].Offset)
}

// existing asks about partitions, without those whose topic the cluster turns out not to have; missing is the error of the first of those.
func existing(keys []source.TopicPartition, ask func(keys []source.TopicPartition) error) (missing, err error) {
	for len(keys) > 0 {
		err := ask(keys)
		var of *source.Error
		if !errors.As(err, &of) || of.Kind != source.NoTopic || of.Topic == "" {
			return missing, err
		}
		if missing == nil {
			missing = err
		}
		left := slices.DeleteFunc(slices.Clone(keys), func(k source.TopicPartition) bool { return k.Topic == of.Topic })
		if len(left) == len(keys) {
			return missing, err
		}
		keys = left
	}
	return missing, nil
}
