// Package cluster makes franz-go's client of librdkafka's properties: servers, time-outs, TLS, SASL, tokens, bounds of answers, and which failures pass. What reads and what writes
// share it.
package cluster

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Config says how a cluster is reached, and by whom.
type Config struct {
	User       string // what errors call the client: "a scan"
	Facility   string // of log lines: "SCAN"
	Servers    string
	Properties map[string]string // librdkafka's names
	// Own are the properties that only this user knows, and Passed those that mean nothing to it: the same configuration serves every client.
	Own    map[string]Reader
	Passed map[string]bool
	// Environment says which authorities are trusted where no property does, and which proxy a token endpoint is behind.
	Environment environ.Variables
	// RetryTimeout bounds how long a failure is met again and again; 0: a minute. Requests are to be tried again within it.
	RetryTimeout time.Duration
	// MetadataBytes bounds an answer that names topics or partitions, between 1 MiB and 16 MiB; 0: 16 MiB.
	MetadataBytes int
	// Unanswered: Produce requests get no answer (acks=0).
	Unanswered bool
	Token      func(context.Context) (source.Token, error)
	Log        func(level int, facility, message string)
}

// Settings are what a configuration comes to.
type Settings struct {
	Secrets *redact.Secrets
	Options []kgo.Opt
	Login   Login

	ClientID       string
	ReceiveMax     int32
	RequestTimeout time.Duration
	ConnectTimeout time.Duration
	RetryTimeout   time.Duration // without any progress
	Backoff        time.Duration
	BackoffMax     time.Duration
	Network        string

	user          string
	logLevel      int // syslog's
	debug         string
	metadataBytes int32
	unanswered    bool
	idle          time.Duration
	reconnect     time.Duration
	reconnectMax  time.Duration
	keepAlive     bool
	sendBuffer    int
	receiveBuffer int
}

// Defaults that are not librdkafka's.
const (
	defaultRetryTimeout   = 60 * time.Second
	defaultRequestTimeout = 20 * time.Second // some tries within the retryTimeout
)

// Read checks a configuration.
func Read(c Config) (*Settings, error) {
	s := &Settings{
		Secrets: redact.Properties(c.Properties, c.Environment.Secrets()...), user: c.User, unanswered: c.Unanswered, ClientID: "pykafarr", logLevel: 6, ReceiveMax: 100_000_000, metadataBytes: maxMetadataBytes,
		RequestTimeout: defaultRequestTimeout, ConnectTimeout: defaultRequestTimeout, RetryTimeout: defaultRetryTimeout, Backoff: 100 * time.Millisecond, BackoffMax: time.Second,
		reconnect: 100 * time.Millisecond, reconnectMax: 10 * time.Second, Network: "tcp",
	}
	if c.RetryTimeout > 0 { // a request that hangs is to be tried again within it
		s.RetryTimeout = c.RetryTimeout
		part := max(c.RetryTimeout/3, time.Second)
		s.RequestTimeout, s.ConnectTimeout = min(s.RequestTimeout, part), min(s.ConnectTimeout, part)
	}
	if err := s.read(&c); err != nil {
		return nil, err
	}
	if c.MetadataBytes > 0 {
		s.metadataBytes = int32(min(max(c.MetadataBytes, leastMetadataBytes), maxMetadataBytes))
	}
	servers, err := source.Servers(c.Servers, c.Properties)
	if err != nil {
		return nil, err
	}
	s.Options = []kgo.Opt{
		kgo.SeedBrokers(servers...), kgo.ClientID(s.ClientID), kgo.Dialer(s.dialer()), kgo.RequestTimeoutOverhead(s.RequestTimeout), kgo.BrokerMaxReadBytes(s.ReceiveMax),
		kgo.RequestRetries(3), kgo.RetryBackoffFn(s.pauses), kgo.DisableClientMetrics(),
	}
	if c.Log != nil {
		s.Options = append(s.Options, kgo.WithLogger(logger{s, c.Facility, c.Log}))
	}
	if s.idle > 0 {
		s.Options = append(s.Options, kgo.ConnIdleTimeout(s.idle))
	}
	if err := s.secure(&c); err != nil {
		return nil, err
	}
	return s, nil
}

// listed are the entries of a list with commas, without empty ones.
func listed(list string) (out []string) {
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// pauses is how long the client waits before its n-th try.
func (s *Settings) pauses(n int) time.Duration {
	d := s.reconnect
	for ; n > 1 && d < s.reconnectMax; n-- {
		d *= 2
	}
	return min(d, s.reconnectMax)
}

// dialer opens connections as the socket properties say, with TLS where it is asked for.
func (s *Settings) dialer() func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: s.ConnectTimeout, KeepAlive: -1}
	if s.keepAlive {
		d.KeepAlive = 0
	}
	connect := func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, s.Network, address)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			if s.sendBuffer > 0 {
				_ = tcp.SetWriteBuffer(s.sendBuffer)
			}
			if s.receiveBuffer > 0 {
				_ = tcp.SetReadBuffer(s.receiveBuffer)
			}
		}
		if s.Login.tls == nil {
			return conn, nil
		}
		return s.Login.shake(ctx, conn, address)
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := connect(ctx, address)
		if err != nil {
			return nil, err
		}
		return &incoming{Conn: conn, address: address, metadata: s.metadataBytes, most: s.ReceiveMax, unanswered: s.unanswered}, nil
	}
}
