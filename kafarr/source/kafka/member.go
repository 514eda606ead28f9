package kafka

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Stuck implements source.LivenessReporter.
func (k *Kafka) Stuck() (fatal bool, why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fatal == nil && !k.ended { // after the end the client is gone
		if code, text := k.queue.fatal(); code != 0 {
			k.fatal = source.Errorf(fatalStatus(kafka.ErrorCode(code)), "the client cannot continue: %s; close this listener and open another one", k.secrets.Text(text))
		}
	}
	if k.fatal != nil {
		return true, k.fatal
	}
	return false, k.turnedAway
}

// fatalStatus is the code of an error after which a consumer cannot continue: the group's, unless it is of another known code.
func fatalStatus(code kafka.ErrorCode) status.Code {
	if code := rdkafka.StatusOf(code); code != status.BrokerError {
		return code
	}
	return status.GroupError
}

// probeTimeout bounds the question whether the cluster answers.
const probeTimeout = 5 * time.Second

// AnsweredSince implements source.LivenessReporter. An assignment that does not come says nothing about the brokers, so they are asked for something else.
func (k *Kafka) AnsweredSince(since time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.answered.After(since) && k.answered.After(k.downAt) {
		return true
	}
	if !k.probing && !k.askingBrokers && !k.ended { // askBrokers asks the same
		k.probing = true
		k.spawn(k.probe)
	}
	return false
}

func (k *Kafka) probe() {
	topic := "" // of no topic: only who the brokers are
	_, err := k.consumer.GetMetadata(&topic, false, int(probeTimeout.Milliseconds()))
	if err == nil {
		k.alive()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.probing = false
}

// refusals are the errors by which a group does not admit a member until its configuration, the broker's or the group changes, with what to say about each. librdkafka
// tries again, and reports each of them once.
var refusals = map[kafka.ErrorCode]func(*Kafka) string{
	kafka.ErrInvalidSessionTimeout: func(k *Kafka) string {
		return "config: session.timeout.ms is " + k.orDefault("session.timeout.ms", "45000") + ", which is outside of the broker's " + k.sessionBounds()
	},
	kafka.ErrInconsistentGroupProtocol: func(k *Kafka) string {
		return "config: the group has no strategy in common with partition.assignment.strategy, which is " + k.orDefault("partition.assignment.strategy", "range,roundrobin") +
			": give the group's members the same, or at least one that all have"
	},
	kafka.ErrGroupMaxSizeReached: func(*Kafka) string {
		return "the group has as many members as the broker's group.max.size allows"
	},
	kafka.ErrGroupAuthorizationFailed: func(*Kafka) string { return "this user may not read with the group: it needs the right READ on it" },
	kafka.ErrInvalidGroupID:           func(*Kafka) string { return "the broker does not take the group's name" },
	kafka.ErrUnsupportedAssignor: func(k *Kafka) string {
		return "config: the broker has no assignor like group.remote.assignor, which is " + k.orDefault("group.remote.assignor", "not set")
	},
	kafka.ErrUnreleasedInstanceID: func(k *Kafka) string {
		return "config: another member has the group.instance.id " + k.orDefault("group.instance.id", "") + " and has not left"
	},
}

// notAdmitted keeps why the group does not admit this member. k.mu is held.
func (k *Kafka) notAdmitted(e kafka.Error) {
	explain := refusals[e.Code()]
	k.spawn(func() { // the broker may be asked for more
		text := explain(k)
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.joined || e.Code() == kafka.ErrGroupAuthorizationFailed {
			k.turnedAway = source.Errorf(status.GroupError, "%s (%w)", text, k.secrets.Error(e))
		}
	})
}

func (k *Kafka) orDefault(name, usual string) string {
	if value, set := k.cfg.Properties[name]; set {
		return value
	}
	return usual
}

// The broker's bounds of session.timeout.ms.
const (
	minSession = "group.min.session.timeout.ms"
	maxSession = "group.max.session.timeout.ms"
)

// sessionBounds names the bounds, with their values where this user may ask for them.
func (k *Kafka) sessionBounds() string {
	names := minSession + " and " + maxSession
	ctx, cancel := context.WithTimeout(k.ctx, rangeTimeoutMS*time.Millisecond)
	defer cancel()
	none := ""
	found, err := k.consumer.GetMetadata(&none, false, rangeTimeoutMS)
	if err != nil || len(found.Brokers) == 0 {
		return names
	}
	admin, err := kafka.NewAdminClientFromConsumer(k.consumer)
	if err != nil {
		return names
	}
	defer admin.Close()
	broker := kafka.ConfigResource{Type: kafka.ResourceBroker, Name: strconv.Itoa(int(found.Brokers[0].ID))}
	answers, err := admin.DescribeConfigs(ctx, []kafka.ConfigResource{broker})
	if err != nil || len(answers) == 0 || answers[0].Error.Code() != kafka.ErrNoError {
		return names
	}
	low, high := answers[0].Config[minSession].Value, answers[0].Config[maxSession].Value
	if low == "" || high == "" {
		return names
	}
	return fmt.Sprintf("%s=%s and %s=%s", minSession, low, maxSession, high)
}

var _ source.MemberReporter = (*Kafka)(nil)

// Member implements source.MemberReporter.
func (k *Kafka) Member(ctx context.Context) (source.GroupMember, error) {
	found := make(chan source.GroupMember, 1)
	err := k.background(ctx, func() error {
		cluster := k.queue.clusterID()
		if len(k.cfg.Assign) > 0 {
			found <- source.GroupMember{Cluster: cluster, Group: k.cfg.Group, Generation: -1} // as clients without a subscription commit
			return nil
		}
		m := k.queue.member()
		m.Cluster = cluster
		// Brokers take offsets in a transaction from whoever names neither a member nor a generation, without a look at the group. And a member that was thrown out, and whose listener has not
		// heard of it yet, may have joined again.
		if m.Member == "" || m.Generation < 0 || k.consumer.AssignmentLost() {
			return source.Errorf(status.GroupError, "the group has thrown this listener out: its partitions have new owners, which read the rows again that are not committed")
		}
		found <- m
		return nil
	})
	if err != nil {
		return source.GroupMember{}, err
	}
	return <-found, nil
}
