package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

var _ source.Positioner = (*Kafka)(nil)

// askTimeout bounds one try of a question to the cluster; the client's call cannot be interrupted, and Close waits for it.
const (
	askTimeout = 2 * time.Second
	askPause   = 100 * time.Millisecond
)

// soughtTimeout is how long a poll waits at most for the first record after a seek: the fetch that was under way may take fetch.wait.max.ms to
// end. What is left up to the end of the log may be nothing but aborted rows, so that no record ever comes.
const soughtTimeout = 2 * time.Second

// background runs a call of the client that waits, and returns early when ctx ends. The client outlives the call.
func (k *Kafka) background(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	k.mu.Lock()
	if k.ended {
		k.mu.Unlock()
		return source.ErrClosed
	}
	k.calls.Go(func() {
		var err error
		panicked := async.Catch(func() { err = call() })
		done <- cmp.Or(panicked, err)
	})
	k.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask repeats a question until the cluster answers it or ctx ends.
func (k *Kafka) ask(ctx context.Context, what string, question func(timeoutMS int) error) error {
	for {
		err := k.background(ctx, func() error { return question(int(askTimeout.Milliseconds())) })
		var e kafka.Error
		if err == nil {
			k.alive()
			return nil
		}
		if !errors.As(err, &e) {
			return err
		}
		var of *source.Error
		if errors.As(err, &of) {
			of.Err = fmt.Errorf("%s: %w", what, of.Err)
			return of
		}
		if !passing[e.Code()] {
			return rdkafka.Error(fmt.Errorf("%s: %w", what, err))
		}
		select {
		case <-time.After(askPause):
		case <-ctx.Done():
			return source.Errorf(status.BrokerError, "%s: the cluster does not answer: %w (%w)", what, e, ctx.Err())
		}
	}
}

// passing are the errors that another try may not meet.
var passing = map[kafka.ErrorCode]bool{
	kafka.ErrTimedOut: true, kafka.ErrTransport: true, kafka.ErrWaitCoord: true, kafka.ErrAllBrokersDown: true, kafka.ErrTimedOutQueue: true,
	kafka.ErrResolve: true, kafka.ErrCoordinatorNotAvailable: true, kafka.ErrCoordinatorLoadInProgress: true, kafka.ErrNotCoordinator: true,
	kafka.ErrLeaderNotAvailable: true, kafka.ErrNotLeaderForPartition: true, kafka.ErrNoent: true,
	kafka.ErrUnknownPartition: true, // librdkafka's answer also while it has no connection to ask for the partition's leader; see absent
}

// placed gives the first partition's own error its place.
func placed(parts []kafka.TopicPartition) error {
	for _, p := range parts {
		var e kafka.Error
		if errors.As(p.Error, &e) {
			if passing[e.Code()] {
				return e
			}
			return &source.Error{Code: rdkafka.StatusOf(e.Code()), Topic: *p.Topic, Partition: p.Partition, Offset: -1, Err: p.Error}
		}
	}
	return nil
}

// absent names a partition that the cluster says it does not have; nil where there is none, or no answer. A topic's highest is absent if any is.
func (k *Kafka) absent(positions []source.Position) error {
	highest := map[string]int32{}
	for _, p := range positions {
		highest[p.Topic] = max(highest[p.Topic], p.Partition)
	}
	for topic, partition := range highest {
		found, why := k.lookFor(topic, []int32{partition})
		if why != nil {
			return &source.Error{Code: status.BrokerError, Topic: topic, Partition: partition, Offset: -1, Err: why}
		}
		if !found {
			return nil
		}
	}
	return nil
}

// CommittedOffsets implements source.Positioner.
func (k *Kafka) CommittedOffsets(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	return k.askPlaces(ctx, "committed offsets", positions, k.consumer.Committed)
}

// askPlaces asks the cluster about partitions, and answers with the offsets that it names.
func (k *Kafka) askPlaces(
	ctx context.Context, what string, positions []source.Position, call func([]kafka.TopicPartition, int) ([]kafka.TopicPartition, error),
) ([]source.Position, error) {
	var out []source.Position
	err := k.ask(ctx, what, func(timeoutMS int) error {
		parts, err := call(toClient(positions), timeoutMS)
		if err == nil {
			err = placed(parts)
		}
		if err == nil {
			out = fromClient(parts)
		}
		var e kafka.Error
		if errors.As(err, &e) && e.Code() == kafka.ErrUnknownPartition {
			err = cmp.Or(k.absent(positions), err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListOffsets implements source.Positioner. A ListOffsets request takes the two special offsets in the place of a time.
func (k *Kafka) ListOffsets(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	out, err := k.askPlaces(ctx, "offsets of the log", positions, k.consumer.OffsetsForTimes)
	if err != nil {
		return nil, err
	}
	past, err := pastTheLog(positions, out)
	if err != nil || len(past) == 0 {
		return out, err
	}
	ends, err := k.ListOffsets(ctx, past)
	if err != nil {
		return nil, err
	}
	next := 0
	for i := range out {
		if out[i].Offset < 0 {
			out[i].Offset = ends[next].Offset
			next++
		}
	}
	return out, nil
}

// pastTheLog asks for the end where a time is after the last record, which has no offset. A beginning or an end without an offset is no answer: with the end in the place of the beginning, all rows
// would be skipped.
func pastTheLog(asked, found []source.Position) (ends []source.Position, err error) {
	special := map[source.TopicPartition]bool{}
	for _, p := range asked {
		special[p.TopicPartition()] = p.Offset < 0
	}
	for _, p := range found {
		if p.Offset >= 0 {
			continue
		}
		if special[p.TopicPartition()] {
			return nil, &source.Error{Code: status.BrokerError, Topic: p.Topic, Partition: p.Partition, Offset: -1, Err: errors.New("offsets of the log: the cluster's answer has none for its beginning or its end")}
		}
		ends = append(ends, source.Position{Topic: p.Topic, Partition: p.Partition, Offset: source.End})
	}
	return ends, nil
}

// Seek implements source.Positioner. What was fetched before is dropped by the client when it is taken from the queue.
func (k *Kafka) Seek(ctx context.Context, positions []source.Position) error {
	stopped, running := k.fetchers.split(positions)
	if len(stopped) > 0 {
		if err := k.restart(stopped); err != nil {
			return err
		}
		k.expect(stopped)
	}
	left, running := k.early(running)
	if len(running) == 0 {
		return notFetching(left)
	}
	err := k.background(ctx, func() error {
		parts, err := k.consumer.SeekPartitions(toClient(running))
		if err != nil {
			return err
		}
		for _, p := range parts {
			var e kafka.Error
			if errors.As(p.Error, &e) && (e.Code() == kafka.ErrState || e.Code() == kafka.ErrUnknownPartition) {
				left = append(left, source.TopicPartition{Topic: *p.Topic, Partition: p.Partition})
			} else if p.Error != nil {
				return &source.Error{Code: status.BrokerError, Topic: *p.Topic, Partition: p.Partition, Offset: int64(p.Offset), Err: fmt.Errorf("seek: %w", p.Error)}
			}
		}
		return nil
	})
	var e kafka.Error
	if errors.As(err, &e) {
		return rdkafka.Error(fmt.Errorf("seek: %w", err))
	}
	if err != nil {
		return err
	}
	moved := slices.DeleteFunc(slices.Clone(running), func(p source.Position) bool { return slices.Contains(left, p.TopicPartition()) })
	k.expect(moved)
	k.fetchers.begin(moved)
	return notFetching(left)
}

func notFetching(left []source.TopicPartition) error {
	if len(left) == 0 {
		return nil
	}
	return &source.NotFetching{Left: left}
}

// early returns the partitions whose first fetch has not been answered, and the positions of the others. The client is still finding out where
// an early one begins; a seek in between was overtaken by that in 6 of 200 tries, and rows from before the target came.
func (k *Kafka) early(positions []source.Position) (early []source.TopicPartition, running []source.Position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range positions {
		if k.fetching(p.TopicPartition()) || k.paused[p.TopicPartition()] {
			running = append(running, p)
		} else {
			early = append(early, p.TopicPartition())
		}
	}
	return early, running
}

// Pause implements source.Positioner.
func (k *Kafka) Pause(positions []source.Position) error {
	if len(positions) == 0 {
		return nil
	}
	if err := k.consumer.Pause(toClient(positions)); err != nil {
		return rdkafka.Error(fmt.Errorf("pause: %w", err))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range positions {
		k.paused[p.TopicPartition()] = true
	}
	return nil
}

// Resume implements source.Positioner.
func (k *Kafka) Resume(positions []source.Position) error {
	if len(positions) == 0 {
		return nil
	}
	if err := k.consumer.Resume(toClient(positions)); err != nil {
		return rdkafka.Error(fmt.Errorf("resume: %w", err))
	}
	k.mu.Lock()
	for _, p := range positions {
		delete(k.paused, p.TopicPartition())
	}
	k.mu.Unlock()
	k.expect(positions)
	return nil
}

// Paused implements source.Positioner.
func (k *Kafka) Paused(positions []source.Position) []bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]bool, len(positions))
	for i, p := range positions {
		out[i] = k.paused[p.TopicPartition()]
	}
	return out
}

// pauseAgain keeps partitions paused that come back with a rebalance; the client forgets.
func (k *Kafka) pauseAgain(parts []kafka.TopicPartition) error {
	k.mu.Lock()
	var paused []kafka.TopicPartition
	for _, p := range parts {
		if k.paused[source.TopicPartition{Topic: *p.Topic, Partition: p.Partition}] {
			paused = append(paused, p)
		}
	}
	k.mu.Unlock()
	if len(paused) == 0 {
		return nil
	}
	return k.consumer.Pause(paused)
}

// expect makes polls wait for the first record of partitions that continue at another offset, unless that is the end of the log.
func (k *Kafka) expect(positions []source.Position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range positions {
		_, high, err := k.consumer.GetWatermarkOffsets(p.Topic, p.Partition)
		if err == nil && high >= 0 && p.Offset >= high {
			delete(k.sought, p.TopicPartition())
			continue
		}
		k.sought[p.TopicPartition()] = time.Now()
	}
}

// came notes that records of these partitions were fetched.
func (k *Kafka) came(chunks []source.Chunk) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reached()
	k.denied = false
	if len(k.sought) == 0 {
		return
	}
	for i := range chunks {
		delete(k.sought, chunks[i].TopicPartition())
	}
}

// awaited reports whether a poll has to wait for a partition's first fetch. k.mu is held.
func (k *Kafka) awaited(p source.TopicPartition, fetching bool) bool {
	if k.paused[p] {
		return false
	}
	if at, ok := k.sought[p]; ok {
		if time.Since(at) < soughtTimeout {
			return true
		}
		delete(k.sought, p)
	}
	return !fetching
}
