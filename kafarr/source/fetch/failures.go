package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// errNoAnswer: a broker has said nothing of a partition that it was asked about.
var errNoAnswer = errors.New("the broker's answer does not name the partition")

// passing reports whether another try may not meet an error.
func passing(err error) bool {
	var judged *source.Error
	if errors.As(err, &judged) {
		return false
	}
	return cluster.IsOneOf(err, []error{errNoAnswer, errThrottled, errOpen}) || cluster.Passing(err)
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
	if cluster.IsDenied(err) {
		out.Code, err = status.AuthenticationError, c.set.Login.Refused(err)
	}
	out.Err = c.secrets.Error(err)
	return out
}

// persist tries until it works, until it fails for good, or until the client's retryTimeout is at an end.
func (c *Client) persist(ctx context.Context, what string, try func(context.Context) error) error {
	began, wait := time.Now(), c.set.Backoff
	var last error
	for tries := 1; ; tries++ {
		err := c.set.Login.Alert(try(ctx))
		if err != nil && ctx.Err() != nil && last != nil {
			err = last // the time was over in the middle of this try: the one before says why
		}
		last = err
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || passing(err) && cluster.Pause(ctx, wait) != nil:
			return source.Errorf(status.BrokerError, "%s: the cluster does not answer: %d tries in %v: %w (%w)", what, tries, time.Since(began).Round(time.Millisecond), c.secrets.Error(err), ctx.Err())
		case !passing(err):
			f := c.failure(err)
			f.Err = fmt.Errorf("%s: %w", what, f.Err)
			return f
		case time.Since(began) > c.set.RetryTimeout:
			f := c.failure(err)
			f.Err = fmt.Errorf("%s: %d tries in %v: %w", what, tries, time.Since(began).Round(time.Millisecond), f.Err)
			return f
		}
		wait = min(2*wait, c.set.BackoffMax)
	}
}
