package kafarr

import (
	"cmp"
	"context"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// namedOffsets are the offsets of an option.
type namedOffsets struct {
	name    string
	offsets []PartitionOffset
}

// startAndEnd are the options that bound a scan, in the order in which mistakes in them are reported.
func (c *ScanConfig) startAndEnd() []namedOffsets {
	return []namedOffsets{{"start", c.Start}, {"end", c.End}}
}

// bounds finds the range of offsets that is to be read of each partition, and the ends of logs that end before their range.
func (c *ScanConfig) bounds(ctx context.Context, cluster ScanCluster, partitions []source.Position) (out []ScanRange, logEnds []source.Position, err error) {
	for _, bound := range c.startAndEnd() {
		for _, s := range bound.offsets {
			if !slices.ContainsFunc(partitions, func(p source.Position) bool { return s.fits(p.TopicPartition()) > 0 }) {
				return nil, nil, errorf(ConfigError, "%s names %s, which is not scanned", bound.name, s.name())
			}
		}
	}
	first, err := scan.Offsets(ctx, cluster, partitions, func(source.TopicPartition) (int64, bool) { return source.Beginning, true })
	if err != nil {
		return nil, nil, err
	}
	now, err := scan.Offsets(ctx, cluster, partitions, func(source.TopicPartition) (int64, bool) { return source.End, true })
	if err != nil {
		return nil, nil, err
	}
	starts, err := scan.Offsets(ctx, cluster, partitions, timesOf(c.Start))
	if err != nil {
		return nil, nil, err
	}
	ends, err := scan.Offsets(ctx, cluster, partitions, timesOf(c.End))
	if err != nil {
		return nil, nil, err
	}
	out = make([]ScanRange, len(partitions))
	for i, p := range partitions {
		k := p.TopicPartition()
		l := logOf{first: first[k], now: now[k]}
		if l.first > l.now { // as where a topic is re-created between the two questions: an empty range would hide its rows
			return nil, nil, placed(errorf(BrokerError, "the cluster answered that the log begins at offset %d and ends at %d: plan again", l.first, l.now), k)
		}
		r := ScanRange{Topic: p.Topic, Partition: p.Partition}
		start, end := specFor(c.Start, k), specFor(c.End, k)
		r.Start, r.End = l.offset(start, l.first, starts[k]), l.offset(end, l.now, ends[k])
		if start.Kind == AtOffset && end.Kind == AtOffset && r.Start > r.End {
			return nil, nil, placed(errorf(RangeError, "start is %d, which is after the end, %d", r.Start, r.End), k)
		}
		if start.Kind == AtTime && end.Kind == AtTime && start.Value > end.Value {
			return nil, nil, placed(errorf(RangeError, "start is the time %d, which is after the end, %d (milliseconds since 1970)", start.Value, end.Value), k)
		}
		if why := cmp.Or(start.checkTopicID(idOf(cluster, p.Topic)), end.checkTopicID(idOf(cluster, p.Topic))); why != nil {
			return nil, nil, placed(errorf(BrokerError, "%w", why), k)
		}
		if outside := l.outside(start, end); outside != nil && !c.AllowPartial {
			return nil, nil, placed(outside, k)
		}
		r.End = max(r.End, r.Start)
		if r.End > l.now {
			logEnds = append(logEnds, k.At(l.now))
		}
		out[i] = r
	}
	return out, logEnds, nil
}

// timesOf gives the times among offsets that may have to be looked up.
func timesOf(list []PartitionOffset) func(source.TopicPartition) (int64, bool) {
	return func(k source.TopicPartition) (int64, bool) {
		at := specFor(list, k)
		return at.Value, at.Kind == AtTime
	}
}

// logOf is how far a partition's log goes.
type logOf struct{ first, now int64 }

// offset is the offset that is named; usual is the one where nothing is named.
func (l logOf) offset(at OffsetSpec, usual, ofTime int64) int64 {
	switch at.Kind {
	case AtEarliest:
		return l.first
	case AtLatest:
		return l.now
	case AtOffset:
		return at.Value
	case AtTime: // rows of transactions that are open are none yet
		return min(ofTime, l.now)
	}
	return usual
}

// outside is the error of offsets that are not in the log.
func (l logOf) outside(start, end OffsetSpec) *Error {
	for _, at := range []struct {
		what string
		OffsetSpec
	}{{"start", start}, {"end", end}} {
		if at.Kind == AtOffset && (at.Value < l.first || at.Value > l.now) {
			return errorf(IncompleteError, "%s is %d: the log goes from %d to %d%s", at.what, at.Value, l.first, l.now, afterTheEnd(at.Value, l.now))
		}
	}
	return nil
}

// idOf is the id that a topic has now; zero where that is not known.
func idOf(cluster ScanCluster, topic string) (id [16]byte) {
	if named, ok := cluster.(interface{ TopicID(topic string) [16]byte }); ok {
		id = named.TopicID(topic)
	}
	return id
}

func placed(e *Error, k source.TopicPartition) *Error {
	e.Topic, e.Partition = k.Topic, k.Partition
	return e
}
