package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// earliestLocal asks ListOffsets for the first offset that lies with the broker and not in a store behind it.
const earliestLocal = int64(-4)

// knowsLocal is the first version of ListOffsets that knows earliestLocal.
const knowsLocal = 8

// emptyAnswers is how many answers in a row have to bring nothing, before a range's rest is taken for empty.
const emptyAnswers = 3

// ask asks the leader for an offset of the log: the end is the high watermark.
func (f *fetcher) ask(ctx context.Context, what int64) (int64, error) {
	place := []source.Position{{Topic: f.r.Topic, Partition: f.r.Partition}}
	got, err := f.c.requestOffsets(ctx, f.lead.broker, readUncommitted, []int{0}, place, func(int) int64 { return what })
	if err != nil {
		return 0, err
	}
	answer, ok := got[place[0].TopicPartition()]
	switch err = kerr.ErrorForCode(answer.ErrorCode); {
	case !ok:
		return 0, errNoAnswer
	case err == nil && answer.Offset < 0:
		return 0, noOffset(answer.Offset, what)
	}
	return answer.Offset, err
}

// nothing takes an answer without records of the range. There may be none in its rest: compaction takes records, and with them batches that no idempotent producer wrote; a reader that waits for the
// record before the end of the range waits for ever. Or the log ends here, or a transaction is open, or the broker is slow to bring records from another store.
func (f *fetcher) nothing(ctx context.Context, broker int32, p *kmsg.FetchResponseTopicPartition) *answer {
	visible := p.HighWatermark
	if f.c.set.isolation == readCommitted && p.LastStableOffset >= 0 {
		visible = p.LastStableOffset
	}
	if visible < f.r.End {
		return f.atLogEnd(ctx, broker, visible < p.HighWatermark)
	}
	if f.empty++; f.empty < emptyAnswers {
		return nil
	}
	f.empty = 0
	local, err := f.ask(ctx, earliestLocal)
	switch {
	case err == nil && local > f.at:
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: it brings no records, the first that it holds itself is at %d", errNoAnswer, local))
	case err != nil && !cannotTell(err): // rows may be there: only an answer says that there are none
		f.refresh = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	}
	return &answer{next: f.r.End}
}

// tooOld is what the client says of a request that a broker does not know; it has no value for it.
const tooOld = "broker is too old"

// cannotTell is true of a broker that does not know the question, or does not let this user ask it. It is true of no other error: who cannot read an answer does not know what it says.
func cannotTell(err error) bool {
	return cluster.IsOneOf(err, []error{kerr.UnsupportedVersion, kerr.InvalidRequest, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed}) || strings.HasPrefix(err.Error(), tooOld)
}

// atLogEnd decides whether the log ends before the range does. A new leader may not know yet how far the log is good; it says so, when it is asked for offsets.
func (f *fetcher) atLogEnd(ctx context.Context, broker int32, open bool) *answer {
	if f.replica >= 0 { // a follower may be behind
		f.replica, f.shun = -1, true
		return nil
	}
	high, err := f.ask(ctx, source.End)
	switch {
	case err != nil:
		f.refresh = true
		return f.failed(ctx, "offsets", broker, err)
	case high < f.at:
		return f.ends("", truncated(high, f.at))
	case high == f.at:
		return &answer{next: f.at, ended: LogEnd}
	case open:
		return f.failed(ctx, "fetch", broker, errOpen)
	}
	return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: there should be records up to %d", errNoAnswer, high))
}

// errOpen: who reads committed records only waits for a transaction's end.
var errOpen = errors.New("a transaction is open: the range ends after the last stable offset (isolation.level is read_committed)")

func truncated(end, at int64) error {
	return fmt.Errorf("the log ends at offset %d, and offsets up to %d had been in it: it was truncated", end, at)
}

// outOfRange takes the leader's word that the next offset is not in the log: it was deleted, or the log was truncated.
func (f *fetcher) outOfRange(ctx context.Context, why error) *answer {
	first, err := f.ask(ctx, source.Beginning)
	if err != nil {
		f.refresh = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	}
	if first > f.at {
		to := min(first, f.r.End)
		if f.c.cfg.SkipDeleted {
			f.epoch = -1
			return &answer{gone: to - f.at, next: to}
		}
		return f.ends(Deleted, fmt.Errorf("offsets %d up to %d are gone: the log begins at %d, they were deleted (retention, or on somebody's request) before they were read", f.at, to, first))
	}
	high, err := f.ask(ctx, source.End)
	switch {
	case err != nil:
		f.refresh = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	case high < f.at && f.r.Start == f.at:
		return &answer{next: f.at, ended: LogEnd}
	case high < f.at:
		return f.ends("", truncated(high, f.at))
	}
	f.refresh = true
	if time.Since(f.progress)-f.throttled > f.c.set.RetryTimeout {
		return f.ends("", fmt.Errorf("at offset %d of a log from %d to %d: %w", f.at, first, high, why))
	}
	_ = cluster.Pause(ctx, f.wait)
	f.wait = min(2*f.wait, f.c.set.BackoffMax)
	return nil
}

// check asks a leader of another epoch whether it has the log that was read, up to where it was read: after an unclean election it may have lost its end, and have other records there.
func (f *fetcher) check(ctx context.Context) (*answer, bool) {
	if f.lead.epoch < 0 || f.epoch < 0 || f.at == f.r.Start {
		f.checked = f.lead.epoch
		return nil, true
	}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = f.r.Partition, f.lead.epoch, f.epoch
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic, t.Partitions = f.r.Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	asking, cancel := f.c.bounded(ctx)
	defer cancel()
	resp, err := req.RequestWith(asking, f.c.kafka.Broker(int(f.lead.broker)))
	end := int64(-1)
	if err == nil {
		end, err = f.epochEnd(resp)
	}
	switch {
	case err != nil && !cannotTell(err):
		f.refresh = true
		return f.failed(ctx, "epoch", f.lead.broker, err), false
	case err == nil && end < 0: // librdkafka and Kafka's own client take it for a truncated log, too
		return f.ends("", fmt.Errorf("the new leader's log does not know epoch %d, of which offsets up to %d had been read: it was truncated", f.epoch, f.at)), false
	case err == nil && end < f.at:
		return f.ends("", truncated(end, f.at)), false
	}
	f.checked = f.lead.epoch // a broker that cannot tell is believed
	return nil, true
}

// epochEnd is what an answer says of the range's partition, and of no other.
func (f *fetcher) epochEnd(resp *kmsg.OffsetForLeaderEpochResponse) (int64, error) {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if t.Topic == f.r.Topic && p.Partition == f.r.Partition {
				return p.EndOffset, kerr.ErrorForCode(p.ErrorCode)
			}
		}
	}
	return -1, errNoAnswer
}
