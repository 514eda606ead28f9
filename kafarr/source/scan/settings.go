package scan

import (
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/redact"
)

const readCommitted = 1

// settings are what the configuration comes to.
type settings struct {
	options             []kgo.Opt
	secrets             *redact.Secrets
	logLevel            kgo.LogLevel
	isolation           int8
	checkSums           bool
	rack                string
	fetchBytes          int32 // of an answer
	partitionBytes      int32
	receiveMax          int32
	expandedMax         int
	minBytes            int32
	maxWaitMillis       int32
	requestTimeout      time.Duration
	patience            time.Duration // without any progress
	backoff, backoffMax time.Duration
}

type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

func (c *Client) explained(err error) error { return err }

func isDenied(err error) bool {
	var login *loginError
	return errors.As(err, &login) || isOneOf(err, denied)
}

func (c *Config) settings() (settings, error) {
	s := settings{
		secrets: redact.New(), logLevel: kgo.LogLevelInfo, isolation: readCommitted, checkSums: true, fetchBytes: 4 << 20, partitionBytes: 4 << 20, receiveMax: 100_000_000,
		expandedMax: 64 << 20, minBytes: 1, maxWaitMillis: 500, requestTimeout: 30 * time.Second, patience: 60 * time.Second, backoff: 100 * time.Millisecond, backoffMax: time.Second,
	}
	if c.FetchBytes > 0 {
		s.fetchBytes, s.partitionBytes = int32(c.FetchBytes), int32(c.FetchBytes)
	}
	if c.DecompressedBytes > 0 {
		s.expandedMax = c.DecompressedBytes
	}
	s.options = []kgo.Opt{kgo.SeedBrokers(strings.Split(c.Servers, ",")...)}
	return s, nil
}
