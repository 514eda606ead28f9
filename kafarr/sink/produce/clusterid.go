package produce

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// ofThisCluster is the error of a group of another cluster. A cluster takes offsets of a group that it has never seen, so that the group's own cluster would not have them, and its
// rows would come again.
func (p *Producer) ofThisCluster(ctx context.Context, member GroupMember) error {
	if member.Cluster == "" {
		return nil
	}
	own, err := p.clusterID(ctx)
	if err != nil || own == "" || own == member.Cluster {
		return err
	}
	return status.Errorf(status.ConfigError, "the listener's group %s is of the cluster %s, and the producer is of the cluster %s: a transaction commits offsets in its own cluster only", member.Group, member.Cluster, own)
}

// clusterID is the id of the cluster; empty: it has none. It asks until the cluster answers once.
func (p *Producer) clusterID(ctx context.Context) (id string, err error) {
	p.mu.Lock()
	id = p.cluster
	p.mu.Unlock()
	if id != "" {
		return id, nil
	}
	err = p.persist(ctx, "the id of the cluster", func(ctx context.Context) error {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{} // of no topic; nil would be all
		resp, err := req.RequestWith(ctx, p.client)
		if err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		if resp.ClusterID != nil {
			id = *resp.ClusterID
		}
		return nil
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cluster = id
	return id, err
}
