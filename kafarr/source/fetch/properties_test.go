package fetch

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestPropertiesBecomeSettings(t *testing.T) {
	c := Config{Servers: "a:1, b:2", Properties: map[string]string{
		"client.id": "me", "client.rack": "r", "isolation.level": "read_uncommitted", "check.crcs": "False", "fetch.max.bytes": "7000", "max.partition.fetch.bytes": "5000",
		"fetch.min.bytes": "3", "fetch.wait.max.ms": "77", "socket.timeout.ms": "1234", "socket.connection.setup.timeout.ms": "2000", "broker.address.family": "v4",
		"retry.backoff.ms": "11", "retry.backoff.max.ms": "5", "reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "35", "receive.message.max.bytes": "100000", "log_level": "3",
		"enable.partition.eof": "true", "allow.auto.create.topics": "true", // of a listener's configuration
	}}
	s, err := c.settings()
	if err != nil {
		t.Fatal(err)
	}
	if s.ClientID != "me" || s.rack != "r" || s.isolation != readUncommitted || s.checkSums || s.fetchBytes != 7000 || s.partitionBytes != 5000 || s.minBytes != 3 || s.maxWait != 77*time.Millisecond ||
		s.RequestTimeout != 1234*time.Millisecond || s.ConnectTimeout != 2*time.Second || s.Network != "tcp4" || s.Backoff != 11*time.Millisecond || s.BackoffMax != 11*time.Millisecond ||
		s.ReceiveMax != 100_000 {
		t.Errorf("%+v", s)
	}
	c.FetchBytes, c.DecompressedBytes, c.RetryTimeout = 6000, 9, time.Second
	if s, err := c.settings(); err != nil || s.fetchBytes != 6000 || s.partitionBytes != 5000 || s.expandedMax != 9 || s.RetryTimeout != time.Second {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAListenersConfigurationIsAScansToo(t *testing.T) {
	c := Config{Servers: "a:1", Properties: map[string]string{
		"auto.offset.reset": "earliest", "enable.auto.commit": "False", "session.timeout.ms": "6000", "queued.min.messages": "1", "compression.type": "lz4", "statistics.interval.ms": "100",
	}}
	if _, err := c.settings(); err != nil {
		t.Error(err)
	}
}

func TestWhatAScanCannotDoIsNamed(t *testing.T) {
	sasl := func(more ...string) map[string]string {
		out := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.username": "anna", "sasl.password": "her password"}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	for want, properties := range map[string]map[string]string{
		`config: there is no property "no.such.thing"`:                                  {"no.such.thing": "1"},
		`config: there is no property "plugin.library.paths"`:                           {"plugin.library.paths": "x"},
		`config: bootstrap.servers must not be set: it is the first argument`:           {"bootstrap.servers": "x"},
		`config: ssl.cipher.suites is not supported in a scan: Go's TLS chooses`:        {"ssl.cipher.suites": "x"},
		`config: ssl.keystore.location is not supported in a scan: give PEM files`:      {"ssl.keystore.location": "x"},
		`config: socket.timeout.ms is "soon": it wants a number from 10 to 300000`:      {"socket.timeout.ms": "soon"},
		`config: socket.timeout.ms is "9": it wants a number`:                           {"socket.timeout.ms": "9"},
		`config: check.crcs is "maybe": it wants true or false`:                         {"check.crcs": "maybe"},
		`config: isolation.level is "any": a scan supports read_committed, read_uncomm`: {"isolation.level": "any"},
		`config: linger.ms is "x": it wants a number from 0 to 900000`:                  {"linger.ms": "x"},
		`config: acks is "some": it wants all, 1 or 0`:                                  {"acks": "some"},
		`config: auto.offset.reset is "first": it wants one of smallest, earliest`:      {"auto.offset.reset": "first"},
		`config: statistics.interval.ms is "-1": it wants a number from 0 to 86400000`:  {"statistics.interval.ms": "-1"},
		`config: security.protocol is "tls": it wants one of plaintext, ssl`:            {"security.protocol": "tls"},
		`config: sasl.mechanism is "GSSAPI": a scan supports PLAIN, SCRAM-SHA-256`:      sasl("sasl.mechanism", "GSSAPI"),
		`config: sasl.mechanism is "": a scan supports PLAIN`:                           sasl(),
		`config: sasl.mechanism is PLAIN: it needs sasl.username and sasl.password`:     {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "anna"},
		`config: sasl.mechanism is OAUTHBEARER: give oauth_token`:                       sasl("sasl.mechanism", "OAUTHBEARER"),
		`config: sasl.oauthbearer.method is oidc: it needs sasl.oauthbearer.token`:      sasl("sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.method", "oidc"),
		`config: ssl.ca.location failed: open /not/there`:                               {"security.protocol": "ssl", "ssl.ca.location": "/not/there"},
		`config: ssl.ca.pem holds no certificate`:                                       {"security.protocol": "ssl", "ssl.ca.pem": "text"},
		`config: ssl.key.location failed: open /not/there`:                              {"security.protocol": "ssl", "ssl.key.location": "/not/there"},
		`config: ssl.certificate.pem is set: it needs ssl.key.location or ssl.key.pem`:  {"security.protocol": "ssl", "ssl.certificate.pem": "text"},
		`config: ssl.key.pem is set: it needs ssl.certificate.location`:                 {"security.protocol": "ssl", "ssl.key.pem": "text"},
		`config: ssl.endpoint.identification.algorithm is "ip": it wants https`:         {"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "ip"},
		`config: enable.ssl.certificate.verification is "0": it wants`:                  {"security.protocol": "ssl", "enable.ssl.certificate.verification": "0"},
	} {
		_, err := Dial(Config{Servers: "a:1", Properties: properties})
		var e *source.Error
		if !errors.As(err, &e) || e.Code != status.ConfigError || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "her password") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Dial(Config{Servers: " , "}); err == nil || !strings.HasPrefix(err.Error(), "servers is empty") {
		t.Error(err)
	}
}

func TestEveryPropertyIsInOneTable(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range slices.Concat(cluster.Names(), slices.Collect(maps.Keys((&settings{}).properties())), slices.Collect(maps.Keys(passedOver))) {
		if seen[name] {
			t.Errorf("%s is in two tables", name)
		}
		seen[name] = true
	}
	if len(seen) < 130 {
		t.Errorf("%d properties", len(seen))
	}
}
