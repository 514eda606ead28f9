package kafarr

import (
	"context"
	"errors"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/membership"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// offsetFinder asks the cluster for the offsets that OffsetSpecs name. It has no state of its own: any goroutine may use it.
type offsetFinder struct {
	start      []PartitionOffset // Config.Start
	reset      string            // auto.offset.reset
	positioner source.Positioner
	watcher    source.TopicWatcher // nil: topics have no ids
}

// offsets finds offsets for this listener.
func (l *Listener) offsets() *offsetFinder {
	return &offsetFinder{start: l.cfg.Start, reset: l.cfg.Cluster.Properties["auto.offset.reset"], positioner: l.source.Positioner, watcher: l.source.TopicWatcher}
}

// FindStarts implements membership.Offsets: it asks for the starting offsets of partitions that were never read.
func (f *offsetFinder) FindStarts(ctx context.Context, keys []source.TopicPartition) (found membership.FoundStarts) {
	ctx, cancel := context.WithTimeout(ctx, membership.StartTimeout)
	defer cancel()
	targets := make([]PartitionOffset, len(keys))
	for i, k := range keys {
		targets[i] = PartitionOffset{Topic: k.Topic, Partition: k.Partition, Offset: specFor(f.start, k)}
	}
	if found.At, found.Err = f.resolve(ctx, targets); found.Err != nil {
		return found
	}
	if found.Outside, found.Err = f.notInLog(ctx, targets); found.Err != nil {
		return found
	}
	if found.Err = f.beginRecreated(ctx, found); found.Err != nil {
		return found
	}
	found.Committed, found.Err = f.positioner.CommittedOffsets(ctx, found.At)
	return found
}

// beginRecreated replaces the offsets of topics that were deleted by the beginning of the log: from any other offset on, rows would be left out.
func (f *offsetFinder) beginRecreated(ctx context.Context, found membership.FoundStarts) error {
	for i, p := range found.At {
		if !slices.ContainsFunc(found.Outside, func(e *Error) bool { return errors.Is(e, errRecreated) && isAt(e, p.TopicPartition()) }) {
			continue
		}
		p.Offset = source.Beginning
		low, err := f.positioner.ListOffsets(ctx, []source.Position{p})
		if err != nil {
			return err
		}
		found.At[i] = low[0]
	}
	return nil
}

// resolve finds the offsets that are named, each partition once.
func (f *offsetFinder) resolve(ctx context.Context, targets []PartitionOffset) ([]source.Position, error) {
	out := make([]source.Position, len(targets))
	where := map[source.TopicPartition]int{}
	var committed, log []source.Position
	for i, t := range targets {
		where[source.TopicPartition{Topic: t.Topic, Partition: t.Partition}] = i
		out[i] = source.Position{Topic: t.Topic, Partition: t.Partition, Offset: t.Offset.Value}
		switch t.Offset.Kind {
		case AtOffset:
		case AtEarliest:
			out[i].Offset = source.Beginning
		case AtLatest:
			out[i].Offset = source.End
		case AtTime:
			log = append(log, out[i])
		default:
			committed = append(committed, out[i])
		}
		if t.Offset.Kind == AtEarliest || t.Offset.Kind == AtLatest {
			log = append(log, out[i])
		}
	}
	group, err := f.positioner.CommittedOffsets(ctx, committed)
	if err != nil {
		return nil, err
	}
	for _, p := range group {
		if p.Offset < 0 {
			if p.Offset, err = f.resetOf(p.TopicPartition()); err != nil {
				return nil, err
			}
			log = append(log, p)
			continue
		}
		out[where[p.TopicPartition()]] = p
	}
	found, err := f.positioner.ListOffsets(ctx, log)
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		out[where[p.TopicPartition()]] = p
	}
	return out, nil
}

// resetOf returns the offset that auto.offset.reset gives a partition for which the group has committed none.
func (f *offsetFinder) resetOf(k source.TopicPartition) (int64, error) {
	switch f.reset {
	case "smallest", "earliest", "beginning":
		return source.Beginning, nil
	case "error":
		e := errorf(BrokerError, "the group has committed no offset, and auto.offset.reset is \"error\"")
		e.Topic, e.Partition = k.Topic, k.Partition
		return 0, e
	}
	return source.End, nil
}

