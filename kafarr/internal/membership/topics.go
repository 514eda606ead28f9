package membership

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/internal/partitions"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// How long the questions may take by which partitions of re-created topics are moved to their beginning, and how soon they are asked again.
const (
	rewindTimeout = 2 * time.Second
	rewindPause   = 500 * time.Millisecond
)

// topicWatch follows which of the topics that are read were deleted, and which re-created. The listener's lock guards it.
type topicWatch struct {
	cfg        *Config
	watcher    source.TopicWatcher // nil: topics are not watched
	positioner source.Positioner
	table      *partitions.Table
	tracker    *delivery.Tracker
	events     *Events
	log        Log

	reported map[string]error        // topics that are deleted, and were named by an error
	toRewind []source.TopicPartition // partitions of re-created topics, which are still to be moved to their beginning
	due      time.Time               // not before
}

// deleted reports what is new: a topic that is deleted is an error once, and of every poll that gets nothing as long as it is deleted, see fault.
func (w *topicWatch) deleted() error {
	gone := w.watcher.DeletedTopics()
	for topic := range w.reported {
		if gone[topic] == nil {
			delete(w.reported, topic)
			w.log.Warn("TOPIC", topic+": the topic is there again")
		}
	}
	var err error
	for _, topic := range slices.Sorted(maps.Keys(gone)) {
		if w.reported[topic] != nil {
			continue
		}
		w.reported[topic] = gone[topic]
		w.log.Warn("TOPIC", topic+": "+status.Wrap(gone[topic]).Err.Error())
		if err == nil {
			err = w.fault()
		}
	}
	return err
}

// fault is the error of the topics that are deleted; nil where there are none. A topic that a pattern has found leaves the assignment by itself.
func (w *topicWatch) fault() error {
	if w.watcher == nil {
		return nil
	}
	found := w.watcher.DeletedTopics()
	maps.DeleteFunc(found, func(topic string, _ error) bool { return !w.cfg.names(topic) })
	if len(found) == 0 {
		return nil
	}
	topics := slices.Sorted(maps.Keys(found))
	e := status.Wrap(found[topics[0]])
	others := ""
	if len(topics) > 1 {
		others = ", and so were " + strings.Join(topics[1:], ", ")
	}
	e.Err = fmt.Errorf("%w%s: create it again, or open a listener without it; the other topics continue to be read", e.Err, others)
	return e
}

// names tells whether the caller has named a topic.
func (c *Config) names(topic string) bool {
	return slices.Contains(c.Topics, topic) || slices.ContainsFunc(c.Assign, func(p source.Position) bool { return p.Topic == topic })
}

// recreated has the partitions of a topic that was deleted and created again read from their beginning. An offset of the deleted topic says nothing about this one: where it is longer already, its first rows
// would be passed over. last: when the deleted one was last seen. Where the client has begun again since, because the new log was shorter, nothing is left to do.
func (w *topicWatch) recreated(topic string, last time.Time, assignment []source.Position) error {
	for _, p := range assignment {
		if k := p.TopicPartition(); k.Topic == topic && w.table.Of(k).Discontinued.Before(last) && w.tracker.IsAssigned(k) && !slices.Contains(w.toRewind, k) {
			w.toRewind = append(w.toRewind, k)
		}
	}
	if w.cfg.Properties["auto.offset.reset"] == "error" {
		e := status.Errorf(status.BrokerError, "the topic was deleted and created again: it is read from its beginning")
		e.Topic = topic
		return e
	}
	return nil
}

// rewind moves partitions of re-created topics to their beginning, as far as the client is ready for it.
func (w *topicWatch) rewind(ctx context.Context, move func(to source.Position, committed int64) error) {
	if len(w.toRewind) == 0 || w.positioner == nil || time.Now().Before(w.due) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rewindTimeout)
	defer cancel()
	var left []source.TopicPartition
	for _, k := range w.toRewind {
		if !w.tracker.IsAssigned(k) {
			w.table.Of(k).Next = partitions.Offset{} // it begins as one that is new to this listener, if it comes back
			continue
		}
		expected := int64(-1)
		if next := w.table.Of(k).Next; next.Known {
			expected = next.At
		}
		if err := w.beginAgain(ctx, k, move); err != nil {
			w.due = time.Now().Add(rewindPause)
			left = append(left, k)
			w.log.Client(6, "TOPIC", fmt.Sprintf("%s[%d]: moving to the beginning of the re-created topic is tried again: %v", k.Topic, k.Partition, err))
			continue
		}
		w.table.Of(k).Reset = partitions.Offset{}
		w.log.Warn("TOPIC", fmt.Sprintf("%s[%d]: the topic was deleted and created again: offset %d was to come, and reading continues at its beginning", k.Topic, k.Partition, expected))
		w.events.Add(Event{Kind: LogWentBack, Topic: k.Topic, Partition: k.Partition, Old: expected, New: w.table.Of(k).Next.At})
	}
	w.toRewind = left
}

func (w *topicWatch) beginAgain(ctx context.Context, k source.TopicPartition, move func(to source.Position, committed int64) error) error {
	place := []source.Position{k.At(source.Beginning)}
	to, err := w.positioner.ListOffsets(ctx, place)
	if err != nil {
		return err
	}
	group, err := w.positioner.CommittedOffsets(ctx, place)
	if err != nil {
		return err
	}
	if err := w.positioner.Seek(ctx, to); err != nil {
		return err
	}
	return move(to[0], group[0].Offset)
}
