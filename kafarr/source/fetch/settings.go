package fetch

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// isolation.level, as requests have it.
const (
	readUncommitted = 0
	readCommitted   = 1
)

// settings are what the configuration comes to.
type settings struct {
	secrets *redact.Secrets
	options []kgo.Opt
	login   login

	clientID, rack string
	excluded       []source.Pattern // of topics that other patterns do not find
	logLevel       int              // syslog's
	debug          string
	isolation      int8
	checkSums      bool
	fetchBytes     int32 // of an answer
	partitionBytes int32
	receiveMax     int32
	metadataBytes  int32
	expandedMax    int
	minBytes       int32
	maxWait        time.Duration
	requestTimeout time.Duration
	connectTimeout time.Duration
	idle           time.Duration
	retryTimeout   time.Duration // without any progress
	throttled      time.Duration // besides, where brokers ask for it
	backoff        time.Duration
	backoffMax     time.Duration
	reconnect      time.Duration
	reconnectMax   time.Duration
	keepAlive      bool
	sendBuffer     int
	receiveBuffer  int
	network        string
}

// defaultFetchBytes is what an answer brings at most. On loopback 256 KiB give 16 M flat rows a second, 512 KiB 19, and from 1 MiB to 8 MiB it is 20; where the way to the broker is longer, each answer
// costs a turn, so it is more than 1. Three answers are alive at a time, and as much garbage: the client takes fresh memory for each, whose pages cost more the more there are.
const defaultFetchBytes = 2 << 20

// Defaults that are not librdkafka's.
const (
	defaultRetryTimeout   = 60 * time.Second
	defaultRequestTimeout = 20 * time.Second // some tries within the retryTimeout
	defaultExpandedBytes  = 256 << 20
)

// settings checks the configuration.
func (c *Config) settings() (settings, error) {
	s := settings{
		secrets: redact.Properties(c.Properties, c.Environment.Secrets()...), clientID: "pykafarr", logLevel: 6, isolation: readCommitted, checkSums: true, fetchBytes: 50 << 20, partitionBytes: defaultFetchBytes,
		receiveMax: 100_000_000, metadataBytes: maxMetadataBytes, expandedMax: defaultExpandedBytes, minBytes: 1, maxWait: 500 * time.Millisecond, requestTimeout: defaultRequestTimeout, connectTimeout: defaultRequestTimeout,
		retryTimeout: defaultRetryTimeout, throttled: maxThrottled, backoff: 100 * time.Millisecond, backoffMax: time.Second, reconnect: 100 * time.Millisecond, reconnectMax: 10 * time.Second, network: "tcp",
	}
	if c.RetryTimeout > 0 { // a request that hangs is to be tried again within it
		s.retryTimeout = c.RetryTimeout
		part := max(c.RetryTimeout/3, time.Second)
		s.requestTimeout, s.connectTimeout = min(s.requestTimeout, part), min(s.connectTimeout, part)
	}
	if err := s.read(c.Properties); err != nil {
		return s, err
	}
	if c.FetchBytes > 0 {
		s.fetchBytes, s.partitionBytes = min(s.fetchBytes, int32(c.FetchBytes)), min(s.partitionBytes, int32(c.FetchBytes)) //nolint:gosec // a bound of what is configured
	}
	if c.DecompressedBytes > 0 {
		s.expandedMax = c.DecompressedBytes
	}
	if c.MetadataBytes > 0 {
		s.metadataBytes = int32(min(max(c.MetadataBytes, leastMetadataBytes), maxMetadataBytes))
	}
	var err error
	if s.excluded, err = source.Excluded(c.Properties); err != nil {
		return s, err
	}
	servers, err := source.Servers(c.Servers, c.Properties)
	if err != nil {
		return s, err
	}
	s.options = []kgo.Opt{
		kgo.SeedBrokers(servers...), kgo.ClientID(s.clientID), kgo.Dialer(s.dialer()), kgo.RequestTimeoutOverhead(s.requestTimeout), kgo.BrokerMaxReadBytes(s.receiveMax),
		kgo.FetchMaxBytes(min(s.fetchBytes, s.receiveMax)), kgo.RequestRetries(3), kgo.RetryBackoffFn(s.pauses), kgo.DisableClientMetrics(),
	}
	if s.idle > 0 {
		s.options = append(s.options, kgo.ConnIdleTimeout(s.idle))
	}
	if err := s.secure(c); err != nil {
		return s, err
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
func (s *settings) pauses(n int) time.Duration {
	d := s.reconnect
	for ; n > 1 && d < s.reconnectMax; n-- {
		d *= 2
	}
	return min(d, s.reconnectMax)
}

// dialer opens connections as the socket properties say, with TLS where it is asked for.
func (s *settings) dialer() func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: s.connectTimeout, KeepAlive: -1}
	if s.keepAlive {
		d.KeepAlive = 0
	}
	connect := func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, s.network, address)
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
		if s.login.tls == nil {
			return conn, nil
		}
		return s.login.shake(ctx, conn, address)
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := connect(ctx, address)
		if err != nil {
			return nil, err
		}
		return &incoming{Conn: conn, address: address, metadata: s.metadataBytes, most: s.receiveMax}, nil
	}
}
