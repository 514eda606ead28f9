package scan

import (
	"context"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// farthestPeek bounds how far before the end of a partition a message is looked for: there may be nothing but what a transaction left.
const farthestPeek = 1 << 20

// LastMessage finds the last message of a topic that has what is wanted. found is false where there is none.
func LastMessage(ctx context.Context, cluster Cluster, topic string, wanted func(*source.Record) bool) (m replay.Message, found bool, err error) {
	partitions, err := cluster.Partitions(ctx, []string{topic})
	if err != nil {
		return m, false, status.Wrap(err)
	}
	first, err := Offsets(ctx, cluster, partitions, func(source.TopicPartition) (int64, bool) { return source.Beginning, true })
	if err != nil {
		return m, false, status.Wrap(err)
	}
	end, err := Offsets(ctx, cluster, partitions, func(source.TopicPartition) (int64, bool) { return source.End, true })
	if err != nil {
		return m, false, status.Wrap(err)
	}
	for back := int64(16); back <= farthestPeek; back *= 16 {
		more := false
		for _, p := range partitions {
			k := p.TopicPartition()
			r := Range{Topic: p.Topic, Partition: p.Partition, Start: max(first[k], end[k]-back), End: end[k]}
			more = more || r.Start > first[k]
			if r.Start >= r.End {
				continue
			}
			if m, found, err = lastOf(ctx, cluster.Read(r), wanted); found || err != nil {
				return m, found, err
			}
		}
		if !more {
			break
		}
	}
	return m, false, nil
}

// lastOf reads a range to its end and copies its last message.
func lastOf(ctx context.Context, reader RangeReader, wanted func(*source.Record) bool) (m replay.Message, found bool, err error) {
	err = EachRecord(ctx, reader, func(chunk *source.Chunk, r *source.Record) {
		if wanted(r) {
			m, found = messageOf(chunk.Topic, chunk.Partition, r), true
		}
	})
	return m, found, err
}

// EachRecord reads a range to its end, or until ctx ends.
func EachRecord(ctx context.Context, reader RangeReader, look func(*source.Chunk, *source.Record)) error {
	defer func() { _ = reader.Close() }()
	for !reader.Ended() {
		if ctx.Err() != nil {
			return NotInTime(ctx)
		}
		chunks, err := reader.Fetch(assemble.RunRecords, maxWait)
		for i := range chunks {
			for j := range chunks[i].Records {
				look(&chunks[i], &chunks[i].Records[j])
			}
		}
		reader.Release()
		if err != nil {
			return status.Wrap(err)
		}
	}
	return nil
}

// NotInTime is the error of a look at messages whose time is over.
func NotInTime(ctx context.Context) *status.Error {
	return status.Errorf(status.BrokerError, "a look at messages of the topic has not ended within the time-out: %w", ctx.Err())
}

// messageOf copies a record.
func messageOf(topic string, partition int32, r *source.Record) replay.Message {
	bytes := func(p unsafe.Pointer, n int32) []byte {
		if n < 0 {
			return nil
		}
		return append([]byte{}, unsafe.Slice((*byte)(p), int(n))...)
	}
	m := replay.Message{
		Topic: topic, Partition: partition, Offset: r.Offset, Timestamp: r.Timestamp, LeaderEpoch: r.LeaderEpoch,
		Key: bytes(r.Key, r.KeyLen), Value: bytes(r.Value, r.ValueLen),
	}
	for _, h := range r.HeaderList() {
		m.Headers = append(m.Headers, replay.Header{Name: strings.Clone(unsafe.String((*byte)(h.Name), int(h.NameLen))), Value: bytes(h.Value, h.ValueLen)})
	}
	return m
}

// Offsets asks the cluster where the partitions have what is asked of them.
func Offsets(ctx context.Context, cluster Cluster, partitions []source.Position, ask func(source.TopicPartition) (int64, bool)) (map[source.TopicPartition]int64, error) {
	var asked []source.Position
	for _, p := range partitions {
		if at, ok := ask(p.TopicPartition()); ok {
			asked = append(asked, source.Position{Topic: p.Topic, Partition: p.Partition, Offset: at})
		}
	}
	out := map[source.TopicPartition]int64{}
	if len(asked) == 0 {
		return out, nil
	}
	found, err := cluster.Offsets(ctx, asked)
	for _, p := range found {
		out[p.TopicPartition()] = p.Offset
	}
	return out, err
}
