package fetch

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Offsets asks for the first offset of a time or later: Offset is in milliseconds since 1970, or source.Beginning, or source.End, which is the last stable offset under read_committed and else
// the high watermark. The end is the answer, too, where the time is past the last record. Each partition once.
func (c *Client) Offsets(ctx context.Context, positions []source.Position) ([]source.Position, error) {
	out := slices.Clone(positions)
	open := make([]int, len(out)) // not answered yet
	for i := range open {
		open[i] = i
	}
	refresh := false
	err := c.persist(ctx, "offsets of the log", func(ctx context.Context) error {
		if refresh {
			var names []string
			for _, i := range open {
				names = append(names, out[i].Topic)
			}
			slices.Sort(names)
			if err := c.learn(ctx, slices.Compact(names)); err != nil {
				return err
			}
		}
		refresh = true
		by := map[int32][]int{}
		for _, i := range open {
			l, _, err := c.leaderOf(ctx, out[i].Topic, out[i].Partition, false)
			if err != nil {
				return err
			}
			by[l.broker] = append(by[l.broker], i)
		}
		var failed error
		for broker, places := range by {
			if err := c.listOffsets(ctx, broker, places, positions, out, &open); err != nil {
				failed = err
			}
		}
		return failed
	})
	return out, err
}

// listOffsets asks one leader, and takes what it has answered out of open.
func (c *Client) listOffsets(ctx context.Context, broker int32, places []int, asked, out []source.Position, open *[]int) error {
	ask := func(times func(int) int64, places []int) (past []int, err error) {
		resp, err := c.requestOffsets(ctx, broker, c.set.isolation, places, asked, times)
		if err != nil {
			return nil, err
		}
		for _, i := range places {
			answer, ok := resp[asked[i].TopicPartition()]
			if !ok {
				err = &partitionError{asked[i].Topic, asked[i].Partition, errNoAnswer}
				continue
			}
			if code := kerr.ErrorForCode(answer.ErrorCode); code != nil {
				err = &partitionError{asked[i].Topic, asked[i].Partition, code}
				continue
			}
			if answer.Offset < 0 && times(i) >= 0 {
				past = append(past, i)
				continue
			}
			if answer.Offset < 0 { // every log has a beginning and an end: in their place, another offset would leave rows out
				err = &partitionError{asked[i].Topic, asked[i].Partition, noOffset(answer.Offset, times(i))}
				continue
			}
			out[i].Offset = answer.Offset
			*open = slices.DeleteFunc(*open, func(o int) bool { return o == i })
		}
		return past, err
	}
	past, err := ask(func(i int) int64 { return asked[i].Offset }, places)
	if err != nil || len(past) == 0 {
		return err
	}
	_, err = ask(func(int) int64 { return source.End }, past)
	return err
}

// noOffset is an answer that cannot be: every log has these places.
func noOffset(got, asked int64) error {
	return fmt.Errorf("%w: it has offset %d for %s", errNoAnswer, got, special[asked])
}

// special are the places that are asked for like a time.
var special = map[int64]string{source.Beginning: "the beginning of the log", source.End: "the end of the log", earliestLocal: "the first record that the broker holds itself"}

// requestOffsets sends a ListOffsets request.
func (c *Client) requestOffsets(
	ctx context.Context, broker int32, isolation int8, places []int, of []source.Position, times func(int) int64,
) (map[source.TopicPartition]kmsg.ListOffsetsResponseTopicPartition, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = isolation
	req.TimeoutMillis = int32(c.set.RequestTimeout.Milliseconds()) //nolint:gosec // bounded by the table of properties
	topics := map[string]int{}
	for _, i := range places {
		at, ok := topics[of[i].Topic]
		if !ok {
			at = len(req.Topics)
			topics[of[i].Topic] = at
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = of[i].Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = of[i].Partition, times(i)
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, p)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	resp, err := req.RequestWith(ctx, c.kafka.Broker(int(broker)))
	if err != nil {
		return nil, err
	}
	local := slices.ContainsFunc(places, func(i int) bool { return times(i) == earliestLocal })
	out := map[source.TopicPartition]kmsg.ListOffsetsResponseTopicPartition{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if local && resp.Version < knowsLocal { // it has taken the place for a time
				p.ErrorCode = kerr.UnsupportedVersion.Code
			}
			out[source.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = p
		}
	}
	return out, nil
}
