package produce

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// isAnswer reports whether a failure is what a broker has answered.
func isAnswer(err error) bool {
	var e *kerr.Error
	return errors.As(err, &e)
}

// answered takes what a broker says of a batch. What each answer means was tried on brokers of Kafka 4.3.
func (q *partition) answered(s *settled, b *pending, a *kmsg.ProduceResponseTopicPartition) {
	err := kerr.ErrorForCode(a.ErrorCode)
	switch {
	case err == nil:
		q.written(s, b, Outcome{BaseOffset: a.BaseOffset, LastOffset: -1, LogAppendTime: a.LogAppendTime})
		return
	case errors.Is(err, kerr.DuplicateSequenceNumber): // it was written before
		q.written(s, b, Outcome{BaseOffset: -1, LastOffset: -1, LogAppendTime: -1})
		return
	}
	if a.ErrorMessage != nil && *a.ErrorMessage != "" {
		err = fmt.Errorf("%w (%s)", err, *a.ErrorMessage)
	}
	switch {
	case errors.Is(err, kerr.OutOfOrderSequenceNumber):
		q.gap(s, b, err)
	case errors.Is(err, kerr.UnknownProducerID):
		q.forgotten(s, b, a, err)
	case errors.Is(err, kerr.InvalidProducerEpoch), errors.Is(err, kerr.ProducerFenced), errors.Is(err, kerr.InvalidProducerIDMapping), errors.Is(err, kerr.InvalidTxnState),
		errors.Is(err, kerr.TransactionAbortable):
		q.fenced(s, b, err)
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		q.tooLarge(s, b, err)
	case errors.Is(err, kerr.RequestTimedOut), errors.Is(err, kerr.NotEnoughReplicasAfterAppend), errors.Is(err, kerr.UnknownServerError):
		q.retry(s, b, err, true)
	case errors.Is(err, kerr.ConcurrentTransactions): // the last transaction is not quite over
		q.again(s, b, err, false, true)
	case errors.Is(err, kerr.CorruptMessage) && b.tries >= corruptTries:
		q.refuse(s, b, status.BrokerError, err, nil)
	case cluster.IsStale(err), cluster.Passing(err):
		q.moved(a)
		q.retry(s, b, err, false)
	default:
		q.refuse(s, b, refusalCode(err), advised(err, q.topic.name), recordErrors(a))
	}
}

// corruptTries is how often a batch is sent that arrives with another checksum: what has happened to it on the way does not happen each time.
const corruptTries = 3

// retry sends a batch again, after the cluster was asked who leads.
func (q *partition) retry(s *settled, b *pending, err error, maybe bool) {
	if !q.troubled {
		q.topic.p.set.log(4, fmt.Sprintf("%s[%d]: %s answers %v: %d batches wait, and are sent again", q.topic.name, q.number, q.topic.p.brokerName(q.at), err, len(q.queue)))
	}
	q.suffers()
	q.topic.ask()
	q.again(s, b, err, maybe, true)
}

// moved takes the leader that a broker names in its answer (KIP-951). The brokers' addresses come with the metadata, which are asked for besides.
func (q *partition) moved(a *kmsg.ProduceResponseTopicPartition) {
	if l := a.CurrentLeader; l.LeaderID >= 0 && l.LeaderEpoch > q.leaderEpoch {
		if _, known := q.topic.p.hosts[l.LeaderID]; known {
			q.leader, q.leaderEpoch = l.LeaderID, l.LeaderEpoch
			q.topic.leaders[q.number] = leader{l.LeaderID, l.LeaderEpoch}
		}
	}
}

// gap: the brokers do not have the batch before this one. That is for that batch to answer, if it has not been acknowledged. If all have, the log has lost some of them.
func (q *partition) gap(s *settled, b *pending, err error) {
	i := slices.Index(q.queue, b)
	before := slices.ContainsFunc(q.queue[:i], func(b *pending) bool { return !b.done })
	fits := q.fits(i)
	b.maybe = false // a copy that was written would have been recognized
	if before || !fits || q.bump {
		q.again(s, b, err, false, false)
		return
	}
	q.refuseLost(s, b, fmt.Errorf("%w: the broker expects another sequence than %d, although all earlier batches were acknowledged", err, b.seq))
}

// refuseLost ends a partition whose log has lost what was acknowledged.
func (q *partition) refuseLost(s *settled, b *pending, err error) {
	if p := q.topic.p; p.set.transactional != "" { // an abort takes the transaction back, and sequences begin again
		p.txn.renew = true
		q.refuse(s, b, status.BrokerError, err, nil)
		return
	}
	why := status.New(status.BrokerError, fmt.Errorf("the log has lost messages that had been acknowledged: %w. This producer writes nothing more to the partition: "+
		"look for an unclean leader election (min.insync.replicas below 2, unclean.leader.election.enable) or deleted records, and open another producer", err)).At(q.topic.name, q.number, -1)
	for _, b := range q.queue {
		if b.last == nil && b.tries > 0 && !b.flying {
			b.last = err
		}
	}
	q.fail(s, why)
}

