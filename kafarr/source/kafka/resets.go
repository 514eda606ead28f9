package kafka

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// resetLine is how librdkafka says, in its log only, that it continues at another offset: "t [3]: offset reset (at offset 17 (leader epoch 0), broker 1) to offset BEGINNING …: fetch
// failed due to requested offset not available on the broker: Broker: Offset out of range". It is logged for errors, not where a group has nothing committed.
var resetLine = regexp.MustCompile(`^(?:\[[^]]*\]: )?(\S+) \[(\d+)\]: offset reset \(at offset (\d+)`)

func (k *Kafka) noteReset(line string) {
	m := resetLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	partition, err := strconv.ParseInt(m[2], 10, 32)
	offset, also := strconv.ParseInt(m[3], 10, 64)
	if errors.Join(err, also) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resets = append(k.resets, source.Position{Topic: m[1], Partition: int32(partition), Offset: offset})
	k.wasReset.Store(true)
}

// Resets implements source.ResetReporter.
func (k *Kafka) Resets() []source.Position {
	if !k.wasReset.Load() {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.resets
	k.resets = nil
	k.wasReset.Store(false)
	return out
}

// rangeTimeoutMS bounds the question for what a log holds.
const rangeTimeoutMS = 2000

// outOfRange makes the error of a partition that is not fetched any more, with auto.offset.reset=error. It says which offsets the log holds; the cluster is asked for them in the background. The partition continues with
// a seek (see fetchers).
func (k *Kafka) outOfRange(at source.Position, text string) {
	k.spawn(func() {
		holds := ""
		if low, high, err := k.consumer.QueryWatermarkOffsets(at.Topic, at.Partition, rangeTimeoutMS); err == nil {
			holds = fmt.Sprintf(": the log begins at %d and ends before %d", low, high)
		}
		asked := "no offset is committed"
		if at.Offset >= 0 {
			asked = fmt.Sprintf("offset %d is not in the log", at.Offset)
		}
		err := &source.Error{Code: status.BrokerError, Topic: at.Topic, Partition: at.Partition, Offset: at.Offset, Err: fmt.Errorf(
			"%s%s; with auto.offset.reset=error the partition is not fetched until a seek, or until a listener begins at another offset, with start= (%s)", asked, holds, text)}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.reported = append(k.reported, err)
	})
}
