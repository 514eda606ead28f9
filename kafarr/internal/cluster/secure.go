package cluster

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// ofSecurity are the properties that this file and those beside it read.
var ofSecurity = SetOf(
	"security.protocol", "enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm", "ssl.ca.location", "ssl.ca.pem",
	"ssl.certificate.location", "ssl.certificate.pem", "ssl.key.location", "ssl.key.pem", "ssl.key.password", "https.ca.location", "https.ca.pem",
	"sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password", "sasl.oauthbearer.method", "sasl.oauthbearer.client.id", "sasl.oauthbearer.client.credentials.client.id",
	"sasl.oauthbearer.client.secret", "sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.scope", "sasl.oauthbearer.extensions",
	"sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.grant.type",
	"sasl.kerberos.service.name", "sasl.kerberos.principal", "sasl.kerberos.kinit.cmd", "sasl.kerberos.keytab", "sasl.kerberos.min.time.before.relogin", // mean nothing without GSSAPI
)

const (
	chosenByGo = "Go's TLS chooses from its own list"
	noOpenSSL  = "the connections are not OpenSSL's"
)

// refused are properties that would have to change what a connection does, and have no counterpart. A listener, whose connections are librdkafka's, may have them.
var refused = map[string]string{ //nolint:gosec // names and reasons
	"ssl.keystore.location":                "give PEM files: ssl.certificate.location and ssl.key.location",
	"ssl.keystore.password":                "give PEM files: ssl.certificate.location and ssl.key.location",
	"ssl.cipher.suites":                    chosenByGo,
	"ssl.curves.list":                      chosenByGo,
	"ssl.sigalgs.list":                     chosenByGo,
	"ssl.crl.location":                     "revocation lists are not read",
	"ssl.engine.location":                  noOpenSSL,
	"ssl.engine.id":                        noOpenSSL,
	"ssl.providers":                        noOpenSSL,
	"enable.sasl.oauthbearer.unsecure.jwt": "tokens without a signature are for tests; oauth_token may bring one",
	"sasl.oauthbearer.config":              "tokens without a signature are for tests; oauth_token may bring one",
}

// Login is how connections become trusted.
type Login struct {
	properties  map[string]string
	environment environ.Variables
	tls         *tls.Config // nil: none
	trusted     string      // where the authorities come from
	mechanism   string
	user        string
	tokens      *tokens
	taken       *atomic.Bool // a broker has answered, which it does after a login only
}

// property is the value under the first of the names that is set.
func (l *Login) property(names ...string) string {
	for _, name := range names {
		if value, set := l.properties[name]; set {
			return value
		}
	}
	return ""
}

// String names what is shown to brokers: "SCRAM-SHA-256 as anna".
func (l *Login) String() string {
	user := l.user
	if l.tokens != nil {
		user = l.tokens.principal()
	}
	switch {
	case l.mechanism == "":
		return "TLS"
	case user == "":
		return l.mechanism
	}
	return l.mechanism + " as " + user
}

// Refused says who was refused, where there is a login.
func (l *Login) Refused(err error) error {
	if l.mechanism == "" && l.tls == nil {
		return err
	}
	return fmt.Errorf("%v: %w", l, err)
}

// secure reads the properties of security.
func (s *Settings) secure(c *Config) error {
	s.Login = Login{properties: c.Properties, environment: c.Environment, taken: new(atomic.Bool)}
	l := &s.Login
	if err := source.CheckToken(c.Properties, c.Token != nil); err != nil {
		return err
	}
	protocol := strings.ToLower(l.property("security.protocol"))
	if protocol == "" {
		protocol = "plaintext"
	}
	if known := []string{"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}; !slices.Contains(known, protocol) {
		return source.Errorf(status.ConfigError, "config: security.protocol is %q: it wants one of %s", protocol, strings.Join(known, ", "))
	}
	if strings.HasSuffix(protocol, "ssl") {
		if err := l.readTLS(); err != nil {
			return source.Errorf(status.ConfigError, "config: %w", s.Secrets.Error(err))
		}
	}
	if !strings.HasPrefix(protocol, "sasl") {
		return nil
	}
	mechanism, err := l.readSASL(s, c)
	if err != nil {
		return source.Errorf(status.ConfigError, "config: %w", s.Secrets.Error(err))
	}
	s.Options = append(s.Options, kgo.SASL(mechanism))
	return nil
}
