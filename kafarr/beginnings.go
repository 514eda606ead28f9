package kafarr

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// beginning is where a partition is read next of which this listener has read nothing, or whose offset the client asked for in vain.
type beginning struct {
	offset    int64
	committed int64 // by the group; offset where that is nothing
	sure      bool  // the log has no row between what was committed and offset, so that a commit may pass what lies between. The end of a log that grows is never sure
}

// beginnings asks where partitions are read next. reset has those whose offset was not in the log: they continue where auto.offset.reset says, as do those whose committed offset has been deleted.
// Those whose topic the cluster does not have are left out, and missing is the error of the first of them.
func (l *Listener) beginnings(ctx context.Context, keys []source.TopicPartition, reset map[source.TopicPartition]int64) (out map[source.TopicPartition]beginning, missing, err error) {
	missing, err = existing(keys, func(keys []source.TopicPartition) error {
		found, err := l.beginningsOf(ctx, keys, reset)
		out = found
		return err
	})
	return out, missing, err
}

func (l *Listener) beginningsOf(ctx context.Context, keys []source.TopicPartition, reset map[source.TopicPartition]int64) (map[source.TopicPartition]beginning, error) {
	places := make([]source.Position, len(keys))
	var targets []Target
	for i, k := range keys {
		places[i] = k.At(source.Beginning)
		if _, moved := reset[k]; !moved {
			targets = append(targets, Target{Topic: k.Topic, Partition: k.Partition, To: l.cfg.startOf(k)})
		}
	}
	group, err := l.positioner.AskCommitted(ctx, places)
	if err != nil {
		return nil, err
	}
	lows, err := l.positioner.AskOffsets(ctx, places)
	if err != nil {
		return nil, err
	}
	found, err := l.offsetsOf(ctx, targets)
	if err != nil {
		return nil, err
	}
	out := make(map[source.TopicPartition]beginning, len(keys))
	for _, p := range group {
		out[p.TopicPartition()] = beginning{offset: p.Offset, committed: p.Offset}
	}
	for _, p := range found {
		b := out[p.TopicPartition()]
		b.sure = b.committed == p.Offset
		b.offset = p.Offset
		out[p.TopicPartition()] = b
	}
	var ends []source.Position
	for _, p := range lows {
		k := p.TopicPartition()
		b := out[k]
		if asked, moved := reset[k]; moved || b.offset < p.Offset {
			if moved {
				b.offset = asked
			}
			switch to, err := l.reset(k); {
			case err != nil: // it stands still there
			case to == source.Beginning:
				b.offset = p.Offset
			default:
				ends = append(ends, k.At(source.End))
			}
			b.sure = false
		}
		b.sure = b.sure || b.offset == p.Offset
		if b.committed < 0 {
			b.committed = b.offset
		}
		out[k] = b
	}
	ends, err = l.positioner.AskOffsets(ctx, ends)
	if err != nil {
		return nil, err
	}
	for _, p := range ends {
		b := out[p.TopicPartition()]
		b.offset, b.sure = p.Offset, false
		out[p.TopicPartition()] = b
	}
	return out, nil
}
