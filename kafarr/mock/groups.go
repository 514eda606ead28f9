package mock

import (
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groups answers who asks for the committed offsets of a group that nobody has joined and nothing has committed for:
// there are none, as brokers say. kfake's own answer is the error that the group does not exist.
type groups struct {
	cluster *kfake.Cluster
	known   map[string]bool // the cluster calls us for one request at a time
}

func watchGroups(c *kfake.Cluster) {
	g := &groups{cluster: c, known: map[string]bool{}}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.OffsetCommit, kmsg.TxnOffsetCommit, kmsg.ConsumerGroupHeartbeat, kmsg.DeleteGroups} {
		c.ControlKey(key.Int16(), g.watch)
	}
	c.ControlKey(kmsg.OffsetFetch.Int16(), g.committed)
}

// watch notes which groups there are and leaves the request to the cluster.
func (g *groups) watch(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	switch r := request.(type) {
	case *kmsg.JoinGroupRequest:
		g.known[r.Group] = true
	case *kmsg.OffsetCommitRequest:
		g.known[r.Group] = true
	case *kmsg.TxnOffsetCommitRequest:
		g.known[r.Group] = true
	case *kmsg.ConsumerGroupHeartbeatRequest:
		g.known[r.Group] = true
	case *kmsg.DeleteGroupsRequest:
		for _, group := range r.Groups {
			delete(g.known, group)
		}
	}
	return nil, nil, false
}

func (g *groups) committed(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	r, ok := request.(*kmsg.OffsetFetchRequest)
	if !ok || len(r.Groups) > 1 {
		return nil, nil, false
	}
	answer := r.ResponseKind().(*kmsg.OffsetFetchResponse)
	if len(r.Groups) == 0 { // as it was asked before version 8
		if g.known[r.Group] {
			return nil, nil, false
		}
		for _, t := range r.Topics {
			topic := kmsg.NewOffsetFetchResponseTopic()
			topic.Topic = t.Topic
			for _, p := range t.Partitions {
				none := kmsg.NewOffsetFetchResponseTopicPartition()
				none.Partition, none.Offset, none.LeaderEpoch = p, -1, -1
				topic.Partitions = append(topic.Partitions, none)
			}
			answer.Topics = append(answer.Topics, topic)
		}
		g.cluster.KeepControl()
		return answer, nil, true
	}
	asked := r.Groups[0]
	if g.known[asked.Group] {
		return nil, nil, false
	}
	group := kmsg.NewOffsetFetchResponseGroup()
	group.Group = asked.Group
	for _, t := range asked.Topics {
		topic := kmsg.NewOffsetFetchResponseGroupTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			none := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			none.Partition, none.Offset, none.LeaderEpoch = p, -1, -1
			topic.Partitions = append(topic.Partitions, none)
		}
		group.Topics = append(group.Topics, topic)
	}
	answer.Groups = append(answer.Groups, group)
	g.cluster.KeepControl()
	return answer, nil, true
}
