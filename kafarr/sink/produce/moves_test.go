package produce_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mover moves the leaders of topics to other brokers, without end: each replica leads in turn.
type mover struct {
	client *kgo.Client
	moved  int // leaders
}

// move moves them each time that so much has passed, until ctx ends, and returns how many it has moved.
func move(ctx context.Context, t *testing.T, servers string, topics []string, each time.Duration) int {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(servers, ",")...))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer client.Close()
	m := &mover{client: client}
	for ctx.Err() == nil {
		if err := m.once(ctx, topics); err != nil && ctx.Err() == nil {
			t.Log("moving: ", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(each):
		}
	}
	return m.moved
}

// once makes the second replica of each partition the preferred one, and then the leader.
func (m *mover) once(ctx context.Context, topics []string) error {
	ask := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		ask.Topics = append(ask.Topics, t)
	}
	found, err := ask.RequestWith(ctx, m.client)
	if err != nil {
		return err
	}
	assign, elect := kmsg.NewPtrAlterPartitionAssignmentsRequest(), kmsg.NewPtrElectLeadersRequest()
	for _, topic := range found.Topics {
		to := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		of := kmsg.NewElectLeadersRequestTopic()
		to.Topic, of.Topic = *topic.Topic, *topic.Topic
		for _, q := range topic.Partitions {
			p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			p.Partition, p.Replicas = q.Partition, append(append([]int32{}, q.Replicas[1:]...), q.Replicas[0])
			to.Partitions = append(to.Partitions, p)
			of.Partitions = append(of.Partitions, q.Partition)
		}
		assign.Topics, elect.Topics = append(assign.Topics, to), append(elect.Topics, of)
	}
	if _, err := assign.RequestWith(ctx, m.client); err != nil {
		return err
	}
	done, err := elect.RequestWith(ctx, m.client)
	if err != nil {
		return err
	}
	for _, topic := range done.Topics {
		for _, q := range topic.Partitions {
			if q.ErrorCode == 0 {
				m.moved++
			}
		}
	}
	return nil
}
