package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
)

// tlsServer is an HTTPS server for 127.0.0.1 with an authority of its own, which also signs client certificates.
type tlsServer struct {
	*httptest.Server
	ca, certificate, key string // files
}

func newTLSServer(t *testing.T, handler http.HandlerFunc) *tlsServer {
	t.Helper()
	dir := t.TempDir()
	s := &tlsServer{
		ca:          filepath.Join(dir, "ca.pem"),
		certificate: filepath.Join(dir, "cert.pem"),
		key:         filepath.Join(dir, "key.pem"),
	}
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, &secret.PublicKey, secret)
	must(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "both"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafSigned, err := x509.CreateCertificate(rand.Reader, leaf, authority, &secret.PublicKey, secret)
	must(t, err)
	secretBytes, err := x509.MarshalPKCS8PrivateKey(secret)
	must(t, err)
	writePEM(t, s.ca, "CERTIFICATE", signed)
	writePEM(t, s.certificate, "CERTIFICATE", leafSigned)
	writePEM(t, s.key, "PRIVATE KEY", secretBytes)

	pair, err := tls.LoadX509KeyPair(s.certificate, s.key)
	must(t, err)
	clients := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(signed)
	must(t, err)
	clients.AddCert(parsed)
	s.Server = httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.VerifyClientCertIfGiven}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func writePEM(t *testing.T, path, kind string, bytes []byte) {
	t.Helper()
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCertificateOfTheRegistryIsVerified(t *testing.T) {
	noGoroutineStays(t)
	s := newTLSServer(t, reply(200, longSchema))
	byName := strings.Replace(s.URL, "127.0.0.1", "localhost", 1) // the certificate is for the address only
	cases := []struct {
		name, url  string
		properties []string
		words      string // "" where the schema comes
	}{
		{"known authority", s.URL, []string{"ssl.ca.location", s.ca}, ""},
		{"unknown authority", s.URL, nil, "unknown authority"},
		{"other host", byName, []string{"ssl.ca.location", s.ca}, "wanted to match localhost"},
		{"other host, not checked", byName, []string{"ssl.ca.location", s.ca, "ssl.endpoint.identification.algorithm", "none"}, ""},
		{"unknown authority, host not checked", s.URL, []string{"ssl.endpoint.verification", "false"}, "unknown authority"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openRegistry(t, c.url, c.properties...).SchemaByID(background, 1)
			if c.words == "" {
				must(t, err)
				return
			}
			wantKind(t, err, Unavailable, c.words)
		})
	}
}

func TestClientCertificateIsShown(t *testing.T) {
	s := newTLSServer(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			reply(401, `{"error_code":401,"message":"no certificate"}`)(w, r)
			return
		}
		reply(200, longSchema)(w, r)
	})
	_, err := openRegistry(t, s.URL, "ssl.ca.location", s.ca).SchemaByID(background, 1)
	wantKind(t, err, Unauthorized, "no certificate")
	_, err = openRegistry(t, s.URL, "ssl.ca.location", s.ca,
		"ssl.certificate.location", s.certificate, "ssl.key.location", s.key).SchemaByID(background, 1)
	must(t, err)
}

func TestAProxysPasswordIsInNoError(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply(http.StatusBadRequest, `{"error_code":400,"message":"`+r.Header.Get("Proxy-Authorization")+` is wrong, of p@ssword"}`)(w, r)
	}))
	defer proxy.Close()
	variables := environ.Variables{"HTTP_PROXY": strings.Replace(proxy.URL, "http://", "http://anna:p%40ssword@", 1)}
	r, err := NewConfluent("http://registry.example:8081", nil, variables)
	must(t, err)
	_, err = r.SchemaByID(t.Context(), 1)
	if err == nil || !strings.Contains(err.Error(), "Basic ***") || !strings.Contains(err.Error(), "is wrong, of ***") {
		t.Error(err)
	}
}
