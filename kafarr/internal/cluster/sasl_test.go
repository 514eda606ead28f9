package cluster

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestALoginThatIsRenewedTooSoonIsTriedAgainUnlessNoneWasEverTaken(t *testing.T) {
	login := Login{taken: new(atomic.Bool)}
	if err := login.Alert(kerr.IllegalSaslState); Passing(err) || !IsDenied(err) {
		t.Error("a listener without SASL:", err)
	}
	if err := login.Alert(nil); err != nil {
		t.Error(err)
	}
	if err := login.Alert(kerr.IllegalSaslState); !Passing(err) || !errors.Is(err, kerr.IllegalSaslState) {
		t.Error("a login that was renewed too soon:", err)
	}
	if err := login.Alert(kerr.SaslAuthenticationFailed); Passing(err) || !IsDenied(err) {
		t.Error(err)
	}
}

func TestATokenIsKeptUntilItIsOld(t *testing.T) {
	asked, fail := 0, false
	life := time.Hour
	tokens := tokens{secrets: redact.New(), ask: func(context.Context) (source.Token, error) {
		if asked++; fail {
			return source.Token{}, errors.New("the vault is sealed")
		}
		return source.Token{Value: "a token", Expiry: time.Now().Add(life), Principal: "anna"}, nil
	}}
	for range 3 {
		if auth, err := tokens.auth(t.Context()); err != nil || auth.Token != "a token" || asked != 1 {
			t.Fatal(auth, err, asked)
		}
	}
	tokens.renew, fail = time.Now().Add(-time.Second), true
	if auth, err := tokens.auth(t.Context()); err != nil || auth.Token != "a token" || asked != 2 {
		t.Error("the last one is still good:", err, asked)
	}
	tokens.last.Expiry = time.Now().Add(-time.Second)
	var refused *loginError
	if _, err := tokens.auth(t.Context()); !errors.As(err, &refused) || refused.passing || !strings.Contains(err.Error(), "no token: the vault is sealed") {
		t.Error(err)
	}
	if got := tokens.secrets.Text("it was a token"); got != "it was ***" {
		t.Error(got)
	}
}

func TestOIDCAsksTheEndpointWithTheClientsCredentials(t *testing.T) {
	refuse := false
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if refuse || user != "me" || password != "my-secret" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "read all" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("no, my-secret is wrong"))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token": "the token", "expires_in": 3600, "token_type": "bearer"}`))
	}))
	defer endpoint.Close()
	c := Config{User: "a scan", Servers: "a:1", Properties: map[string]string{
		"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.token.endpoint.url": endpoint.URL,
		"sasl.oauthbearer.client.id": "me", "sasl.oauthbearer.client.secret": "my-secret", "sasl.oauthbearer.scope": "read all", "sasl.oauthbearer.extensions": "a=1,b=2",
	}}
	s, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := s.Login.tokens.auth(t.Context())
	if err != nil || auth.Token != "the token" || auth.Extensions["b"] != "2" || s.Login.String() != "OAUTHBEARER as me" {
		t.Error(auth, err, s.Login.String())
	}
	refuse = true
	s.Login.tokens.renew, s.Login.tokens.last.Expiry = time.Time{}, time.Time{}
	if _, err = s.Login.tokens.auth(t.Context()); err == nil || !strings.Contains(err.Error(), "*** is wrong") {
		t.Error(err)
	}
}

func TestOIDCAsksThroughTheProxyOfTheEnvironmentAndHidesItsPassword(t *testing.T) {
	refuse := false
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			w.WriteHeader(http.StatusProxyAuthRequired)
			_, _ = w.Write([]byte(r.Header.Get("Proxy-Authorization") + " is wrong, of p@ssword"))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token": "` + r.URL.Host + `", "expires_in": 3600, "token_type": "bearer"}`))
	}))
	defer proxy.Close()
	c := Config{
		User: "a scan", Servers: "a:1", Environment: environ.Variables{"http_proxy": "anna:p%40ssword@" + strings.TrimPrefix(proxy.URL, "http://")},
		Properties: map[string]string{
			"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "me",
			"sasl.oauthbearer.client.secret": "my-secret", "sasl.oauthbearer.token.endpoint.url": "http://tokens.example/",
		},
	}
	s, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	if auth, err := s.Login.tokens.auth(t.Context()); err != nil || auth.Token != "tokens.example" {
		t.Error(auth, err)
	}
	refuse = true
	s.Login.tokens.renew, s.Login.tokens.last.Expiry = time.Time{}, time.Time{}
	if _, err = s.Login.tokens.auth(t.Context()); err == nil || !strings.Contains(err.Error(), "Basic ***") || !strings.Contains(err.Error(), "is wrong, of ***") {
		t.Error(err)
	}
}

func TestAPanicOfTheOneWhoBringsTokensIsTheErrorOfTheLogin(t *testing.T) {
	tokens := tokens{secrets: redact.New(), ask: func(context.Context) (source.Token, error) { panic("mine") }}
	if _, err := tokens.auth(t.Context()); err == nil || !strings.Contains(err.Error(), "panic: mine") {
		t.Errorf("got %v", err)
	}
}
