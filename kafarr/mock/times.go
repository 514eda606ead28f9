package mock

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// lookupTimeout bounds the reading of a log for the offset of a time: the cluster is in this process.
const lookupTimeout = 30 * time.Second

// times answers who asks for the offset of a time as brokers do: the first record with this timestamp or a later one.
// kfake's own answer is the last record of a batch with this timestamp or an earlier one.
type times struct {
	cluster *kfake.Cluster
}

func watchTimes(c *kfake.Cluster) {
	t := times{cluster: c}
	c.ControlKey(kmsg.ListOffsets.Int16(), t.offsets)
}

func (t times) offsets(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	t.cluster.KeepControl()
	r, ok := request.(*kmsg.ListOffsetsRequest)
	if !ok || !asksForTimes(r) {
		return nil, nil, false
	}
	broker := t.cluster.CurrentNode()
	var answer *kmsg.ListOffsetsResponse
	var err error
	t.cluster.SleepControl(func() {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
		defer cancel()
		answer, err = t.lookUp(ctx, broker, r)
	})
	if answer == nil && err == nil {
		err = ErrClosed // the cluster has ended meanwhile
	}
	if err != nil {
		return nil, err, true
	}
	return answer, nil, true
}

func asksForTimes(r *kmsg.ListOffsetsRequest) bool {
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			if p.Timestamp >= 0 {
				return true
			}
		}
	}
	return false
}

// lookUp asks the broker the same with the beginnings and the ends of logs in place of times, and reads what lies between.
func (t times) lookUp(ctx context.Context, broker int32, r *kmsg.ListOffsetsRequest) (*kmsg.ListOffsetsResponse, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(t.cluster.ListenAddrs()...))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ask := func(place int64) (*kmsg.ListOffsetsResponse, error) {
		asked := withPlaces(r, place)
		answer, err := client.Broker(int(broker)).Request(ctx, asked)
		if err != nil {
			return nil, fmt.Errorf("mock cluster: %w", err)
		}
		return answer.(*kmsg.ListOffsetsResponse), nil
	}
	answer, err := ask(-2)
	if err != nil {
		return nil, err
	}
	ends, err := ask(-1)
	if err != nil {
		return nil, err
	}
	// kfake answers in the order of the request, but gathers a topic that is named twice.
	wanted := map[string]map[int32]int64{}
	for _, topic := range r.Topics {
		if wanted[topic.Topic] == nil {
			wanted[topic.Topic] = map[int32]int64{}
		}
		for _, p := range topic.Partitions {
			wanted[topic.Topic][p.Partition] = p.Timestamp
		}
	}
	for i, topic := range answer.Topics {
		for j := range topic.Partitions {
			p := &topic.Partitions[j]
			at := wanted[topic.Topic][p.Partition]
			if at < 0 || p.ErrorCode != 0 {
				continue
			}
			end := ends.Topics[i].Partitions[j].Offset
			if p.Offset, p.Timestamp, err = t.first(ctx, topic.Topic, p.Partition, p.Offset, end, at); err != nil {
				return nil, err
			}
			if p.Offset < 0 {
				p.LeaderEpoch = -1
			}
		}
	}
	answer.SetVersion(r.Version)
	return answer, nil
}

// withPlaces is the request with a place in place of each time.
func withPlaces(r *kmsg.ListOffsetsRequest, place int64) *kmsg.ListOffsetsRequest {
	asked := kmsg.NewPtrListOffsetsRequest()
	asked.ReplicaID, asked.IsolationLevel = r.ReplicaID, r.IsolationLevel
	for _, topic := range r.Topics {
		partitions := append([]kmsg.ListOffsetsRequestTopicPartition(nil), topic.Partitions...)
		for i := range partitions {
			if partitions[i].Timestamp >= 0 {
				partitions[i].Timestamp = place
			}
		}
		topic.Partitions = partitions
		asked.Topics = append(asked.Topics, topic)
	}
	return asked
}

// first reads a log from its beginning to its end for the first record at a time or after it. There is none: -1 and -1.
func (t times) first(ctx context.Context, topic string, partition int32, begin, end, at int64) (offset, timestamp int64, err error) {
	if begin >= end {
		return -1, -1, nil
	}
	reader, err := kgo.NewClient(
		kgo.SeedBrokers(t.cluster.ListenAddrs()...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(begin)}}),
		kgo.KeepControlRecords(), // the last of the log may be a transaction's marker
	)
	if err != nil {
		return 0, 0, err
	}
	defer reader.Close()
	for {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return 0, 0, fmt.Errorf("mock cluster: %s[%d]: %w", topic, partition, err)
		}
		for _, failed := range fetches.Errors() {
			return 0, 0, fmt.Errorf("mock cluster: %s[%d]: %w", topic, partition, failed.Err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			record := records.Next()
			if record.Offset >= end {
				return -1, -1, nil
			}
			if written := record.Timestamp.UnixMilli(); written >= at && !record.Attrs.IsControl() {
				return record.Offset, written, nil
			}
			if record.Offset == end-1 {
				return -1, -1, nil
			}
		}
	}
}
