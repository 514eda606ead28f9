package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// readTLS makes the TLS configuration.
func (l *Login) readTLS() error {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	pool, trusted, err := l.roots("ssl.ca.pem", "ssl.ca.location")
	if err != nil {
		return err
	}
	conf.RootCAs, l.trusted = pool, trusted
	algorithm := strings.ToLower(l.property("ssl.endpoint.identification.algorithm"))
	switch verify := strings.ToLower(l.property("enable.ssl.certificate.verification")); {
	case algorithm != "" && algorithm != "https" && algorithm != "none":
		return fmt.Errorf("ssl.endpoint.identification.algorithm is %q: it wants https or none", algorithm)
	case verify == "false":
		conf.InsecureSkipVerify = true // on the user's word
	case verify != "" && verify != "true":
		return fmt.Errorf("enable.ssl.certificate.verification is %q: it wants true or false", verify)
	case algorithm == "none": // the chain is checked all the same
		conf.InsecureSkipVerify = true
		conf.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, pool) }
	}
	if conf.Certificates, err = l.certificate(); err != nil {
		return err
	}
	l.tls = conf
	return nil
}

// verifyChain is crypto/tls's own check without that of the host's name.
func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

// roots are the authorities that are trusted, and where they come from; those of the environment where no property names them; nil: the system's.
func (l *Login) roots(text, location string) (*x509.CertPool, string, error) {
	pool := x509.NewCertPool()
	if pem := l.property(text); pem != "" {
		if !pool.AppendCertsFromPEM([]byte(pem)) {
			return nil, "", fmt.Errorf("%s holds no certificate in PEM", text)
		}
		return pool, text, nil
	}
	path := l.property(location)
	if path == "" || strings.EqualFold(path, "probe") {
		return l.environment.Roots(), "what the system trusts: there is no " + location + l.environment.Trusted(), nil
	}
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*")); err != nil {
			return nil, "", fmt.Errorf("%s failed: %w", location, err)
		}
	}
	found := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil && len(files) == 1 {
			return nil, "", fmt.Errorf("%s failed: %w", location, err)
		}
		found = pool.AppendCertsFromPEM(text) || found
	}
	if !found {
		return nil, "", fmt.Errorf("%s failed: %s holds no certificate in PEM", location, path)
	}
	return pool, path, nil
}

// certificate is what the client shows; none: nothing.
func (l *Login) certificate() ([]tls.Certificate, error) {
	chain, ofChain, err := l.pem("ssl.certificate.pem", "ssl.certificate.location")
	if err != nil {
		return nil, err
	}
	key, ofKey, err := l.pem("ssl.key.pem", "ssl.key.location")
	switch {
	case err != nil:
		return nil, err
	case chain == nil && key == nil:
		return nil, nil
	case key == nil:
		return nil, fmt.Errorf("%s is set: it needs ssl.key.location or ssl.key.pem", ofChain)
	case chain == nil:
		return nil, fmt.Errorf("%s is set: it needs ssl.certificate.location or ssl.certificate.pem", ofKey)
	}
	if key, err = openKey(key, l.property("ssl.key.password")); err != nil {
		return nil, fmt.Errorf("%s failed: %w", ofKey, err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s failed: %w", ofKey, err)
	}
	return []tls.Certificate{pair}, nil
}

// pem is what a property or the file that another one names holds, and which of them it was.
func (l *Login) pem(text, location string) ([]byte, string, error) {
	if pem := l.property(text); pem != "" {
		return []byte(pem), text, nil
	}
	path := l.property(location)
	if path == "" {
		return nil, "", nil
	}
	held, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("%s failed: %w", location, err)
	}
	return held, location, nil
}

// shake does the TLS handshake of a connection; its error says what is wrong with a certificate.
func (l *Login) shake(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	conf := l.tls.Clone()
	if host, _, err := net.SplitHostPort(address); err == nil {
		conf.ServerName = host
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, l.explain(address, err)
	}
	return secure, nil
}

// explain says what is wrong with a certificate of the broker, in the words of package kafka.
func (l *Login) explain(address string, err error) error {
	var failed *tls.CertificateVerificationError
	var host x509.HostnameError
	switch {
	case errors.As(err, &host):
		return &loginError{err: fmt.Errorf("certificate verify failed: %s's certificate is for another host: %w", address, host)}
	case errors.As(err, &failed):
		return &loginError{err: fmt.Errorf("certificate verify failed: %s's certificate: %w (trusted is %s)", address, failed.Err, l.trusted)}
	}
	return err
}

// certificateAlerts are the ways in which TLS says that the peer does not like our certificate, or misses it. Their type is crypto/tls's own.
var certificateAlerts = SetOf(
	"tls: bad certificate", "tls: unsupported certificate", "tls: revoked certificate", "tls: expired certificate", "tls: unknown certificate", "tls: unknown certificate authority",
	"tls: access denied", "tls: certificate required",
)

// Alert takes how a request has ended, and says what that means for the login. A broker's alert about the client's certificate arrives with the first answer, since TLS 1.3 ends the
// client's handshake before the broker has looked.
func (l *Login) Alert(err error) error {
	if err == nil {
		l.taken.Store(true)
		return nil
	}
	if errors.Is(err, kerr.IllegalSaslState) && l.taken.Load() {
		// Brokers refuse to renew the login of a connection twice within a second, which the client does where sessions are short or a token is about to end. It closes the connection
		// then, and the next one begins with a login. Where no login was ever taken, the listener is one without SASL.
		return &loginError{err: err, passing: true}
	}
	var remote *net.OpError
	if l.tls == nil || !errors.As(err, &remote) || remote.Op != "remote error" || !certificateAlerts[remote.Err.Error()] {
		return err
	}
	if len(l.tls.Certificates) == 0 {
		return &loginError{err: fmt.Errorf("the broker wants a certificate of the client, and none is configured (ssl.certificate.location): %w", err)}
	}
	return &loginError{err: fmt.Errorf("the broker refused the client's certificate: %w", err)}
}
