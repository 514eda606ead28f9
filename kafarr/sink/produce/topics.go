package produce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// topic is what the cluster says of one. Producer.mu guards it.
type topic struct {
	p          *Producer
	name       string
	id         [16]byte // zero: the brokers are too old to have ids
	count      int      // partitions; 0: not known
	known      time.Time
	leaders    map[int32]leader
	parts      map[int32]*partition
	stale      bool      // the cluster is to be asked again
	missing    time.Time // since when the cluster says that it does not have it; zero: it has
	refused    error     // the last answer, which no further try will mend
	waited     error     // the last one that passes
	maxMessage int       // max.message.bytes
	maxUntil   time.Time // until when that is believed
}

type leader struct{ broker, epoch int32 }

// metadataAge is how long the number of a topic's partitions, and max.message.bytes, are believed. That leaders have moved is noticed at once, by the answers.
const metadataAge = 5 * time.Minute

// topic is the topic of this name.
func (p *Producer) topic(name string) *topic {
	t := p.topics[name]
	if t == nil {
		t = &topic{p: p, name: name, leaders: map[int32]leader{}, parts: map[int32]*partition{}}
		p.topics[name] = t
	}
	return t
}

// partition is the partition of this number.
func (t *topic) partition(number int32) *partition {
	q := t.parts[number]
	if q == nil {
		q = &partition{topic: t, number: number, leader: -1, known: -1, acked: -1}
		if l, known := t.leaders[number]; known {
			q.leader, q.leaderEpoch = l.broker, l.epoch
		}
		t.parts[number] = q
	}
	return q
}

// ask wants the cluster to be asked about the topic.
func (t *topic) ask() {
	t.stale = true
	select {
	case t.p.stale <- struct{}{}:
	default:
	}
}

// Partitions is the number of a topic's partitions, as the cluster has said within the last minutes; fresh: as it says now. It waits until the cluster has answered. A topic that
// stays missing is a TopicNotFoundError.
func (p *Producer) Partitions(ctx context.Context, name string, fresh bool) (int, error) {
	began := time.Now()
	bounded, end := context.WithTimeout(ctx, p.set.patience())
	defer end()
	p.mu.Lock()
	defer p.mu.Unlock()
	for asked := false; ; asked = true {
		if err := p.refusal(); err != nil {
			return 0, err
		}
		t := p.topic(name)
		switch {
		case t.count > 0 && (t.known.After(began) || !fresh && time.Since(t.known) < metadataAge):
			return t.count, nil
		case asked && !t.stale && t.refused != nil:
			return 0, t.refused
		case asked && !t.stale && !t.missing.IsZero():
			return 0, t.notFound()
		case bounded.Err() != nil && ctx.Err() == nil:
			why := cmp.Or(p.trouble, t.waited, errUnanswered)
			return 0, status.New(status.BrokerError, fmt.Errorf("no broker of %s has said within %v which partitions the topic has: %w", p.set.servers, p.set.patience(), why)).At(name, -1, -1)
		}
		if !asked {
			t.refused = nil
			t.ask()
		}
		if err := p.await(bounded, p.changed); err != nil && ctx.Err() != nil {
			if p.trouble != nil {
				err = fmt.Errorf("%w: %w", err, p.trouble)
			}
			return 0, status.New(status.BrokerError, err).At(name, -1, -1)
		}
	}
}

var errUnanswered = errors.New("the question was not answered")

// patience is how long the cluster may leave a question unanswered that no row can be sent without.
func (s *settings) patience() time.Duration {
	if s.delivery > 0 {
		return min(s.RetryTimeout, s.delivery)
	}
	return s.RetryTimeout
}

func (t *topic) notFound() error {
	return status.New(status.TopicNotFoundError, fmt.Errorf("the cluster does not have the topic (asked for %v): create it, or correct its name", t.p.set.propagation)).At(t.name, -1, -1)
}

// watchTopics asks for the topics that have become stale, until they are not any more.
func (p *Producer) watchTopics() {
	for {
		select {
		case <-p.stale:
		case <-p.ctx.Done():
			return
		}
		for wait := p.set.Backoff; ; wait = min(2*wait, p.set.BackoffMax) {
			names := p.wanted()
			if len(names) == 0 {
				break
			}
			var s settled
			resp, err := p.askTopics(names)
			p.mu.Lock()
			if p.ctx.Err() == nil {
				p.learn(&s, names, resp, err)
			}
			p.mu.Unlock()
			p.settle(s)
			if len(p.wanted()) == 0 {
				break
			}
			if cluster.Pause(p.ctx, wait) != nil {
				return
			}
		}
	}
}

func (p *Producer) wanted() (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, t := range p.topics {
		if t.stale {
			names = append(names, name)
		}
	}
	return names
}

func (p *Producer) askTopics(names []string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = p.set.createTopics
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.set.RequestTimeout)
	defer cancel()
	resp, err := req.RequestWith(ctx, p.client)
	return resp, p.set.Login.Alert(err)
}

