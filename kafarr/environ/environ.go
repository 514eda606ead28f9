// Package environ reads the environment variables that say how HTTP and TLS connections are made.
//
// Go's own readers of them do not suit a library: os.Getenv has the variables that the process had at its start, whatever Python has set since, and net/http and crypto/x509
// keep the first values that they found. Here the caller passes the variables, and each client that is opened reads them again.
package environ

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// Variables are environment variables by their names; one that is not there is not set. nil: those of Process.
type Variables map[string]string

var (
	httpNames  = []string{"HTTP_PROXY", "http_proxy"}
	httpsNames = []string{"HTTPS_PROXY", "https_proxy"}
	exceptions = []string{"NO_PROXY", "no_proxy"}
)

const (
	method    = "REQUEST_METHOD" // of a CGI program
	file      = "SSL_CERT_FILE"
	directory = "SSL_CERT_DIR"
)

// Process holds what os.Getenv has now.
func Process() Variables {
	v := Variables{}
	for _, name := range slices.Concat(httpNames, httpsNames, exceptions, []string{method, file, directory}) {
		if value := os.Getenv(name); value != "" {
			v[name] = value
		}
	}
	return v
}

// get is the first of the variables that is set.
func (v Variables) get(names ...string) string {
	if v == nil {
		v = Process()
	}
	for _, name := range names {
		if value := v[name]; value != "" {
			return value
		}
	}
	return ""
}

// Proxy is for http.Transport: the proxy of a request, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY or their lower-case forms, with net/http's rules.
func (v Variables) Proxy() func(*http.Request) (*url.URL, error) {
	config := httpproxy.Config{
		HTTPProxy: v.get(httpNames...), HTTPSProxy: v.get(httpsNames...), NoProxy: v.get(exceptions...),
		CGI: v.get(method) != "", // then a client of the web server may have set HTTP_PROXY, by a header
	}
	find := config.ProxyFunc()
	return func(request *http.Request) (*url.URL, error) { return find(request.URL) }
}

// Secrets are what errors must not show: the proxies' passwords, as they are and with their users, as a request shows them.
func (v Variables) Secrets() []string {
	var secrets []string
	for _, proxy := range []string{v.get(httpNames...), v.get(httpsNames...)} {
		if !strings.Contains(proxy, "://") { // as a proxy may be written
			proxy = "http://" + proxy
		}
		address, err := url.Parse(proxy)
		if err != nil || address.User == nil { // what cannot be parsed is no proxy
			continue
		}
		password, _ := address.User.Password()
		secrets = append(secrets, password, address.User.Username()+":"+password)
	}
	return secrets
}

// Where Linux's distributions have the certificates of the authorities that they trust, as in crypto/x509: the first of the files, and all the directories.
var (
	rootFiles = []string{
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	}
	rootDirectories = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
)

// Roots are the authorities that SSL_CERT_FILE and SSL_CERT_DIR name, with crypto/x509's rules: the one replaces the system's file, the other its directories, and what cannot
// be read is passed over. nil: they are those that crypto/x509 finds by itself.
func (v Variables) Roots() *x509.CertPool {
	one, several := v.get(file), v.get(directory)
	// The same as crypto/x509 has: it reads hundreds of certificates, once for all. They differ as well where a variable is not set any more.
	if one == os.Getenv(file) && several == os.Getenv(directory) || runtime.GOOS != "linux" {
		return nil
	}
	files, directories := rootFiles, rootDirectories
	if one != "" {
		files = []string{one}
	}
	if several != "" {
		directories = filepath.SplitList(several)
	}
	pool := x509.NewCertPool()
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			pool.AppendCertsFromPEM(text)
			break
		}
	}
	for _, folder := range directories {
		entries, _ := os.ReadDir(folder) // none, where it cannot be read
		for _, entry := range entries {
			if text, err := os.ReadFile(filepath.Join(folder, entry.Name())); err == nil {
				pool.AppendCertsFromPEM(text)
			}
		}
	}
	return pool
}

// Trusted names the variables that Roots heeds, for errors: "", or " (SSL_CERT_FILE is /ca.pem)".
func (v Variables) Trusted() string {
	var set []string
	for _, name := range []string{file, directory} {
		if value := v.get(name); value != "" {
			set = append(set, name+" is "+value)
		}
	}
	if set == nil {
		return ""
	}
	return " (" + strings.Join(set, ", ") + ")"
}
