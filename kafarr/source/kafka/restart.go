package kafka

import (
	"fmt"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// fetchers is what is known of the partitions' fetchers where one may be stopped: with auto.offset.reset=error librdkafka does that, and refuses every seek from then on. Only an
// assignment starts it again, and an eager group's can be changed as a whole only: hence next. It belongs to the goroutine that fetches.
type fetchers struct {
	next    map[source.TopicPartition]source.Position // where each continues: after the last fetched record, or where it begins
	stopped map[source.TopicPartition]bool
}

// watchFetchers returns nil where none will be stopped.
func watchFetchers(cfg Config) *fetchers {
	if cfg.Properties["auto.offset.reset"] != "error" {
		return nil
	}
	return &fetchers{next: map[source.TopicPartition]source.Position{}, stopped: map[source.TopicPartition]bool{}}
}

// begin notes where partitions continue.
func (f *fetchers) begin(positions []source.Position) {
	if f == nil {
		return
	}
	for _, p := range positions {
		f.next[p.TopicPartition()] = p
		delete(f.stopped, p.TopicPartition())
	}
}

func (f *fetchers) fetched(chunks []source.Chunk) {
	if f == nil {
		return
	}
	for i := range chunks {
		c := &chunks[i]
		p := source.Position{Topic: c.Topic, Partition: c.Partition, Offset: c.Records[len(c.Records)-1].Offset + 1}
		f.next[p.TopicPartition()] = p
	}
}

func (f *fetchers) stop(at source.Position) {
	if f != nil {
		f.stopped[at.TopicPartition()] = true
	}
}

func (f *fetchers) forget(p source.TopicPartition) {
	if f != nil {
		delete(f.next, p)
		delete(f.stopped, p)
	}
}

// split returns the positions whose fetchers are stopped, and the others.
func (f *fetchers) split(positions []source.Position) (stopped, running []source.Position) {
	if f == nil {
		return nil, positions
	}
	for _, p := range positions {
		if f.stopped[p.TopicPartition()] {
			stopped = append(stopped, p)
		} else {
			running = append(running, p)
		}
	}
	return stopped, running
}

// with returns where all partitions continue: those of to there, the others where they are.
func (f *fetchers) with(to []source.Position) []source.Position {
	all := make([]source.Position, 0, len(f.next))
	moved := map[source.TopicPartition]bool{}
	for _, p := range to {
		moved[p.TopicPartition()] = true
		all = append(all, p)
	}
	for key, p := range f.next {
		if !moved[key] {
			all = append(all, p)
		}
	}
	return all
}

// restart lets partitions whose fetchers are stopped continue at other offsets, by assigning them again.
func (k *Kafka) restart(to []source.Position) error {
	if k.waiting != nil { // the assignment is the group's to change
		return source.ErrNotFetching
	}
	again, unassign, assign := to, k.consumer.IncrementalUnassign, k.consumer.IncrementalAssign
	if k.consumer.GetRebalanceProtocol() == "EAGER" {
		again, assign = k.fetchers.with(to), k.consumer.Assign
		unassign = func([]kafka.TopicPartition) error { return k.consumer.Unassign() }
	}
	parts := toClient(again)
	err := unassign(parts)
	if err == nil {
		// A fetcher that stops removes the forwarding with it, some time later. The answer to a seek, which it refuses, comes after that.
		_, _ = k.consumer.SeekPartitions(parts)
		err = k.assign(parts, assign)
	}
	if err != nil {
		return rdkafka.Error(fmt.Errorf("seek: %w", err))
	}
	k.fetchers.begin(again)
	return nil
}

// assign takes partitions, with their messages forwarded and what was paused paused.
func (k *Kafka) assign(parts []kafka.TopicPartition, call func([]kafka.TopicPartition) error) error {
	for _, p := range parts {
		k.queue.forward(*p.Topic, p.Partition)
	}
	if err := call(parts); err != nil {
		return err
	}
	return k.pauseAgain(parts)
}