// learn takes the cluster's answer.
func (p *Producer) learn(s *settled, names []string, resp *kmsg.MetadataResponse, err error) {
	defer p.notify()
	if err != nil {
		p.unreachable(s, names, err)
		return
	}
	p.reached()
	for _, b := range resp.Brokers {
		p.hosts[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	for i := range resp.Topics {
		if a := &resp.Topics[i]; a.Topic != nil && p.topics[*a.Topic] != nil {
			p.topics[*a.Topic].learn(s, a)
		}
	}
	p.wakeAll()
}

// unreachable notes that the cluster as a whole does not answer. What no further try will mend ends the batches that wait.
func (p *Producer) unreachable(s *settled, names []string, err error) {
	why := p.failure(err)
	if p.trouble == nil || p.trouble.Error() != why.Error() {
		p.set.log(4, "the cluster cannot be asked: "+why.Error())
	}
	p.trouble = why
	if cluster.Passing(err) {
		return
	}
	for _, name := range names {
		t := p.topics[name]
		t.stale, t.refused = false, why
		t.giveUp(s, why)
	}
}

func (p *Producer) reached() {
	if p.trouble != nil {
		p.set.log(5, "the cluster answers again")
	}
	p.trouble = nil
}

// failure gives an error of the client its kind.
func (p *Producer) failure(err error) *status.Error {
	var own *status.Error
	if errors.As(err, &own) {
		return own
	}
	code := refusalCode(err)
	if cluster.IsDenied(err) {
		err = p.set.Login.Refused(err)
	}
	return status.New(code, p.set.Secrets.Error(err))
}

func (t *topic) giveUp(s *settled, why error) {
	for _, q := range t.parts {
		q.giveUp(s, why)
	}
}

// waits reports whether batches wait for a leader.
func (t *topic) waits() bool {
	for _, q := range t.parts {
		if q.queue != nil && q.leader < 0 {
			return true
		}
	}
	return false
}

// learn takes what the cluster says of the topic. It stays stale while that is not enough.
func (t *topic) learn(s *settled, a *kmsg.MetadataResponseTopic) {
	err := kerr.ErrorForCode(a.ErrorCode)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		if t.missing.IsZero() {
			t.missing = time.Now()
		}
		if time.Since(t.missing) > t.p.set.propagation {
			t.stale, t.count = false, 0
			t.giveUp(s, t.notFound())
		}
		return
	case err != nil && cluster.Passing(err):
		t.waited = err
		return
	case err != nil:
		t.stale, t.missing = false, time.Time{}
		code := status.BrokerError
		if errors.Is(err, kerr.TopicAuthorizationFailed) {
			code, err = status.AuthenticationError, fmt.Errorf("%w: the principal needs the rights Describe and Write on the topic", err)
		}
		t.refused = status.New(code, err).At(t.name, -1, -1)
		t.giveUp(s, t.refused)
		return
	}
	if t.id != ([16]byte{}) && a.TopicID != t.id {
		t.recreated(s)
		t = t.p.topic(t.name)
	}
	t.id, t.count, t.known, t.missing, t.stale = a.TopicID, len(a.Partitions), time.Now(), time.Time{}, false
	for i := range a.Partitions {
		m := &a.Partitions[i]
		l := leader{m.Leader, m.LeaderEpoch}
		if old, known := t.leaders[m.Partition]; known && old.epoch > l.epoch && old.epoch >= 0 && l.epoch >= 0 {
			continue // from a broker that is not up to date
		}
		t.leaders[m.Partition] = l
		if q := t.parts[m.Partition]; q != nil {
			q.leader, q.leaderEpoch = l.broker, l.epoch
		}
	}
	for number, q := range t.parts {
		if int(number) >= t.count {
			q.giveUp(s, status.Errorf(status.TopicNotFoundError, "the topic has %d partitions only", t.count))
		}
	}
	t.stale = t.waits()
}

// ErrRecreated is why batches that were meant for a topic that was deleted are not written to the new one of its name.
var ErrRecreated = errors.New("the topic was deleted and created again while messages were on their way: they are not written to the new one")

// recreated ends what was meant for a topic that was deleted. What is sent from now on is meant for the new one.
func (t *topic) recreated(s *settled) {
	why := status.New(status.TopicNotFoundError, ErrRecreated).At(t.name, -1, -1)
	t.p.set.log(3, why.Error())
	for _, q := range t.parts {
		q.failed = why
		q.giveUp(s, why)
	}
	delete(t.p.topics, t.name)
}

// MaxMessageBytes is how large a batch of the topic may be: max.message.bytes where the cluster tells it, and 1,000,000 otherwise.
func (p *Producer) MaxMessageBytes(ctx context.Context, name string) (int, error) {
	p.mu.Lock()
	err, t := p.refusal(), p.topic(name)
	most, fresh := t.maxMessage, time.Now().Before(t.maxUntil)
	p.mu.Unlock()
	if err != nil || fresh {
		return most, err
	}
	most, err = p.askMaxMessage(ctx, name)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	age := metadataAge
	if err != nil {
		p.set.log(6, fmt.Sprintf("%s: max.message.bytes is not known, so that batches have at most %d bytes: %v", name, defaultMaxMessage, err))
		if most = defaultMaxMessage; cluster.Passing(err) {
			age = retriedAge
		}
	}
	most = min(most, p.set.messageMax)
	p.mu.Lock()
	defer p.mu.Unlock()
	t = p.topic(name)
	t.maxMessage, t.maxUntil = most, time.Now().Add(age)
	return most, nil
}

// retriedAge is how long an answer is done without that may come with another try.
const retriedAge = 10 * time.Second

// defaultMaxMessage is a little less than what brokers allow by default.
const defaultMaxMessage = 1_000_000

func (p *Producer) askMaxMessage(ctx context.Context, name string) (int, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, name, []string{"max.message.bytes"}
	req.Resources = append(req.Resources, r)
	ctx, cancel := context.WithTimeout(ctx, p.set.RequestTimeout)
	defer cancel()
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return 0, err
	}
	for _, r := range resp.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return 0, err
		}
		for _, c := range r.Configs {
			if c.Name == "max.message.bytes" && c.Value != nil {
				return strconv.Atoi(*c.Value)
			}
		}
	}
	return 0, errors.New("the answer does not have it")
}
