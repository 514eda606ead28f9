package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Store implements source.Source.
func (k *Kafka) Store(positions []source.Position) error {
	k.mu.Lock()
	mine := make([]source.Position, 0, len(positions))
	for _, p := range positions {
		if _, ok := k.assigned[p.TopicPartition()]; ok {
			mine = append(mine, p)
		}
	}
	k.mu.Unlock()
	if len(mine) == 0 {
		return nil
	}
	_, err := k.consumer.StoreOffsets(toClient(mine))
	var e kafka.Error
	if errors.As(err, &e) && e.Code() == kafka.ErrState { // revoked in this very moment
		return nil
	}
	if err != nil {
		return rdkafka.Error(err)
	}
	return nil
}

// Commit implements source.Source.
func (k *Kafka) Commit(ctx context.Context, positions []source.Position) error {
	if len(positions) == 0 {
		return nil
	}
	err := k.background(ctx, func() error { // the client's call cannot be interrupted; it ends by its own time-outs
		err := k.commitOnce(positions)
		for try := 0; try < commitTries && isUnsettled(err); try++ {
			time.Sleep(commitPause)
			if lost := k.lost(positions); lost != nil {
				return lost
			}
			err = k.commitOnce(positions)
		}
		return err
	})
	var placed *source.Error
	var e kafka.Error
	if !errors.As(err, &placed) && errors.As(err, &e) {
		return rdkafka.Error(fmt.Errorf("commit: %w", err))
	}
	return err
}

func (k *Kafka) commitOnce(positions []source.Position) error {
	parts, err := k.consumer.CommitOffsets(toClient(positions))
	var all kafka.Error
	if errors.As(err, &all) && ofPartition[all.Code()] {
		return k.commitByTopic(positions, err)
	}
	for _, p := range parts {
		if err == nil && p.Error != nil {
			err = notCommitted(p, p.Error)
		}
	}
	return err
}

// commitByTopic finds the topic whose offsets the group does not take: the client gives the error of one partition to all. The group has taken the others, and takes them again.
func (k *Kafka) commitByTopic(positions []source.Position, why error) error {
	first := positions[0].Topic
	if !slices.ContainsFunc(positions, func(p source.Position) bool { return p.Topic != first }) {
		return notCommitted(toClient(positions)[0], why)
	}
	byTopic := map[string][]source.Position{}
	for _, p := range positions {
		byTopic[p.Topic] = append(byTopic[p.Topic], p)
	}
	var failed error
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		failed = cmp.Or(failed, k.commitOnce(byTopic[topic]))
	}
	return failed
}

// ofPartition are the errors of a commit that speak of a partition, and not of the group.
var ofPartition = map[kafka.ErrorCode]bool{kafka.ErrUnknownTopicOrPart: true, kafka.ErrTopicAuthorizationFailed: true}

func notCommitted(p kafka.TopicPartition, why error) error {
	code, text := status.GroupError, ""
	var e kafka.Error
	if errors.As(why, &e) && rdkafka.StatusOf(e.Code()) == status.TopicNotFoundError {
		code, text = status.TopicNotFoundError, "the topic was deleted, or is not shown to this user any more: "
	}
	return &source.Error{Code: code, Topic: *p.Topic, Partition: p.Partition, Offset: int64(p.Offset), Err: fmt.Errorf("commit of offset %d: %s%w", p.Offset, text, why)}
}

// lost is the error of the first partition that was revoked since its commit was begun: nil where none was. Its new owner may have committed more.
func (k *Kafka) lost(positions []source.Position) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range positions {
		if _, ok := k.assigned[p.TopicPartition()]; !ok {
			err := errors.New("the partition was revoked while this offset was being committed: its new owner delivers the rows after the last commit again")
			return &source.Error{Code: status.GroupError, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset, Err: err}
		}
	}
	return nil
}

// The coordinator takes no commit while it hands out a new assignment, nor in its first moments, which does not last long.
const (
	commitTries = 30
	commitPause = 100 * time.Millisecond
)

func isUnsettled(err error) bool {
	var e kafka.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case kafka.ErrRebalanceInProgress, kafka.ErrIllegalGeneration, // of which a member of a cooperative group has not heard yet
		kafka.ErrNotCoordinator, kafka.ErrCoordinatorNotAvailable, kafka.ErrCoordinatorLoadInProgress:
		return true
	}
	return false
}
