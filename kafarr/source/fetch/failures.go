package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// stale are the errors after which the cluster is asked again who has a partition.
var stale = []error{
	kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.ReplicaNotAvailable, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch,
	kerr.UnknownTopicID, kerr.InconsistentTopicID, kerr.KafkaStorageError, kerr.BrokerNotAvailable, kerr.PreferredLeaderNotAvailable,
}

// denied are the errors that no further try will mend, and whose cause are the client's credentials.
var denied = []error{
	kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.ClusterAuthorizationFailed, kerr.SecurityDisabled,
}

// errNoAnswer: a broker has said nothing of a partition that it was asked about.
var errNoAnswer = errors.New("the broker's answer does not name the partition")

// unknownBroker is what the client says of a broker that has just gone out of the metadata; it has no value for it.
const unknownBroker = "unknown broker"

// loginError is about the credentials of one side: no further try will mend it, unless it is that a token's endpoint does not answer.
type loginError struct {
	err     error
	passing bool
}

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

func isDenied(err error) bool {
	var login *loginError
	return errors.As(err, &login) || isOneOf(err, denied)
}

func isOneOf(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// passing reports whether another try may not meet an error.
func passing(err error) bool {
	var (
		judged    *source.Error
		ofCluster *kerr.Error
		first     *kgo.ErrFirstReadEOF
		ofNet     net.Error
		refused   *loginError
		unread    *answerError
	)
	switch {
	case errors.As(err, &judged), errors.As(err, &unread):
		return false
	case errors.As(err, &refused):
		return refused.passing
	case errors.Is(err, kgo.ErrClientClosed):
		return false
	case errors.Is(err, errNoAnswer), errors.Is(err, errThrottled), errors.Is(err, errOpen):
		return true
	case errors.As(err, &ofCluster):
		return ofCluster.Retriable || isOneOf(err, stale)
	case errors.As(err, &first), errors.As(err, &ofNet), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return kgo.IsRetryableBrokerErr(err) || err.Error() == unknownBroker
}

// failure gives an error its kind, and its place if it has one.
func (c *Client) failure(err error) *source.Error {
	var own *source.Error
	if errors.As(err, &own) {
		return own
	}
	out := &source.Error{Code: status.BrokerError, Partition: -1, Offset: -1}
	var ofTopic *topicError
	var ofPartition *partitionError
	switch {
	case errors.As(err, &ofTopic):
		out.Topic = ofTopic.topic
		if errors.Is(err, kerr.UnknownTopicOrPartition) { // after it was planned
			out.Code = status.TopicNotFoundError
		}
	case errors.As(err, &ofPartition):
		out.Topic, out.Partition = ofPartition.topic, ofPartition.partition
	}
	if isDenied(err) {
		out.Code, err = status.AuthenticationError, fmt.Errorf("%v: %w", &c.set.login, err)
	}
	out.Err = c.secrets.Error(err)
	return out
}

// persist tries until it works, until it fails for good, or until the client's retryTimeout is at an end.
func (c *Client) persist(ctx context.Context, what string, try func(context.Context) error) error {
	began, wait := time.Now(), c.set.backoff
	var last error
	for tries := 1; ; tries++ {
		err := c.set.login.alert(try(ctx))
		if err != nil && ctx.Err() != nil && last != nil {
			err = last // the time was over in the middle of this try: the one before says why
		}
		last = err
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || passing(err) && pause(ctx, wait) != nil:
			return source.Errorf(status.BrokerError, "%s: the cluster does not answer: %d tries in %v: %w (%w)", what, tries, time.Since(began).Round(time.Millisecond), c.secrets.Error(err), ctx.Err())
		case !passing(err):
			f := c.failure(err)
			f.Err = fmt.Errorf("%s: %w", what, f.Err)
			return f
		case time.Since(began) > c.set.retryTimeout:
			f := c.failure(err)
			f.Err = fmt.Errorf("%s: %d tries in %v: %w", what, tries, time.Since(began).Round(time.Millisecond), f.Err)
			return f
		}
		wait = min(2*wait, c.set.backoffMax)
	}
}
