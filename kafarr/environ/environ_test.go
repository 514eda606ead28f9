package environ_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/environ"
)

func TestARequestsProxyIsTheOneThatTheVariablesName(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://of-the-process:1")
	for _, c := range []struct {
		variables environ.Variables
		url, want string
	}{
		{environ.Variables{"HTTP_PROXY": "http://p:1"}, "http://registry:8081/", "http://p:1"},
		{environ.Variables{"http_proxy": "http://p:1"}, "http://registry:8081/", "http://p:1"},
		{environ.Variables{"HTTP_PROXY": "http://p:1"}, "https://registry:8081/", ""},
		{environ.Variables{"HTTPS_PROXY": "http://p:1"}, "https://registry:8081/", "http://p:1"},
		{environ.Variables{"https_proxy": "p:1"}, "https://registry:8081/", "http://p:1"},
		{environ.Variables{"HTTP_PROXY": "http://p:1", "NO_PROXY": "registry"}, "http://registry:8081/", ""},
		{environ.Variables{"HTTP_PROXY": "http://p:1", "no_proxy": "*"}, "http://registry:8081/", ""},
		{environ.Variables{}, "http://registry:8081/", ""},
		{nil, "http://registry:8081/", "http://of-the-process:1"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		proxy, err := c.variables.Proxy()(request)
		got := ""
		if proxy != nil {
			got = proxy.String()
		}
		if err != nil || got != c.want {
			t.Errorf("%v, %s: %q, %v", c.variables, c.url, got, err)
		}
	}
}

func TestWhatIsTrustedIsWhatTheVariablesName(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for name, c := range map[string]struct {
		variables environ.Variables
		trusted   bool
	}{
		"a file":                       {environ.Variables{"SSL_CERT_FILE": file}, true},
		"a directory":                  {environ.Variables{"SSL_CERT_DIR": empty + ":" + filepath.Dir(file)}, true},
		"both, of which one is absent": {environ.Variables{"SSL_CERT_FILE": "/no/such/file", "SSL_CERT_DIR": filepath.Dir(file)}, true},
		"another directory":            {environ.Variables{"SSL_CERT_DIR": empty}, false},
		"neither any more":             {environ.Variables{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSL_CERT_FILE", filepath.Join(empty, "of the process"))
			pool := c.variables.Roots()
			_, err := server.Certificate().Verify(x509.VerifyOptions{Roots: pool})
			if (err == nil) != c.trusted {
				t.Errorf("%s: %v", c.variables.Trusted(), err)
			}
		})
	}
}
