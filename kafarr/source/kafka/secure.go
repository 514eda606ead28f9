package kafka

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// property is the value under the first of the names that is set.
func (k *Kafka) property(names ...string) string {
	for _, name := range names {
		if value, set := k.cfg.Properties[name]; set {
			return value
		}
	}
	return ""
}

// login names what the client shows to brokers: "SCRAM-SHA-256 as anna". k.mu is held.
func (k *Kafka) login() string {
	if !strings.HasPrefix(strings.ToUpper(k.property("security.protocol")), "SASL") {
		return "TLS"
	}
	mechanism, user := k.property("sasl.mechanism", "sasl.mechanisms"), k.property("sasl.username")
	if mechanism == oauthBearer {
		user = k.property("sasl.oauthbearer.client.id", "sasl.oauthbearer.client.credentials.client.id")
		if k.principal != "" {
			user = k.principal
		}
	}
	if user == "" {
		return mechanism
	}
	return mechanism + " as " + user
}

// loginRefused keeps an error about the credentials for the next ServeEvents, and as the reason to give if nothing comes after it. k.mu is held.
func (k *Kafka) loginRefused(err error) {
	e := source.Errorf(status.AuthenticationError, "%s: %w", k.login(), k.secrets.Error(err))
	if k.noToken != "" && !strings.Contains(e.Error(), k.noToken) {
		e = source.Errorf(status.AuthenticationError, "%w (%s)", e, k.noToken)
	}
	k.denied, k.problem, k.transport = true, e.Error(), e.Error()
	k.tell(e)
}

// Refused reports whether the cluster's last answer was that it refuses the credentials. librdkafka says nothing about further
// tries that end alike, so that a poll that waits would have nothing else to say.
func (k *Kafka) Refused() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.denied
}

// certificateAlert finds the ways in which TLS says that the peer does not like our certificate, or misses it.
var certificateAlert = regexp.MustCompile(`SSL alert number (42|43|44|45|46|48|49|116)\b`)

// aboutCertificates takes an error of a connection that no further try will mend: false, if it is none. k.mu is held.
func (k *Kafka) aboutCertificates(e kafka.Error) bool {
	text := e.Error()
	switch {
	case strings.Contains(text, "certificate verify failed"):
		k.diagnose(text)
	case certificateAlert.MatchString(text):
		what := "the broker refused the client's certificate"
		if k.property("ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location") == "" {
			what = "the broker wants a certificate of the client, and none is configured (ssl.certificate.location)"
		}
		k.loginRefused(fmt.Errorf("%s: %s", what, text))
	default:
		return false
	}
	return true
}

// tell keeps an error for the next ServeEvents. Of the errors about credentials, which come with every try, only the last is kept. k.mu is held.
func (k *Kafka) tell(err error) {
	var e *source.Error
	if errors.As(err, &e) && e.Code == status.AuthenticationError {
		for i, other := range k.reported {
			if errors.As(other, &e) && e.Code == status.AuthenticationError {
				k.reported[i] = err
				return
			}
		}
	}
	k.reported = append(k.reported, err)
}
