package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Why the reading of a range ended, but for errors.
const (
	Complete = "complete"
	LogEnd   = "log_end" // the log ends before the range does
	Deleted  = "deleted" // records of the range were deleted before they were read
)

// fetcher asks for a range, an answer after the other, while what it has handed over is decoded.
type fetcher struct {
	c       *Client
	r       Range
	out     chan *answer
	at      int64 // the first offset that was not fetched
	id      [16]byte
	lead    leader
	refresh bool  // the cluster is to be asked who leads
	replica int32 // the preferred one; -1: the leader
	shun    bool  // a replica has failed: our rack is not sent to the leader, so that it does not send us elsewhere
	bytes   int32
	grown   bool  // bytes was too small for a batch
	empty   int   // answers in a row that brought nothing, where there should be something
	epoch   int32 // of the last batch; -1: not known
	checked int32 // the leader's epoch in which the log was found to hold what we have read

	progress  time.Time
	tries     int           // since then
	throttled time.Duration // what brokers have asked this client to wait since then
	wait      time.Duration
}

// run fetches until the range is at its end, or an error was reported.
func (f *fetcher) run(ctx context.Context) {
	defer close(f.out)
	f.moved()
	for {
		a := f.step(ctx)
		if a == nil {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		select {
		case f.out <- a:
		case <-ctx.Done():
			return
		}
		if a.ended != "" {
			return
		}
		f.at = a.next
		f.moved()
	}
}

// moved notes that something came.
func (f *fetcher) moved() {
	f.progress, f.tries, f.throttled, f.empty, f.wait = time.Now(), 0, 0, 0, f.c.set.Backoff
}

// step makes one request; nil: try again.
func (f *fetcher) step(ctx context.Context) *answer {
	if f.at >= f.r.End {
		return &answer{next: f.r.End, ended: Complete}
	}
	lead, id, err := f.c.leaderOf(ctx, f.r.Topic, f.r.Partition, f.refresh)
	if err != nil {
		f.refresh = true
		return f.failed(ctx, "metadata", -1, err)
	}
	if f.id != id && f.id != ([16]byte{}) && id != ([16]byte{}) {
		return f.ends("", errors.New("the topic was deleted and created again since it was planned"))
	}
	f.lead, f.id, f.refresh = lead, id, false
	if f.checked != lead.epoch {
		if a, ok := f.check(ctx); !ok {
			return a
		}
	}
	broker := lead.broker
	if f.replica >= 0 {
		broker = f.replica
	}
	f.tries++
	p, throttle, err := f.request(ctx, broker)
	f.throttled += throttle
	if err == nil {
		err = kerr.ErrorForCode(p.ErrorCode)
	}
	switch {
	case errors.Is(err, errThrottled):
		return f.failed(ctx, "fetch", broker, err)
	case f.replica >= 0 && err != nil: // the leader knows better
		f.c.cfg.Log(5, "SCAN", f.c.secrets.Text(fmt.Sprintf("%s[%d] at offset %d: %s is left for the leader: %v", f.r.Topic, f.r.Partition, f.at, f.c.brokerName(broker), err)))
		f.replica, f.shun = -1, true
		return nil
	case errors.Is(err, kerr.OffsetOutOfRange):
		return f.outOfRange(ctx, err)
	case err != nil:
		f.refresh = true
		f.less(err)
		return f.failed(ctx, "fetch", broker, err)
	}
	return f.received(ctx, broker, p, throttle > 0)
}

// received takes an answer without an error.
func (f *fetcher) received(ctx context.Context, broker int32, p *kmsg.FetchResponseTopicPartition, throttled bool) *answer {
	a := &answer{}
	partial, err := a.read(p, f.at, f.r.End, f.c.set.checkSums)
	switch {
	case err != nil:
		a.ended = "error"
		a.err = &source.Error{Code: status.BrokerError, Topic: f.r.Topic, Partition: f.r.Partition, Offset: a.next, Err: fmt.Errorf("at offset %d, from %s: %w", a.next, f.c.brokerName(broker), err)}
		return a
	case a.next > f.at:
		if n := len(a.batches); n > 0 {
			f.epoch = a.batches[n-1].leaderEpoch
		}
		return a
	case p.PreferredReadReplica >= 0 && p.PreferredReadReplica != broker:
		return f.elsewhere(ctx, broker, p.PreferredReadReplica)
	case partial:
		return f.larger(p)
	case throttled:
		return f.failed(ctx, "fetch", broker, errThrottled)
	case len(p.RecordBatches) > 0:
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: it holds nothing from there on", errNoAnswer))
	}
	return f.nothing(ctx, broker, p)
}

// elsewhere goes where a broker sends readers of this rack. Only a leader may do so, and only where the rack was named, or two brokers could send a reader to and fro.
func (f *fetcher) elsewhere(ctx context.Context, broker, replica int32) *answer {
	switch {
	case f.shun:
		return f.failed(ctx, "fetch", broker, fmt.Errorf("%w: it sends readers to %s, whatever their rack", errNoAnswer, f.c.brokerName(replica)))
	case f.replica >= 0:
		f.replica, f.shun = -1, true
	default:
		f.replica = replica
	}
	return nil
}

// errThrottled is what a reader waits for that is over its quota.
var errThrottled = errors.New("the broker throttles this client (quotas)")

// maxThrottled is how long brokers may ask a reader to wait without any progress. The retryTimeout begins after it. With Kafka's defaults they ask for 11 s at the most, the time over which they measure.
const maxThrottled = time.Minute

// larger asks for more bytes, where an answer has no room for a whole batch: brokers since 0.10.1 send one whatever its size.
func (f *fetcher) larger(p *kmsg.FetchResponseTopicPartition) *answer {
	if f.bytes >= f.c.set.ReceiveMax/2 {
		return f.ends("", fmt.Errorf("at offset %d: a record batch is larger than the %d bytes that an answer may have (receive.message.max.bytes)", f.at, len(p.RecordBatches)))
	}
	f.bytes *= 2
	f.grown = true
	return nil
}

// request sends a Fetch for the range's next records.
func (f *fetcher) request(ctx context.Context, broker int32) (*kmsg.FetchResponseTopicPartition, time.Duration, error) {
	set := &f.c.set
	req := kmsg.NewFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(set.maxWait.Milliseconds()), set.minBytes, max(set.fetchBytes, f.bytes) //nolint:gosec // bounded by the table of properties
	req.IsolationLevel = set.isolation
	if !f.shun {
		req.Rack = set.rack
	}
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.FetchOffset, p.PartitionMaxBytes = f.r.Partition, f.lead.epoch, f.at, f.bytes
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = f.r.Topic, f.id
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	newest := req.MaxVersion()
	if f.id == ([16]byte{}) {
		newest = lastWithNames
	}
	got, err := f.c.kafka.Broker(int(broker)).Request(ctx, checkedFetch{&req, newest})
	if err != nil {
		return nil, 0, err
	}
	resp, ok := got.(*checkedFetched)
	if !ok {
		return nil, 0, fmt.Errorf("the broker answers a fetch with %T", got)
	}
	throttle := time.Duration(max(resp.ThrottleMillis, 0)) * time.Millisecond // the client itself waits for so long before its next request
	if f.throttled+throttle > set.throttled {
		return nil, 0, source.Errorf(status.BrokerError, "%w: it asks to wait %v more, after %v", errThrottled, throttle, f.throttled)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, throttle, err
	}
	for i := range resp.Topics {
		rt := &resp.Topics[i]
		if rt.Topic != f.r.Topic && (rt.TopicID != f.id || f.id == ([16]byte{})) {
			continue
		}
		for j := range rt.Partitions {
			if rt.Partitions[j].Partition == f.r.Partition {
				return &rt.Partitions[j], throttle, nil
			}
		}
	}
	if throttle > 0 { // who is over the quota gets an answer without partitions
		return nil, throttle, errThrottled
	}
	return nil, 0, errNoAnswer
}

// lastWithNames is the last version of Fetch that knows topics by their names.
const lastWithNames = 12

// ends is the last answer: an error, or a reason if it is none.
func (f *fetcher) ends(why string, err error) *answer {
	if err == nil {
		return &answer{next: f.at, ended: why}
	}
	e := f.c.failure(err)
	if e.Topic == "" || e.Partition < 0 {
		e.Topic, e.Partition = f.r.Topic, f.r.Partition
	}
	e.Offset = f.at
	if why == "" {
		why = "error"
	}
	return &answer{next: f.at, ended: why, err: e}
}

// failed waits before another try, or gives up: where no try helps, or nothing came for as long as the client is patient.
func (f *fetcher) failed(ctx context.Context, what string, broker int32, err error) *answer {
	if ctx.Err() != nil {
		return nil
	}
	err = f.c.set.Login.Alert(err)
	where := "the cluster"
	if broker >= 0 {
		where = f.c.brokerName(broker)
	}
	since := time.Since(f.progress)
	if !passing(err) || since-f.throttled > f.c.set.RetryTimeout {
		e := f.c.failure(err)
		e.Err = fmt.Errorf("at offset %d: %s to %s, %d tries in %v: %w", f.at, what, where, f.tries, since.Round(time.Millisecond), e.Err)
		return f.ends("", e)
	}
	f.c.cfg.Log(5, "SCAN", f.c.secrets.Text(fmt.Sprintf("%s[%d] at offset %d: %s to %s is tried again: %v", f.r.Topic, f.r.Partition, f.at, what, where, err)))
	_ = cluster.Pause(ctx, f.wait)
	f.wait = min(2*f.wait, f.c.set.BackoffMax)
	return nil
}
