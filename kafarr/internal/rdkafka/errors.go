package rdkafka

import (
	"errors"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// StatusOf is the code of an error of the client.
func StatusOf(code kafka.ErrorCode) status.Code {
	switch code {
	case kafka.ErrUnknownTopicOrPart, kafka.ErrUnknownTopic:
		return status.TopicNotFoundError
	case kafka.ErrAuthentication, kafka.ErrSaslAuthenticationFailed, kafka.ErrClusterAuthorizationFailed:
		return status.AuthenticationError
	case kafka.ErrGroupAuthorizationFailed, kafka.ErrMaxPollExceeded, kafka.ErrFencedInstanceID, kafka.ErrInconsistentGroupProtocol,
		kafka.ErrGroupMaxSizeReached, kafka.ErrInvalidSessionTimeout, kafka.ErrInvalidGroupID, kafka.ErrUnsupportedAssignor,
		kafka.ErrUnreleasedInstanceID, kafka.ErrFencedMemberEpoch, kafka.ErrUnknownMemberID, kafka.ErrIllegalGeneration, kafka.ErrRebalanceInProgress:
		return status.GroupError
	}
	return status.BrokerError
}

// Error gives an error of a client's call its code.
func Error(err error) error {
	var e kafka.Error
	if errors.As(err, &e) {
		return source.Errorf(StatusOf(e.Code()), "%w", err)
	}
	return source.Errorf(status.BrokerError, "%w", err)
}

// noSuchProperty is how librdkafka begins its complaint about a property that it does not have.
const noSuchProperty = "No such configuration property: "

// ConfigError turns the client's complaint about a property into one that says where it was set, and what was probably meant.
func ConfigError(err error, secrets *redact.Secrets) *source.Error {
	text := err.Error()
	var e kafka.Error
	if errors.As(err, &e) {
		text = strings.TrimSuffix(strings.TrimSpace(e.Error()), ".")
	}
	if quoted, is := strings.CutPrefix(text, noSuchProperty); is {
		properties, _ := Properties() // without them there is no guess
		known := make([]string, len(properties))
		for i, p := range properties {
			known[i] = p.Name
		}
		return source.UnknownProperty(strings.Trim(quoted, `"`), known)
	}
	return source.Errorf(status.ConfigError, "config: %s", secrets.Text(text))
}
