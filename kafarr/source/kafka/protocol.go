package kafka

import (
	"strconv"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// The newer protocol of groups (group.protocol=consumer, KIP-848) came with Kafka 4.0. Where the coordinator lacks it, librdkafka looks for the coordinator again and again, and
// reports no error: only a debug line of its context "cgrp" says why. So the context is switched on with the protocol, and its lines are dropped unless the user asked for them.
const lacksProtocol = "ConsumerGroupHeartbeatRequest not supported by broker"

// usualLogLevel is librdkafka's log_level by default.
const usualLogLevel = 6

// watchProtocol switches on the log lines from which it follows that the broker lacks the group's protocol. It returns the highest level of the lines that the user asked for.
func watchProtocol(conf kafka.ConfigMap, properties map[string]string) int {
	level, err := strconv.Atoi(properties["log_level"])
	if err != nil {
		level = usualLogLevel
	}
	debug := properties["debug"]
	if debug != "" {
		level = 7 // as librdkafka has it
	}
	if strings.EqualFold(properties["group.protocol"], "consumer") {
		conf["debug"] = strings.TrimPrefix(debug+",cgrp", ",")
	}
	return level
}

// coordinatorLost takes the log line of a coordinator that is of no use.
func (k *Kafka) coordinatorLost(line string) {
	if !strings.Contains(line, lacksProtocol) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.joined {
		k.turnedAway = source.Errorf(status.GroupError, "config: the broker does not support group.protocol=consumer (KIP-848), which Kafka supports from 4.0 on: "+
			"leave group.protocol out, or upgrade the brokers (%s)", lacksProtocol)
	}
}
