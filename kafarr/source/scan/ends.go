package scan

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// earliestLocal asks ListOffsets for the first offset that lies with the broker and not in a store behind it.
const earliestLocal = int64(-4)

// emptyAnswers is how many answers in a row have to bring nothing, before a range's rest is taken for empty.
const emptyAnswers = 3

// ask asks the leader for an offset of the log.
func (f *fetcher) ask(ctx context.Context, what int64) (int64, error) {
	place := []source.Position{{Topic: f.r.Topic, Partition: f.r.Partition}}
	got, err := f.c.requestOffsets(ctx, f.lead.broker, []int{0}, place, func(int) int64 { return what })
	if err != nil {
		return 0, err
	}
	answer, ok := got[place[0]]
	if !ok {
		return 0, errNoAnswer
	}
	return answer.Offset, kerr.ErrorForCode(answer.ErrorCode)
}

// nothing takes an answer without records of the range. There may be none in its rest: compaction takes records, and with them batches that no idempotent producer wrote; a reader that waits for the
// record before the end of the range waits for ever. Or the log ends here, or a transaction is open, or the broker is slow to bring records from another store.
func (f *fetcher) nothing(ctx context.Context, broker int32, p *kmsg.FetchResponseTopicPartition) *answer {
	visible := p.HighWatermark
	if f.c.set.isolation == readCommitted && p.LastStableOffset >= 0 {
		visible = p.LastStableOffset
	}
	if visible < f.r.End {
		return f.atLogEnd(ctx, broker)
	}
	if f.empty++; f.empty < emptyAnswers {
		return nil
	}
	f.empty = 0
	local, err := f.ask(ctx, earliestLocal)
	if err == nil && local > f.at {
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: it brings no records, the first that it holds itself is at %d", errNoAnswer, local))
	}
	if err != nil && passing(err) {
		f.anew = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	}
	return &answer{next: f.r.End}
}

// atLogEnd decides whether the log ends before the range does. A new leader may not know yet how far the log is good; it says so, when it is asked for offsets.
func (f *fetcher) atLogEnd(ctx context.Context, broker int32) *answer {
	if f.replica >= 0 { // a follower may be behind
		f.replica = -1
		return nil
	}
	high, err := f.ask(ctx, source.End)
	switch {
	case err != nil:
		f.anew = true
		return f.failed(ctx, "offsets", broker, err)
	case high >= f.r.End:
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: there should be records up to %d", errNoAnswer, high))
	case high < f.at:
		return f.ends("", truncated(high, f.at))
	case high > f.at:
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: there should be records up to %d", errNoAnswer, high))
	}
	return &answer{next: f.at, ended: LogEnd}
}

func truncated(end, at int64) error {
	return fmt.Errorf("the log ends at offset %d, and offsets up to %d had been in it: it was truncated", end, at)
}

// outOfRange takes the leader's word that the next offset is not in the log: it was deleted, or the log was truncated.
func (f *fetcher) outOfRange(ctx context.Context, why error) *answer {
	first, err := f.ask(ctx, source.Beginning)
	if err != nil {
		f.anew = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	}
	if first > f.at {
		to := min(first, f.r.End)
		if f.c.cfg.PassGone {
			return &answer{gone: to - f.at, next: to}
		}
		return f.ends(Deleted, fmt.Errorf("offsets %d up to %d are gone: the log begins at %d, they were deleted (retention, or on somebody's request) before they were read", f.at, to, first))
	}
	high, err := f.ask(ctx, source.End)
	switch {
	case err != nil:
		f.anew = true
		return f.failed(ctx, "offsets", f.lead.broker, err)
	case high < f.at && f.r.Start == f.at:
		return &answer{next: f.at, ended: LogEnd}
	case high < f.at:
		return f.ends("", truncated(high, f.at))
	}
	f.anew = true
	if time.Since(f.progress) > f.c.set.patience {
		return f.ends("", fmt.Errorf("at offset %d of a log from %d to %d: %w", f.at, first, high, why))
	}
	_ = pause(ctx, f.wait)
	f.wait = min(2*f.wait, f.c.set.backoffMax)
	return nil
}
