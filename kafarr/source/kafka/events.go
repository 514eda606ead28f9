package kafka

// #include "fetch.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func wants(cfg Config) C.int {
	var want C.int
	if cfg.Timestamps {
		want |= C.KAFARR_WANT_TIMESTAMP
	}
	if cfg.Headers {
		want |= C.KAFARR_WANT_HEADERS
	}
	if cfg.LeaderEpochs {
		want |= C.KAFARR_WANT_LEADER_EPOCH
	}
	return want
}

// event handles an event of the client that came between two fetches.
func (k *Kafka) event(ev kafka.Event) {
	switch ev := ev.(type) {
	case kafka.Error:
		k.clientSaid(ev)
	case kafka.OffsetsCommitted:
		if fatal, _ := k.Stuck(); !fatal { // the next poll's error says more
			k.committedInBackground(ev)
		}
	case *kafka.Message:
		// All partitions are forwarded to our queue before they are assigned, so no message can come here.
		k.errs = append(k.errs, fmt.Errorf("%v: a message came by the consumer's own queue", ev.TopicPartition))
	}
}

// committedInBackground logs a commit of the client's own that failed. The client gives the error of one partition to all.
func (k *Kafka) committedInBackground(ev kafka.OffsetsCommitted) {
	var topics []string
	for _, p := range ev.Offsets {
		if p.Error != nil && !slices.Contains(topics, *p.Topic) {
			topics = append(topics, *p.Topic)
		}
	}
	if ev.Error != nil {
		k.cfg.Log(4, "COMMIT", fmt.Sprintf("the background commit failed for a partition of %s and is tried again: %v", strings.Join(topics, ", "), ev.Error))
	}
}

// clientSaid takes an error event. Most of them librdkafka mends by itself, trying again: those are kept as the reason to give
// if the wait gets too long. The others are errors of the next ServeEvents.
func (k *Kafka) clientSaid(e kafka.Error) {
	e = k.asGiven(e)
	text := k.secrets.Text(e.Error())
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.aboutCertificates(e):
	case e.IsFatal(): // Stuck asks the client for it
	case e.Code() == kafka.ErrAllBrokersDown:
		k.unreachable()
		k.beginAsking()
		return
	case e.Code() == kafka.ErrTransport, e.Code() == kafka.ErrResolve, e.Code() == kafka.ErrSsl:
		k.problem, k.transport, k.denied = text, text, false
		if k.down != nil {
			k.unreachable()
		}
		k.beginAsking()
		return // librdkafka has logged it
	case e.Code() == kafka.ErrUnknownTopicOrPart, e.Code() == kafka.ErrTopicAuthorizationFailed, e.Code() == kafka.ErrUnknownTopic, e.Code() == kafka.ErrUnknownPartition:
		k.unavailable(e)
	case e.Code() == kafka.ErrMaxPollExceeded:
		k.errs = append(k.errs, source.Errorf(status.GroupError, "%w (max.poll.interval.ms): the group has given the partitions to others; poll more often, or raise it. The next poll joins again", e))
	case rdkafka.StatusOf(e.Code()) == status.AuthenticationError:
		k.loginRefused(e)
		k.cfg.Log(4, "CLIENT", text)
		return
	case refusals[e.Code()] != nil:
		k.notAdmitted(e)
	case strings.HasPrefix(e.Error(), noCommitted):
		k.unfetched = source.Errorf(status.BrokerError, "%s: librdkafka does not ask again, and fetches no partition that waits for its offset; close this listener and open another one", text)
	}
	k.problem = text
	k.cfg.Log(4, "CLIENT", text)
}

// noCommitted is how librdkafka says, once, that an answer to its question for committed offsets was of no use. What it may ask again, it asks again without a word.
const noCommitted = "Failed to fetch committed offsets"

// asGiven is an error with each pattern as the user wrote it.
func (k *Kafka) asGiven(e kafka.Error) kafka.Error {
	for posix, pattern := range k.patterns {
		if text := strings.ReplaceAll(e.String(), posix+":", pattern.String()+":"); text != e.String() {
			return kafka.NewError(e.Code(), text, e.IsFatal())
		}
	}
	return e
}

// unavailable notes the topics that the cluster does not have, or does not show to this user. k.mu is held.
func (k *Kafka) unavailable(e kafka.Error) {
	for _, topic := range k.cfg.Topics {
		if strings.Contains(e.Error(), topic+":") {
			k.missing[topic] = e
			k.suggest(topic, e)
		}
	}
}

// failed takes an error event that came among a partition's messages.
func (k *Kafka) failed(code int, topic string, partition int32, offset int64, text string) {
	if topic == "" {
		k.clientSaid(kafka.NewError(kafka.ErrorCode(code), text, false))
		return
	}
	if kafka.ErrorCode(code) == kafka.ErrPartitionEOF {
		return // asked for with enable.partition.eof: a batch has no place for it
	}
	if offset < 0 {
		offset = -1
	}
	if kafka.ErrorCode(code) == kafka.ErrAutoOffsetReset {
		at := source.Position{Topic: topic, Partition: partition, Offset: offset}
		k.fetchers.stop(at)
		k.outOfRange(at, text)
		return
	}
	if kafka.ErrorCode(code) == kafka.ErrBadCompression {
		text += "; the batch is damaged, or larger than receive.message.max.bytes when it is expanded"
	}
	k.errs = append(k.errs, &source.Error{Code: rdkafka.StatusOf(kafka.ErrorCode(code)), Topic: topic, Partition: partition, Offset: offset, Err: errors.New(text)})
}
