package registry

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// ConfigError is a registry URL or property that cannot be used. Its text never holds a secret.
type ConfigError struct {
	Property string // as the caller spelled it; "url" for the address itself
	Err      error
}

func (e *ConfigError) Error() string {
	if e.Property == "url" {
		return fmt.Sprintf("registry_url: %v", e.Err)
	}
	return fmt.Sprintf("registry_config: %s: %v", e.Property, e.Err)
}

func (e *ConfigError) Unwrap() error { return e.Err }

// Status implements status.Coded.
func (e *ConfigError) Status() *status.Error {
	return status.New(status.ConfigError, e)
}

func configErrorf(property, format string, args ...any) *ConfigError {
	return &ConfigError{Property: property, Err: fmt.Errorf(format, args...)}
}

// property is one name of the configuration and what it sets.
type property struct {
	name string
	// same names the property that this one is another spelling of. Giving both is an error: a map has no
	// order, so neither could win.
	same string
	set  func(*schemaregistry.Config, string) error
}

// properties is every name that NewConfluent knows. The names are those of Confluent's Java and Python
// clients, and librdkafka's where those have none. Two fields of the Go client's Config are missing because
// text cannot express them: AuthenticationHeaderProvider and HTTPClient.
var properties = []property{
	{name: "basic.auth.credentials.source", set: text(func(c *schemaregistry.Config) *string { return &c.BasicAuthCredentialsSource })},
	{name: "basic.auth.user.info", set: text(func(c *schemaregistry.Config) *string { return &c.BasicAuthUserInfo })},

	{name: "sasl.mechanism", set: text(func(c *schemaregistry.Config) *string { return &c.SaslMechanism })},
	{name: "sasl.mechanisms", same: "sasl.mechanism", set: text(func(c *schemaregistry.Config) *string { return &c.SaslMechanism })},
	{name: "sasl.username", set: text(func(c *schemaregistry.Config) *string { return &c.SaslUsername })},
	{name: "sasl.password", set: text(func(c *schemaregistry.Config) *string { return &c.SaslPassword })},

	{name: "bearer.auth.credentials.source", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthCredentialsSource })},
	{name: "bearer.auth.token", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthToken })},
	{name: "bearer.auth.logical.cluster", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthLogicalCluster })},
	{name: "bearer.auth.identity.pool.id", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthIdentityPoolID })},
	{name: "bearer.auth.issuer.endpoint.url", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthIssuerEndpointURL })},
	{name: "bearer.auth.client.id", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthClientID })},
	{name: "bearer.auth.client.secret", set: text(func(c *schemaregistry.Config) *string { return &c.BearerAuthClientSecret })},
	{name: "bearer.auth.scope", set: scopes},
	{name: "bearer.auth.scopes", same: "bearer.auth.scope", set: scopes},

	{name: "ssl.ca.location", set: text(func(c *schemaregistry.Config) *string { return &c.SslCaLocation })},
	{name: "ssl.certificate.location", set: text(func(c *schemaregistry.Config) *string { return &c.SslCertificateLocation })},
	{name: "ssl.key.location", set: text(func(c *schemaregistry.Config) *string { return &c.SslKeyLocation })},
	{name: "ssl.endpoint.identification.algorithm", set: endpointAlgorithm},
	{name: "ssl.endpoint.verification", same: "ssl.endpoint.identification.algorithm", set: endpointVerification(false)},
	{name: "ssl.disable.endpoint.verification", same: "ssl.endpoint.identification.algorithm", set: endpointVerification(true)},

	{name: "connection.timeout.ms", set: number(1, maxMilliseconds, func(c *schemaregistry.Config) *int { return &c.ConnectionTimeoutMs })},
	{name: "request.timeout.ms", set: number(1, maxMilliseconds, func(c *schemaregistry.Config) *int { return &c.RequestTimeoutMs })},
	{name: "timeout", same: "request.timeout.ms", set: timeoutSeconds},
	{name: "max.retries", set: number(0, 100, func(c *schemaregistry.Config) *int { return &c.MaxRetries })},
	// Not 0: the client takes the logarithm of the ratio of the two waits, and 0 would make it always wait the longest.
	{name: "retries.wait.ms", set: number(1, maxMilliseconds, func(c *schemaregistry.Config) *int { return &c.RetriesWaitMs })},
	{name: "retries.max.wait.ms", set: number(1, maxMilliseconds, func(c *schemaregistry.Config) *int { return &c.RetriesMaxWaitMs })},

	{name: UseID, set: checkUseID},

	{name: "cache.capacity", set: number(0, 1<<31-1, func(c *schemaregistry.Config) *int { return &c.CacheCapacity })},
	// Known, checked and without effect: nothing here asks for a subject's latest version.
	{name: "cache.latest.ttl.sec", set: number(0, 1<<31-1, func(c *schemaregistry.Config) *int { return &c.CacheLatestTTLSecs })},
}

// An hour: time-outs beyond it are slips of the unit, and what is bounded here must stay bounded.
const maxMilliseconds = int(time.Hour / time.Millisecond)

// applyProperties sets given on config, in the order of their names so that the same mistake gives the same error.
func applyProperties(config *schemaregistry.Config, given map[string]string) *ConfigError {
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	sort.Strings(names)

	setBy := map[string]string{}
	for _, name := range names {
		p, ok := findProperty(name)
		if !ok {
			return unknownProperty(name)
		}
		meaning := p.name
		if p.same != "" {
			meaning = p.same
		}
		if other, twice := setBy[meaning]; twice {
			return configErrorf(name, "means the same as %s, which is given as well: give one of them", other)
		}
		setBy[meaning] = name
		if err := p.set(config, given[name]); err != nil {
			return &ConfigError{Property: name, Err: err}
		}
	}
	return nil
}

func findProperty(name string) (property, bool) {
	for _, p := range properties {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

func text(field func(*schemaregistry.Config) *string) func(*schemaregistry.Config, string) error {
	return func(c *schemaregistry.Config, value string) error {
		*field(c) = value
		return nil
	}
}

func number(low, high int, field func(*schemaregistry.Config) *int) func(*schemaregistry.Config, string) error {
	return func(c *schemaregistry.Config, value string) error {
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", value, low, high)
		}
		*field(c) = n
		return nil
	}
}

// timeoutSeconds reads the Python client's "timeout", the only property in seconds.
func timeoutSeconds(c *schemaregistry.Config, value string) error {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(seconds >= 0.001 && seconds <= 3600) {
		return fmt.Errorf("%q is not a number of seconds from 0.001 to 3600", value)
	}
	c.RequestTimeoutMs = int(seconds * 1000)
	return nil
}

func scopes(c *schemaregistry.Config, value string) error {
	c.BearerAuthScopes = strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' })
	return nil
}

func endpointAlgorithm(c *schemaregistry.Config, value string) error {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "https":
		c.SslDisableEndpointVerification = false
	case "", "none":
		c.SslDisableEndpointVerification = true
	default:
		return fmt.Errorf(`%q is neither "https" nor "none"`, value)
	}
	return nil
}

func endpointVerification(trueDisables bool) func(*schemaregistry.Config, string) error {
	return func(c *schemaregistry.Config, value string) error {
		on, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(value)))
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		c.SslDisableEndpointVerification = on == trueDisables
		return nil
	}
}