// notInLog returns an error for each offset that was asked for and is not in the log.
func (f *offsetFinder) notInLog(ctx context.Context, targets []PartitionOffset) ([]*Error, error) {
	var first, last []source.Position
	var asked []int64
	for _, t := range targets {
		if t.Offset.Kind == AtOffset {
			first = append(first, source.Position{Topic: t.Topic, Partition: t.Partition, Offset: source.Beginning})
			last = append(last, source.Position{Topic: t.Topic, Partition: t.Partition, Offset: source.End})
			asked = append(asked, t.Offset.Value)
		}
	}
	low, err := f.positioner.ListOffsets(ctx, first)
	if err != nil {
		return nil, err
	}
	high, err := f.positioner.ListOffsets(ctx, last)
	if err != nil {
		return nil, err
	}
	ends := map[source.TopicPartition]int64{}
	for _, p := range high {
		ends[p.TopicPartition()] = p.Offset
	}
	another, err := f.ofDeletedTopics(ctx, targets)
	if err != nil {
		return nil, err
	}
	wanted := map[source.TopicPartition]int64{}
	for i, p := range first {
		wanted[p.TopicPartition()] = asked[i]
	}
	var out []*Error
	for _, p := range low {
		k := p.TopicPartition()
		if why := another[k]; why != nil {
			out = append(out, placed(errorf(BrokerError, "%w", why), k))
		} else if wanted[k] < p.Offset || wanted[k] > ends[k] {
			out = append(out, placed(errorf(BrokerError, "offset %d is not in the log, which goes from %d to %d%s", wanted[k], p.Offset, ends[k], afterTheEnd(wanted[k], ends[k])), k))
		}
	}
	return out, nil
}

// ofDeletedTopics returns an error for each partition whose offset is of a topic that was deleted.
func (f *offsetFinder) ofDeletedTopics(ctx context.Context, targets []PartitionOffset) (map[source.TopicPartition]error, error) {
	var topics []string
	for _, t := range targets {
		if t.Offset.TopicID != ([16]byte{}) && !slices.Contains(topics, t.Topic) {
			topics = append(topics, t.Topic)
		}
	}
	if len(topics) == 0 || f.watcher == nil {
		return nil, nil
	}
	ids, err := f.watcher.TopicIDs(ctx, topics)
	if err != nil {
		return nil, err
	}
	out := map[source.TopicPartition]error{}
	for _, t := range targets {
		if why := t.Offset.checkTopicID(ids[t.Topic]); why != nil {
			out[source.TopicPartition{Topic: t.Topic, Partition: t.Partition}] = why
		}
	}
	return out, nil
}

// isAt reports whether an error is of a partition.
func isAt(e *Error, k source.TopicPartition) bool {
	return e.Topic == k.Topic && e.Partition == k.Partition
}

// Beginnings implements membership.Offsets.
func (f *offsetFinder) Beginnings(ctx context.Context, keys []source.TopicPartition, reset map[source.TopicPartition]int64) (out map[source.TopicPartition]membership.Beginning, missing, err error) {
	missing, err = existing(keys, func(keys []source.TopicPartition) error {
		found, err := f.beginningsOf(ctx, keys, reset)
		out = found
		return err
	})
	return out, missing, err
}

func (f *offsetFinder) beginningsOf(ctx context.Context, keys []source.TopicPartition, reset map[source.TopicPartition]int64) (map[source.TopicPartition]membership.Beginning, error) {
	places := make([]source.Position, len(keys))
	var targets []PartitionOffset
	for i, k := range keys {
		places[i] = k.At(source.Beginning)
		if _, moved := reset[k]; !moved {
			targets = append(targets, PartitionOffset{Topic: k.Topic, Partition: k.Partition, Offset: specFor(f.start, k)})
		}
	}
	group, err := f.positioner.CommittedOffsets(ctx, places)
	if err != nil {
		return nil, err
	}
	lows, err := f.positioner.ListOffsets(ctx, places)
	if err != nil {
		return nil, err
	}
	found, err := f.resolve(ctx, targets)
	if err != nil {
		return nil, err
	}
	out := make(map[source.TopicPartition]membership.Beginning, len(keys))
	for _, p := range group {
		out[p.TopicPartition()] = membership.Beginning{Offset: p.Offset, Committed: p.Offset}
	}
	for _, p := range found {
		b := out[p.TopicPartition()]
		b.Sure = b.Committed == p.Offset
		b.Offset = p.Offset
		out[p.TopicPartition()] = b
	}
	var ends []source.Position
	for _, p := range lows {
		k := p.TopicPartition()
		b := out[k]
		if asked, moved := reset[k]; moved || b.Offset < p.Offset {
			if moved {
				b.Offset = asked
			}
			switch to, err := f.resetOf(k); {
			case err != nil: // it is not fetched from there on
			case to == source.Beginning:
				b.Offset = p.Offset
			default:
				ends = append(ends, k.At(source.End))
			}
			b.Sure = false
		}
		b.Sure = b.Sure || b.Offset == p.Offset
		if b.Committed < 0 {
			b.Committed = b.Offset
		}
		out[k] = b
	}
	ends, err = f.positioner.ListOffsets(ctx, ends)
	if err != nil {
		return nil, err
	}
	for _, p := range ends {
		b := out[p.TopicPartition()]
		b.Offset, b.Sure = p.Offset, false
		out[p.TopicPartition()] = b
	}
	return out, nil
}

// existing asks about partitions, without those whose topic the cluster turns out not to have; missing is the error of the first of those.
func existing(keys []source.TopicPartition, ask func(keys []source.TopicPartition) error) (missing, err error) {
	for len(keys) > 0 {
		err := ask(keys)
		var of *source.Error
		if !errors.As(err, &of) || of.Code != status.TopicNotFoundError || of.Topic == "" {
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
