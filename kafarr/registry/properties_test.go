package registry

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
)

func TestEveryFieldOfTheClientsConfigHasAProperty(t *testing.T) {
	// What text cannot express, and the URL, which is an argument of its own.
	without := map[string]bool{"SchemaRegistryURL": true, "AuthenticationHeaderProvider": true, "HTTPClient": true}
	values := map[string]string{
		"ssl.endpoint.identification.algorithm": "none",
		"ssl.endpoint.verification":             "false",
		"ssl.disable.endpoint.verification":     "true",
	}
	set := map[string]bool{}
	for _, p := range properties {
		if p.name == UseID { // not the client's
			continue
		}
		config, fresh := schemaregistry.NewConfig("http://h"), schemaregistry.NewConfig("http://h")
		value, ok := values[p.name]
		if !ok {
			value = "7"
		}
		if err := p.set(config, value); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		now, then := reflect.ValueOf(config.ClientConfig), reflect.ValueOf(fresh.ClientConfig)
		changed := 0
		for i := range now.NumField() {
			if fmt.Sprint(now.Field(i)) != fmt.Sprint(then.Field(i)) {
				set[now.Type().Field(i).Name] = true
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%s changes %d fields", p.name, changed)
		}
	}
	kind := reflect.TypeOf(schemaregistry.Config{}.ClientConfig)
	for i := range kind.NumField() {
		if name := kind.Field(i).Name; !set[name] && !without[name] {
			t.Errorf("no property sets %s: a new version of the client has a new field", name)
		}
	}
}

func TestWrongConfigurationNamesThePropertyAndWhatIsExpected(t *testing.T) {
	cases := []struct {
		url        string
		properties string // "name=value name=value"
		property   string
		words      string
	}{
		{"http://h", "basic.auth.userinfo=u:geheim", "basic.auth.userinfo", "unknown property; did you mean basic.auth.user.info?"},
		{"http://h", "schema.registry.basic.auth.user.info=u:geheim", "schema.registry.basic.auth.user.info", "it is called basic.auth.user.info here"},
		{"http://h", "url=http://h", "url", "is the argument registry_url"},
		{"http://h", "foo=1", "foo", "unknown property"},
		{"http://h", "max.retries=many", "max.retries", `"many" is not a whole number from 0 to 100`},
		{"http://h", "request.timeout.ms=0", "request.timeout.ms", "from 1 to 3600000"},
		{"http://h", "timeout=NaN", "timeout", "number of seconds"},
		{"http://h", "timeout=5 request.timeout.ms=5000", "timeout", "means the same as request.timeout.ms"},
		{"http://h", "retries.wait.ms=0", "retries.wait.ms", "from 1"},
		{"http://h", "cache.capacity=-1", "cache.capacity", "from 0"},
		{"http://h", "ssl.endpoint.verification=perhaps", "ssl.endpoint.verification", "neither true nor false"},
		{"http://h", "ssl.endpoint.identification.algorithm=ldap", "ssl.endpoint.identification.algorithm", `neither "https" nor "none"`},
		{"http://h", "ssl.ca.location=/nowhere/ca.pem", "ssl.ca.location", "no such file"},
		{"http://h", "ssl.ca.location=properties_test.go", "ssl.ca.location", "no certificate"},
		{"http://h", "ssl.certificate.location=a", "ssl.key.location", "is needed"},
		{"http://h", "ssl.key.location=a", "ssl.certificate.location", "is needed"},
		{"http://h", "basic.auth.user.info=geheim", "basic.auth.user.info", "user:password"},
		{"http://h", "basic.auth.credentials.source=URL", "basic.auth.credentials.source", "holds no user"},
		{"http://h", "basic.auth.credentials.source=FILE", "basic.auth.credentials.source", "none of USER_INFO"},
		{"http://h", "basic.auth.credentials.source=SASL_INHERIT sasl.username=u sasl.password=geheim", "sasl.mechanism", "PLAIN or SCRAM"},
		{"http://h", "basic.auth.credentials.source=SASL_INHERIT sasl.mechanism=PLAIN sasl.username=u", "sasl.password", "is needed"},
		{"http://h", "basic.auth.user.info=u:geheim bearer.auth.token=geheim", "bearer.auth.credentials.source", "give one of them"},
		{"http://h", "bearer.auth.credentials.source=STATIC_TOKEN", "bearer.auth.token", "is needed"},
		{"http://h", "bearer.auth.credentials.source=CUSTOM", "bearer.auth.credentials.source", "function"},
		{"http://h", "bearer.auth.issuer.endpoint.url=http://i/token", "bearer.auth.client.id", "is needed"},
		{"http://u:geheim@h", "basic.auth.user.info=u:geheim", "basic.auth.user.info", "URL holds a user as well"},

		{"", "", "url", "empty"},
		{"localhost:8081", "", "url", "does not begin with http:// or https://. Did you mean http://localhost:8081?"},
		{"127.0.0.1:8081", "", "url", "Did you mean http://127.0.0.1:8081?"},
		{"registry", "", "url", "Did you mean http://registry?"},
		{"https:/registry:8081", "", "url", "Did you mean https://registry:8081?"},
		{"ftp://h", "", "url", "does not begin with http"},
		{"http://", "", "url", "no host"},
		{"http://h?token=1", "", "url", "query"},
		{"http://h:port", "", "url", "invalid port"},
		{"http://h,", "", "url", "empty"},
		{"http://u:geh/eim@h", "", "url", "***@h"},
		{"http://u:geheim%@h", "", "url", "***@h"},
		{"u:geheim@h", "", "url", "***@h"},
		{"http://u:geheim@h,http://v:geheim@h", "", "url", "different users"},
	}
	for _, c := range cases {
		given := map[string]string{}
		for pair := range strings.FieldsSeq(c.properties) {
			name, value, _ := strings.Cut(pair, "=")
			given[name] = value
		}
		_, err := NewConfluent(c.url, given, nil)
		var wrong *ConfigError
		if !errors.As(err, &wrong) {
			t.Errorf("%q %q: not a *ConfigError: %v", c.url, c.properties, err)
			continue
		}
		if wrong.Property != c.property || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%q %q: property %q: %v", c.url, c.properties, wrong.Property, err)
		}
		if strings.Contains(err.Error(), "geh") || strings.Contains(err.Error(), "eim") {
			t.Errorf("a secret is in the message: %v", err)
		}
	}
}
