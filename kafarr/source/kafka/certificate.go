package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"
)

// librdkafka says the same of every certificate that it refuses: that it could not be verified. So we look at the certificate
// ourselves, once an error, to tell an expired one from one of an unknown authority and one of another host.

// brokerOf finds the address in "sasl_ssl://kafka:9093/bootstrap: SSL handshake failed: …".
var brokerOf = regexp.MustCompile(`^(?:sasl_)?ssl://(.+)/(?:bootstrap|-?\d+): `)

// diagnoseTimeout bounds the connection that fetches the certificate.
const diagnoseTimeout = 3 * time.Second

// diagnose looks for the reason of a failed verification, and then keeps the error for the next ServeEvents. k.mu is held.
func (k *Kafka) diagnose(text string) {
	found := brokerOf.FindStringSubmatch(text)
	if found == nil || k.ended {
		k.loginRefused(errors.New(text))
		return
	}
	if k.diagnosing {
		return
	}
	k.diagnosing = true
	k.spawn(func() {
		ctx, cancel := context.WithTimeout(k.ctx, diagnoseTimeout)
		defer cancel()
		err := k.verify(ctx, found[1])
		k.mu.Lock()
		defer k.mu.Unlock()
		k.diagnosing = false
		if err == nil { // it is fine to us: what librdkafka said has to do
			err = errors.New(text)
		}
		k.loginRefused(err)
	})
}

// verify says what is wrong with the certificate of the broker; nil: nothing, or it could not be had.
func (k *Kafka) verify(ctx context.Context, broker string) error {
	host, _, err := net.SplitHostPort(broker)
	if err != nil {
		return nil //nolint:nilerr // no address, no certificate: the error has librdkafka's own words
	}
	roots, trusted := k.roots()
	var shown []*x509.Certificate
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // nothing is sent: the connection ends with the handshake, in which it is looked at
		VerifyConnection: func(state tls.ConnectionState) error {
			shown = state.PeerCertificates
			return errors.New("seen")
		},
	}}
	if conn, err := dialer.DialContext(ctx, "tcp", broker); err == nil {
		_ = conn.Close()
	}
	if len(shown) == 0 {
		return nil
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range shown[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := shown[0].Verify(options); err != nil {
		return fmt.Errorf("certificate verify failed: %s's certificate: %w (trusted is %s)", broker, err, trusted)
	}
	if algorithm := k.property("ssl.endpoint.identification.algorithm"); algorithm == "none" {
		return nil
	}
	if err := shown[0].VerifyHostname(host); err != nil {
		return fmt.Errorf("certificate verify failed: %s's certificate is for another host: %w", broker, err)
	}
	return nil
}

// roots are the authorities that librdkafka is configured to trust, and where they come from; nil: the system's.
func (k *Kafka) roots() (*x509.CertPool, string) {
	pool := x509.NewCertPool()
	if pem := k.property("ssl.ca.pem"); pem != "" {
		pool.AppendCertsFromPEM([]byte(pem))
		return pool, "ssl.ca.pem"
	}
	path := k.property("ssl.ca.location")
	if path == "" || strings.EqualFold(path, "probe") {
		return nil, "what the system trusts: there is no ssl.ca.location"
	}
	if text, err := os.ReadFile(path); err == nil { // a folder is not read: whatever it holds is trusted by librdkafka
		pool.AppendCertsFromPEM(text)
	}
	return pool, path
}
