package fetch

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// identity is a certificate and its key, signed by itself or by another.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	text string // the certificate in PEM
}

func (i *identity) sign(t *testing.T, host string, expired bool) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	of := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: host}, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(time.Hour),
		BasicConstraintsValid: true, IsCA: i == nil, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		of.IPAddresses = []net.IP{ip}
	}
	if expired {
		of.NotAfter = now.Add(-time.Hour)
	}
	parent, signer := of, key
	if i != nil {
		parent, signer = i.cert, i.key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func (i *identity) pkcs8(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (i *identity) keyText(t *testing.T) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: i.pkcs8(t)}))
}

// The parts of an encrypted key: RFC 5958, section 3, and RFC 8018, appendix A.
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	kdf2  struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

// lockedKey is the key encrypted as OpenSSL does it.
func (i *identity) lockedKey(t *testing.T, password string) string {
	t.Helper()
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	_, _ = rand.Read(salt)
	_, _ = rand.Read(iv)
	secret, err := pbkdf2.Key(sha256.New, password, salt, 2048, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	plain := i.pkcs8(t)
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	for range pad {
		plain = append(plain, byte(pad))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
	raw := func(v any) asn1.RawValue {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: der}
	}
	derive := kdf2{Salt: salt, Iterations: 2048, PRF: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}}
	scheme := pbes2{
		KDF:    pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: raw(derive)},
		Cipher: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: raw(iv)},
	}
	der, err := asn1.Marshal(encryptedKey{Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: raw(scheme)}, Data: plain})
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}))
}

// secured is a fake behind TLS.
func secured(t *testing.T, of *identity, clients *identity) *fake {
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{of.cert.Raw}, PrivateKey: of.key}}, MinVersion: tls.VersionTLS12}
	if clients != nil {
		conf.ClientCAs, conf.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		conf.ClientCAs.AddCert(clients.cert)
	}
	f := newFake(t, 1)
	f.tls = conf
	f.topic("t").fill(1)
	return f
}

func TestTLSTellsWhatIsWrongWithACertificate(t *testing.T) {
	var none *identity
	authority, stranger := none.sign(t, "authority", false), none.sign(t, "stranger", false)
	good, expired, elsewhere := authority.sign(t, "127.0.0.1", false), authority.sign(t, "127.0.0.1", true), authority.sign(t, "10.9.8.7", false)
	client, eve := authority.sign(t, "client", false), stranger.sign(t, "eve", false)
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := file("ca.pem", authority.text)
	type properties = map[string]string
	shown := func(who *identity, key, password string) properties {
		return properties{"ssl.ca.location": ca, "ssl.certificate.pem": who.text, "ssl.key.pem": key, "ssl.key.password": password}
	}
	for name, c := range map[string]struct {
		broker  *identity
		clients *identity
		set     properties
		want    string // "": it is read
	}{
		"good":                    {good, nil, properties{"ssl.ca.location": ca}, ""},
		"a folder of authorities": {good, nil, properties{"ssl.ca.location": folder}, ""},
		"text":                    {good, nil, properties{"ssl.ca.pem": authority.text}, ""},
		"expired":                 {expired, nil, properties{"ssl.ca.location": ca}, "TLS: .*certificate verify failed: 127.0.0.1:.*'s certificate: x509: certificate has expired"},
		"stranger":                {good, nil, properties{"ssl.ca.pem": stranger.text}, "certificate verify failed: .*unknown authority (trusted is ssl.ca.pem)"},
		"the system's":            {good, nil, nil, "unknown authority (trusted is what the system trusts: there is no ssl.ca.location"},
		"not checked":             {good, nil, properties{"enable.ssl.certificate.verification": "false"}, ""},
		"another host":            {elsewhere, nil, properties{"ssl.ca.location": ca}, "certificate is for another host"},
		"any host":                {elsewhere, nil, properties{"ssl.ca.location": ca, "ssl.endpoint.identification.algorithm": "none"}, ""},
		"any host of a stranger":  {elsewhere, nil, properties{"ssl.ca.pem": stranger.text, "ssl.endpoint.identification.algorithm": "none"}, "unknown authority"},
		"mutual":                  {good, authority, shown(client, client.keyText(t), ""), ""},
		"mutual, a locked key":    {good, authority, shown(client, client.lockedKey(t, "opens it"), "opens it"), ""},
		"mutual, none":            {good, authority, properties{"ssl.ca.location": ca}, "the broker wants a certificate of the client, and none is configured"},
		"mutual, a stranger's":    {good, authority, shown(eve, eve.keyText(t), ""), "the broker refused the client's certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			f := secured(t, c.broker, c.clients)
			cfg := impatient()
			cfg.Properties["security.protocol"] = "ssl"
			for name, value := range c.set {
				cfg.Properties[name] = value
			}
			_, err := dial(t, f, cfg).Partitions(t.Context(), []string{"t"})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *source.Error
			parts := strings.Split(c.want, ".*")
			if !errors.As(err, &e) || e.Code != status.AuthenticationError || !strings.Contains(err.Error(), parts[0]) || !strings.Contains(err.Error(), parts[len(parts)-1]) {
				t.Errorf("%v", err)
			}
		})
	}
	for key, want := range map[string]string{client.lockedKey(t, "opens it"): "ssl.key.password does not open the key", client.lockedKey(t, ""): "ssl.key.password does not open the key"} {
		cfg := impatient()
		cfg.Servers = "a:1"
		cfg.Properties["security.protocol"] = "ssl"
		for name, value := range shown(client, key, "a wrong one") {
			cfg.Properties[name] = value
		}
		if _, err := Dial(cfg); err == nil || !strings.Contains(err.Error(), "config: ssl.key.pem failed: "+want) {
			t.Error(err)
		}
	}
	t.Run("the environment's", func(t *testing.T) {
		cfg := impatient()
		cfg.Properties["security.protocol"] = "ssl"
		cfg.Environment = environ.Variables{"SSL_CERT_FILE": ca}
		if _, err := dial(t, secured(t, good, nil), cfg).Partitions(t.Context(), []string{"t"}); err != nil {
			t.Error(err)
		}
		cfg.Environment = environ.Variables{"SSL_CERT_FILE": file("stranger.pem", stranger.text), "SSL_CERT_DIR": t.TempDir()}
		_, err := dial(t, secured(t, good, nil), cfg).Partitions(t.Context(), []string{"t"})
		if err == nil || !strings.Contains(err.Error(), "there is no ssl.ca.location (SSL_CERT_FILE is "+folder) {
			t.Error(err)
		}
	})
	cfg := impatient()
	cfg.Servers = "a:1"
	cfg.Properties["security.protocol"] = "ssl"
	for name, value := range shown(client, client.lockedKey(t, "x"), "") {
		cfg.Properties[name] = value
	}
	if _, err := Dial(cfg); err == nil || !strings.Contains(err.Error(), "it needs ssl.key.password") {
		t.Error(err)
	}
}
