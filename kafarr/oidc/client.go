// Package oidc has the HTTP client with which the registry's login and the brokers' login ask a token endpoint.
package oidc

import (
	"fmt"
	"net/http"
	"time"
)

// Client is an HTTP client for requests that carry a client secret. It follows no redirect: with 307 and 308 Go's client would send the
// secret once more, to whatever host and over whatever scheme the answer names.
func Client(transport http.RoundTripper, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: transport,
		Timeout:   timeout,
		CheckRedirect: func(request *http.Request, _ []*http.Request) error {
			return fmt.Errorf("the token endpoint redirects to %s://%s, where the client secret is not sent: give the endpoint's own address", request.URL.Scheme, request.URL.Host)
		},
	}
}
