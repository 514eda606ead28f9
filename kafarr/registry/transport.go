package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"

	"github.com/pykafarr/pykafarr/kafarr/environ"
)

// maxAnswer bounds one answer of the registry. Registries refuse schemas of more than about 1 MB.
const maxAnswer = 16 << 20

// newTransport is the client's own transport with what that lacks (v2.11.1): a time-out for the TLS
// handshake, endpoint verification that can be switched off, errors that name the property, and no line on
// stderr.
func newTransport(config *schemaregistry.Config, variables environ.Variables) (*http.Transport, *ConfigError) {
	encryption, err := newTLSConfig(config, variables)
	if err != nil {
		return nil, err
	}
	connecting := time.Duration(config.ConnectionTimeoutMs) * time.Millisecond
	return &http.Transport{
		Proxy:               variables.Proxy(),
		DialContext:         (&net.Dialer{Timeout: connecting}).DialContext,
		TLSHandshakeTimeout: connecting,
		TLSClientConfig:     encryption,
		ForceAttemptHTTP2:   true,
		// lookup closes its connections when it ends; this is for those of a token endpoint.
		IdleConnTimeout: 30 * time.Second,
	}, nil
}

func newTLSConfig(config *schemaregistry.Config, variables environ.Variables) (*tls.Config, *ConfigError) {
	encryption := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: variables.Roots()}
	if path := config.SslCaLocation; path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, &ConfigError{Property: "ssl.ca.location", Err: err}
		}
		encryption.RootCAs = x509.NewCertPool()
		if !encryption.RootCAs.AppendCertsFromPEM(pem) {
			return nil, configErrorf("ssl.ca.location", "%s holds no certificate in PEM form", path)
		}
	}
	switch certificate, key := config.SslCertificateLocation, config.SslKeyLocation; {
	case certificate == "" && key == "":
	case key == "":
		return nil, configErrorf("ssl.key.location", "is needed with ssl.certificate.location")
	case certificate == "":
		return nil, configErrorf("ssl.certificate.location", "is needed with ssl.key.location")
	default:
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, &ConfigError{Property: "ssl.certificate.location", Err: err}
		}
		encryption.Certificates = []tls.Certificate{pair}
	}
	if config.SslDisableEndpointVerification {
		// Only the host's name goes unchecked, as with librdkafka's property of this name: the chain is
		// verified by hand, because InsecureSkipVerify switches both off.
		encryption.InsecureSkipVerify = true
		encryption.VerifyConnection = func(state tls.ConnectionState) error {
			return verifyChain(state, encryption.RootCAs)
		}
	}
	return encryption, nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, certificate := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	return err
}

// exchange carries the requests of one look-up. It gives them the look-up's context, which the client's calls
// do not take, bounds each in time and size, and remembers the answer's status, which the client forgets when
// a body is not JSON. Bodies are read to their end here because the client does not close those of the
// answers that it retries.
type exchange struct {
	ctx         context.Context
	base        http.RoundTripper
	limit       time.Duration
	status      int // of the last answer, 0 when there was none
	contentType string
}

// RoundTrip is called by http.Client.
func (e *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	e.status, e.contentType = 0, ""
	ctx, cancel := context.WithTimeout(e.ctx, e.limit)
	defer cancel()
	// The clone matters: the client gives every request the same header map, and keeps writing to it.
	response, err := e.base.RoundTrip(request.Clone(ctx))
	if err != nil {
		return nil, e.plain(ctx, err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	_ = response.Body.Close()
	if err != nil {
		return nil, e.plain(ctx, fmt.Errorf("reading the answer: %w", err))
	}
	if len(body) > maxAnswer {
		return nil, &invalidAnswer{fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	e.status, e.contentType = response.StatusCode, response.Header.Get("Content-Type")
	return response, nil
}

// plain says what a bare "context deadline exceeded" means.
func (e *exchange) plain(ctx context.Context, err error) error {
	if e.ctx.Err() == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v: %w", e.limit, err)
	}
	return err
}

// checkRedirect keeps a redirect from taking credentials off TLS, or to another server: Go's client takes them along to another port of the same host.
func (e *exchange) checkRedirect(request *http.Request, via []*http.Request) error {
	var refused error
	switch last := via[len(via)-1]; {
	case len(via) >= 10:
		refused = errors.New("more than 10 redirects")
	case last.URL.Scheme == "https" && request.URL.Scheme != "https":
		refused = errors.New("refused a redirect from https to http")
	default:
		if request.URL.Host != via[0].URL.Host {
			request.Header.Del("Authorization")
		}
		return nil
	}
	e.status = 0 // the refusal is the failure, not the 302 before it
	return refused
}
