package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/source"
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

// unknownBroker is what the client says of a broker that has just gone out of the metadata; it has no value for it.
const unknownBroker = "unknown broker"

// loginError is about the credentials of one side: no further try will mend it, unless it is that a token's endpoint does not answer.
type loginError struct {
	err     error
	passing bool
}

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// IsDenied reports whether an error is about the client's credentials.
func IsDenied(err error) bool {
	var login *loginError
	return errors.As(err, &login) || IsOneOf(err, denied)
}

// IsStale reports whether the cluster is to be asked again who has a partition.
func IsStale(err error) bool { return IsOneOf(err, stale) }

// IsOneOf reports whether an error is one of some.
func IsOneOf(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Passing reports whether another try may not meet an error.
func Passing(err error) bool {
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
	case errors.As(err, &ofCluster):
		return ofCluster.Retriable || IsStale(err)
	case errors.As(err, &first), errors.As(err, &ofNet), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return kgo.IsRetryableBrokerErr(err) || err.Error() == unknownBroker
}

// Pause waits, or ends with ctx.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