// forgotten: brokers before Kafka 2.5 know a producer by its records only. It is nothing but age where those were deleted (KIP-360).
func (q *partition) forgotten(s *settled, b *pending, a *kmsg.ProduceResponseTopicPartition, err error) {
	if before := slices.ContainsFunc(q.queue[:slices.Index(q.queue, b)], func(b *pending) bool { return !b.done }); before {
		q.again(s, b, err, false, false)
		return
	}
	if q.acked >= 0 && a.LogStartOffset <= q.acked {
		q.refuseLost(s, b, err)
		return
	}
	q.bump = true
	q.again(s, b, err, false, false)
}

// fenced: the epoch is not the newest one of its producer id. Without transactions nobody else has the id, so that a new one helps.
func (q *partition) fenced(s *settled, b *pending, err error) {
	p := q.topic.p
	if p.set.transactional != "" {
		p.txn.renew = true
		if isFence(err) {
			err = p.outdated(err)
		}
		q.refuse(s, b, status.BrokerError, err, nil)
		return
	}
	if b.maybe || errors.Is(err, kerr.InvalidTxnState) || errors.Is(err, kerr.TransactionAbortable) {
		b.last = err
		q.end(s, slices.Index(q.queue, b), status.BrokerError, err)
		return
	}
	q.owned = false
	p.ids.drop(q.id)
	p.set.log(4, fmt.Sprintf("%s[%d]: %v: a new producer id is asked for", q.topic.name, q.number, err))
	q.again(s, b, err, false, true)
}

// tooLarge cuts a batch in two, which take its place with its sequences.
func (q *partition) tooLarge(s *settled, b *pending, err error) {
	one, two, n, cut := Split(b.bytes)
	if cut != nil {
		if errors.Is(cut, ErrOneRecord) {
			cut = fmt.Errorf("%w: it has %d bytes", sink.ErrMessageTooLarge, len(b.bytes))
		}
		q.refuse(s, b, status.BrokerError, fmt.Errorf("%w: %w", err, cut), nil)
		return
	}
	if !b.of.cut {
		q.topic.p.set.log(4, fmt.Sprintf("%s[%d]: a batch of %d bytes is larger than max.message.bytes of the topic: it is cut, which costs time: lower batch.size", q.topic.name, q.number, len(b.bytes)))
	}
	if b.of.cut { // the bytes are of a part
		Recycle(b.bytes)
	}
	q.topic.maxUntil = time.Time{} // it is to be asked for again
	b.of.cut = true
	b.of.left++
	i := slices.Index(q.queue, b)
	second := &pending{of: b.of, bytes: two, index: b.index + n, records: b.records - n, deadline: b.deadline}
	b.bytes, b.records, b.stamped, b.maybe = one, n, false, false
	q.queue = slices.Insert(q.queue, i+1, second)
	if i < q.next {
		q.next++
	}
	q.again(s, b, err, false, false)
}

// refusalCode is the kind of a refusal.
func refusalCode(err error) status.Code {
	if cluster.IsDenied(err) || cluster.IsOneOf(err, []error{kerr.TopicAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.GroupAuthorizationFailed}) {
		return status.AuthenticationError
	}
	return status.BrokerError
}

// IsOfRecords reports whether brokers have refused a batch for the sake of single records of it.
func IsOfRecords(err error) bool {
	return cluster.IsOneOf(err, []error{kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage})
}

// advised says what to do about a refusal.
func advised(err error, topic string) error {
	if errors.Is(err, kerr.InvalidTimestamp) {
		return fmt.Errorf("%w: %w", err, sink.ErrTimestampRefused)
	}
	for code, advice := range map[error]string{
		kerr.TopicAuthorizationFailed:           "the principal needs the right Write on topic " + topic,
		kerr.ClusterAuthorizationFailed:         "the principal needs the right IdempotentWrite on the cluster; enable.idempotence=false does without",
		kerr.TransactionalIDAuthorizationFailed: "the principal needs the rights Describe and Write on the transactional.id",
		kerr.InvalidRecord:                      "a compacted topic takes no message without a key",
		kerr.UnsupportedForMessageFormat:        "the topic's message.format.version is too old for idempotent producers and headers",
	} {
		if errors.Is(err, code) {
			return fmt.Errorf("%w: %s", err, advice)
		}
	}
	return err
}

func recordErrors(a *kmsg.ProduceResponseTopicPartition) (out []RecordError) {
	for i := range a.ErrorRecords {
		r := RecordError{Index: a.ErrorRecords[i].RelativeOffset}
		if m := a.ErrorRecords[i].ErrorMessage; m != nil {
			r.Message = *m
		}
		out = append(out, r)
	}
	return out
}
