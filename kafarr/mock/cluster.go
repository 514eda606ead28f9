package mock

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	// autoPartitions is how many partitions a topic gets that a client's producer or metadata request creates.
	autoPartitions = 4
	// Brokers refuse session time-outs below 6 s. Tests of a member that dies want to wait for less.
	minSessionTimeout = 100 * time.Millisecond
	maxSessionTimeout = 30 * time.Minute // as brokers have it
	maxMessage        = 64 << 20
)

// newCluster starts brokers on ports of 127.0.0.1. librdkafka's own mock cluster is not used, because it lets nobody
// into a group that a member has left until that member's session would have ended: 45 s by default.
func newCluster(config Config) (*kfake.Cluster, error) {
	versions := config.Versions
	if versions == nil {
		versions = kversion.Stable()
	}
	for _, key := range []kmsg.Key{kmsg.GetTelemetrySubscriptions, kmsg.PushTelemetry} {
		versions.SetMaxKeyVersion(key.Int16(), -1) // librdkafka logs at each broker that asks for metrics
	}
	options := []kfake.Opt{
		kfake.NumBrokers(config.Brokers),
		kfake.ClusterID(rand.Text()), // by which clients tell one cluster from another
		kfake.MaxVersions(versions),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(autoPartitions),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.GroupMaxSessionTimeout(maxSessionTimeout),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(maxMessage)}),
	}
	if config.Script != nil {
		options = append(options, kfake.ListenFn(listenScripted(config.Script)))
	}
	c, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, err
	}
	watchGroups(c)
	watchTimes(c)
	c.ControlKey(kmsg.Metadata.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		dropNameless(request)
		c.KeepControl()
		return nil, nil, false
	})
	return c, nil
}

// dropNameless leaves out of a request for metadata what has neither a name nor an id: librdkafka 2.11 asks for that after a topic that does not exist. kfake's
// answer names it by null, on which librdkafka crashes; brokers answer with an empty name.
func dropNameless(request kmsg.Request) {
	r, ok := request.(*kmsg.MetadataRequest)
	if !ok || r.Topics == nil {
		return
	}
	r.Topics = slices.DeleteFunc(r.Topics, func(t kmsg.MetadataRequestTopic) bool {
		return t.TopicID == [16]byte{} && (t.Topic == nil || *t.Topic == "")
	})
}

func serversOf(c *kfake.Cluster) string { return strings.Join(c.ListenAddrs(), ",") }
